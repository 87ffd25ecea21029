/* environment: reading, checking, and the one that is always there. */
#include "model/environment.h"

#include "base/id.h"
#include "base/text.h"

#include <string.h>

err_t environment_ensure(struct db *db)
{
    struct environment e;
    bool found;
    TRY(entity_one(db, &ENTITY_environment, &e, &found, "WHERE driver = 'local'", P()));
    if (found) return OK;
    entity_init(&ENTITY_environment, &e);
    e.id = id_new(db_arena(db));
    e.name = "Local";
    e.driver = "local";
    e.status = "active";
    e.config = e.env_vars = "{}";
    e.metadata = "{\"managedByPaperclip\":true,\"defaultForInstance\":true}";
    e.created_at = e.updated_at = clock_now();
    return entity_insert(db, &ENTITY_environment, &e);
}

err_t environment_get(struct db *db, const char *id, struct environment *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_environment, out, found, "WHERE id = $1", P(V_ID(id)));
}

err_t environment_list(struct db *db, struct environment **rows, int *n)
{
    return entity_many(db, &ENTITY_environment, rows, n, "ORDER BY name, id", P());
}

err_t environment_default(struct db *db, struct environment *out)
{
    bool found;
    TRY(entity_one(db, &ENTITY_environment, out, &found, "WHERE driver = 'local'", P()));
    return found ? OK : err_new(db_arena(db), ERR_INTERNAL, "the Local environment is gone");
}

err_t environment_check(struct db *db, const char *id)
{
    struct arena *a = db_arena(db);
    struct environment e;
    bool found;
    if (id == NULL) return OK;
    TRY(environment_get(db, id, &e, &found));
    if (!found) return err_new(a, ERR_UNPROCESSABLE, "Environment not found.");
    if (text_is(e.status, "archived")) return err_new(a, ERR_UNPROCESSABLE, "Environment is archived.");
    if (text_is(e.driver, "plugin"))
        return err_new(a, ERR_UNPROCESSABLE,
                       "Environment driver \"%s\" is not allowed here. Allowed drivers: local, ssh, sandbox", e.driver);
    return OK;
}

void environment_write(struct jw *w, const struct environment *e)
{
    jw_obj(w);
    entity_write(w, &ENTITY_environment, e, VIEW_FULL);
    jw_obj_end(w);
}

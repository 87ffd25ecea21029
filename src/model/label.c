/* label: coloured names on issues. */
#include "model/label.h"

#include "base/id.h"
#include "model/activity.h"

err_t label_get(struct db *db, const char *id, struct label *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_label, out, found, "WHERE id = $1", P(V_ID(id)));
}

err_t label_list(struct db *db, const char *company_id, struct label **rows, int *n)
{
    return entity_many(db, &ENTITY_label, rows, n, "WHERE company_id = $1 ORDER BY name, id", P(V_ID(company_id)));
}

void label_write(struct jw *w, const struct label *label)
{
    jw_obj(w);
    entity_write(w, &ENTITY_label, label, VIEW_FULL);
    jw_obj_end(w);
}

static err_t log_label(struct db *db, const struct actor *actor, const char *action, const struct label *label)
{
    return activity_log(
        db, actor,
        &(struct activity_entry){.company_id = label->company_id,
                                 .action = action,
                                 .entity_type = "label",
                                 .entity_id = label->id,
                                 .details = json_pack("{s:s, s:s}", "name", label->name, "color", label->color)});
}

err_t label_create(struct db *db, const struct actor *actor, struct label *label)
{
    int64_t n;
    label->id = id_new(db_arena(db));
    label->created_at = label->updated_at = clock_now();
    TRY(db_exec(
        db, &n,
        "INSERT INTO labels (id, company_id, name, color, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)"
        " ON CONFLICT (company_id, name) DO NOTHING",
        P(V_ID(label->id), V_ID(label->company_id), V_TEXT(label->name), V_TEXT(label->color),
          V_TIME(label->created_at))));
    if (n == 0)
        return err_new(db_arena(db), ERR_CONFLICT, "A label named '%s' already exists in this company", label->name);
    return log_label(db, actor, "label.created", label);
}

err_t label_delete(struct db *db, const struct actor *actor, const struct label *label)
{
    TRY(db_exec_one(db, "DELETE FROM labels WHERE id = $1", P(V_ID(label->id))));
    return log_label(db, actor, "label.deleted", label);
}

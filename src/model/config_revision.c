/* config_revision: the history of an agent's configuration. */
#include "model/config_revision.h"

#include "base/id.h"
#include "rules/redact.h"

#include <string.h>

const char *const CONFIG_FIELDS[] = {"name",
                                     "role",
                                     "title",
                                     "icon",
                                     "reportsTo",
                                     "capabilities",
                                     "adapterType",
                                     "adapterConfig",
                                     "runtimeConfig",
                                     "defaultEnvironmentId",
                                     "budgetMonthlyCents",
                                     "metadata",
                                     NULL};
/* Of these, what may hold secrets. */
static const char *const masked[] = {"adapterConfig", "runtimeConfig", "metadata", NULL};

static const char *snapshot(struct arena *a, const struct agent *agent)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    for (const char *const *f = CONFIG_FIELDS; *f; f++) {
        jw_key(&w, *f);
        entity_write_field(&w, entity_field(&ENTITY_agent, *f), agent);
    }
    jw_obj_end(&w);
    return buf_finish(&b, a);
}

err_t config_revision_add(struct db *db, const struct actor *actor, const struct agent *before,
                          const struct agent *after, const struct revision_origin *origin)
{
    struct arena *a = db_arena(db);
    json_t *changed = json_array();
    for (const char *const *f = CONFIG_FIELDS; *f; f++)
        if (!entity_same(entity_field(&ENTITY_agent, *f), before, after))
            json_array_append_new(changed, json_string(*f));
    if (json_array_size(changed) == 0) return OK;
    struct config_revision rev;
    entity_init(&ENTITY_config_revision, &rev);
    rev.id = id_new(a);
    rev.company_id = after->company_id;
    rev.agent_id = after->id;
    rev.created_by_agent_id = actor->agent_id;
    rev.created_by_user_id = actor->user_id;
    rev.source = origin->source;
    rev.rolled_back_from_revision_id = origin->rolled_back_from;
    rev.changed_keys = json_text(a, changed);
    rev.before_config = snapshot(a, before);
    rev.after_config = snapshot(a, after);
    rev.created_at = clock_now();
    return entity_insert(db, &ENTITY_config_revision, &rev);
}

err_t config_revision_list(struct db *db, const char *agent_id, struct config_revision **rows, int *n)
{
    return entity_many(db, &ENTITY_config_revision, rows, n, "WHERE agent_id = $1 ORDER BY created_at DESC, id DESC",
                       P(V_ID(agent_id)));
}

err_t config_revision_get(struct db *db, const char *agent_id, const char *id, struct config_revision *out)
{
    bool found = false;
    if (id_valid(id))
        TRY(entity_one(db, &ENTITY_config_revision, out, &found, "WHERE id = $1 AND agent_id = $2",
                       P(V_ID(id), V_ID(agent_id))));
    return found ? OK : err_new(db_arena(db), ERR_NOT_FOUND, "Revision not found");
}

err_t config_revision_apply(struct db *db, const struct config_revision *rev, struct agent *agent)
{
    struct arena *a = db_arena(db);
    const json_t *config = json_read(rev->after_config);
    if (redact_find_marker(config))
        return err_new(a, ERR_UNPROCESSABLE, "Cannot roll back a revision that contains redacted secret values");
    for (const char *const *f = CONFIG_FIELDS; *f; f++) {
        const json_t *v = json_object_get(config, *f);
        if (v) entity_set(a, entity_field(&ENTITY_agent, *f), agent, v);
    }
    return OK;
}

static void write_config(struct jw *w, struct arena *a, const char *text)
{
    json_t *config = json_read(text);
    for (const char *const *f = masked; *f; f++) {
        const json_t *v = json_object_get(config, *f);
        if (v) json_object_set(config, *f, redact_json(a, v));
    }
    jw_json(w, config);
}

void config_revision_write(struct jw *w, struct arena *a, const struct config_revision *rev)
{
    jw_obj(w);
    for (int i = 0; i < ENTITY_config_revision.count; i++) {
        const struct field *f = &ENTITY_config_revision.fields[i];
        jw_key(w, f->json);
        if (strcmp(f->name, "before_config") == 0) write_config(w, a, rev->before_config);
        else if (strcmp(f->name, "after_config") == 0) write_config(w, a, rev->after_config);
        else entity_write_field(w, f, rev);
    }
    jw_obj_end(w);
}

/* agent_key: API keys of agents. */
#include "model/agent_key.h"

#include "base/id.h"
#include "model/agent_view.h"
#include "model/token.h"

#include <string.h>

#define TOUCH_INTERVAL_MS MINUTE_MS

err_t agent_key_find(struct db *db, const char *hash, struct agent_key *out, bool *found)
{
    return entity_one(db, &ENTITY_agent_key, out, found, "WHERE key_hash = $1 AND revoked_at IS NULL", P(V_TEXT(hash)));
}

err_t agent_key_touch(struct db *db, const struct agent_key *key)
{
    instant_t now = clock_now();
    int64_t n;
    if (key->last_used_at != INSTANT_NONE && now - key->last_used_at < TOUCH_INTERVAL_MS) return OK;
    TRY(db_begin(db, key->company_id));
    err_t e =
        db_exec(db, &n, "UPDATE agent_api_keys SET last_used_at = $2 WHERE id = $1", P(V_ID(key->id), V_TIME(now)));
    if (e == OK) return db_commit(db);
    db_rollback(db);
    return e;
}

#define STANDARD_SCOPE "{\"kind\":\"standard\"}"

err_t agent_key_create(struct db *db, const struct actor *actor, const struct agent *agent, const char *name,
                       json_t *scope, struct agent_key *out, const char **token)
{
    struct arena *a = db_arena(db);
    if (strcmp(agent->status, "terminated") == 0)
        return err_new(a, ERR_CONFLICT, "Cannot create keys for terminated agents");
    if (strcmp(agent->status, "pending_approval") == 0)
        return err_new(a, ERR_CONFLICT, "Cannot create keys for pending approval agents");
    *token = key_generate(a);
    entity_init(&ENTITY_agent_key, out);
    out->id = id_new(a);
    out->company_id = agent->company_id;
    out->agent_id = agent->id;
    out->name = name;
    out->key_hash = key_hash(a, *token);
    out->scope_config = scope ? json_text(a, scope) : NULL;
    out->responsible_user_id = actor->user_id;
    out->created_at = clock_now();
    TRY(entity_insert(db, &ENTITY_agent_key, out));
    return agent_log(db, actor, "agent.key_created", agent,
                     json_pack("{s:s, s:s, s:o, s:s?}", "keyId", out->id, "name", name, "scope",
                               json_read(out->scope_config ? out->scope_config : STANDARD_SCOPE), "responsibleUserId",
                               out->responsible_user_id));
}

err_t agent_key_list(struct db *db, const struct agent *agent, struct agent_key **rows, int *n)
{
    return entity_many(db, &ENTITY_agent_key, rows, n, "WHERE agent_id = $1 ORDER BY created_at DESC, id DESC",
                       P(V_ID(agent->id)));
}

err_t agent_key_revoke(struct db *db, const struct actor *actor, const struct agent *agent, const char *key_id)
{
    struct agent_key key;
    bool found = false;
    if (id_valid(key_id))
        TRY(entity_one(db, &ENTITY_agent_key, &key, &found, "WHERE id = $1 AND agent_id = $2",
                       P(V_ID(key_id), V_ID(agent->id))));
    if (!found) return err_new(db_arena(db), ERR_NOT_FOUND, "Key not found");
    if (key.revoked_at != INSTANT_NONE) return OK;
    TRY(db_exec_one(db, "UPDATE agent_api_keys SET revoked_at = $2 WHERE id = $1",
                    P(V_ID(key.id), V_TIME(clock_now()))));
    return agent_log(db, actor, "agent.key_revoked", agent, json_pack("{s:s, s:s}", "keyId", key.id, "name", key.name));
}

void agent_key_write(struct jw *w, const struct agent_key *key, const char *token)
{
    jw_obj(w);
    jw_kstr(w, "id", key->id);
    jw_kstr(w, "name", key->name);
    jw_kraw(w, "scope", key->scope_config ? key->scope_config : STANDARD_SCOPE);
    jw_kstr(w, "responsibleUserId", key->responsible_user_id);
    if (token) jw_kstr(w, "token", token);
    jw_ktime(w, "createdAt", key->created_at);
    if (token == NULL) jw_ktime(w, "revokedAt", key->revoked_at);
    jw_obj_end(w);
}

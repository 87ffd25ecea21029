/* agent_key: API keys of agents. */
#include "model/agent_key.h"

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
    err_t e = db_exec(db, &n, "UPDATE agent_api_keys SET last_used_at = $2 WHERE id = $1", P(V_ID(key->id), V_TIME(now)));
    if (e == OK) return db_commit(db);
    db_rollback(db);
    return e;
}

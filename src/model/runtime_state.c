/* runtime_state: sessions and totals of agents. */
#include "model/runtime_state.h"

#include "base/json.h"
#include "model/agent_view.h"

static err_t find(struct db *db, const struct agent *agent, struct runtime_state *out, bool *found)
{
    TRY(entity_one(db, &ENTITY_runtime_state, out, found, "WHERE agent_id = $1", P(V_ID(agent->id))));
    if (*found) return OK;
    entity_init(&ENTITY_runtime_state, out);
    out->agent_id = agent->id;
    out->company_id = agent->company_id;
    out->adapter_type = agent->adapter_type;
    out->state_json = "{}";
    out->created_at = out->updated_at = agent->created_at;
    return OK;
}

err_t runtime_state_get(struct db *db, const struct agent *agent, struct runtime_state *out)
{
    bool found;
    return find(db, agent, out, &found);
}

err_t task_session_list(struct db *db, const char *agent_id, struct task_session **rows, int *n)
{
    return entity_many(db, &ENTITY_task_session, rows, n, "WHERE agent_id = $1 ORDER BY updated_at DESC, id DESC",
                       P(V_ID(agent_id)));
}

static err_t clear_sessions(struct db *db, const char *agent_id, const char *task_key, int64_t *n)
{
    if (task_key)
        return db_exec(db, n, "DELETE FROM agent_task_sessions WHERE agent_id = $1 AND task_key = $2",
                       P(V_ID(agent_id), V_TEXT(task_key)));
    return db_exec(db, n, "DELETE FROM agent_task_sessions WHERE agent_id = $1", P(V_ID(agent_id)));
}

err_t runtime_state_reset(struct db *db, const struct actor *actor, const struct agent *agent, const char *task_key,
                          struct runtime_state *out, int64_t *cleared)
{
    struct runtime_state before;
    bool found;
    TRY(clear_sessions(db, agent->id, task_key, cleared));
    TRY(find(db, agent, &before, &found));
    *out = before;
    out->session_id = NULL;
    out->last_error = NULL;
    if (task_key == NULL) out->state_json = "{}";
    if (found) {
        out->updated_at = clock_now();
        TRY(entity_update(db, &ENTITY_runtime_state, &before, out));
    }
    return agent_log(db, actor, "agent.runtime_session_reset", agent, json_pack("{s:s?}", "taskKey", task_key));
}

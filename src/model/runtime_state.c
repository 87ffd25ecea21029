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

err_t runtime_state_reset(struct db *db, const struct actor *actor, const struct agent *agent, const char *task_key,
                          struct runtime_state *out)
{
    struct runtime_state before;
    bool found;
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

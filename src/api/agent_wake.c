/* agent_wake: waking an agent by hand, and its runtime state (AR-42, AR-43, AR-75). */
#include "api/handlers.h"
#include "api/schemas.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/run.h"
#include "model/runtime_state.h"
#include "model/wake.h"
#include "rules/redact.h"

#include <string.h>

static const char *const sources[] = {"timer", "assignment", "on_demand", "automation", NULL};
static const char *const triggers[] = {"manual", "ping", "callback", "system", NULL};

static const struct prop wakeup_props[] = {
    {"source", PROP_ENUM, .options = sources},
    {"triggerDetail", PROP_ENUM, NULLABLE, .options = triggers},
    {"reason", PROP_STRING, NULLABLE},
    {"payload", PROP_OBJECT, NULLABLE},
    {"idempotencyKey", PROP_STRING, NULLABLE, .min = 1, .max = 255},
    {"forceFreshSession", PROP_BOOL},
};
SCHEMA(AGENT_WAKEUP, wakeup_props);

static const struct prop invoke_props[] = {
    {"triggerDetail", PROP_ANY},
    {"reason", PROP_ANY},
    {"payload", PROP_ANY},
    {"forceFreshSession", PROP_ANY},
};
SCHEMA(AGENT_INVOKE, invoke_props);

static const struct prop reset_props[] = {{"taskKey", PROP_STRING, NULLABLE, .min = 1}};
SCHEMA(AGENT_RESET_SESSION, reset_props);

/* The run the wake led to: new, or the one that absorbed it. */
static err_t answer_run(struct req *r, const char *run_id)
{
    struct run run;
    struct run_data data;
    bool found;
    TRY(run_get(r->db, run_id, &run, &found));
    if (!found) return not_found(r, "Heartbeat run");
    TRY(run_data_get(r->db, run_id, &data));
    TRY(activity_log(r->db, &r->actor,
                     &(struct activity_entry){.company_id = run.company_id,
                                              .action = "heartbeat.invoked",
                                              .entity_type = "heartbeat_run",
                                              .entity_id = run.id,
                                              .run_id = run.id,
                                              .details = json_pack("{s:s}", "agentId", run.agent_id)}));
    jw_obj(&r->w);
    run_write_raw(&r->w, &run, &data);
    jw_obj_end(&r->w);
    return OK;
}

/* Who executes the issue a deferred wake waits for. */
static err_t write_holder(struct req *r, const struct wake_result *res)
{
    struct run run = {0};
    struct agent agent = {0};
    bool found = false;
    if (res->outcome == WAKE_DEFERRED && res->run_id) TRY(run_get(r->db, res->run_id, &run, &found));
    if (found) TRY(agent_get(r->db, run.agent_id, &agent, &found));
    bool deferred = res->outcome == WAKE_DEFERRED;
    jw_kstr(&r->w, "reason", deferred ? "issue_execution_deferred" : "wakeup_skipped");
    jw_kstr(&r->w, "message",
            deferred ? arena_printf(r->arena, "Wakeup was deferred because this issue is already being executed by %s.",
                                    found ? agent.name : "another run")
                     : "Wakeup was skipped.");
    jw_kstr(&r->w, "issueId", run.issue_id ? run.issue_id : json_str(json_object_get(r->body, "payload"), "issueId"));
    jw_kstr(&r->w, "executionRunId", run.id);
    jw_kstr(&r->w, "executionAgentId", run.agent_id);
    jw_kstr(&r->w, "executionAgentName", agent.name);
    return OK;
}

static err_t answer_skipped(struct req *r, const struct wake_result *res, bool with_holder)
{
    jw_obj(&r->w);
    jw_kstr(&r->w, "status", "skipped");
    if (with_holder) TRY(write_holder(r, res));
    jw_kstr(&r->w, "skipReason", res->reason); /* why, in the engine's own words */
    jw_kstr(&r->w, "wakeupRequestId", res->wake_id);
    jw_obj_end(&r->w);
    return OK;
}

static err_t wake(struct req *r, const struct wake_request *in, bool with_holder)
{
    struct wake_result res;
    struct wake_request w = *in;
    if (is_agent(r) && strcmp(r->actor.agent_id, r->agent.id) != 0) return forbidden(r, "Agent can only invoke itself");
    w.agent_id = r->agent.id;
    w.context = json_pack("{s:s, s:s}", "triggeredBy", is_board(r) ? "board" : "agent", "actorId", actor_id(&r->actor));
    TRY(wake_enqueue(r->db, &r->actor, &w, &res));
    if (res.refusal) return refuse(r, res.refusal);
    if (res.run_id && (res.outcome == WAKE_QUEUED || res.outcome == WAKE_COALESCED)) return answer_run(r, res.run_id);
    return answer_skipped(r, &res, with_holder);
}

err_t agent_wakeup(struct req *r)
{
    return wake(r,
                &(struct wake_request){.source = json_str(r->body, "source"),
                                       .trigger_detail = json_str(r->body, "triggerDetail"),
                                       .reason = json_str(r->body, "reason"),
                                       .payload = json_object_get(r->body, "payload"),
                                       .idempotency_key = json_str(r->body, "idempotencyKey"),
                                       .force_fresh_session = json_bool(r->body, "forceFreshSession", false)},
                true);
}

err_t agent_invoke(struct req *r)
{
    const char *trigger = json_str(r->body, "triggerDetail");
    return wake(r,
                &(struct wake_request){.source = "on_demand",
                                       .trigger_detail = trigger ? trigger : "manual",
                                       .reason = json_str(r->body, "reason"),
                                       .payload = json_object_get(r->body, "payload"),
                                       .force_fresh_session = json_bool(r->body, "forceFreshSession", false)},
                false);
}

/* ---- runtime state ---- */

/* Session parameters are the adapter's own and may hold what is secret. */
static void write_params(struct req *r, const struct task_session *s)
{
    jw_key(&r->w, "sessionParamsJson");
    jw_json(&r->w, s && s->session_params_json ? redact_json(r->arena, json_read(s->session_params_json)) : NULL);
}

static err_t write_state(struct req *r, const struct runtime_state *state)
{
    struct task_session *latest;
    int n;
    TRY(task_session_list(r->db, r->agent.id, &latest, &n));
    entity_write(&r->w, &ENTITY_runtime_state, state, VIEW_FULL);
    jw_kstr(&r->w, "sessionDisplayId", n ? latest->session_display_id : state->session_id);
    write_params(r, n ? latest : NULL);
    return OK;
}

err_t agent_task_sessions(struct req *r)
{
    struct task_session *rows;
    int n;
    TRY(task_session_list(r->db, r->agent.id, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) {
        jw_obj(&r->w);
        for (int k = 0; k < ENTITY_task_session.count; k++) {
            const struct field *f = &ENTITY_task_session.fields[k];
            if (strcmp(f->name, "session_params_json") == 0) {
                write_params(r, &rows[i]);
                continue;
            }
            jw_key(&r->w, f->json);
            entity_write_field(&r->w, f, &rows[i]);
        }
        jw_obj_end(&r->w);
    }
    jw_arr_end(&r->w);
    return OK;
}

err_t agent_runtime_state(struct req *r)
{
    struct runtime_state state;
    TRY(runtime_state_get(r->db, &r->agent, &state));
    jw_obj(&r->w);
    TRY(write_state(r, &state));
    jw_obj_end(&r->w);
    return OK;
}

err_t agent_reset_session(struct req *r)
{
    struct runtime_state state;
    int64_t cleared;
    TRY(runtime_state_reset(r->db, &r->actor, &r->agent, json_str(r->body, "taskKey"), &state, &cleared));
    jw_obj(&r->w);
    TRY(write_state(r, &state));
    jw_kint(&r->w, "clearedTaskSessions", cleared);
    jw_obj_end(&r->w);
    return OK;
}

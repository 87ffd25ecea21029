/* agent_control: pausing, resuming and ending agents. */
#include "model/agent_control.h"

#include "model/agent_view.h"
#include "model/approval.h"
#include "model/interaction.h"
#include "model/run_control.h"
#include "model/run_event.h"
#include "model/stages.h"

#include <string.h>

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* The row as it is now: cancelling runs may have written to it. */
static err_t reload(struct db *db, struct agent *agent)
{
    bool found;
    TRY(agent_get(db, agent->id, agent, &found));
    assert(found);
    return OK;
}

static err_t write_state(struct db *db, struct agent *agent, const char *status, const char *pause_reason)
{
    struct agent before = *agent;
    agent->status = status;
    agent->updated_at = clock_now();
    agent->pause_reason = pause_reason;
    agent->paused_at = pause_reason ? agent->updated_at : INSTANT_NONE;
    if (!is(status, "error")) agent->error_reason = NULL;
    return entity_update(db, &ENTITY_agent, &before, agent);
}

static err_t resume_check(struct db *db, const struct agent *agent)
{
    struct org org;
    TRY(agent_chain(db, agent, &org));
    struct org_health h = org_health(db_arena(db), &org, 0);
    return h.verdict == ORG_HEALTHY ? OK : err_new(db_arena(db), ERR_CONFLICT, "%s", h.repair_guidance);
}

static err_t pause(struct db *db, const struct actor *actor, struct agent *agent)
{
    int64_t n;
    TRY(write_state(db, agent, "paused", "manual"));
    TRY(run_cancel_where(db,
                         &(struct run_cancel){.agent_id = agent->id,
                                              .error = "Cancelled due to agent pause",
                                              .error_code = "agent_paused",
                                              /* nobody stood the work itself down: it goes on after the pause (EX-57) */
                                              .stop_reason = "paused"},
                         &n));
    TRY(reload(db, agent));
    return agent_log(db, actor, "agent.paused", agent, json_pack("{s:I}", "runsCancelled", (json_int_t)n));
}

/* ---- the end of an agent ---- */

/* All below the agent that are not terminated, each once. */
static err_t descendants(struct db *db, const struct agent *agent, json_t **ids)
{
    struct rows r ROWS_AUTO = {0};
    *ids = json_array();
    TRY(db_query(db, &r,
                 "WITH RECURSIVE below(id, status) AS (SELECT id, status FROM agents WHERE reports_to = $1"
                 " UNION SELECT m.id, m.status FROM agents m JOIN below b ON m.reports_to = b.id)"
                 " SELECT id FROM below WHERE status <> 'terminated' AND id <> $1 ORDER BY id",
                 P(V_ID(agent->id))));
    while (rows_next(&r)) json_array_append_new(*ids, json_string(row_text(&r, 0)));
    return rows_err(&r);
}

struct stopped {
    int64_t runs, wakes;
};

/* Wakes first, so that ending a run promotes only what others asked for. */
static err_t stop_work(struct db *db, const struct actor *actor, const json_t *ids, const char *why,
                       struct stopped *out)
{
    size_t i;
    json_t *id;
    int64_t n;
    *out = (struct stopped){0};
    json_array_foreach (ids, i, id) {
        TRY(db_exec(
            db, &n,
            "UPDATE agent_wakeup_requests SET status = 'cancelled', error = $2, finished_at = $3, updated_at = $3"
            " WHERE agent_id = $1 AND run_id IS NULL AND status IN ('queued','deferred_issue_execution','claimed')",
            P(V_ID(json_string_value(id)), V_TEXT(why), V_TIME(clock_now()))));
        out->wakes += n;
    }
    json_array_foreach (ids, i, id) {
        TRY(run_cancel_where(db,
                             &(struct run_cancel){.agent_id = json_string_value(id),
                                                  .error = why,
                                                  .error_code = "agent_terminated",
                                                  .stop_reason = "agent_terminated",
                                                  .cancelled_by_user_id = actor->user_id},
                             &n));
        out->runs += n;
    }
    return OK;
}

static err_t terminate(struct db *db, const struct actor *actor, struct agent *agent)
{
    json_t *below, *all = json_array();
    struct stopped stopped;
    int64_t keys;
    TRY(descendants(db, agent, &below));
    json_array_append_new(all, json_string(agent->id));
    json_array_extend(all, below);
    TRY(write_state(db, agent, "terminated", NULL));
    TRY(db_exec(db, &keys, "UPDATE agent_api_keys SET revoked_at = $2 WHERE agent_id = $1 AND revoked_at IS NULL",
                P(V_ID(agent->id), V_TIME(clock_now()))));
    TRY(approval_cancel_hire(db, actor, agent));
    TRY(interaction_expire_by_addressee(db, actor, agent->id));
    TRY(stop_work(db, actor, all, "Cancelled because the agent, or one above it, was terminated", &stopped));
    TRY(stages_agent_gone(db, actor, agent->id));
    TRY(reload(db, agent));
    size_t n = json_array_size(below);
    return agent_log(db, actor, "agent.terminated", agent,
                     json_pack("{s:{s:I, s:O, s:s}, s:{s:O, s:I, s:I}}", "invalidOrgChain", "descendantCount",
                               (json_int_t)n, "descendantIds", below, "state", n ? "invalid_org_chain" : "healthy",
                               "cancellation", "agentIds", all, "runsCancelled", (json_int_t)stopped.runs,
                               "wakeupsCancelled", (json_int_t)stopped.wakes));
}

err_t agent_activate(struct db *db, const struct actor *actor, struct agent *agent, const char *source,
                     const char *approval_id)
{
    const char *refusal, *to = agent_transition(AGENT_APPROVE, agent->status, &refusal);
    if (to == NULL) return err_new(db_arena(db), ERR_CONFLICT, "%s", refusal);
    TRY(write_state(db, agent, to, NULL));
    TRY(agent_log(db, actor, "agent.approved", agent, json_pack("{s:s, s:s?}", "source", source, "approvalId", approval_id)));
    db_poke(db);
    return agent_publish_status(db, agent, NULL);
}

err_t agent_move(struct db *db, const struct actor *actor, struct agent *agent, enum agent_event event)
{
    const char *refusal, *to = agent_transition(event, agent->status, &refusal);
    static const char *const actions[] = {[AGENT_RESUME] = "agent.resumed", [AGENT_CLEAR_ERROR] = "agent.error_cleared"};
    if (event == AGENT_APPROVE) return agent_activate(db, actor, agent, "agent_detail", NULL);
    if (to == NULL) return err_new(db_arena(db), ERR_CONFLICT, "%s", refusal);
    if (event == AGENT_PAUSE) {
        TRY(pause(db, actor, agent));
    } else if (event == AGENT_TERMINATE) {
        TRY(terminate(db, actor, agent));
    } else {
        if (event == AGENT_RESUME) TRY(resume_check(db, agent));
        TRY(write_state(db, agent, to, NULL));
        TRY(agent_log(db, actor, actions[event], agent, NULL));
        db_poke(db);
    }
    return agent_publish_status(db, agent, NULL);
}

err_t agent_write_status(struct db *db, const struct actor *actor, struct agent *agent, const char *status)
{
    const char *refusal = agent_status_write_refusal(agent->status, status), *from = agent->status;
    if (refusal) return err_new(db_arena(db), ERR_CONFLICT, "%s", refusal);
    if (is(from, status)) return OK;
    if (is(status, "paused")) return agent_move(db, actor, agent, AGENT_PAUSE);
    if (is(status, "terminated")) return agent_move(db, actor, agent, AGENT_TERMINATE);
    if (is(status, "idle") && is(from, "error")) return agent_move(db, actor, agent, AGENT_CLEAR_ERROR);
    if (is(status, "idle") || is(status, "active")) return agent_move(db, actor, agent, AGENT_RESUME);
    TRY(write_state(db, agent, status, NULL));
    TRY(agent_log(db, actor, "agent.updated", agent, json_pack("{s:[s]}", "changedTopLevelKeys", "status")));
    return agent_publish_status(db, agent, NULL);
}

/* continuation: on from a plan, or from nothing. */
#include "model/continuation.h"

#include "base/text.h"
#include "model/activity.h"
#include "model/escalate.h"
#include "model/productivity.h"
#include "model/wake.h"
#include "rules/liveness.h"

/* A run that was asked for a status and gave none is the handoff's to judge (EX-73). */
static bool was_asked(const json_t *context) { return json_bool(context, "handoffRequired", false); }

static bool wanted(const struct ended *e, const struct issue *i)
{
    const char *agent = e->has_agent ? e->agent.status : NULL;
    bool ready =
        text_is(agent, "active") || text_is(agent, "idle") || text_is(agent, "running") || text_is(agent, "error");
    bool open = text_is(i->status, "todo") || text_is(i->status, "in_progress");
    return ready && open && liveness_continues(e->run->liveness_state) && i->execution_state == NULL &&
           i->assignee_user_id == NULL && text_is(i->assignee_agent_id, e->run->agent_id);
}

static const char *instruction(const char *state)
{
    return text_is(state, "plan_only")
               ? "Your last run said what to do but did not do it. Do the next step now, and record the result on the issue."
               : "Your last run left nothing behind. Do the next step now, or say on the issue what keeps you from it.";
}

static err_t go_on(struct db *db, struct ended *e, const struct issue *i, int64_t attempt)
{
    struct arena *a = db_arena(db);
    const struct run *run = e->run;
    struct wake_result result;
    json_t *context =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:s, s:s, s:s?, s:s}", "issueId", i->id, "taskId", i->id,
                  "source", "run.liveness_continuation", "wakeReason", "run_liveness_continuation", "retryOfRunId",
                  run->id, "livenessContinuationAttempt", (json_int_t)attempt, "livenessContinuationMaxAttempts",
                  CONTINUATIONS_MAX, "livenessContinuationSourceRunId", run->id, "livenessContinuationState",
                  run->liveness_state, "livenessContinuationReason", run->liveness_reason,
                  "livenessContinuationInstruction", instruction(run->liveness_state));
    if (json_str(e->context, "taskKey")) json_object_set(context, "taskKey", json_object_get(e->context, "taskKey"));
    TRY(wake_enqueue(db, &follow_up_actor,
                     &(struct wake_request){
                         .agent_id = run->agent_id,
                         .source = "automation",
                         .trigger_detail = "system",
                         .reason = "run_liveness_continuation",
                         .payload = json_pack("{s:s, s:s, s:s, s:I}", "issueId", i->id, "sourceRunId", run->id,
                                              "livenessState", run->liveness_state, "attempt", (json_int_t)attempt),
                         .context = context,
                         .idempotency_key = arena_printf(a, "run_liveness_continuation:%s:%s:%s:%ld", i->id, run->id,
                                                         run->liveness_state, (long)attempt)},
                     &result));
    e->followed = result.outcome != WAKE_SKIPPED;
    return OK;
}

/* A comment alone moves nothing (EX-70 BETTER). */
static err_t exhausted(struct db *db, struct ended *e, const struct issue *i)
{
    struct arena *a = db_arena(db);
    const char *reason = arena_printf(a, "%s; bounded continuation exhausted", e->run->liveness_reason);
    e->followed = true;
    TRY(db_exec_one(db, "UPDATE heartbeat_runs SET liveness_reason = $2 WHERE id = $1",
                    P(V_ID(e->run->id), V_TEXT(reason))));
    TRY(follow_up_notice(
        db, i, "Bounded liveness continuation exhausted",
        arena_printf(a, "%d continuations in a row brought no result (%s). Somebody has to say what is next.",
                     CONTINUATIONS_MAX, e->run->liveness_state)));
    return escalate_issue(
        db, i,
        &(struct escalation){.cause = "liveness_exhausted",
                             .action = "Runs end without moving the issue on. Read the last run's log, say"
                                       " what is missing, then move the issue to todo.",
                             .agent_id = e->run->agent_id,
                             .run_id = e->run->id,
                             .no_block = true,
                             .no_notice = true,
                             .evidence = json_pack("{s:s, s:s, s:i}", "sourceRunId", e->run->id, "livenessState",
                                                   e->run->liveness_state, "attempts", CONTINUATIONS_MAX)});
}

/* While somebody is asked why the agent is so busy, it is not sent on by itself (EX-153). */
static err_t held_by_review(struct db *db, const struct ended *e, const struct issue *i, bool *held)
{
    TRY(productivity_held(db, i->id, e->run->agent_id, held));
    if (!*held) return OK;
    return activity_log(db, &follow_up_actor,
                        &(struct activity_entry){.company_id = i->company_id,
                                                 .action = "issue.productivity_review_continuation_held",
                                                 .entity_type = "issue",
                                                 .entity_id = i->id,
                                                 .agent_id = e->run->agent_id,
                                                 .run_id = e->run->id,
                                                 .details = json_pack("{s:s, s:s, s:s}", "source", "run.liveness_continuation",
                                                                      "livenessState", e->run->liveness_state, "identifier",
                                                                      i->identifier)});
}

err_t continuation_settle(struct db *db, struct ended *e)
{
    struct issue issue;
    bool found, path, spent, held;
    int64_t attempt = e->run->continuation_attempt + 1;
    if (e->followed || !e->can_act || was_asked(e->context)) return OK;
    TRY(follow_up_issue(db, e->run, &issue, &found));
    if (!found || !wanted(e, &issue)) return OK;
    TRY(follow_up_has_path(db, &issue, &path));
    if (path && !text_is(issue.status, "todo")) return OK;
    TRY(held_by_review(db, e, &issue, &held));
    if (held) return OK;
    TRY(follow_up_budget_spent(db, e->run, &spent));
    if (attempt > CONTINUATIONS_MAX || spent) return exhausted(db, e, &issue);
    return go_on(db, e, &issue, attempt);
}

/* handoff: asking for a disposition, once. */
#include "model/handoff.h"

#include "base/text.h"
#include "model/activity.h"
#include "model/escalate.h"
#include "model/wake.h"
#include "rules/disposition.h"

#include <string.h>

#define INSTRUCTION                                                                                                        \
    "Your last run on this issue ended well, but the issue is still in progress and nothing says what comes next. Choose " \
    "one: set it to done or cancelled; send it to review, or ask for the input you need; set it to blocked with its "      \
    "blockers or who unblocks it; or go on with a clear next step. Do not repeat work that is finished."

/* What the last word about the question says, and keeps saying to readers. */
static err_t remember(struct db *db, const struct ended *e, const struct issue *i, const char *state,
                      const char *corrective_run_id)
{
    struct arena *a = db_arena(db);
    json_t *asked = json_pack("{s:s, s:b, s:s, s:s?, s:s?, s:s?, s:s}", "state", state, "required",
                              text_is(state, "required"), "sourceRunId", e->run->id, "correctiveRunId",
                              corrective_run_id, "assigneeAgentId", i->assignee_agent_id, "detectedProgressSummary",
                              e->run->liveness_reason, "createdAt", instant_text(a, clock_now()));
    TRY(db_exec_one(db, "UPDATE issues SET successful_run_handoff = $2 WHERE id = $1",
                    P(V_ID(i->id), V_JSON(json_text(a, asked)))));
    if (text_is(state, "escalated")) return OK; /* the escalation leaves its own record */
    return activity_log(
        db, &follow_up_actor,
        &(struct activity_entry){.company_id = i->company_id,
                                 .action = arena_printf(a, "issue.successful_run_handoff_%s", state),
                                 .entity_type = "issue",
                                 .entity_id = i->id,
                                 .agent_id = i->assignee_agent_id,
                                 .details = json_pack("{s:s, s:s, s:s?, s:s?}", "identifier", i->identifier,
                                                      "sourceRunId", e->run->id, "correctiveRunId", corrective_run_id,
                                                      "livenessState", e->run->liveness_state)});
}

static json_t *request_context(const struct ended *e, const struct issue *i)
{
    json_t *c = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:[s,s,s,s], s:b, s:b, s:s, s:s}", "issueId", i->id,
                          "taskId", i->id, "source", "issue.successful_run_handoff", "wakeReason",
                          "finish_successful_run_handoff", "retryOfRunId", e->run->id, "handoffRequired", 1,
                          "handoffReason", "successful_run_missing_state", "missingDisposition", "clear_next_step",
                          "validDispositionOptions", "mark_done_or_cancelled", "send_for_review_or_ask_for_input",
                          "mark_blocked", "delegate_or_continue_from_checkpoint", "resumeIntent", 1,
                          "followUpRequested", 1, "resumeFromRunId", e->run->id, "instruction", INSTRUCTION);
    if (json_str(e->context, "taskKey")) json_object_set(c, "taskKey", json_object_get(e->context, "taskKey"));
    return c;
}

static err_t ask(struct db *db, struct ended *e, const struct issue *i)
{
    struct wake_result result;
    const char *key = arena_printf(db_arena(db), "finish_successful_run_handoff:%s:%s:1", i->id, e->run->id);
    TRY(wake_enqueue(
        db, &follow_up_actor,
        &(struct wake_request){.agent_id = e->run->agent_id,
                               .source = "automation",
                               .trigger_detail = "system",
                               .reason = "finish_successful_run_handoff",
                               .payload = json_pack("{s:s, s:s, s:s}", "issueId", i->id, "sourceRunId", e->run->id,
                                                    "handoffReason", "successful_run_missing_state"),
                               .context = request_context(e, i),
                               .idempotency_key = key},
        &result));
    if (result.outcome == WAKE_SKIPPED) return OK; /* a gate: the recovery pass looks again */
    e->followed = true;
    TRY(remember(db, e, i, "required", result.run_id));
    return follow_up_notice(db, i, "Missing issue disposition",
                            "The last run ended well, but the issue is still in progress without a next step. Its agent"
                            " is asked once to set a status, name a blocker, or say what comes next.");
}

static err_t give_up(struct db *db, struct ended *e, const struct issue *i)
{
    const char *action =
        e->can_act ? "The agent was asked to say what comes next and did not. Read its last run, then set the"
                     " issue to done, or say what is missing and move it to todo."
                   : "The agent's command ended well; it cannot set a status itself. Look at the result, then set"
                     " the issue to done, or say what is missing and move it to todo.";
    e->followed = true;
    TRY(remember(db, e, i, "escalated", NULL));
    return escalate_issue(db, i,
                          &(struct escalation){.cause = "successful_run_missing_state",
                                               .action = action,
                                               .agent_id = e->run->agent_id,
                                               .run_id = e->run->id,
                                               .board = !e->can_act,
                                               .no_block = !e->can_act,
                                               .no_notice = !e->can_act,
                                               .evidence = json_pack("{s:s, s:s?}", "latestRunId", e->run->id,
                                                                     "livenessState", e->run->liveness_state)});
}

static bool has_comments(const json_t *context)
{
    return json_array_size(json_object_get(context, "wakeCommentIds")) > 0;
}

err_t handoff_settle(struct db *db, struct ended *e)
{
    struct issue issue;
    bool found, path, spent;
    const char *reason = e->run->wake_reason, *agent = e->has_agent ? e->agent.status : NULL;
    if (e->followed || !text_is(e->run->status, "succeeded")) return OK;
    TRY(follow_up_issue(db, e->run, &issue, &found));
    if (!found || !text_is(issue.status, "in_progress")) return OK;
    TRY(follow_up_has_path(db, &issue, &path));
    TRY(follow_up_budget_spent(db, e->run, &spent));
    switch (handoff_decide(&(struct handoff_facts){
        .issue_status = issue.status,
        .liveness_state = e->run->liveness_state,
        .comment_status = e->run->issue_comment_status,
        .succeeded = true,
        .own_issue = issue.assignee_user_id == NULL && text_is(issue.assignee_agent_id, e->run->agent_id),
        .can_act = e->can_act,
        .corrective = json_bool(e->context, "handoffRequired", false), /* a retry of it is it, too */
        .recovery = json_str(e->context, "recoveryActionId") != NULL,
        .monitor_run = reason && strncmp(reason, "issue_monitor", 13) == 0,
        .by_comment = has_comments(e->context),
        .has_stage = issue.execution_state && text_is(json_str(json_read(issue.execution_state), "status"), "pending"),
        .plugin_managed = issue.origin_kind && strncmp(issue.origin_kind, "plugin:", 7) == 0,
        .agent_ready =
            agent && !text_is(agent, "paused") && !text_is(agent, "terminated") && !text_is(agent, "pending_approval"),
        .has_path = path,
        .spent = spent})) {
    case HANDOFF_NONE: return OK;
    case HANDOFF_REQUIRED: return ask(db, e, &issue);
    case HANDOFF_ESCALATE: return give_up(db, e, &issue);
    }
    return OK;
}

void handoff_answered(const struct issue *before, struct issue *after)
{
    bool monitored = after->monitor_next_check_at != INSTANT_NONE && before->monitor_next_check_at == INSTANT_NONE;
    bool moved = !text_same(before->status, after->status) || monitored ||
                 !text_same(before->assignee_agent_id, after->assignee_agent_id) ||
                 !text_same(before->assignee_user_id, after->assignee_user_id);
    if (moved) after->successful_run_handoff = NULL;
}

err_t handoff_log_resolved(struct db *db, const struct actor *actor, const struct issue *before,
                           const struct issue *after)
{
    const json_t *asked = json_read(before->successful_run_handoff);
    return activity_log(
        db, actor,
        &(struct activity_entry){.company_id = after->company_id,
                                 .action = "issue.successful_run_handoff_resolved",
                                 .entity_type = "issue",
                                 .entity_id = after->id,
                                 .details = json_pack("{s:s, s:s, s:s?}", "identifier", after->identifier, "status",
                                                      after->status, "sourceRunId", json_str(asked, "sourceRunId"))});
}

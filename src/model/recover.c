/* recover: the continuation of a run that ended badly, and the visible end of it. */
#include "model/recover.h"

#include "model/agent.h"
#include "model/escalate.h"
#include "model/follow_up.h"
#include "model/hold.h"
#include "model/issue.h"
#include "model/relation.h"

#include <string.h>

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

/* A workspace that cannot be had: no repetition helps (WS-45). */
static bool invalid(const struct run *run) { return is(run->error_code, "workspace_validation_failed"); }

static err_t escalate_invalid(struct db *db, const struct run *run, const struct issue *issue)
{
    const char *action = arena_printf(db_arena(db), "%.900s Then move the issue to todo.",
                                      run->error ? run->error : "Repair its workspace.");
    return escalate_issue(db, issue,
                          &(struct escalation){.cause = run->error_code,
                                               .action = action,
                                               .agent_id = run->agent_id,
                                               .run_id = run->id,
                                               .error_code = run->error_code});
}

/* No automatic step is left (EX-110). */
static err_t escalate(struct db *db, const struct run *run, const struct issue *issue, const char *cause,
                      const char *retry)
{
    if (invalid(run)) return escalate_invalid(db, run, issue);
    const char *action = arena_printf(
        db_arena(db),
        "Two runs in a row failed (%s). Read the run's log, repair the cause, then move the issue to todo.",
        run->error        ? run->error
        : run->error_code ? run->error_code
                          : run->status);
    if (strlen(action) > 1000)
        action = "Two runs in a row failed. Read the run's log, repair the cause, then move the issue to todo.";
    json_t *evidence = json_pack("{s:s, s:s?}", "latestRunStatus", run->status, "retryReason", retry);
    return escalate_issue(db, issue,
                          &(struct escalation){.cause = cause,
                                               .action = action,
                                               .agent_id = run->agent_id,
                                               .run_id = run->id,
                                               .error_code = run->error_code,
                                               .evidence = evidence});
}

err_t recover_immediately(struct db *db, const struct run *run, json_t *context, bool *recovered)
{
    struct issue issue;
    struct agent agent;
    struct run next;
    json_t *open;
    bool found, spent, held;
    int blockers;
    int64_t live;
    const char *why, *retry = json_str(context, "retryReason");
    *recovered = false;
    if (run->issue_id == NULL || (!is(run->status, "failed") && !is(run->status, "timed_out"))) return OK;
    TRY(issue_get(db, run->issue_id, &issue, &found));
    bool todo = found && is(issue.status, "todo"), working = found && is(issue.status, "in_progress");
    if ((!todo && !working) || issue.assignee_user_id || !is(issue.assignee_agent_id, run->agent_id)) return OK;
    if (issue.monitor_next_check_at != INSTANT_NONE) return OK;
    TRY(relation_unresolved(db, issue.id, &open, &blockers));
    TRY(db_int(
        db, &live, 0,
        "SELECT count(*) FROM heartbeat_runs WHERE issue_id = $1 AND status IN ('queued','running','scheduled_retry')",
        P(V_ID(issue.id))));
    TRY(hold_keeps(db, issue.id, &held));
    if (blockers > 0 || live > 0 || held) return OK;
    TRY(agent_get(db, run->agent_id, &agent, &found));
    TRY(agent_invokable(db, &agent, &why));
    if (is(why, "paused")) return OK; /* the gate itself is the waiting path (EX-107) */
    *recovered = true;
    bool was_recovery = is(retry, "assignment_recovery") || is(retry, "issue_continuation_needed");
    TRY(follow_up_budget_spent(db, run, &spent));
    const char *cause = why                                  ? "assignee_not_invokable"
                        : spent                              ? "incident_budget_exhausted"
                        : is(run->error_code, "process_lost") ? "process_lost"
                                                              : "stranded_assigned_issue";
    if (why || was_recovery || spent || invalid(run)) return escalate(db, run, &issue, cause, retry);
    json_object_set_new(context, "source",
                        json_string(todo ? "issue.assignment_recovery" : "issue.continuation_recovery"));
    return follow_up_run(db, run, context, todo ? "issue_assignment_recovery" : "issue_continuation_needed",
                         todo ? "assignment_recovery" : "issue_continuation_needed",
                         (struct run_seed){.process_loss_retry_count = run->process_loss_retry_count,
                                           .scheduled_retry_attempt = run->scheduled_retry_attempt},
                         &next);
}

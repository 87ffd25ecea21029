/* recover: retries, continuation, and the visible end of both. */
#include "model/recover.h"

#include "base/id.h"
#include "base/settings.h"
#include "model/agent.h"
#include "model/escalate.h"
#include "model/issue.h"
#include "model/relation.h"
#include "model/run.h"
#include "model/run_control.h"
#include "model/wake_internal.h"

#include <string.h>

#define TRANSIENT_MAX 4
#define PROCESS_LOSS_MAX 1

static const struct actor system_actor = {.type = ACTOR_SYSTEM, .source = "recovery"};

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

/* A successor of `run` with its own wake row; the issue's lock moves to it (EX-24). */
static err_t succeed(struct db *db, const struct run *run, json_t *context, const char *reason, const char *retry_reason,
                     struct run_seed seed, struct run *out)
{
    struct arena *a = db_arena(db);
    struct wake w;
    int64_t n;
    json_object_set_new(context, "wakeReason", json_string(reason));
    json_object_set_new(context, "retryReason", json_string(retry_reason));
    json_object_set_new(context, "retryOfRunId", json_string(run->id));
    json_object_del(context, "paperclipHarnessCheckedOut");
    json_object_del(context, "paperclipWake");
    entity_init(&ENTITY_wake, &w);
    w.id = id_new(a);
    w.company_id = run->company_id;
    w.agent_id = run->agent_id;
    w.source = "automation";
    w.trigger_detail = "system";
    w.reason = reason;
    w.status = "queued";
    w.payload = json_text(a, json_pack("{s:s?, s:s}", "issueId", run->issue_id, "retryOfRunId", run->id));
    w.requested_by_actor_type = "system";
    w.requested_by_actor_id = system_actor.source;
    w.requested_at = w.created_at = w.updated_at = clock_now();
    w.issue_id = run->issue_id;
    TRY(entity_insert(db, &ENTITY_wake, &w));
    seed.company_id = run->company_id;
    seed.agent_id = run->agent_id;
    seed.issue_id = run->issue_id;
    seed.invocation_source = "automation";
    seed.trigger_detail = "system";
    seed.responsible_user_id = run->responsible_user_id;
    seed.wakeup_request_id = w.id;
    seed.context = context;
    seed.retry_of_run_id = run->id;
    TRY(run_insert(db, &seed, out));
    TRY(db_exec_one(db, "UPDATE agent_wakeup_requests SET run_id = $2 WHERE id = $1", P(V_ID(w.id), V_ID(out->id))));
    return db_exec(db, &n, "UPDATE issues SET execution_run_id = $2, checkout_run_id = NULL, execution_locked_at = $3 WHERE execution_run_id = $1",
                   P(V_ID(run->id), V_ID(out->id), V_TIME(clock_now())));
}

/* EX-64: so many automatic runs in a row, without a trace of work on the issue, are
 * enough, whatever each of them was for. Counts up the chain to the last useful run. */
static err_t budget_spent(struct db *db, const struct run *run, bool *spent)
{
    int64_t n;
    TRY(db_int(db, &n, 0,
               "WITH RECURSIVE chain(id, earlier, n) AS (SELECT id, retry_of_run_id, 0 FROM heartbeat_runs WHERE id = $1"
               " UNION ALL SELECT p.id, p.retry_of_run_id, c.n + 1 FROM chain c JOIN heartbeat_runs p ON p.id = c.earlier WHERE c.n < $2"
               " AND NOT EXISTS (SELECT 1 FROM activity_log a WHERE a.run_id = c.id AND a.action LIKE 'issue.%'"
               " AND a.action NOT IN ('issue.checked_out','issue.read_marked'))) SELECT max(n) FROM chain",
               P(V_ID(run->id), V_INT(settings.incident_run_budget))));
    *spent = n >= settings.incident_run_budget;
    return OK;
}

err_t recover_process_loss(struct db *db, const struct run *run, json_t *context, bool *queued)
{
    struct run next;
    int64_t known;
    bool spent;
    *queued = false;
    if (run->process_loss_retry_count >= PROCESS_LOSS_MAX) return OK;
    TRY(budget_spent(db, run, &spent));
    if (spent) return OK;
    TRY(db_int(db, &known, 0, "SELECT count(*) FROM heartbeat_runs WHERE retry_of_run_id = $1", P(V_ID(run->id))));
    if (known > 0) return OK;
    *queued = true;
    return succeed(db, run, context, "process_lost_retry", "process_lost",
                   (struct run_seed){.process_loss_retry_count = run->process_loss_retry_count + 1,
                                     .scheduled_retry_attempt = run->scheduled_retry_attempt}, &next);
}

/* 2, 10, 30, 120 minutes, each ±25 % (EX-61). */
static int64_t transient_delay_ms(int64_t attempt)
{
    static const int64_t minutes[TRANSIENT_MAX] = {2, 10, 30, 120};
    uint32_t r;
    random_bytes(&r, sizeof r);
    int64_t base = minutes[attempt - 1] * MINUTE_MS;
    return base * 3 / 4 + (int64_t)(r % 1000) * (base / 2) / 1000;
}

err_t recover_transient(struct db *db, const struct run *run, json_t *context, instant_t not_before, bool *scheduled)
{
    struct run next;
    int64_t attempt = run->scheduled_retry_attempt + 1;
    bool spent;
    *scheduled = false;
    if (attempt > TRANSIENT_MAX) return OK;
    TRY(budget_spent(db, run, &spent));
    if (spent) return OK;
    instant_t due = clock_now() + transient_delay_ms(attempt);
    if (not_before != INSTANT_NONE && due < not_before) due = not_before;
    *scheduled = true;
    return succeed(db, run, context, "transient_failure_retry", "transient_failure",
                   (struct run_seed){.status = "scheduled_retry", .scheduled_retry_at = due, .scheduled_retry_attempt = attempt,
                                     .scheduled_retry_reason = "transient_failure",
                                     .process_loss_retry_count = run->process_loss_retry_count}, &next);
}

/* ---- immediate recovery and its end ---- */

/* The board must decide now (EX-110 for a run that failed twice). */
static err_t escalate(struct db *db, const struct run *run, const struct issue *issue)
{
    const char *action = arena_printf(db_arena(db), "Two runs in a row failed (%s). Read the run's log, repair the cause, then move the issue to todo.",
                                      run->error ? run->error : run->error_code ? run->error_code : run->status);
    if (strlen(action) > 1000) action = "Two runs in a row failed. Read the run's log, repair the cause, then move the issue to todo.";
    return escalate_issue(db, issue, &(struct escalation){.cause = "run_failed_twice", .action = action, .agent_id = run->agent_id,
                                                          .run_id = run->id, .error_code = run->error_code});
}

err_t recover_immediately(struct db *db, const struct run *run, json_t *context, bool *recovered)
{
    struct issue issue;
    struct agent agent;
    struct run next;
    json_t *open;
    bool found, spent;
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
    TRY(db_int(db, &live, 0, "SELECT count(*) FROM heartbeat_runs WHERE issue_id = $1 AND status IN ('queued','running','scheduled_retry')",
               P(V_ID(issue.id))));
    if (blockers > 0 || live > 0) return OK;
    TRY(agent_get(db, run->agent_id, &agent, &found));
    TRY(agent_invokable(db, &agent, &why));
    if (is(why, "paused")) return OK; /* the gate itself is the waiting path (EX-107) */
    *recovered = true;
    bool was_recovery = is(retry, "assignment_recovery") || is(retry, "issue_continuation_needed");
    TRY(budget_spent(db, run, &spent));
    if (why || was_recovery || spent) return escalate(db, run, &issue);
    json_object_set_new(context, "source", json_string(todo ? "issue.assignment_recovery" : "issue.continuation_recovery"));
    return succeed(db, run, context, todo ? "issue_assignment_recovery" : "issue_continuation_needed",
                   todo ? "assignment_recovery" : "issue_continuation_needed",
                   (struct run_seed){.process_loss_retry_count = run->process_loss_retry_count,
                                     .scheduled_retry_attempt = run->scheduled_retry_attempt}, &next);
}

/* ---- due retries ---- */

static err_t retry_gate(struct db *db, const struct run *run, const char **why)
{
    struct issue issue;
    struct agent agent;
    bool found;
    *why = NULL;
    TRY(agent_get(db, run->agent_id, &agent, &found));
    if (!found) *why = "agent_not_found";
    else TRY(agent_invokable(db, &agent, why));
    if (*why) {
        if (is(*why, "paused")) return OK;
        *why = "agent_not_invokable";
        return OK;
    }
    if (run->issue_id == NULL) return OK;
    TRY(issue_get(db, run->issue_id, &issue, &found));
    if (!found) *why = "issue_not_found";
    else if (!is(issue.assignee_agent_id, run->agent_id)) *why = "issue_reassigned";
    else if (is(issue.status, "cancelled")) *why = "issue_cancelled";
    else if (is(issue.status, "done")) *why = "issue_terminal_status";
    return OK;
}

static err_t promote_retry(struct db *db, const struct run *run, int *promoted)
{
    const char *why;
    int64_t n;
    TRY(retry_gate(db, run, &why));
    if (is(why, "paused")) /* asked again later: a pause ends (EX-62 BETTER) */
        return db_exec(db, &n, "UPDATE heartbeat_runs SET scheduled_retry_at = $2 WHERE id = $1 AND status = 'scheduled_retry'",
                       P(V_ID(run->id), V_TIME(clock_now() + 5 * MINUTE_MS)));
    if (why)
        return run_cancel_where(db, &(struct run_cancel){.run_id = run->id, .statuses = "'scheduled_retry'", .error_code = why,
                                                         .error = arena_printf(db_arena(db), "The retry is no longer wanted: %s", why),
                                                         .stop_reason = why}, &n);
    TRY(db_exec(db, &n, "UPDATE heartbeat_runs SET status = 'queued', updated_at = $2 WHERE id = $1 AND status = 'scheduled_retry'",
                P(V_ID(run->id), V_TIME(clock_now()))));
    *promoted += (int)n;
    db_poke(db);
    return OK;
}

/* One transaction per run: each belongs to its own company. */
err_t recover_promote_due(struct db *db, int limit, int *promoted, instant_t *next)
{
    struct run *rows;
    int n;
    struct rows r ROWS_AUTO = {0};
    *promoted = 0;
    *next = INSTANT_NONE;
    TRY(entity_many(db, &ENTITY_run, &rows, &n, "WHERE status = 'scheduled_retry' AND scheduled_retry_at <= $1 ORDER BY scheduled_retry_at LIMIT $2",
                    P(V_TIME(clock_now()), V_INT(limit))));
    for (int i = 0; i < n; i++) {
        TRY(db_begin(db, rows[i].company_id));
        err_t e = promote_retry(db, &rows[i], promoted);
        if (e == OK) e = db_commit(db);
        if (e) db_rollback(db);
        TRY(e);
    }
    TRY(db_query(db, &r, "SELECT min(scheduled_retry_at) FROM heartbeat_runs WHERE status = 'scheduled_retry'", P()));
    if (rows_next(&r)) *next = row_time(&r, 0);
    return rows_err(&r);
}

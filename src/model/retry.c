/* retry: the second and later attempts at the same work. */
#include "model/retry.h"

#include "base/id.h"
#include "base/text.h"
#include "model/agent.h"
#include "model/follow_up.h"
#include "model/hold.h"
#include "model/issue.h"
#include "model/run.h"
#include "model/run_control.h"

#define TRANSIENT_MAX 4
#define PROCESS_LOSS_MAX 1

err_t retry_process_loss(struct db *db, const struct run *run, json_t *context, bool *queued)
{
    struct run next;
    int64_t known;
    bool spent, held;
    *queued = false;
    if (run->process_loss_retry_count >= PROCESS_LOSS_MAX) return OK;
    TRY(hold_keeps(db, run->issue_id, &held)); /* its release looks again */
    TRY(follow_up_budget_spent(db, run, &spent));
    if (spent || held) return OK;
    TRY(db_int(db, &known, 0, "SELECT count(*) FROM heartbeat_runs WHERE retry_of_run_id = $1", P(V_ID(run->id))));
    if (known > 0) return OK;
    *queued = true;
    return follow_up_run(db, run, context, "process_lost_retry", "process_lost",
                         (struct run_seed){.process_loss_retry_count = run->process_loss_retry_count + 1,
                                           .scheduled_retry_attempt = run->scheduled_retry_attempt},
                         &next);
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

err_t retry_transient(struct db *db, const struct run *run, json_t *context, instant_t not_before, bool *scheduled)
{
    struct run next;
    int64_t attempt = run->scheduled_retry_attempt + 1;
    bool spent;
    *scheduled = false;
    if (attempt > TRANSIENT_MAX) return OK;
    TRY(follow_up_budget_spent(db, run, &spent));
    if (spent) return OK;
    instant_t due = clock_now() + transient_delay_ms(attempt);
    if (not_before != INSTANT_NONE && due < not_before) due = not_before;
    *scheduled = true;
    return follow_up_run(db, run, context, "transient_failure_retry", "transient_failure",
                         (struct run_seed){.status = "scheduled_retry",
                                           .scheduled_retry_at = due,
                                           .scheduled_retry_attempt = attempt,
                                           .scheduled_retry_reason = "transient_failure",
                                           .process_loss_retry_count = run->process_loss_retry_count},
                         &next);
}

/* ---- due retries ---- */

static err_t retry_gate(struct db *db, const struct run *run, const char **why)
{
    struct issue issue;
    struct agent agent;
    bool found, held;
    *why = NULL;
    TRY(agent_get(db, run->agent_id, &agent, &found));
    if (!found) *why = "agent_not_found";
    else TRY(agent_invokable(db, &agent, why));
    if (*why) {
        if (text_is(*why, "paused")) return OK;
        *why = "agent_not_invokable";
        return OK;
    }
    if (run->issue_id == NULL) return OK;
    TRY(hold_keeps(db, run->issue_id, &held));
    if (held) {
        *why = HOLD_GATE;
        return OK;
    }
    TRY(issue_get(db, run->issue_id, &issue, &found));
    if (!found) *why = "issue_not_found";
    else if (!text_is(issue.assignee_agent_id, run->agent_id)) *why = "issue_reassigned";
    else if (text_is(issue.status, "cancelled")) *why = "issue_cancelled";
    else if (text_is(issue.status, "done")) *why = "issue_terminal_status";
    return OK;
}

static err_t promote_retry(struct db *db, const struct run *run, int *promoted)
{
    const char *why;
    int64_t n;
    TRY(retry_gate(db, run, &why));
    if (text_is(why, "paused") || text_is(why, HOLD_GATE)) /* asked again later: a pause ends (EX-62 BETTER) */
        return db_exec(db, &n,
                       "UPDATE heartbeat_runs SET scheduled_retry_at = $2 WHERE id = $1 AND status = 'scheduled_retry'",
                       P(V_ID(run->id), V_TIME(clock_now() + 5 * MINUTE_MS)));
    if (why)
        return run_cancel_where(
            db,
            &(struct run_cancel){.run_id = run->id,
                                 .statuses = "'scheduled_retry'",
                                 .error_code = why,
                                 .error = arena_printf(db_arena(db), "The retry is no longer wanted: %s", why),
                                 .stop_reason = why},
            &n);
    TRY(db_exec(
        db, &n,
        "UPDATE heartbeat_runs SET status = 'queued', updated_at = $2 WHERE id = $1 AND status = 'scheduled_retry'",
        P(V_ID(run->id), V_TIME(clock_now()))));
    *promoted += (int)n;
    db_poke(db);
    return OK;
}

/* One transaction per run: each belongs to its own company. */
err_t retry_promote_due(struct db *db, int limit, int *promoted, instant_t *next)
{
    struct run *rows;
    int n;
    struct rows r ROWS_AUTO = {0};
    *promoted = 0;
    *next = INSTANT_NONE;
    TRY(entity_many(
        db, &ENTITY_run, &rows, &n,
        "WHERE status = 'scheduled_retry' AND scheduled_retry_at <= $1 ORDER BY scheduled_retry_at LIMIT $2",
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

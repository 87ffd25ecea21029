/* stalled: one wake, then the board. */
#include "model/stalled.h"

#include "base/settings.h"
#include "base/text.h"
#include "model/barrier.h"
#include "model/escalate.h"
#include "model/explain.h"
#include "model/follow_up.h"
#include "model/issue.h"
#include "model/run.h"
#include "model/wake.h"

#define RECENT_PROGRESS_MS (30 * MINUTE_MS)

static const struct actor system_actor = {.type = ACTOR_SYSTEM, .source = "recovery"};

/* ---- finding ---- */

/* What a cheap look already shows to be moving or waiting is left out; explain judges the rest. */
#define CANDIDATES                                                                                                                         \
    "WHERE status IN ('todo','in_progress') AND assignee_agent_id IS NOT NULL AND assignee_user_id IS NULL AND hidden_at IS NULL"          \
    " AND (company_id > $1 OR (company_id = $1 AND id > $2))"                                                                              \
    " AND NOT EXISTS (SELECT 1 FROM heartbeat_runs r WHERE r.issue_id = issues.id AND r.status IN ('queued','running','scheduled_retry'))" \
    " AND NOT EXISTS (SELECT 1 FROM issue_relations x JOIN issues b ON b.id = x.issue_id WHERE x.related_issue_id = issues.id"             \
    " AND x.type = 'blocks' AND " UNRESOLVED("b") ") ORDER BY company_id, id LIMIT $3"
#define LEAST_ID "00000000-0000-0000-0000-000000000000"

static bool due(const struct explain_verdict *v)
{
    return v->state == EXPLAIN_DEAD && v->recoverable &&
           clock_now() - v->since >= settings.dispatch_timeout_sec * SECOND_MS;
}

err_t stalled_page(struct db *db, const struct stalled *after, int limit, struct stalled **found, int *count,
                   struct stalled *last)
{
    struct arena *a = db_arena(db);
    struct issue *rows;
    int n;
    *count = 0;
    *last = (struct stalled){0};
    TRY(entity_many(db, &ENTITY_issue, &rows, &n, CANDIDATES,
                    P(V_ID(after->company_id ? after->company_id : LEAST_ID),
                      V_ID(after->issue_id ? after->issue_id : LEAST_ID), V_INT(limit))));
    const struct issue **roots = arena_array(a, const struct issue *, n + 1);
    *found = arena_array(a, struct stalled, n + 1);
    for (int i = 0, end; i < n; i = end) {
        struct explained x;
        for (end = i; end < n && text_is(rows[end].company_id, rows[i].company_id); end++) roots[end - i] = &rows[end];
        TRY(explain_load(db, rows[i].company_id, roots, end - i, &x));
        for (int k = i; k < end; k++)
            if (due(&x.verdicts[k - i])) (*found)[(*count)++] = (struct stalled){rows[k].company_id, rows[k].id};
    }
    if (n) *last = (struct stalled){rows[n - 1].company_id, rows[n - 1].id};
    return OK;
}

/* ---- what was tried before ---- */

struct attempt {
    const char *id, *status, *reason;
    instant_t at; /* INSTANT_NONE: never tried */
};

/* What a gate or the throttle kept back is no attempt: it is made again when the way is free (EX-99). */
#define KEPT_BACK                                                                         \
    "(status = 'skipped' AND (reason IN ('issue_rewake_throttled','agent.not_invokable'," \
    "'company.inactive','budget.blocked') OR reason LIKE 'heartbeat.%'))"

/* The recovery wake of this stall: by its key, or by the key in the payload when
 * it was one more skip counted on an older row (EX-33). */
static err_t last_attempt(struct db *db, const struct issue *i, const char *key, struct attempt *out)
{
    struct rows r ROWS_AUTO = {0};
    *out = (struct attempt){.at = INSTANT_NONE};
    TRY(db_query(
        db, &r,
        "SELECT id, status, reason, CASE WHEN status = 'skipped' THEN updated_at ELSE requested_at END"
        " FROM agent_wakeup_requests WHERE issue_id = $1 AND (idempotency_key = $2 OR payload->>'recoveryKey' = $2)"
        " AND NOT " KEPT_BACK " ORDER BY requested_at DESC LIMIT 1",
        P(V_ID(i->id), V_TEXT(key))));
    if (rows_next(&r)) *out = (struct attempt){row_text(&r, 0), row_text(&r, 1), row_text(&r, 2), row_time(&r, 3)};
    return rows_err(&r);
}

/* EX-101: the last run was a continuation already, and the assignee has said nothing lately. */
static err_t continued_in_vain(struct db *db, const struct issue *i, const char *last_wake_reason, bool *vain)
{
    int64_t n;
    *vain = text_is(last_wake_reason, "issue_continuation_needed") ||
            text_is(last_wake_reason, "issue_assignment_recovery");
    if (!*vain) return OK;
    TRY(db_int(db, &n, 0,
               "SELECT count(*) FROM issue_comments WHERE issue_id = $1 AND author_agent_id = $2 AND created_at > $3",
               P(V_ID(i->id), V_ID(i->assignee_agent_id), V_TIME(clock_now() - RECENT_PROGRESS_MS))));
    *vain = n == 0;
    return OK;
}

/* EX-64: this pass is one more automatic step of the same chain. */
static err_t budget_spent(struct db *db, const char *last_run_id, bool *spent)
{
    struct run run;
    bool found = false;
    *spent = false;
    if (last_run_id) TRY(run_get(db, last_run_id, &run, &found));
    return found ? follow_up_budget_spent(db, &run, spent) : OK;
}

/* ---- acting ---- */

static err_t wake(struct db *db, const struct issue *i, const struct explained *x, const char *key, const char *since)
{
    struct wake_result result;
    bool todo = text_is(i->status, "todo");
    const char *reason = todo ? "issue_assignment_recovery" : "issue_continuation_needed";
    json_t *context = json_pack("{s:s, s:s, s:s, s:s, s:s}", "issueId", i->id, "taskId", i->id, "wakeReason", reason,
                                "retryReason", todo ? "assignment_recovery" : reason, "source",
                                todo ? "issue.assignment_recovery" : "issue.continuation_recovery");
    if (x->evidence[0].last_run_id)
        json_object_set_new(context, "retryOfRunId", json_string(x->evidence[0].last_run_id));
    else json_object_set_new(context, "stalledAtDispatch", json_true());
    json_object_set_new(context, "dispatchExpectedSince", json_string(since));
    json_t *payload = json_pack("{s:s, s:s, s:s}", "issueId", i->id, "recoveryKey", key, "mutation",
                                todo ? "assignment_recovery" : "continuation_recovery");
    return wake_enqueue(db, &system_actor,
                        &(struct wake_request){.agent_id = i->assignee_agent_id,
                                               .source = "automation",
                                               .trigger_detail = "system",
                                               .reason = reason,
                                               .payload = payload,
                                               .context = context,
                                               .idempotency_key = key},
                        &result);
}

static err_t give_up(struct db *db, const struct issue *i, const struct explained *x, const struct attempt *tried,
                     const char *since, bool spent)
{
    const struct explain_evidence *e = &x->evidence[0];
    json_t *evidence =
        json_pack("{s:I, s:s, s:s?, s:s?, s:s?, s:s?, s:s?}", "priorRunCount", (json_int_t)e->run_count,
                  "dispatchExpectedSince", since, "wakeId", tried->id, "wakeStatus", tried->status, "wakeReason",
                  tried->reason, "lastSkipReason", e->skip_reason, "lastRunId", e->last_run_id);
    const char *action =
        e->run_count == 0
            ? "The agent was woken twice and never started. Check the agent and the server, then move the issue to todo."
            : "Runs end without moving the issue on. Read the last run's log, say what is missing, then move the issue to todo.";
    return escalate_issue(db, i,
                          &(struct escalation){.cause = e->run_count == 0 ? "stalled_at_dispatch"
                                                        : spent           ? "incident_budget_exhausted"
                                                                          : "stranded_assigned_issue",
                                               .fingerprint_suffix = e->run_count == 0 ? since : NULL,
                                               .action = action,
                                               .agent_id = i->assignee_agent_id,
                                               .run_id = e->last_run_id,
                                               .error_code = e->last_error_code,
                                               .evidence = evidence});
}

err_t stalled_treat(struct db *db, const char *issue_id, enum stalled_step *step)
{
    struct arena *a = db_arena(db);
    struct issue i;
    const struct issue *root = &i;
    struct explained x;
    struct attempt tried;
    bool found, vain, spent;
    *step = STALLED_NOTHING;
    TRY(issue_get(db, issue_id, &i, &found));
    if (!found) return OK;
    TRY(explain_load(db, i.company_id, &root, 1, &x));
    const struct explain_verdict *v = &x.verdicts[0];
    if (!due(v)) return OK;
    const char *since = instant_text(a, v->since);
    const char *key = arena_printf(
        a, "%s:%s:%s", text_is(i.status, "todo") ? "stalled_at_dispatch" : "in_progress_without_path", i.id, since);
    TRY(last_attempt(db, &i, key, &tried));
    TRY(continued_in_vain(db, &i, x.evidence[0].last_wake_reason, &vain));
    TRY(budget_spent(db, x.evidence[0].last_run_id, &spent));
    if (tried.at == INSTANT_NONE && !vain && !spent) {
        *step = STALLED_WOKEN;
        return wake(db, &i, &x, key, since);
    }
    if (!vain && !spent && clock_now() - tried.at < settings.dispatch_timeout_sec * SECOND_MS) return OK;
    *step = STALLED_ESCALATED;
    return give_up(db, &i, &x, &tried, since, spent);
}

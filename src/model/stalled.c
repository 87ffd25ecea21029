/* stalled: one wake, then the board. */
#include "model/stalled.h"

#include "base/settings.h"
#include "base/text.h"
#include "model/agent.h"
#include "model/barrier.h"
#include "model/escalate.h"
#include "model/explain.h"
#include "model/follow_up.h"
#include "model/issue.h"
#include "model/review.h"
#include "model/run.h"
#include "model/wake.h"
#include "rules/heartbeat.h"
#include "rules/recovery.h"
#include "rules/stranded.h"

/* ---- finding ---- */

/* What a cheap look already shows to be moving or waiting is left out; explain judges the rest. */
#define CANDIDATES                                                                                                                         \
    "WHERE status IN ('todo','in_progress','in_review') AND assignee_agent_id IS NOT NULL AND assignee_user_id IS NULL AND hidden_at IS NULL"          \
    " AND (company_id > $1 OR (company_id = $1 AND id > $2))"                                                                              \
    " AND NOT EXISTS (SELECT 1 FROM heartbeat_runs r WHERE r.issue_id = issues.id AND r.status IN ('queued','running','scheduled_retry'))" \
    " AND NOT EXISTS (SELECT 1 FROM issue_relations x JOIN issues b ON b.id = x.issue_id WHERE x.related_issue_id = issues.id"             \
    " AND x.type = 'blocks' AND " UNRESOLVED("b") ") ORDER BY company_id, id LIMIT $3"
#define LEAST_ID "00000000-0000-0000-0000-000000000000"

/* Dead, and a wake may mend it; or at a gate that opens for nobody (EX-107). */
static bool unreachable(const struct explain_verdict *v)
{
    return text_is(v->path, "EX-107") &&
           (text_is(v->reason, "agent_terminated") || text_is(v->reason, "agent_missing") ||
            text_is(v->reason, "invalid_org_chain"));
}

/* The safety net below review.c, which acts when a path is used up (EX-89 BETTER). */
static bool unreviewed(const struct explain_verdict *v)
{
    return v->state == EXPLAIN_DEAD && text_is(v->reason, "review_without_path");
}

static bool concerns(const struct explain_verdict *v)
{
    return (v->state == EXPLAIN_DEAD && v->recoverable) || unreachable(v) || unreviewed(v);
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
            if (concerns(&x.verdicts[k - i])) (*found)[(*count)++] = (struct stalled){rows[k].company_id, rows[k].id};
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

/* ---- facts ---- */

/* The assignee said or attached something in the last half hour. */
static err_t recent_progress(struct db *db, const struct issue *i, bool *yes)
{
    int64_t n;
    TRY(db_int(db, &n, 0,
               "SELECT count(*) FROM issue_comments WHERE issue_id = $1 AND author_agent_id = $2 AND created_at > $3",
               P(V_ID(i->id), V_ID(i->assignee_agent_id), V_TIME(clock_now() - settings.recent_progress_ms))));
    *yes = n > 0;
    return OK;
}

/* Continuations that ended in a row with the code of the latest run, that run included (EX-101). */
static err_t same_code(struct db *db, const struct issue *i, const struct run *last, int *out)
{
    struct rows r ROWS_AUTO = {0};
    *out = 0;
    TRY(db_query(
        db, &r,
        "SELECT error_code, wake_reason FROM heartbeat_runs WHERE issue_id = $1 AND agent_id = $2"
        " AND status IN ('failed','timed_out','cancelled','interrupted') ORDER BY finished_at DESC, id DESC LIMIT 10",
        P(V_ID(i->id), V_ID(last->agent_id))));
    while (rows_next(&r) && text_same(row_text(&r, 0), last->error_code) &&
           text_is(row_text(&r, 1), "issue_continuation_needed"))
        ++*out;
    return rows_err(&r);
}

static err_t collect(struct db *db, const struct issue *i, const struct explained *x, const struct attempt *tried,
                     struct stranded_facts *f)
{
    struct run last;
    bool found = false;
    *f = (struct stranded_facts){.in_progress = text_is(i->status, "in_progress"),
                                 .since = x->verdicts[0].since,
                                 .timeout_ms = settings.dispatch_timeout_sec * SECOND_MS,
                                 .tried_at = tried->at,
                                 .finished_at = INSTANT_NONE};
    if (x->evidence[0].last_run_id) TRY(run_get(db, x->evidence[0].last_run_id, &last, &found));
    if (!found) return OK;
    f->status = last.status;
    f->code = last.error_code;
    f->wake_reason = last.wake_reason;
    f->liveness = last.liveness_state;
    f->finished_at = last.finished_at;
    f->continuations = last.continuation_attempt;
    TRY(follow_up_budget_spent(db, &last, &f->budget_spent));
    TRY(recent_progress(db, i, &f->progress));
    return same_code(db, i, &last, &f->same_code);
}

/* ---- acting ---- */

static err_t wake(struct db *db, const struct issue *i, const struct explained *x, const struct stranded_verdict *v,
                  const char *key, const char *since)
{
    struct wake_result result;
    bool todo = text_is(v->reason, "issue_assignment_recovery");
    json_t *context = json_pack("{s:s, s:s, s:s, s:s, s:s}", "issueId", i->id, "taskId", i->id, "wakeReason", v->reason,
                                "retryReason", todo ? "assignment_recovery" : v->reason, "source", v->source);
    if (x->evidence[0].last_run_id)
        json_object_set_new(context, "retryOfRunId", json_string(x->evidence[0].last_run_id));
    else json_object_set_new(context, "stalledAtDispatch", json_true());
    json_object_set_new(context, "dispatchExpectedSince", json_string(since));
    json_t *payload = json_pack("{s:s, s:s, s:s}", "issueId", i->id, "recoveryKey", key, "mutation",
                                todo ? "assignment_recovery" : "continuation_recovery");
    return wake_enqueue(db, &recovery_actor,
                        &(struct wake_request){.agent_id = i->assignee_agent_id,
                                               .source = "automation",
                                               .trigger_detail = "system",
                                               .reason = v->reason,
                                               .payload = payload,
                                               .context = context,
                                               .idempotency_key = key},
                        &result);
}

static err_t give_up(struct db *db, const struct issue *i, const struct explained *x, const struct attempt *tried,
                     const char *since, const char *cause, bool surface_only)
{
    const struct explain_evidence *e = &x->evidence[0];
    json_t *evidence =
        json_pack("{s:I, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "priorRunCount", (json_int_t)e->run_count,
                  "dispatchExpectedSince", since, "wakeId", tried->id, "wakeStatus", tried->status, "wakeReason",
                  tried->reason, "lastSkipReason", e->skip_reason, "latestRunId", e->last_run_id, "latestRunStatus",
                  x->nodes[0].last_status, "retryReason", e->last_wake_reason);
    return escalate_issue(
        db, i,
        &(struct escalation){.cause = cause,
                             .fingerprint_suffix = text_is(cause, "stalled_at_dispatch") ? since : NULL,
                             .agent_id = i->assignee_agent_id,
                             .run_id = e->last_run_id,
                             .error_code = e->last_error_code,
                             .evidence = evidence,
                             .no_block = surface_only,
                             .board = surface_only});
}

/* EX-107: no wake can reach the assignee. Its status stays; the action folds when it is repaired or replaced. */
static err_t no_assignee(struct db *db, const struct issue *i, const struct explain_verdict *v)
{
    return escalate_issue(db, i,
                          &(struct escalation){.cause = "assignee_not_invokable",
                                               .agent_id = i->assignee_agent_id,
                                               .evidence = json_pack("{s:s, s:s?}", "gate", v->reason,
                                                                     "assigneeAgentId", i->assignee_agent_id),
                                               .no_block = true,
                                               .board = true});
}

/* The instance, or the agent, is only to be watched (EX-129). */
static err_t only_watched(struct db *db, const struct issue *i, bool *yes)
{
    struct agent agent;
    bool found;
    *yes = recovery_mode(settings.auto_recovery) == RECOVERY_SURFACE_ONLY;
    if (*yes) return OK;
    TRY(agent_get(db, i->assignee_agent_id, &agent, &found));
    *yes = found && !heartbeat_policy(agent.runtime_config).recovery;
    return OK;
}

err_t stalled_treat(struct db *db, const char *issue_id, enum stalled_step *step)
{
    struct arena *a = db_arena(db);
    struct issue i;
    const struct issue *root = &i;
    struct explained x;
    struct attempt tried;
    struct stranded_facts f;
    bool found, watched;
    *step = STALLED_NOTHING;
    TRY(issue_get(db, issue_id, &i, &found));
    if (!found) return OK;
    TRY(explain_load(db, i.company_id, &root, 1, &x));
    const struct explain_verdict *v = &x.verdicts[0];
    if (!concerns(v)) return OK;
    if (unreachable(v)) {
        *step = STALLED_ESCALATED;
        return no_assignee(db, &i, v);
    }
    if (unreviewed(v)) {
        *step = STALLED_ESCALATED;
        return review_ask_board(db, &i, NULL);
    }
    const char *since = instant_text(a, v->since);
    const char *key = arena_printf(
        a, "%s:%s:%s", text_is(i.status, "todo") ? "stalled_at_dispatch" : "in_progress_without_path", i.id, since);
    TRY(last_attempt(db, &i, key, &tried));
    TRY(collect(db, &i, &x, &tried, &f));
    const struct stranded_verdict due = stranded_decide(&f, clock_now());
    if (due.step == STRANDED_REST) return OK;
    TRY(only_watched(db, &i, &watched));
    bool wakes = due.step == STRANDED_WAKE && !watched;
    *step = wakes ? STALLED_WOKEN : STALLED_ESCALATED;
    if (wakes) return wake(db, &i, &x, &due, key, since);
    const char *cause = due.cause ? due.cause : f.status ? "stranded_assigned_issue" : "stalled_at_dispatch";
    return give_up(db, &i, &x, &tried, since, cause, watched);
}

/* retry: the second and later attempts at the same work. */
#include "model/retry.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/follow_up.h"
#include "model/hold.h"
#include "model/issue.h"
#include "model/relation.h"
#include "model/run.h"
#include "model/run_control.h"
#include "rules/retry_policy.h"

#define PROCESS_LOSS_MAX 1

/* ---- after a run ---- */

struct plan {
    const char *reason, *retry_reason; /* of the wake, of the schedule */
    int64_t attempts_max;
    instant_t due;
    const char *key; /* idempotency key, or NULL */
};

static err_t known(struct db *db, const struct run *run, const char *reason, int64_t attempt, bool *yes)
{
    int64_t n;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM heartbeat_runs WHERE retry_of_run_id = $1 AND ($2 IS NULL OR (scheduled_retry_reason = $2"
        " AND scheduled_retry_attempt = $3))",
        P(V_ID(run->id), V_TEXT(reason), V_INT(attempt))));
    *yes = n > 0;
    return OK;
}

static err_t process_lost(struct db *db, struct ended *e)
{
    const struct run *run = e->run;
    struct run next;
    bool twice;
    if (run->process_loss_retry_count >= PROCESS_LOSS_MAX) return OK;
    TRY(known(db, run, NULL, 0, &twice));
    if (twice) return OK;
    e->followed = true;
    return follow_up_run(db, run, json_deep_copy(e->context), "process_lost_retry", "process_lost",
                         (struct run_seed){.process_loss_retry_count = run->process_loss_retry_count + 1,
                                           .scheduled_retry_attempt = run->scheduled_retry_attempt,
                                           .continuation_attempt = run->continuation_attempt},
                         &next);
}

static err_t schedule(struct db *db, struct ended *e, const struct plan *p)
{
    const struct run *run = e->run;
    struct run next;
    int64_t attempt = run->scheduled_retry_attempt + 1;
    if (attempt > p->attempts_max) return OK;
    TRY(known(db, run, p->retry_reason, attempt, &e->followed));
    if (e->followed) return OK;
    e->followed = true;
    return follow_up_run(db, run, json_deep_copy(e->context), p->reason, p->retry_reason,
                         (struct run_seed){.status = "scheduled_retry",
                                           .scheduled_retry_at = p->due,
                                           .scheduled_retry_attempt = attempt,
                                           .scheduled_retry_reason = p->retry_reason,
                                           .process_loss_retry_count = run->process_loss_retry_count,
                                           .continuation_attempt = run->continuation_attempt,
                                           .idempotency_key = p->key},
                         &next);
}

static instant_t transient_due(const struct ended *e)
{
    uint32_t r;
    random_bytes(&r, sizeof r);
    instant_t due = clock_now() + retry_transient_delay_ms(e->run->scheduled_retry_attempt + 1, r);
    return e->outcome->retry_not_before > due ? e->outcome->retry_not_before : due;
}

static const char *key_of(struct db *db, const struct ended *e, const char *what)
{
    const struct run *run = e->run;
    return arena_printf(db_arena(db), "%s:%s:%s:%s:%ld", what, run->company_id,
                        run->issue_id ? run->issue_id : "no-issue", run->id, (long)(run->scheduled_retry_attempt + 1));
}

/* More turns for the same work, while the issue is still this run's. */
static err_t more_turns(struct db *db, struct ended *e)
{
    struct turn_policy policy = turn_policy(e->has_agent ? e->agent.runtime_config : NULL);
    struct issue issue;
    bool found;
    TRY(follow_up_issue(db, e->run, &issue, &found));
    bool own = !e->run->issue_id ||
               (found && text_is(issue.status, "in_progress") && text_is(issue.execution_run_id, e->run->id));
    if (!policy.enabled || !own) return OK;
    return schedule(db, e,
                    &(struct plan){.reason = "max_turns_continuation_retry",
                                   .retry_reason = "max_turns_continuation",
                                   .attempts_max = policy.attempts_max,
                                   .due = clock_now() + policy.delay_ms,
                                   .key = key_of(db, e, "max-turn-continuation")});
}

err_t retry_settle(struct db *db, struct ended *e)
{
    const struct run_outcome *o = e->outcome;
    struct plan p = {.reason = "transient_failure_retry",
                     .retry_reason = "transient_failure",
                     .attempts_max = TRANSIENT_ATTEMPTS_MAX};
    bool spent, held;
    enum retry_kind kind =
        retry_kind(&(struct retry_facts){.failed = text_is(e->run->status, "failed"),
                                         .process_lost = o->process_lost,
                                         .interrupted = o->interrupted,
                                         .error_code = e->run->error_code,
                                         .error_family = o->error_family,
                                         .answers_interaction = json_str(e->context, "interactionId") != NULL});
    if (kind == RETRY_NONE) return OK;
    TRY(follow_up_budget_spent(db, e->run, &spent));
    TRY(hold_keeps(db, e->run->issue_id, &held)); /* its release looks again */
    if (spent || held) return OK;
    switch (kind) {
    case RETRY_NONE: return OK;
    case RETRY_PROCESS_LOST: return process_lost(db, e);
    case RETRY_MAX_TURNS: return more_turns(db, e);
    case RETRY_INTERACTION:
        p = (struct plan){.reason = "interaction_continuation_infra_retry",
                          .retry_reason = "interaction_continuation_infra_retry",
                          .attempts_max = INTERACTION_ATTEMPTS_MAX,
                          .key = key_of(db, e, "interaction-continuation")};
        break;
    case RETRY_TRANSIENT:
    case RETRY_QUOTA: break;
    }
    p.due = transient_due(e);
    return schedule(db, e, &p);
}

/* ---- due retries ---- */

static err_t issue_facts(struct db *db, const struct run *run, const json_t *context, struct promotion_facts *f)
{
    struct issue issue;
    json_t *open;
    int n;
    TRY(issue_get(db, run->issue_id, &issue, &f->issue_found));
    if (!f->issue_found) return OK;
    const json_t *state = json_read(issue.execution_state), *participant = json_object_get(state, "currentParticipant");
    bool pending = text_is(issue.status, "in_review") && text_is(json_str(state, "status"), "pending");
    f->issue_status = issue.status;
    f->own = text_is(issue.assignee_agent_id, run->agent_id);
    f->holds_lock = text_is(issue.execution_run_id, run->id);
    f->stage_elsewhere =
        pending && json_str(participant, "agentId") && !text_is(json_str(participant, "agentId"), run->agent_id);
    TRY(relation_keeps_back(db, issue.id, context, &open, &n));
    f->dependencies_ready = n == 0;
    return hold_keeps(db, issue.id, &f->held);
}

static err_t gate(struct db *db, const struct run *run, const char **why, bool *rearm)
{
    struct agent agent;
    struct run_data data;
    const char *not_invokable = NULL;
    struct promotion_facts f = {.issue_scoped = run->issue_id != NULL};
    TRY(agent_get(db, run->agent_id, &agent, &f.agent_found));
    if (f.agent_found) TRY(agent_invokable(db, &agent, &not_invokable));
    f.agent_invokable = f.agent_found && not_invokable == NULL;
    f.agent_paused = text_is(not_invokable, "paused");
    TRY(run_data_get(db, run->id, &data));
    json_t *context = json_read(data.context_snapshot);
    f.by_comment = json_array_size(json_object_get(context, "wakeCommentIds")) > 0;
    f.max_turns = text_is(run->scheduled_retry_reason, "max_turns_continuation");
    if (f.issue_scoped) TRY(issue_facts(db, run, context, &f));
    *why = promotion_gate(&f, rearm);
    return OK;
}

/* scheduled_retry → queued, by compare-and-set. */
static err_t promote(struct db *db, const struct run *run, bool *done)
{
    int64_t n;
    TRY(db_exec(
        db, &n,
        "UPDATE heartbeat_runs SET status = 'queued', updated_at = $2 WHERE id = $1 AND status = 'scheduled_retry'",
        P(V_ID(run->id), V_TIME(clock_now()))));
    *done = n == 1;
    db_poke(db);
    return OK;
}

static err_t settle_due(struct db *db, const struct run *run, int *promoted)
{
    const char *why;
    bool rearm, done;
    int64_t n;
    TRY(gate(db, run, &why, &rearm));
    if (why && rearm) /* EX-62 BETTER: what passes is waited for */
        return db_exec(db, &n,
                       "UPDATE heartbeat_runs SET scheduled_retry_at = $2 WHERE id = $1 AND status = 'scheduled_retry'",
                       P(V_ID(run->id), V_TIME(clock_now() + retry_rearm_ms(clock_now() - run->created_at))));
    if (why)
        return run_cancel_where(
            db,
            &(struct run_cancel){.run_id = run->id,
                                 .statuses = "'scheduled_retry'",
                                 .error_code = why,
                                 .error = arena_printf(db_arena(db), "The retry is no longer wanted: %s", why),
                                 .stop_reason = why},
            &n);
    TRY(promote(db, run, &done));
    *promoted += done;
    return OK;
}

/* One transaction per run: each belongs to its own company. */
err_t retry_promote_due(struct db *db, int limit, int *promoted, instant_t *next)
{
    struct run *rows;
    int n;
    err_t first = OK;
    struct rows r ROWS_AUTO = {0};
    *promoted = 0;
    *next = INSTANT_NONE;
    TRY(entity_many(
        db, &ENTITY_run, &rows, &n,
        "WHERE status = 'scheduled_retry' AND scheduled_retry_at <= $1 ORDER BY scheduled_retry_at LIMIT $2",
        P(V_TIME(clock_now()), V_INT(limit))));
    for (int i = 0; i < n; i++) {
        TRY(db_begin(db, rows[i].company_id));
        err_t e = settle_due(db, &rows[i], promoted);
        if (e == OK) e = db_commit(db);
        if (e) db_rollback(db);
        if (e && first == OK) first = e; /* one bad run does not keep the others */
    }
    TRY(first);
    TRY(db_query(db, &r, "SELECT min(scheduled_retry_at) FROM heartbeat_runs WHERE status = 'scheduled_retry'", P()));
    if (rows_next(&r)) *next = row_time(&r, 0);
    return rows_err(&r);
}

/* ---- at once ---- */

static err_t log_now(struct db *db, const struct actor *actor, const struct issue *issue, const struct retry_now *out)
{
    return activity_log(
        db, actor,
        &(struct activity_entry){.company_id = issue->company_id,
                                 .action = "issue.scheduled_retry_retry_now",
                                 .entity_type = "issue",
                                 .entity_id = issue->id,
                                 .details = json_pack("{s:s, s:s, s:s?}", "identifier", issue->identifier, "outcome",
                                                      out->outcome, "runId", out->run.id)});
}

err_t retry_now(struct db *db, const struct actor *actor, const struct issue *issue, struct retry_now *out)
{
    const char *why;
    bool found, rearm, done;
    *out =
        (struct retry_now){.outcome = "no_scheduled_retry", .message = "No scheduled retry is waiting on this issue"};
    TRY(entity_one(
        db, &ENTITY_run, &out->run, &found,
        "WHERE issue_id = $1 AND (status = 'scheduled_retry' OR (status IN ('queued','running') AND scheduled_retry_reason IS NOT NULL))"
        " ORDER BY CASE status WHEN 'scheduled_retry' THEN 0 ELSE 1 END, scheduled_retry_at LIMIT 1",
        P(V_ID(issue->id))));
    if (!found) return OK;
    if (!text_is(out->run.status, "scheduled_retry")) {
        out->outcome = "already_promoted";
        out->message = "The scheduled retry has been started already";
        return OK;
    }
    TRY(gate(db, &out->run, &why, &rearm));
    if (why) {
        out->outcome = "gate_suppressed";
        out->message = arena_printf(db_arena(db), "The scheduled retry may not start now: %s", why);
        return log_now(db, actor, issue, out);
    }
    TRY(promote(db, &out->run, &done));
    out->outcome = done ? "promoted" : "already_promoted";
    out->message = done ? "The scheduled retry starts now" : "The scheduled retry has been started already";
    if (done) out->run.status = "queued";
    return done ? log_now(db, actor, issue, out) : OK;
}

void retry_write(struct jw *w, const char *key, const struct run *retry)
{
    if (retry == NULL) {
        jw_knull(w, key);
        return;
    }
    jw_kobj(w, key);
    jw_kstr(w, "runId", retry->id);
    jw_kstr(w, "status", retry->status);
    jw_kstr(w, "agentId", retry->agent_id);
    jw_kstr(w, "retryOfRunId", retry->retry_of_run_id);
    jw_ktime(w, "scheduledRetryAt", retry->scheduled_retry_at);
    jw_kint(w, "scheduledRetryAttempt", retry->scheduled_retry_attempt);
    jw_kstr(w, "scheduledRetryReason", retry->scheduled_retry_reason);
    jw_obj_end(w);
}

/* follow_up: one run after another. */
#include "model/follow_up.h"

#include "base/id.h"
#include "base/settings.h"
#include "model/activity.h"
#include "model/comment.h"
#include "model/explain.h"
#include "model/issue.h"
#include "rules/recovery_class.h"

const struct actor follow_up_actor = {.type = ACTOR_SYSTEM, .source = "recovery"};

err_t follow_up_run(struct db *db, const struct run *run, json_t *context, const char *reason, const char *retry_reason,
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
    recovery_class_apply(context, reason);
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
    w.requested_by_actor_id = follow_up_actor.source;
    w.requested_at = w.created_at = w.updated_at = clock_now();
    w.issue_id = run->issue_id;
    w.idempotency_key = seed.idempotency_key;
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
    return db_exec(
        db, &n,
        "UPDATE issues SET execution_run_id = $2, checkout_run_id = NULL, execution_locked_at = $3 WHERE execution_run_id = $1",
        P(V_ID(run->id), V_ID(out->id), V_TIME(clock_now())));
}

err_t follow_up_budget_spent(struct db *db, const struct run *run, bool *spent)
{
    int64_t n;
    TRY(db_int(
        db, &n, 0,
        "WITH RECURSIVE chain(id, earlier, n) AS (SELECT id, retry_of_run_id, 0 FROM heartbeat_runs WHERE id = $1"
        " UNION ALL SELECT p.id, p.retry_of_run_id, c.n + 1 FROM chain c JOIN heartbeat_runs p ON p.id = c.earlier WHERE c.n < $2"
        " AND NOT EXISTS (SELECT 1 FROM activity_log a WHERE a.run_id = c.id AND a.action LIKE 'issue.%'"
        " AND a.action NOT IN ('issue.checked_out','issue.read_marked'))) SELECT max(n) FROM chain",
        P(V_ID(run->id), V_INT(settings.incident_run_budget))));
    *spent = n >= settings.incident_run_budget;
    return OK;
}

err_t follow_up_issue(struct db *db, const struct run *run, struct issue *out, bool *found)
{
    *found = false;
    return run->issue_id ? issue_get(db, run->issue_id, out, found) : OK;
}

/* The same judgement as everywhere (rules/explain): what it calls dead, or leaves to the next start, has no path. */
err_t follow_up_has_path(struct db *db, const struct issue *issue, bool *yes)
{
    struct explained x;
    TRY(explain_load(db, issue->company_id, &issue, 1, &x));
    *yes = x.verdicts[0].state != EXPLAIN_DEAD;
    return OK;
}

err_t follow_up_notice(struct db *db, const struct issue *issue, const char *title, const char *body)
{
    static const struct author nobody = {0};
    struct arena *a = db_arena(db);
    struct comment c;
    bool replayed;
    int64_t n;
    TRY(comment_insert(db, &follow_up_actor, &nobody,
                       &(struct comment_new){.issue = issue, .body = arena_printf(a, "**%s**\n\n%s", title, body)}, &c,
                       &replayed));
    if (replayed) return OK;
    TRY(db_exec(db, &n, "UPDATE issues SET updated_at = $2, last_activity_at = $2 WHERE id = $1",
                P(V_ID(issue->id), V_TIME(clock_now()))));
    return activity_log(
        db, &follow_up_actor,
        &(struct activity_entry){.company_id = issue->company_id,
                                 .action = "issue.comment_added",
                                 .entity_type = "issue",
                                 .entity_id = issue->id,
                                 .comment = comment_text(a, &c),
                                 .details = json_pack("{s:s, s:s, s:s}", "commentId", c.id, "bodySnippet",
                                                      snippet(a, body, 120), "identifier", issue->identifier)});
}

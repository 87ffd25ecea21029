/* missing_comment: was it said, and if not, who says it now. */
#include "model/missing_comment.h"

#include "base/text.h"
#include "rules/disposition.h"
#include "rules/issue_status.h"

/* By the run's id, or by its agent while the run went on, with whatever token (EX-71 BETTER). */
static err_t comment_of(struct db *db, const struct run *run, const char **id)
{
    return db_text(
        db, id,
        "SELECT id FROM issue_comments WHERE issue_id = $1 AND deleted_at IS NULL AND (created_by_run_id = $2"
        " OR (author_agent_id = $3 AND created_at >= $4)) ORDER BY created_at, id LIMIT 1",
        P(V_ID(run->issue_id), V_ID(run->id), V_ID(run->agent_id),
          V_TIME(run->started_at == INSTANT_NONE ? run->created_at : run->started_at)));
}

static err_t comment_waits(struct db *db, const struct run *run, bool *yes)
{
    int64_t n;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM agent_wakeup_requests WHERE issue_id = $1 AND agent_id = $2 AND status = 'deferred_issue_execution'"
        " AND payload ->> '_paperclipWakeContext' LIKE '%wakeCommentIds%'",
        P(V_ID(run->issue_id), V_ID(run->agent_id))));
    *yes = n > 0;
    return OK;
}

static err_t remind(struct db *db, struct ended *e)
{
    struct run next;
    json_t *context = json_deep_copy(e->context);
    json_object_set_new(context, "missingIssueCommentForRunId", json_string(e->run->id));
    e->followed = true;
    return follow_up_run(db, e->run, context, "missing_issue_comment", "missing_issue_comment",
                         (struct run_seed){.process_loss_retry_count = e->run->process_loss_retry_count,
                                           .scheduled_retry_attempt = e->run->scheduled_retry_attempt},
                         &next);
}

static err_t write_status(struct db *db, struct run *run, const char *status, const char *comment_id)
{
    instant_t now = clock_now();
    run->issue_comment_status = status;
    return db_exec_one(
        db,
        "UPDATE heartbeat_runs SET issue_comment_status = $2, issue_comment_satisfied_by_comment_id = $3,"
        " issue_comment_retry_queued_at = $4 WHERE id = $1",
        P(V_ID(run->id), V_TEXT(status), V_ID(text_is(status, "satisfied") ? comment_id : NULL),
          V_TIME(text_is(status, "retry_queued") ? now : INSTANT_NONE)));
}

err_t missing_comment_settle(struct db *db, struct ended *e)
{
    struct run *run = e->run;
    struct issue issue;
    const char *comment = NULL;
    bool found, waits = false, spent = false;
    TRY(follow_up_issue(db, run, &issue, &found));
    if (!found || e->followed) return OK;
    TRY(comment_of(db, run, &comment));
    if (comment == NULL) TRY(comment_waits(db, run, &waits));
    if (comment == NULL) TRY(follow_up_budget_spent(db, run, &spent));
    const char *status =
        comment_status(&(struct comment_facts){.wake_reason = run->wake_reason,
                                               .has_issue = true,
                                               .issue_open = !status_terminal(issue.status),
                                               .skip = json_bool(e->context, "skipIssueComment", false),
                                               .is_reminder = json_str(e->context, "missingIssueCommentForRunId") != NULL, /* a retry of it is it, too */
                                               .succeeded = text_is(run->status, "succeeded"),
                                               .commented = comment != NULL,
                                               .comment_waits = waits,
                                               .holds_lock = text_is(issue.execution_run_id, run->id),
                                               .can_act = e->can_act,
                                               .spent = spent});
    if (text_is(status, "not_applicable")) return OK;
    if (text_is(status, "retry_queued")) TRY(remind(db, e));
    return write_status(db, run, status, comment);
}

/* issue_delete: an issue goes, and those that waited for it learn of it (IS-79, IS §23.8). */
#include "model/activity.h"
#include "model/issue_update.h"
#include "model/run_control.h"
#include "model/wake.h"

static err_t stop_work(struct db *db, const struct actor *actor, const struct issue *issue)
{
    int64_t n;
    TRY(run_cancel_where(db,
                         &(struct run_cancel){.issue_id = issue->id,
                                              .error = "Cancelled because the issue was deleted",
                                              .error_code = "issue_deleted",
                                              .stop_reason = "issue_deleted",
                                              .cancelled_by_user_id = actor->user_id,
                                              .no_promote = true},
                         &n));
    return db_exec(
        db, &n,
        "UPDATE agent_wakeup_requests SET status = 'cancelled', error = 'The issue was deleted', finished_at = $2, updated_at = $2"
        " WHERE issue_id = $1 AND status IN ('queued','deferred_issue_execution')",
        P(V_ID(issue->id), V_TIME(clock_now())));
}

static err_t wake_dependents(struct db *db, const struct actor *actor, const struct issue *gone,
                             const struct dependent *d, int count)
{
    struct wake_batch batch = {.arena = db_arena(db)};
    for (int i = 0; i < count; i++) {
        json_t *open;
        int n;
        TRY(relation_unresolved(db, d[i].id, &open, &n));
        if (n > 0) continue; /* a cancelled one is still in the way */
        wake_batch_add(
            &batch, d[i].id,
            &(struct wake_request){
                .agent_id = d[i].assignee_agent_id,
                .source = "automation",
                .trigger_detail = "system",
                .reason = "issue_blockers_resolved",
                .payload = json_pack("{s:s, s:s, s:s}", "issueId", d[i].id, "resolvedBlockerIssueId", gone->id,
                                     "mutation", "blocker_deleted"),
                .context = json_pack("{s:s, s:s}", "issueId", d[i].id, "source", "issue.blockers_resolved")});
    }
    return wake_batch_flush(db, actor, &batch);
}

err_t issue_delete(struct db *db, const struct actor *actor, const struct issue *issue)
{
    struct dependent *dependents;
    int count;
    int64_t children;
    TRY(db_int(db, &children, 0, "SELECT count(*) FROM issues WHERE parent_id = $1", P(V_ID(issue->id))));
    if (children)
        return err_new(db_arena(db), ERR_CONFLICT,
                       "Issue cannot be deleted because another record still references it.");
    TRY(stop_work(db, actor, issue));
    TRY(relation_dependents(db, issue->id, &dependents, &count));
    TRY(db_exec_one(db, "DELETE FROM issues WHERE id = $1", P(V_ID(issue->id))));
    TRY(activity_log(db, actor,
                     &(struct activity_entry){.company_id = issue->company_id,
                                              .action = "issue.deleted",
                                              .entity_type = "issue",
                                              .entity_id = issue->id}));
    return wake_dependents(db, actor, issue, dependents, count);
}

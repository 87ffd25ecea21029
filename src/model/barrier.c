/* barrier: the finalize barrier's questions, and who is told when it opens. */
#include "model/barrier.h"

#include "base/json.h"
#include "base/text.h"
#include "model/issue.h"
#include "model/issue_wakes.h"
#include "model/run.h"
#include "model/workspace_operation.h"

err_t barrier_pending(struct db *db, const char *issue_id, bool *pending)
{
    int64_t n;
    TRY(db_int(db, &n, 0, "SELECT count(*) FROM issues b WHERE b.id = $1 AND " PENDING_FINALIZE("b"),
               P(V_ID(issue_id))));
    *pending = n > 0;
    return OK;
}

err_t barrier_wake_dependents(struct db *db, const struct actor *actor, const char *workspace_id)
{
    struct wake_batch batch = {.arena = db_arena(db)};
    struct issue *done;
    int n;
    if (workspace_id == NULL) return OK;
    TRY(entity_many(
        db, &ENTITY_issue, &done, &n,
        "WHERE execution_workspace_id = $1 AND status = 'done' AND EXISTS (SELECT 1 FROM issue_relations x WHERE"
        " x.issue_id = issues.id AND x.type = 'blocks') AND NOT " PENDING_FINALIZE("issues") " ORDER BY id LIMIT 100",
        P(V_ID(workspace_id))));
    for (int i = 0; i < n; i++)
        TRY(issue_wakes_unblocked(db, actor, &done[i], "workspace_finalize_reconciliation", &batch));
    return wake_batch_flush(db, actor, &batch);
}

/* ---- accepting ---- */

static err_t refused(struct db *db, const struct issue *issue, const char *run_id, bool failed)
{
    struct arena *a = db_arena(db);
    json_t *details =
        json_pack("{s:s, s:s}", "executionWorkspaceId", issue->execution_workspace_id, "sourceRunId", run_id);
    if (failed) {
        json_object_set_new(details, "code", json_string("workspace_finalize_failed"));
        json_object_set_new(
            details, "remediation",
            json_string(
                "The run's workspace could not be finalized. Repair it and run the issue again, accept its "
                "present state with POST /api/execution-workspaces/:id/finalize, or accept with acknowledgeUnsynced."));
    }
    return err_with(
        a, ERR_CONFLICT, failed ? "workspace_finalize_failed" : NULL, json_text(a, details),
        "Cannot accept interaction: the run that created this interaction has not finished syncing its workspace."
        " Retry once the local worktree has finished syncing.");
}

/* As the barrier asks, of an issue that need not be done. */
static err_t unsettled(struct db *db, const struct issue *issue, bool *yes)
{
    int64_t n;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM (SELECT id, 'done' AS status, execution_workspace_id FROM issues WHERE id = $1) b WHERE " PENDING_FINALIZE(
            "b"),
        P(V_ID(issue->id))));
    *yes = n > 0;
    return OK;
}

err_t barrier_accept(struct db *db, const struct issue *issue, const char *source_run_id, bool acknowledged)
{
    struct workspace_operation op;
    bool pending, found;
    if (source_run_id == NULL || issue->execution_workspace_id == NULL) return OK;
    TRY(unsettled(db, issue, &pending));
    if (!pending) return OK;
    TRY(workspace_operation_of_run(db, source_run_id, "workspace_finalize", &op, &found));
    bool failed = found && text_is(op.status, "failed");
    if (failed && acknowledged) return OK;
    return refused(db, issue, source_run_id, failed);
}

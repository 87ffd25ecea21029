/* barrier: the finalize barrier's questions, and who is told when it opens. */
#include "model/barrier.h"

#include "base/json.h"
#include "base/text.h"
#include "model/issue.h"
#include "model/issue_wakes.h"

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

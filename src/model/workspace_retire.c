/* workspace_retire: finished workspaces close by themselves, when nothing of them is lost (WS-123…126). */
#include "model/workspace_close.h"

#include "base/settings.h"
#include "base/text.h"
#include "model/barrier.h"
#include "model/execution_workspace.h"
#include "rules/workspace_choice.h"
#include "rules/workspace_close.h"

static const struct actor reaper = {.type = ACTOR_SYSTEM, .source = "workspace_terminality_reaper"};

/* What rows say of one workspace. */
static err_t facts_of(struct db *db, const struct execution_workspace *ws, struct retire_facts *f)
{
    struct rows r ROWS_AUTO = {0};
    const char *policy = NULL;
    int64_t n;
    *f = (struct retire_facts){.terminal_at = INSTANT_NONE,
                               .hold_until = ws->cleanup_eligible_at,
                               .now = clock_now(),
                               .worktree = text_is(ws->strategy_type, "git_worktree"),
                               .reopen_pending = json_bool(json_read(ws->metadata), "reopenPendingConsumption", false)};
    TRY(db_query(
        db, &r,
        "SELECT coalesce(completed_at, cancelled_at, updated_at) FROM issues WHERE id = $1 AND status IN ('done','cancelled')",
        P(V_ID(ws->source_issue_id))));
    if (rows_next(&r)) f->terminal_at = row_time(&r, 0);
    TRY(rows_err(&r));
    TRY(db_int(db, &n, 1,
               "WITH RECURSIVE tree(id) AS (SELECT id FROM issues WHERE id = $1 OR execution_workspace_id = $2"
               " UNION SELECT c.id FROM issues c JOIN tree ON c.parent_id = tree.id)"
               " SELECT count(*) FROM issues i JOIN tree ON tree.id = i.id WHERE i.status NOT IN ('done','cancelled')",
               P(V_ID(ws->source_issue_id), V_ID(ws->id))));
    f->subtree_closed = n == 0;
    TRY(execution_workspace_live_runs(db, ws->id, &n));
    f->live_run = n > 0;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM issues b WHERE (b.execution_workspace_id = $1 OR b.id = $2) AND " PENDING_FINALIZE("b"),
        P(V_ID(ws->id), V_ID(ws->source_issue_id))));
    f->pending_finalize = n > 0;
    TRY(db_text(db, &policy, "SELECT execution_workspace_policy FROM projects WHERE id = $1", P(V_ID(ws->project_id))));
    f->retain_ms = workspace_retain_minutes(json_read(policy), settings.workspace_retain_min) * MINUTE_MS;
    return OK;
}

err_t workspace_retirees(struct db *db, instant_t after, const char *after_id, int limit, struct retiree **out, int *n,
                         instant_t *last, const char **last_id)
{
    struct execution_workspace *rows;
    int count;
    *n = 0;
    *last_id = NULL;
    /* mode operator_branch: the operator's own, never taken away by us (WS-30) */
    TRY(entity_many(
        db, &ENTITY_execution_workspace, &rows, &count,
        "WHERE closed_at IS NULL AND source_issue_id IS NOT NULL AND mode <> 'operator_branch' AND updated_at <= $4"
        " AND ($1 IS NULL OR updated_at > $1 OR (updated_at = $1 AND id > $2))"
        " AND EXISTS (SELECT 1 FROM issues i WHERE i.id = source_issue_id AND i.status IN ('done','cancelled'))"
        " ORDER BY updated_at, id LIMIT $3",
        P(V_TIME(after), V_ID(after_id), V_INT(limit), V_TIME(clock_now()))));
    *out = arena_array(db_arena(db), struct retiree, count + 1);
    for (int i = 0; i < count; i++) {
        const struct execution_workspace *ws = &rows[i];
        struct retire_facts f;
        *last = ws->updated_at;
        *last_id = ws->id;
        TRY(facts_of(db, ws, &f));
        if (retire_waits_for(&f)) continue;
        (*out)[(*n)++] = (struct retiree){.id = ws->id,
                                          .company_id = ws->company_id,
                                          .cwd = ws->cwd,
                                          .base_ref = ws->base_ref,
                                          .worktree = f.worktree,
                                          .updated_at = ws->updated_at};
    }
    if (count < limit) *last_id = NULL; /* the end: from the start next time */
    return OK;
}

err_t workspace_retire(struct db *db, const char *id, const struct tree_facts *tree, bool *closed)
{
    struct execution_workspace ws, after;
    struct retire_facts f;
    bool found;
    *closed = false;
    TRY(execution_workspace_get(db, id, &ws, &found));
    if (!found || !execution_workspace_open(&ws)) return OK;
    TRY(facts_of(db, &ws, &f));
    f.tree = tree;
    if (retire_waits_for(&f)) return OK;
    TRY(workspace_archive(db, &ws, &(struct archive){.reason = "issue_terminal", .eligible_at = clock_now()}, &after));
    *closed = true;
    return execution_workspace_log(db, &reaper, "execution_workspace.issue_terminal_archived", &after,
                                   json_pack("{s:s?, s:s, s:s, s:s}", "sourceIssueId", after.source_issue_id,
                                             "deliveryState", execution_workspace_delivery(&after), "cleanupEligibleAt",
                                             instant_text(db_arena(db), after.cleanup_eligible_at), "cleanupReason",
                                             "issue_terminal"));
}

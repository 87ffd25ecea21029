/* workspace_close: readiness, and the row's end. */
#include "model/workspace_close.h"

#include "base/settings.h"
#include "base/text.h"
#include "model/barrier.h"
#include "model/execution_workspace.h"
#include "model/project.h"
#include "rules/workspace_choice.h"
#include "rules/workspace_close.h"

#include <string.h>

#define LINKED_MAX 200

/* ---- readiness ---- */

static err_t load_issues(struct db *db, struct closing *c, bool *pending)
{
    struct rows r ROWS_AUTO = {0};
    c->issues = arena_array(db_arena(db), struct linked_issue, LINKED_MAX);
    *pending = false;
    TRY(db_query(
        db, &r,
        "SELECT b.id, b.identifier, b.title, b.status, " PENDING_FINALIZE(
            "b") " FROM issues b"
                 " WHERE b.execution_workspace_id = $1 AND b.hidden_at IS NULL ORDER BY b.issue_number LIMIT 200",
        P(V_ID(c->workspace.id))));
    while (rows_next(&r)) {
        const char *status = row_text(&r, 3);
        bool terminal = text_is(status, "done") || text_is(status, "cancelled");
        c->issues[c->issue_count++] =
            (struct linked_issue){row_text(&r, 0), row_text(&r, 1), row_text(&r, 2), status, terminal};
        *pending |= row_bool(&r, 4);
    }
    return rows_err(&r);
}

static err_t load_place(struct db *db, struct closing *c)
{
    const json_t *config = json_object_get(json_read(c->workspace.metadata), "config");
    struct project p;
    bool found;
    c->teardown = json_str(config, "teardownCommand");
    TRY(project_get(db, c->workspace.project_id, &p, &found));
    if (c->teardown == NULL && found)
        c->teardown =
            json_str(json_object_get(json_read(p.execution_workspace_policy), "workspaceStrategy"), "teardownCommand");
    return entity_one(db, &ENTITY_project_workspace, &c->place, &c->has_place, "WHERE id = $1",
                      P(V_ID(c->workspace.project_workspace_id)));
}

err_t workspace_close_judge(struct db *db, struct closing *c)
{
    bool pending;
    int open = 0;
    int64_t live;
    TRY(load_issues(db, c, &pending));
    TRY(load_place(db, c));
    TRY(execution_workspace_live_runs(db, c->workspace.id, &live));
    for (int i = 0; i < c->issue_count; i++) open += !c->issues[i].terminal;
    struct close_verdict v =
        close_judge(db_arena(db), &(struct close_facts){.shared = !text_is(c->workspace.strategy_type, "git_worktree"),
                                                        .readable = c->readable,
                                                        .path_missing = c->path_missing,
                                                        .open_issues = open,
                                                        .live_run = live > 0,
                                                        .pending_finalize = pending,
                                                        .force = c->force,
                                                        .base_ref = c->workspace.base_ref,
                                                        .tree = c->tree});
    c->state = v.state;
    c->blocking = v.blocking;
    c->warnings = v.warnings;
    return OK;
}

static void action(struct jw *w, const char *kind, const char *label, const char *description, const char *command)
{
    jw_obj(w);
    jw_kstr(w, "kind", kind);
    jw_kstr(w, "label", label);
    jw_kstr(w, "description", description);
    jw_kstr(w, "command", command);
    jw_obj_end(w);
}

static void write_actions(struct jw *w, const struct closing *c)
{
    struct arena tmp ARENA_AUTO = {0};
    const struct execution_workspace *ws = &c->workspace;
    const json_t *m = json_read(ws->metadata);
    const char *own = json_str(json_object_get(m, "config"), "cleanupCommand");
    bool worktree = text_is(ws->strategy_type, "git_worktree");
    jw_karr(w, "plannedActions");
    action(w, "archive_record", "Archive workspace record", "The record is kept and marked archived.", NULL);
    if (own)
        action(w, "cleanup_command", "Run workspace cleanup command", "The workspace's own cleanup command runs in it.",
               own);
    if (c->has_place && c->place.cleanup_command)
        action(w, "cleanup_command", "Run project cleanup command",
               "The project workspace's cleanup command runs in it.", c->place.cleanup_command);
    if (c->teardown)
        action(w, "teardown_command", "Run teardown command", "The strategy's teardown command runs in it.",
               c->teardown);
    if (worktree && !c->path_missing)
        action(w, "git_worktree_remove", "Remove git worktree",
               "The directory goes, when nothing uncommitted is in it.",
               arena_printf(&tmp, "git worktree remove %s", ws->cwd));
    if (worktree && ws->branch_name && json_bool(m, "createdByRuntime", false))
        action(w, "git_branch_delete", "Delete branch", "Only when it is merged; else it stays.",
               arena_printf(&tmp, "git branch -d %s", ws->branch_name));
    jw_arr_end(w);
}

/* WS-114 */
static void write_git(struct jw *w, const struct closing *c)
{
    const struct tree_facts *t = &c->tree;
    const json_t *m = json_read(c->workspace.metadata);
    jw_key(w, "git");
    if (!text_is(c->workspace.strategy_type, "git_worktree") && !t->git) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kstr(w, "repoRoot", json_str(m, "repoRoot"));
    jw_kstr(w, "workspacePath", c->workspace.cwd);
    jw_kstr(w, "branchName", t->branch ? t->branch : c->workspace.branch_name);
    jw_kstr(w, "baseRef", c->workspace.base_ref);
    jw_kbool(w, "hasDirtyTrackedFiles", t->dirty > 0);
    jw_kbool(w, "hasUntrackedFiles", t->untracked > 0);
    jw_kint(w, "dirtyEntryCount", t->dirty);
    jw_kint(w, "untrackedEntryCount", t->untracked);
    bool known = t->git && t->ahead >= 0;
    if (known) jw_kint(w, "aheadCount", t->ahead);
    else jw_knull(w, "aheadCount");
    if (known) jw_kint(w, "behindCount", t->behind);
    else jw_knull(w, "behindCount");
    if (known) jw_kbool(w, "isMergedIntoBase", t->ahead == 0);
    else jw_knull(w, "isMergedIntoBase");
    jw_kbool(w, "createdByRuntime", json_bool(m, "createdByRuntime", false));
    jw_obj_end(w);
}

void workspace_close_write(struct jw *w, const struct closing *c)
{
    bool shared = !text_is(c->workspace.strategy_type, "git_worktree");
    jw_obj(w);
    jw_kstr(w, "workspaceId", c->workspace.id);
    jw_kstr(w, "deliveryState", execution_workspace_delivery(&c->workspace));
    jw_kstr(w, "state", c->state);
    jw_key(w, "blockingReasons");
    jw_json(w, c->blocking);
    jw_key(w, "warnings");
    jw_json(w, c->warnings);
    jw_karr(w, "linkedIssues");
    for (int i = 0; i < c->issue_count; i++) {
        jw_obj(w);
        jw_kstr(w, "id", c->issues[i].id);
        jw_kstr(w, "identifier", c->issues[i].identifier);
        jw_kstr(w, "title", c->issues[i].title);
        jw_kstr(w, "status", c->issues[i].status);
        jw_kbool(w, "isTerminal", c->issues[i].terminal);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    write_actions(w, c);
    jw_kbool(w, "isDestructiveCloseAllowed", !text_is(c->state, "blocked"));
    jw_kbool(w, "isSharedWorkspace", shared);
    jw_kbool(w, "isProjectPrimaryWorkspace", shared && c->has_place && c->place.is_primary);
    write_git(w, c);
    jw_karr(w, "runtimeServices");
    jw_arr_end(w);
    jw_obj_end(w);
}

/* ---- the row ---- */

err_t workspace_archive(struct db *db, const struct execution_workspace *before, const struct archive *how,
                        struct execution_workspace *after)
{
    struct arena *a = db_arena(db);
    struct execution_workspace now;
    bool found;
    int64_t n;
    TRY(execution_workspace_get(db, before->id, &now, &found));
    if (!found) return err_new(a, ERR_NOT_FOUND, "Execution workspace not found");
    json_t *m = execution_workspace_metadata(&now);
    if (json_bool(m, "reopenPendingConsumption", false))
        return err_new(a, ERR_CONFLICT, "Execution workspace was reopened and cannot be archived right now");
    if (text_is(now.status, "archived")) return err_new(a, ERR_CONFLICT, "Execution workspace is archived already");
    *after = now;
    after->status = "archived";
    after->updated_at = clock_now();
    if (after->closed_at == INSTANT_NONE) after->closed_at = after->updated_at;
    if (how->eligible_at != INSTANT_NONE && after->cleanup_eligible_at == INSTANT_NONE)
        after->cleanup_eligible_at = how->eligible_at;
    after->cleanup_reason = how->reason;
    json_object_set_new(m, "lifecycleGeneration", json_integer(json_int(m, "lifecycleGeneration", 0) + 1));
    json_object_set_new(m, "cleanupState", json_string("pending"));
    if (how->force) json_object_set_new(m, "cleanupForce", json_true());
    else json_object_del(m, "cleanupForce");
    after->metadata = json_text(a, m);
    TRY(entity_update(db, &ENTITY_execution_workspace, &now, after));
    if (!text_is(after->strategy_type, "git_worktree"))
        TRY(db_exec(db, &n, "UPDATE issues SET execution_workspace_id = NULL WHERE execution_workspace_id = $1",
                    P(V_ID(after->id))));
    db_poke(db);
    return OK;
}

/* workspace_cleanup: rows around the job that takes a closed workspace's directory away (WS-120…122). */
#include "model/workspace_close.h"

#include "base/text.h"
#include "model/execution_workspace.h"
#include "model/issue.h"
#include "model/workspace_operation.h"

static const struct actor reaper = {.type = ACTOR_SYSTEM, .source = "workspace_terminality_reaper"};

/* Custom commands run when a person closes a workspace, not when it closes by itself (WS-124). */
static err_t fill(struct db *db, struct cleaning *c)
{
    const struct execution_workspace *ws = &c->workspace;
    const json_t *m = json_read(ws->metadata), *config = json_object_get(m, "config");
    struct project_workspace place;
    struct issue issue;
    bool found, by_hand = !text_is(ws->cleanup_reason, "issue_terminal"), has_issue = false;
    TRY(entity_one(db, &ENTITY_project_workspace, &place, &found, "WHERE id = $1", P(V_ID(ws->project_workspace_id))));
    if (ws->source_issue_id) TRY(issue_get(db, ws->source_issue_id, &issue, &has_issue));
    c->generation = json_int(m, "lifecycleGeneration", 0);
    c->request = (struct cleanup_request){.cwd = ws->provider_ref ? ws->provider_ref : ws->cwd,
                                          .repo_root = json_str(m, "repoRoot"),
                                          .branch = ws->branch_name,
                                          .base_ref = ws->base_ref,
                                          .keep_dir = found && place.cwd ? place.cwd : json_str(m, "repoRoot"),
                                          .worktree = text_is(ws->strategy_type, "git_worktree"),
                                          .ours = json_bool(m, "createdByRuntime", false),
                                          .force = json_bool(m, "cleanupForce", false),
                                          .issue_identifier = has_issue ? issue.identifier : NULL,
                                          .issue_id = ws->source_issue_id};
    c->project_id = ws->project_id;
    if (!by_hand) return OK;
    c->request.commands[0] = json_str(config, "cleanupCommand");
    c->request.commands[1] = found ? place.cleanup_command : NULL;
    c->request.commands[2] = json_str(config, "teardownCommand");
    return OK;
}

#define PENDING "status = 'archived' AND metadata ->> 'cleanupState' = 'pending'"

err_t workspace_cleanup_waits(struct db *db, bool *yes)
{
    int64_t n;
    TRY(db_int(db, &n, 0, "SELECT 1 FROM execution_workspaces WHERE " PENDING " LIMIT 1", P()));
    *yes = n == 1;
    return OK;
}

err_t workspace_cleanup_next(struct db *db, struct cleaning *out, bool *found)
{
    TRY(entity_one(db, &ENTITY_execution_workspace, &out->workspace, found,
                   "WHERE " PENDING " ORDER BY updated_at, id LIMIT 1", P()));
    if (!*found) return OK;
    TRY(fill(db, out));
    bool known;
    TRY(entity_one(db, &ENTITY_workspace_operation, &out->op, &known,
                   "WHERE execution_workspace_id = $1 AND phase = 'worktree_cleanup' AND status = 'running'",
                   P(V_ID(out->workspace.id))));
    if (known) return OK; /* begun before a crash */
    entity_init(&ENTITY_workspace_operation, &out->op);
    out->op.company_id = out->workspace.company_id;
    out->op.execution_workspace_id = out->workspace.id;
    out->op.issue_id = out->workspace.source_issue_id;
    out->op.phase = "worktree_cleanup";
    out->op.cwd = out->workspace.cwd;
    return workspace_operation_start(db, &out->op);
}

static const char *joined(struct arena *a, const json_t *warnings)
{
    struct buf b = {0};
    json_t *w;
    size_t i;
    json_array_foreach (warnings, i, w) buf_printf(&b, "%s%s", b.len ? " | " : "", json_string_value(w));
    return b.len ? buf_finish(&b, a) : NULL;
}

err_t workspace_cleanup_end(struct db *db, struct cleaning *c, const struct cleanup_result *r, const char *log_ref,
                            int64_t log_bytes, const char *error)
{
    struct arena *a = db_arena(db);
    struct execution_workspace before, after;
    bool found, cleaned = error == NULL && r->cleaned;
    const char *said = error ? error : joined(a, r->warnings);
    c->op.status = cleaned ? "succeeded" : "failed";
    c->op.command = r->command;
    c->op.metadata = json_text(
        a, json_pack("{s:b, s:s?, s:s?}", "cleaned", cleaned, "rescueRef", r->rescue_branch, "warnings", said));
    c->op.log_store = log_ref ? "local_file" : NULL;
    c->op.log_ref = log_ref;
    c->op.log_bytes = log_bytes;
    TRY(workspace_operation_end(db, &c->op));
    TRY(execution_workspace_get(db, c->workspace.id, &before, &found));
    json_t *m = found ? execution_workspace_metadata(&before) : NULL;
    if (!found || !text_is(before.status, "archived") || json_int(m, "lifecycleGeneration", 0) != c->generation)
        return OK; /* opened again */
    after = before;
    json_object_set_new(m, "cleanupState", json_string(cleaned ? "done" : "failed"));
    after.metadata = json_text(a, m);
    after.updated_at = clock_now();
    if (!cleaned) after.status = "cleanup_failed";
    if (said) after.cleanup_reason = said;
    TRY(entity_update(db, &ENTITY_execution_workspace, &before, &after));
    if (cleaned) return OK;
    return execution_workspace_log(db, &reaper, "execution_workspace.issue_terminal_cleanup_failed", &after,
                                   json_pack("{s:s?, s:s?}", "sourceIssueId", after.source_issue_id, "failure", said));
}

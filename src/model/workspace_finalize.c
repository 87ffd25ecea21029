/* workspace_finalize: the end of a run's work in its workspace, exactly one row (WS-78…81, WS-95, WS-96). */
#include "base/settings.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/barrier.h"
#include "model/environment.h"
#include "model/execution_workspace.h"
#include "model/issue.h"
#include "model/workspace_life.h"
#include "model/workspace_operation.h"

static const struct actor runtime = {.type = ACTOR_SYSTEM, .source = "workspace_runtime"};

/* ---- begin ---- */

static err_t driver_of(struct db *db, const struct execution_workspace *ws, const char **driver)
{
    struct environment e;
    bool found = false;
    const char *id = json_str(json_object_get(json_read(ws->metadata), "config"), "environmentId");
    *driver = "local";
    if (id) TRY(environment_get(db, id, &e, &found));
    if (found) *driver = e.driver;
    return OK;
}

static err_t contended(struct db *db, const struct execution_workspace *ws, bool *yes)
{
    int64_t n;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM execution_workspaces WHERE company_id = $1 AND id <> $2 AND closed_at IS NULL AND provider_ref = $3"
        " AND provider_type = 'git_worktree'",
        P(V_ID(ws->company_id), V_ID(ws->id), V_TEXT(ws->provider_ref))));
    *yes = n > 0;
    return OK;
}

static err_t fill_request(struct db *db, const struct run *run, struct workspace_ending *e)
{
    const struct execution_workspace *ws = &e->workspace;
    const json_t *m = json_read(ws->metadata);
    struct issue issue;
    bool found = false;
    e->request = (struct finalize_request){.cwd = ws->cwd,
                                           .expected_branch = ws->branch_name,
                                           .base_ref = ws->base_ref,
                                           .repo_root = json_str(m, "repoRoot"),
                                           .worktree = text_is(ws->strategy_type, "git_worktree"),
                                           .forward = settings.workspace_branch_forward,
                                           .quarantine = settings.workspace_quarantine,
                                           .issue_id = e->op.issue_id,
                                           .run_id = run->id};
    TRY(contended(db, ws, &e->request.contended));
    if (e->op.issue_id) TRY(issue_get(db, e->op.issue_id, &issue, &found));
    if (found) e->request.issue_identifier = issue.identifier;
    return driver_of(db, ws, &e->driver);
}

err_t workspace_finalize_begin(struct db *db, const struct run *run, enum finalize_state *state,
                               struct workspace_ending *out)
{
    struct workspace_operation prepare;
    bool found;
    *state = FINALIZE_NONE;
    TRY(workspace_operation_of_run(db, run->id, "worktree_prepare", &prepare, &found));
    if (!found || prepare.execution_workspace_id == NULL) return OK;
    TRY(execution_workspace_get(db, prepare.execution_workspace_id, &out->workspace, &found));
    if (!found) return OK;
    TRY(workspace_operation_of_run(db, run->id, "workspace_finalize", &out->op, &found));
    *state = found && !text_is(out->op.status, "running") ? FINALIZE_DONE : FINALIZE_NEEDED;
    if (*state == FINALIZE_DONE) return OK;
    if (!found) {
        entity_init(&ENTITY_workspace_operation, &out->op);
        out->op.company_id = run->company_id;
        out->op.execution_workspace_id = out->workspace.id;
        out->op.heartbeat_run_id = run->id;
        out->op.issue_id = prepare.issue_id;
        out->op.phase = "workspace_finalize";
        out->op.cwd = out->workspace.cwd;
        TRY(workspace_operation_start(db, &out->op));
    }
    return fill_request(db, run, out);
}

/* ---- end ---- */

static json_t *branch_facts(const struct workspace_ending *e, const struct finalize_result *r)
{
    return json_pack("{s:b, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s}", "valid", r->ok, "reason", r->message,
                     "reasonCode", r->reason, "repoRoot", r->repo_root, "worktreePath", e->workspace.provider_ref,
                     "expectedBranchName", e->request.expected_branch, "actualBranchName", r->facts.branch,
                     "executionWorkspaceId", e->workspace.id);
}

static err_t metadata_of(struct db *db, const struct run *run, const struct workspace_ending *e,
                         const struct finalize_result *r, bool synthetic, json_t **out)
{
    const char *adapter = NULL;
    TRY(db_text(db, &adapter, "SELECT adapter_type FROM agents WHERE id = $1", P(V_ID(run->agent_id))));
    json_t *m = json_pack("{s:s?, s:s, s:o}", "adapterType", adapter, "executionTargetKind",
                          text_is(e->driver, "local") ? "local" : "remote", "git", tree_facts_json(&r->facts));
    if (e->request.worktree) json_object_set_new(m, "managedGitWorktreeBranch", branch_facts(e, r));
    if (r->repair.attempted)
        json_object_set_new(m, "managedGitWorktreeBranchRepair",
                            json_pack("{s:b, s:b, s:s?, s:s?, s:s?, s:s?}", "attempted", true, "succeeded",
                                      r->repair.succeeded, "mode", r->repair.mode, "initial", r->repair.from,
                                      "repaired", r->repair.to, "rescueRef", r->repair.rescue_branch));
    if (r->evidence) json_object_set(m, "evidence", r->evidence);
    if (!r->ok)
        json_object_set_new(m, "errorMessage",
                            json_string(r->message ? r->message : "The workspace could not be finalized."));
    if (synthetic) {
        json_object_set_new(m, "synthetic", json_true());
        json_object_set_new(m, "reason", json_string("run_terminal_without_finalize"));
        json_object_set_new(m, "runErrorCode", run->error_code ? json_string(run->error_code) : json_null());
    }
    *out = m;
    return OK;
}

/* The adopted branch is recorded in the transaction of the finalize row (WS-71), as are the facts that lists show (WS-80). */
static err_t record(struct db *db, const struct run *run, struct workspace_ending *e, const struct finalize_result *r)
{
    struct execution_workspace before, after;
    bool found;
    TRY(execution_workspace_get(db, e->workspace.id, &before, &found));
    if (!found) return OK;
    after = before;
    json_t *m = execution_workspace_metadata(&after);
    if (r->facts.git) json_object_set_new(m, "git", tree_facts_json(&r->facts));
    after.metadata = json_text(db_arena(db), m);
    if (r->ok && e->request.worktree && r->branch) {
        if (text_is(after.name, after.branch_name)) after.name = r->branch;
        after.branch_name = r->branch;
    }
    after.last_used_at = after.updated_at = clock_now();
    TRY(entity_update(db, &ENTITY_execution_workspace, &before, &after));
    e->workspace = after;
    if (!r->repair.succeeded) return OK;
    return execution_workspace_log(db, &runtime,
                                   r->repair.rescue_branch ? "execution_workspace.dirty_worktree_quarantined"
                                                           : "execution_workspace.branch_reconciled",
                                   &after,
                                   json_pack("{s:s, s:s?, s:s?, s:s?, s:s}", "mode", r->repair.mode, "from",
                                             r->repair.from, "to", r->repair.to, "rescueRef", r->repair.rescue_branch,
                                             "runId", run->id));
}

/* Gated dependents must not be gated silently (WS-96). */
static err_t report_failure(struct db *db, const struct run *run, const struct workspace_ending *e,
                            const struct finalize_result *r)
{
    if (e->op.issue_id == NULL) return OK;
    return activity_log(db, &runtime,
                        &(struct activity_entry){.company_id = run->company_id,
                                                 .action = "issue.workspace_finalize_failed",
                                                 .entity_type = "issue",
                                                 .entity_id = e->op.issue_id,
                                                 .run_id = run->id,
                                                 .agent_id = run->agent_id,
                                                 .details = json_pack("{s:s, s:s, s:s?, s:s?}", "executionWorkspaceId",
                                                                      e->workspace.id, "operationId", e->op.id,
                                                                      "reason", r->reason, "message", r->message)});
}

err_t workspace_finalize_end(struct db *db, const struct run *run, struct workspace_ending *e,
                             const struct finalize_result *r, const struct operation_log *log, bool synthetic)
{
    json_t *metadata;
    TRY(metadata_of(db, run, e, r, synthetic, &metadata));
    e->op.status = r->ok ? "succeeded" : "failed";
    e->op.metadata = json_text(db_arena(db), metadata);
    e->op.log_store = log->ref ? "local_file" : NULL;
    e->op.log_ref = log->ref;
    e->op.log_bytes = log->bytes;
    e->op.stdout_excerpt = log->out;
    e->op.stderr_excerpt = log->err;
    TRY(record(db, run, e, r));
    TRY(workspace_operation_end(db, &e->op));
    return r->ok ? OK : report_failure(db, run, e, r);
}

void workspace_finalize_blame(struct arena *a, const struct workspace_operation *op, const char **code,
                              const char **message)
{
    const json_t *m = json_read(op->metadata);
    const char *reason = json_str(json_object_get(m, "managedGitWorktreeBranch"), "reasonCode"),
               *text = json_str(m, "errorMessage");
    *code = *message = NULL;
    if (text_is(op->status, "succeeded")) return;
    *code = text_is(reason, "git_worktree_branch_incoherence") ? "workspace_validation_failed"
                                                               : "workspace_finalize_failed";
    *message = arena_strdup(a, text ? text : "The workspace could not be finalized.");
}

/* ---- what a crash left ---- */

err_t workspace_operations_close_stale(struct db *db)
{
    struct workspace_operation *rows;
    int n;
    TRY(entity_many(db, &ENTITY_workspace_operation, &rows, &n,
                    "WHERE status = 'running' AND phase NOT IN ('workspace_finalize','worktree_cleanup') AND (heartbeat_run_id IS NULL OR EXISTS"
                    " (SELECT 1 FROM heartbeat_runs r WHERE r.id = heartbeat_run_id AND r.closed_at IS NOT NULL)) ORDER BY started_at LIMIT 100",
                    P()));
    for (int i = 0; i < n; i++) {
        json_t *m = json_read(rows[i].metadata);
        if (!json_is_object(m)) m = json_object();
        json_object_set_new(m, "reconciled", json_true());
        json_object_set_new(m, "reconciliationReason", json_string("owner_run_terminal"));
        rows[i].metadata = json_text(db_arena(db), m);
        rows[i].status = "failed";
        TRY(workspace_operation_end(db, &rows[i]));
    }
    return OK;
}

err_t workspace_unsettled_runs(struct db *db, int limit, const char ***ids, int *n)
{
    struct rows r ROWS_AUTO = {0};
    *ids = arena_array(db_arena(db), const char *, limit);
    *n = 0;
    TRY(db_query(db, &r,
                 "SELECT o.heartbeat_run_id FROM workspace_operations o JOIN heartbeat_runs r ON r.id = o.heartbeat_run_id"
                 " WHERE o.phase = 'worktree_prepare' AND o.execution_workspace_id IS NOT NULL AND r.closed_at IS NOT NULL AND o.started_at > $1"
                 " AND NOT EXISTS (SELECT 1 FROM workspace_operations f WHERE f.heartbeat_run_id = r.id AND f.phase = 'workspace_finalize'"
                 " AND f.status <> 'running') ORDER BY o.started_at LIMIT $2",
                 P(V_TIME(clock_now() - 30 * DAY_MS), V_INT(limit))));
    while (rows_next(&r) && *n < limit) (*ids)[(*n)++] = row_text(&r, 0);
    return rows_err(&r);
}

err_t workspace_released(struct db *db, const struct run *run)
{
    const char *id;
    TRY(db_text(
        db, &id,
        "SELECT execution_workspace_id FROM workspace_operations WHERE heartbeat_run_id = $1 AND phase = 'workspace_finalize'"
        " AND status = 'succeeded'",
        P(V_ID(run->id))));
    return barrier_wake_dependents(db, &runtime, id);
}

err_t workspace_finalize_override(struct db *db, const struct actor *actor, const struct execution_workspace *ws,
                                  const char *reason, struct workspace_operation *out)
{
    entity_init(&ENTITY_workspace_operation, out);
    out->company_id = ws->company_id;
    out->execution_workspace_id = ws->id;
    out->issue_id = ws->source_issue_id;
    out->phase = "workspace_finalize";
    out->cwd = ws->cwd;
    out->metadata = json_text(
        db_arena(db), json_pack("{s:b, s:s, s:s?}", "manual", true, "reason", reason, "userId", actor->user_id));
    TRY(workspace_operation_start(db, out));
    out->status = "succeeded";
    TRY(workspace_operation_end(db, out));
    TRY(execution_workspace_log(db, actor, "execution_workspace.finalize_overridden", ws,
                                json_pack("{s:s, s:s}", "operationId", out->id, "reason", reason)));
    return barrier_wake_dependents(db, actor, ws->id);
}

/* workspace_life: preparation into rows. */
#include "model/workspace_life.h"

#include "base/id.h"
#include "base/text.h"
#include "model/execution_workspace.h"
#include "model/issue.h"
#include "model/run_event.h"
#include "model/workspace_operation.h"

static const struct actor runtime = {.type = ACTOR_SYSTEM, .source = "workspace_runtime"};

static void set_log(struct workspace_operation *op, const struct operation_log *log)
{
    op->log_store = log->ref ? "local_file" : NULL;
    op->log_ref = log->ref;
    op->log_bytes = log->ref ? log->bytes : INT_NONE;
    op->stdout_excerpt = log->out;
    op->stderr_excerpt = log->err;
}

/* ---- the row ---- */

static json_t *config_of(const struct workspace_plan *p)
{
    return json_pack("{s:s, s:s?, s:s?}", "environmentId", p->where.environment_id, "provisionCommand",
                     p->choice.provision_command, "teardownCommand", p->choice.teardown_command);
}

static void set_metadata(struct arena *a, struct execution_workspace *ws, const struct workspace_plan *p,
                         const struct prepare_result *r)
{
    json_t *m = execution_workspace_metadata(ws), *git = tree_facts_json(&r->facts);
    bool ours =
        json_bool(m, "createdByRuntime", false) || (r->git && r->created && p->choice.mode != MODE_OPERATOR_BRANCH);
    if (json_object_get(m, "source") == NULL) json_object_set_new(m, "source", json_string(p->source));
    json_object_set_new(m, "createdByRuntime", json_boolean(ours)); /* once true it stays so (WS-68) */
    if (json_object_get(m, "config") == NULL) json_object_set_new(m, "config", config_of(p));
    if (r->base_sha && json_object_get(m, "baseRefSnapshot") == NULL)
        json_object_set_new(m, "baseRefSnapshot",
                            json_pack("{s:s?, s:s}", "baseRef", r->base_ref, "resolvedSha", r->base_sha));
    if (r->repo_root) json_object_set_new(m, "repoRoot", json_string(r->repo_root));
    if (r->provision.ran)
        json_object_set_new(m, "provision",
                            json_pack("{s:s?, s:b}", "hash", r->provision.failed ? NULL : r->provision.hash, "failed",
                                      r->provision.failed));
    if (json_is_object(git)) json_object_set_new(m, "git", git);
    if (p->reopened) {
        json_object_set_new(m, "lifecycleGeneration", json_integer(json_int(m, "lifecycleGeneration", 0) + 1));
        json_object_del(m, "cleanupState");
        json_object_del(m, "cleanupForce");
    }
    ws->metadata = json_text(a, m);
}

static void set_place(struct execution_workspace *ws, const struct workspace_plan *p, const struct prepare_result *r)
{
    ws->cwd = r->cwd;
    ws->last_used_at = ws->updated_at = clock_now();
    ws->status = "active";
    ws->closed_at = ws->cleanup_eligible_at = INSTANT_NONE;
    ws->cleanup_reason = NULL;
    ws->strategy_type = r->git ? "git_worktree" : "project_primary";
    ws->provider_type = r->git ? "git_worktree" : "local_fs";
    ws->provider_ref = r->git ? r->cwd : ws->provider_ref;
    ws->repo_url = p->has_place ? p->place.repo_url : NULL;
    if (r->git && r->base_ref && ws->base_ref == NULL) ws->base_ref = r->base_ref;
    ws->branch_name = r->git ? r->branch : NULL;
}

static err_t insert(struct db *db, const struct workspace_plan *p, const struct prepare_result *r,
                    struct execution_workspace *ws)
{
    struct arena *a = db_arena(db);
    enum workspace_mode mode = !r->git && p->choice.mode == MODE_ISOLATED ? MODE_SHARED : p->choice.mode;
    entity_init(&ENTITY_execution_workspace, ws);
    ws->id = id_new(a);
    ws->company_id = p->run.company_id;
    ws->project_id = p->project.id;
    ws->project_workspace_id = p->has_place ? p->place.id : NULL;
    ws->source_issue_id = p->issue.id;
    ws->mode = workspace_mode_stored(mode);
    ws->derived_from_execution_workspace_id = p->has_refused ? p->refused.id : NULL;
    set_place(ws, p, r);
    ws->name = ws->branch_name ? ws->branch_name : p->issue.identifier;
    ws->opened_at = ws->created_at = ws->updated_at;
    set_metadata(a, ws, p, r);
    return entity_insert(db, &ENTITY_execution_workspace, ws);
}

static err_t update(struct db *db, const struct workspace_plan *p, const struct prepare_result *r,
                    struct execution_workspace *ws)
{
    struct execution_workspace before;
    bool found;
    TRY(execution_workspace_get(db, p->reuse.id, &before, &found));
    if (!found) return insert(db, p, r, ws); /* deleted meanwhile with its project's workspace */
    *ws = before;
    set_place(ws, p, r);
    if (before.branch_name && r->branch && text_is(before.name, before.branch_name)) ws->name = r->branch;
    set_metadata(db_arena(db), ws, p, r);
    return entity_update(db, &ENTITY_execution_workspace, &before, ws);
}

/* WS-41; the issue as it is now, for it may have changed while git worked. */
static err_t bind(struct db *db, const struct workspace_plan *p, const struct execution_workspace *ws)
{
    struct arena *a = db_arena(db);
    struct issue before, after;
    bool found;
    int64_t n;
    TRY(issue_get(db, p->issue.id, &before, &found));
    if (!found || !text_is(before.project_id, ws->project_id)) return OK;
    after = before;
    after.execution_workspace_id = ws->id;
    after.project_workspace_id = ws->project_workspace_id;
    bool own = text_is(ws->mode, "isolated_workspace") || text_is(ws->mode, "operator_branch");
    if (own || text_is(before.execution_workspace_preference, "reuse_existing")) {
        json_t *settings = json_read(before.execution_workspace_settings);
        if (!json_is_object(settings)) settings = json_object();
        json_object_set_new(settings, "mode",
                            json_string(text_is(ws->mode, "adapter_managed") ? "agent_default" : ws->mode));
        after.execution_workspace_settings = json_text(a, settings);
        after.execution_workspace_preference = "reuse_existing";
    }
    TRY(entity_update(db, &ENTITY_issue, &before, &after));
    if (before.execution_workspace_id == NULL || text_is(before.execution_workspace_id, ws->id)) return OK;
    return db_exec(
        db, &n, "UPDATE execution_workspaces SET status = 'idle', updated_at = $2 WHERE id = $1 AND status = 'active'",
        P(V_ID(before.execution_workspace_id), V_TIME(clock_now())));
}

/* ---- what is told ---- */

static err_t tell(struct db *db, const struct run *run, const char *level, const char *message, json_t *payload)
{
    return run_event_add(
        db, run,
        &(struct run_event_entry){.event_type = "workspace", .level = level, .message = message, .payload = payload});
}

/* The first thing of a run: where it works and why (WS §22.5). */
static err_t tell_choice(struct db *db, const struct workspace_plan *p, const struct prepare_result *r,
                         const struct execution_workspace *ws)
{
    struct arena *a = db_arena(db);
    json_t *payload = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s, s:s}", "executionWorkspaceId", ws->id, "mode",
                                ws->mode, "cwd", ws->cwd, "branchName", ws->branch_name, "baseRef", ws->base_ref,
                                "environmentId", p->where.environment_id, "why", p->choice.why);
    const char *what = r->created ? "new" : r->restored ? "restored" : "ready";
    TRY(tell(db, &p->run, "info",
             arena_printf(a, "workspace %s: %s in %s%s%s (mode by %s, environment by %s)", what, ws->mode, ws->cwd,
                          ws->branch_name ? " on " : "", ws->branch_name ? ws->branch_name : "", p->choice.why,
                          p->where.source),
             payload));
    if (p->choice.ignored)
        TRY(tell(db, &p->run, "warn",
                 "The stored workspace settings of the issue or its project are not honoured for this run.", NULL));
    json_t *w;
    size_t i;
    json_array_foreach (r->warnings, i, w) TRY(tell(db, &p->run, "warn", json_string_value(w), NULL));
    return OK;
}

static err_t tell_refusal(struct db *db, const struct workspace_plan *p, const struct execution_workspace *ws)
{
    if (!p->has_refused) return OK;
    json_t *conflict = json_pack(
        "{s:s, s:s?, s:s, s:s, s:s, s:s, s:b}", "reason", "reused_workspace_environment_mismatch",
        "workspaceEnvironmentId", p->where.workspace_environment_id, "assigneeIntendedEnvironmentId",
        p->where.environment_id, "assigneeIntendedSource", p->where.intended_source, "refusedExecutionWorkspaceId",
        p->refused.id, "executionWorkspaceId", ws->id, "basedOnRefusedBranch", p->request.start_at != NULL);
    TRY(tell(
        db, &p->run, "warn",
        p->request.start_at
            ? "The workspace bound to this issue belongs to another environment; a fresh one continues from its branch."
            : "The workspace bound to this issue belongs to another environment; a fresh one starts from the base ref.",
        json_deep_copy(conflict)));
    return execution_workspace_log(db, &runtime, "execution_workspace.reuse_refused", &p->refused, conflict);
}

static err_t log_repair(struct db *db, const struct repair *r, const struct execution_workspace *ws, const char *run_id)
{
    if (!r->succeeded) return OK;
    bool rescue = r->rescue_branch != NULL;
    return execution_workspace_log(
        db, &runtime,
        rescue ? "execution_workspace.dirty_worktree_quarantined" : "execution_workspace.branch_reconciled", ws,
        json_pack("{s:s, s:s?, s:s?, s:s?, s:s?}", "mode", r->mode, "from", r->from, "to", r->to, "rescueRef",
                  r->rescue_branch, "runId", run_id));
}

/* ---- prepare ---- */

static json_t *prepare_metadata(const struct prepare_result *r)
{
    json_t *m = json_pack("{s:s?, s:b, s:s?, s:s?, s:s?, s:s?}", "baseRef", r->base_ref, "created", r->created,
                          "repoRoot", r->repo_root, "baseRefSha", r->base_sha, "branchName", r->branch, "worktreePath",
                          r->git ? r->cwd : NULL);
    if (r->reused) json_object_set_new(m, "reused", json_true());
    if (r->restored) json_object_set_new(m, "restored", json_true());
    if (r->reused_branch) json_object_set_new(m, "reusedExistingBranch", json_true());
    if (r->refreshed) json_object_set_new(m, "refreshedUnstartedWorktree", json_true());
    if (r->facts.git) json_object_set_new(m, "git", tree_facts_json(&r->facts));
    if (json_array_size(r->warnings)) json_object_set(m, "warnings", r->warnings);
    if (r->evidence) json_object_set(m, "evidence", r->evidence);
    if (r->reason) json_object_set_new(m, "reason", json_string(r->reason));
    return m;
}

static err_t end_operation(struct db *db, struct workspace_plan *p, const struct prepare_result *r,
                           const struct operation_log *log, const char *status)
{
    if (!text_is(p->op.status, "running")) return OK; /* told before a crash */
    p->op.status = status;
    p->op.command = r->command;
    if (r->cwd) p->op.cwd = r->cwd;
    p->op.exit_code = r->command ? r->exit_code : INT_NONE;
    p->op.metadata = json_text(db_arena(db), prepare_metadata(r));
    set_log(&p->op, log);
    return workspace_operation_end(db, &p->op);
}

static err_t write_provision(struct db *db, const struct workspace_plan *p, const struct prepare_result *r,
                             const char *workspace_id)
{
    struct workspace_operation op;
    if (!r->provision.ran) return OK;
    entity_init(&ENTITY_workspace_operation, &op);
    op.company_id = p->run.company_id;
    op.execution_workspace_id = workspace_id;
    op.heartbeat_run_id = p->run.id;
    op.issue_id = p->issue.id;
    op.phase = "workspace_provision";
    op.command = r->provision.command;
    op.cwd = r->cwd;
    TRY(workspace_operation_start(db, &op));
    op.status = r->provision.failed ? "failed" : "succeeded";
    op.exit_code = r->provision.exit_code;
    op.stdout_excerpt = r->provision.out;
    op.stderr_excerpt = r->provision.err;
    op.log_ref = p->op.log_ref; /* its output stands in the preparation's log */
    op.log_store = p->op.log_store;
    op.log_bytes = p->op.log_bytes;
    return workspace_operation_end(db, &op);
}

err_t workspace_prepare_failed(struct db *db, struct workspace_plan *p, const struct prepare_result *r,
                               const struct operation_log *log, const char *message)
{
    TRY(write_provision(db, p, r, p->op.execution_workspace_id));
    TRY(end_operation(db, p, r, log, "failed"));
    return tell(db, &p->run, "error", arena_printf(db_arena(db), "The workspace could not be prepared: %s", message),
                NULL);
}

err_t workspace_prepared(struct db *db, struct workspace_plan *p, const struct prepare_result *r,
                         const struct operation_log *log, struct execution_workspace *out)
{
    TRY(p->has_reuse ? update(db, p, r, out) : insert(db, p, r, out));
    TRY(bind(db, p, out));
    p->op.execution_workspace_id = out->id;
    TRY(end_operation(db, p, r, log, "succeeded"));
    TRY(write_provision(db, p, r, out->id));
    TRY(tell_choice(db, p, r, out));
    TRY(tell_refusal(db, p, out));
    TRY(log_repair(db, &r->repair, out, p->run.id));
    if (p->reopened)
        TRY(execution_workspace_log(
            db, &runtime, "execution_workspace.reopened", out,
            json_pack("{s:s, s:s, s:I}", "issueId", p->issue.id, "outcome", "reopened", "generation",
                      (json_int_t)json_int(json_read(out->metadata), "lifecycleGeneration", 0))));
    return OK;
}

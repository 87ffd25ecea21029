/* workspace_plan: rows in, a request for the driver out. */
#include "model/workspace_plan.h"

#include "base/settings.h"
#include "base/text.h"
#include "model/environment.h"
#include "model/execution_workspace.h"
#include "model/issue.h"
#include "model/project.h"
#include "model/workspace_operation.h"
#include "rules/adapter_types.h"
#include "rules/branch_name.h"
#include "rules/project_key.h"

#include <string.h>

struct planner {
    struct db *db;
    struct arena *a;
    const struct agent *agent;
    const struct workspace_roots *roots;
    struct workspace_plan *p;
    const json_t *policy, *settings;
};

err_t workspace_invalid(struct db *db, const struct workspace_plan *p, const char *reason, const char *message,
                        json_t *evidence)
{
    json_t *details = json_pack(
        "{s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s, s:s?, s:s?, s:s?, s:s?}", "reason", reason, "issueId", p->issue.id,
        "issueIdentifier", p->issue.identifier, "issueProjectId", p->issue.project_id, "issueProjectWorkspaceId",
        p->issue.project_workspace_id, "issueExecutionWorkspaceId", p->issue.execution_workspace_id,
        "requestedExecutionWorkspaceMode", workspace_mode_name(p->choice.mode), "workspaceStrategyType",
        p->choice.worktree ? "git_worktree" : "project_primary", "resolvedWorkspaceSource", p->source,
        "resolvedProjectId", p->project.id, "resolvedWorkspaceCwd", p->request.base_cwd);
    if (evidence) json_object_set(details, "evidence", evidence);
    return err_with(db_arena(db), ERR_UNPROCESSABLE, "workspace_validation_failed", json_text(db_arena(db), details),
                    "%s", message);
}

static err_t invalid(struct planner *x, const char *reason, const char *message)
{
    return workspace_invalid(x->db, x->p, reason, message, NULL);
}

const char *workspace_managed_dir(struct arena *a, const char *data_dir, const struct project *p, const char *repo_url)
{
    const char *repo = repo_name(a, repo_url);
    return arena_printf(a, "%s/projects/%s/%s/%s", data_dir, p->company_id, p->id, repo ? repo : "_default");
}

/* ---- what is wished ---- */

static json_t *object(const char *text)
{
    json_t *j = json_read(text);
    return json_is_object(j) ? j : NULL;
}

static err_t load(struct planner *x)
{
    struct workspace_plan *p = x->p;
    bool found = false;
    if (p->run.issue_id == NULL) return OK;
    TRY(issue_get(x->db, p->run.issue_id, &p->issue, &found));
    if (!found || p->issue.project_id == NULL) return OK;
    TRY(project_get(x->db, p->issue.project_id, &p->project, &found));
    if (!found) return OK;
    TRY(entity_one(
        x->db, &ENTITY_project_workspace, &p->place, &p->has_place,
        "WHERE project_id = $1 ORDER BY CASE WHEN id = $2 THEN 0 WHEN is_primary THEN 1 ELSE 2 END, created_at, id LIMIT 1",
        P(V_ID(p->project.id), V_ID(p->issue.project_workspace_id))));
    if (p->issue.project_workspace_id && !text_is(p->issue.project_workspace_id, p->place.id))
        return invalid(x, "project_workspace_mismatch",
                       "The issue's project workspace belongs to another project: choose one of the issue's project.");
    x->policy = object(p->project.execution_workspace_policy);
    x->settings = object(p->issue.execution_workspace_settings);
    p->wanted = true;
    const json_t *overrides = object(p->issue.assignee_adapter_overrides), *config = object(x->agent->adapter_config);
    p->choice =
        workspace_choose(&(struct workspace_wish){.policy = x->policy,
                                                  .settings = x->settings,
                                                  .agent_strategy = json_object_get(config, "workspaceStrategy"),
                                                  .agent_home = !json_bool(overrides, "useProjectWorkspace", true),
                                                  .isolated = settings.isolated_workspaces,
                                                  .default_mode = settings.workspace_default_mode});
    return OK;
}

/* WS-36 */
static void choose_base(struct planner *x)
{
    struct workspace_plan *p = x->p;
    struct prepare_request *q = &p->request;
    const char *cwd = p->has_place ? p->place.cwd : NULL;
    bool sentinel = cwd && (*cwd != '/' || text_is(cwd, "/__paperclip_repo_only__"));
    p->source = "project_primary";
    if (p->choice.mode == MODE_AGENT_HOME) {
        p->source = "agent_home";
        q->base_cwd = x->roots->agent_home;
        q->managed = true;
    } else if (cwd && !sentinel) {
        q->base_cwd = cwd;
    } else {
        q->managed_url = p->has_place ? p->place.repo_url : NULL;
        q->base_cwd = workspace_managed_dir(x->a, x->roots->data_dir, &p->project, q->managed_url);
        q->managed = true;
    }
}

/* ---- a row to use again (WS-37, WS-43) ---- */

static void reuse(struct workspace_plan *p, const struct execution_workspace *row)
{
    p->reuse = *row;
    p->has_reuse = true;
    p->reopened = !execution_workspace_open(row);
    p->choice.worktree = text_is(row->strategy_type, "git_worktree");
    p->choice.if_git &= p->choice.worktree;
    if (text_is(row->mode, "isolated_workspace")) p->choice.mode = MODE_ISOLATED;
    if (text_is(row->mode, "operator_branch")) p->choice.mode = MODE_OPERATOR_BRANCH;
    if (text_is(row->mode, "shared_workspace")) p->choice.mode = MODE_SHARED;
    if (text_is(row->mode, "adapter_managed")) p->choice.mode = MODE_AGENT_HOME;
}

/* The issue is bound to one: that or nothing (WINV-11). */
static err_t reuse_bound(struct planner *x)
{
    struct workspace_plan *p = x->p;
    struct execution_workspace row;
    bool found;
    const char *id = p->issue.execution_workspace_id;
    TRY(execution_workspace_get(x->db, id, &row, &found));
    if (found && !text_is(row.project_id, p->project.id)) found = false;
    bool gone = !found || (text_is(row.status, "archived") && !text_is(row.strategy_type, "git_worktree"));
    if (gone)
        return invalid(
            x, "git_worktree_not_reusable",
            arena_printf(
                x->a,
                "%s is bound to the execution workspace %s, which is %s: repair or unarchive it, or clear the binding "
                "(executionWorkspaceId and executionWorkspacePreference).",
                p->issue.identifier, id, found ? "archived" : "not there"));
    reuse(p, &row);
    return OK;
}

static err_t find_reuse(struct planner *x)
{
    struct workspace_plan *p = x->p;
    struct execution_workspace row;
    bool found = false;
    if (!settings.isolated_workspaces) {
        p->choice.mode = MODE_SHARED; /* and the shared row of before */
    } else if (p->issue.execution_workspace_id && text_is(p->issue.execution_workspace_preference, "reuse_existing")) {
        return reuse_bound(x);
    }
    TRY(entity_one(
        x->db, &ENTITY_execution_workspace, &row, &found,
        "WHERE company_id = $1 AND source_issue_id = $2 AND mode = $3 AND closed_at IS NULL AND project_id = $4"
        " AND (project_workspace_id = $5 OR ($5 IS NULL AND project_workspace_id IS NULL)) ORDER BY last_used_at DESC, id DESC LIMIT 1",
        P(V_ID(p->run.company_id), V_ID(p->issue.id), V_TEXT(workspace_mode_stored(p->choice.mode)),
          V_ID(p->project.id), V_ID(p->has_place ? p->place.id : NULL))));
    if (found && p->choice.mode == MODE_SHARED) found = text_is(row.cwd, p->request.base_cwd); /* the checkout moved */
    if (found) reuse(p, &row);
    return OK;
}

/* ---- where (WS §6) ---- */

static struct environment_ref named(const json_t *o)
{
    const json_t *v = json_object_get(o, "environmentId");
    return (struct environment_ref){v != NULL, json_string_value(v)};
}

/* The refused workspace's work is reachable by its branch, when nothing of it is lying about (WS-51). */
static void refuse_reuse(struct workspace_plan *p)
{
    const json_t *git = json_object_get(json_read(p->reuse.metadata), "git");
    bool clean = json_is_object(git) && json_int(git, "dirtyTracked", 1) == 0 && json_int(git, "untracked", 1) == 0;
    p->refused = p->reuse;
    p->has_refused = true;
    p->has_reuse = p->reopened = false;
    p->request.start_at = clean ? p->refused.branch_name : NULL;
}

static err_t choose_environment(struct planner *x)
{
    struct workspace_plan *p = x->p;
    struct environment fallback, chosen;
    bool found;
    TRY(environment_default(x->db, &fallback));
    const json_t *config = p->has_reuse ? json_object_get(json_read(p->reuse.metadata), "config") : NULL;
    const bool enabled = json_bool(x->policy, "enabled", false);
    p->where = environment_choose(&(struct environment_facts){
        .issue = named(x->settings),
        .issue_inherited = text_is(json_str(x->settings, "environmentIdSource"), "inherited"),
        .project = enabled ? named(x->policy) : (struct environment_ref){false, NULL},
        .agent = x->agent->default_environment_id,
        .fallback = fallback.id,
        .workspace = {p->has_reuse, json_str(config, "environmentId")}});
    TRY(environment_get(x->db, p->where.environment_id, &chosen, &found));
    if (!found || text_is(chosen.status, "archived"))
        return invalid(x, "environment_not_found",
                       "The environment the run should work in does not exist any more: choose another one.");
    if (!text_is(chosen.driver, "local") && !adapter_type_remote(x->agent->adapter_type))
        return invalid(
            x, "environment_not_supported_by_adapter",
            arena_printf(x->a,
                         "The adapter %s cannot run on %s environments: choose another environment for the issue, the "
                         "project or the agent.",
                         x->agent->adapter_type, chosen.driver));
    p->driver = chosen.driver;
    if (p->where.conflict) refuse_reuse(p);
    return OK;
}

/* ---- the branch (WS-57, WS-62) ---- */

/* Another open workspace of the place, or a preparation under way, has this branch. */
static err_t claimant(struct planner *x, const char *branch, const char **id, const char **mode)
{
    struct workspace_plan *p = x->p;
    struct rows r ROWS_AUTO = {0};
    *id = *mode = NULL;
    TRY(db_query(
        x->db, &r,
        "SELECT id, mode FROM execution_workspaces WHERE company_id = $1 AND branch_name = $2 AND closed_at IS NULL AND id <> $3"
        " AND (project_workspace_id = $4 OR ($4 IS NULL AND project_id = $5)) AND (source_issue_id IS NULL OR source_issue_id <> $6)"
        " LIMIT 1",
        P(V_ID(p->run.company_id), V_TEXT(branch), V_ID(p->has_reuse ? p->reuse.id : p->run.id),
          V_ID(p->has_place ? p->place.id : NULL), V_ID(p->project.id), V_ID(p->issue.id))));
    if (rows_next(&r)) {
        *id = row_text(&r, 0);
        *mode = row_text(&r, 1);
    }
    TRY(rows_err(&r));
    if (*id) return OK;
    return db_text(
        x->db, id,
        "SELECT issue_id FROM workspace_operations WHERE company_id = $1 AND status = 'running' AND phase = 'worktree_prepare'"
        " AND issue_id <> $2 AND metadata ->> 'branchName' = $3 AND metadata ->> 'baseCwd' = $4 LIMIT 1",
        P(V_ID(p->run.company_id), V_ID(p->issue.id), V_TEXT(branch), V_TEXT(p->request.base_cwd)));
}

static const char *render(struct planner *x)
{
    struct workspace_plan *p = x->p;
    return branch_render(x->a, p->choice.branch_template,
                         &(struct branch_vars){.issue_id = p->issue.id,
                                               .issue_identifier = p->issue.identifier,
                                               .issue_title = p->issue.title,
                                               .agent_id = x->agent->id,
                                               .agent_name = x->agent->name,
                                               .project_id = p->project.id,
                                               .repo_ref = p->request.repo_ref});
}

static err_t choose_branch(struct planner *x)
{
    struct workspace_plan *p = x->p;
    const char *branch, *holder, *mode;
    if (!p->choice.worktree) return OK;
    if (p->has_reuse) {
        p->request.branch = p->reuse.branch_name;
        TRY(claimant(x, p->reuse.branch_name, &holder, &mode));
        p->request.contended = holder != NULL && mode != NULL;
        return p->request.branch
                   ? OK
                   : invalid(x, "git_worktree_not_reusable", "The execution workspace records no branch.");
    }
    branch = render(x);
    if (branch == NULL)
        return invalid(x, "git_worktree_branch_name_invalid",
                       arena_printf(x->a,
                                    "The branch template \"%s\" gives no name that git accepts: correct the template.",
                                    p->choice.branch_template));
    if (p->has_refused && text_is(branch, p->refused.branch_name))
        branch = branch_with_suffix(x->a, branch, p->run.id + strlen(p->run.id) - 6);
    TRY(claimant(x, branch, &holder, &mode));
    if (holder && p->choice.mode == MODE_OPERATOR_BRANCH && text_is(mode, "operator_branch")) {
        struct execution_workspace row;
        bool found;
        TRY(execution_workspace_get(x->db, holder, &row,
                                    &found)); /* the operator's branch is one workspace for all its issues */
        if (found) reuse(p, &row);
        p->request.branch = branch;
        return OK;
    }
    if (holder) {
        branch = branch_with_suffix(x->a, branch, p->issue.identifier);
        TRY(claimant(x, branch, &holder, &mode));
    }
    p->request.branch = branch;
    if (holder == NULL) return OK;
    return workspace_invalid(
        x->db, p, "branch_claimed_by_other_workspace",
        arena_printf(x->a, "The branch %s belongs to another open workspace: let the branch template name the issue.",
                     branch),
        json_pack("{s:s}", "claimedBy", holder));
}

/* ---- the request, and its row ---- */

static void fill_request(struct planner *x)
{
    struct workspace_plan *p = x->p;
    struct prepare_request *q = &p->request;
    json_t *metadata = p->has_reuse ? execution_workspace_metadata(&p->reuse) : json_object();
    q->worktree = p->choice.worktree;
    q->if_git = p->choice.if_git && !p->has_reuse;
    q->base_ref = p->choice.base_ref;
    if (p->has_reuse && q->worktree && p->reuse.base_ref) q->base_ref = p->reuse.base_ref;
    q->parent_dir = p->choice.parent_dir;
    q->reuse_dir = p->has_reuse && q->worktree ? (p->reuse.provider_ref ? p->reuse.provider_ref : p->reuse.cwd) : NULL;
    q->made_before = json_bool(metadata, "createdByRuntime", false);
    q->forward = settings.workspace_branch_forward;
    q->quarantine = settings.workspace_quarantine;
    q->provision_command = p->choice.provision_command;
    q->provision_done = json_str(json_object_get(metadata, "provision"), "hash");
    q->issue_identifier = p->issue.identifier;
    q->issue_id = p->issue.id;
    q->run_id = p->run.id;
}

static err_t write_row(struct planner *x)
{
    struct workspace_plan *p = x->p;
    bool found;
    TRY(workspace_operation_of_run(x->db, p->run.id, "worktree_prepare", &p->op, &found));
    if (found) return OK; /* prepared once already, before a crash: the same row goes on */
    entity_init(&ENTITY_workspace_operation, &p->op);
    p->op.company_id = p->run.company_id;
    p->op.execution_workspace_id = p->has_reuse ? p->reuse.id : NULL;
    p->op.heartbeat_run_id = p->run.id;
    p->op.issue_id = p->issue.id;
    p->op.phase = "worktree_prepare";
    p->op.cwd = p->request.base_cwd;
    p->op.metadata =
        json_text(x->a, json_pack("{s:s?, s:s}", "branchName", p->request.branch, "baseCwd", p->request.base_cwd));
    return workspace_operation_start(x->db, &p->op);
}

err_t workspace_plan(struct db *db, const struct run *run, const struct agent *agent,
                     const struct workspace_roots *roots, struct workspace_plan *out)
{
    struct planner x = {.db = db, .a = db_arena(db), .agent = agent, .roots = roots, .p = out};
    *out = (struct workspace_plan){.run = *run};
    TRY(load(&x));
    if (!out->wanted) return OK;
    choose_base(&x);
    TRY(find_reuse(&x));
    TRY(choose_environment(&x));
    out->request.repo_ref = !out->has_place          ? NULL
                            : out->place.default_ref ? out->place.default_ref
                                                     : out->place.repo_ref;
    TRY(choose_branch(&x));
    fill_request(&x);
    return write_row(&x);
}

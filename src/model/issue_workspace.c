/* issue_workspace: inheriting, checking, passing on. */
#include "model/issue_workspace.h"

#include "base/settings.h"
#include "base/text.h"
#include "model/environment.h"
#include "model/execution_workspace.h"
#include "rules/workspace_choice.h"

static json_t *object(const char *text)
{
    json_t *j = json_read(text);
    return json_is_object(j) ? j : NULL;
}

static err_t policy_of(struct db *db, const char *project_id, json_t **policy)
{
    const char *text = NULL;
    if (project_id)
        TRY(db_text(db, &text, "SELECT execution_workspace_policy FROM projects WHERE id = $1", P(V_ID(project_id))));
    *policy = object(text);
    return OK;
}

static const char *mode_for_issue(const char *stored)
{
    return text_is(stored, "adapter_managed") || text_is(stored, "cloud_sandbox") ? "agent_default" : stored;
}

err_t issue_workspace_inherit(struct db *db, const struct issue *source, struct issue *row)
{
    struct arena *a = db_arena(db);
    struct execution_workspace ws;
    json_t *policy;
    bool found = false;
    if (!settings.isolated_workspaces || row->project_id == NULL) return OK;
    if (row->execution_workspace_id || row->execution_workspace_preference || row->execution_workspace_settings)
        return OK;
    if (source && source->execution_workspace_id && text_is(source->project_id, row->project_id))
        TRY(execution_workspace_get(db, source->execution_workspace_id, &ws, &found));
    if (found && execution_workspace_open(&ws) && text_same(ws.project_workspace_id, row->project_workspace_id)) {
        json_t *wish = object(source->execution_workspace_settings);
        if (wish == NULL) wish = json_object();
        json_object_set_new(wish, "mode", json_string(mode_for_issue(ws.mode)));
        if (json_object_get(wish, "environmentId"))
            json_object_set_new(wish, "environmentIdSource", json_string("inherited"));
        row->execution_workspace_id = ws.id;
        row->execution_workspace_preference = "reuse_existing";
        row->execution_workspace_settings = json_text(a, wish);
        return OK;
    }
    TRY(policy_of(db, row->project_id, &policy));
    const char *mode = workspace_policy_mode(policy);
    if (mode) row->execution_workspace_settings = json_text(a, json_pack("{s:s}", "mode", mode));
    return OK;
}

/* ---- what may be written ---- */

static err_t check_binding(struct db *db, const struct issue *before, const struct issue *after)
{
    struct arena *a = db_arena(db);
    struct execution_workspace ws;
    bool found;
    bool moved = before == NULL || !text_same(before->execution_workspace_id, after->execution_workspace_id) ||
                 !text_same(before->project_id, after->project_id) ||
                 !text_same(before->project_workspace_id, after->project_workspace_id);
    if (after->execution_workspace_id == NULL || !moved) return OK;
    TRY(execution_workspace_get(db, after->execution_workspace_id, &ws, &found));
    if (!found || !text_is(ws.company_id, after->company_id))
        return err_new(a, ERR_NOT_FOUND, "Execution workspace not found");
    if (!text_same(ws.project_id, after->project_id))
        return err_new(a, ERR_UNPROCESSABLE, "Execution workspace must belong to the selected project");
    if (ws.project_workspace_id && after->project_workspace_id &&
        !text_is(ws.project_workspace_id, after->project_workspace_id))
        return err_new(a, ERR_UNPROCESSABLE, "Execution workspace must belong to the selected project workspace");
    return OK;
}

static err_t worktree_needs_project(struct arena *a)
{
    static const char remediation[] =
        "Choose a project or a project workspace for the issue, or reuse an existing execution workspace.";
    json_t *details =
        json_pack("{s:s, s:s}", "code", "workspace_worktree_requires_project", "remediation", remediation);
    return err_with(a, ERR_UNPROCESSABLE, "workspace_worktree_requires_project", json_text(a, details),
                    "A git worktree needs a project: the issue names none.");
}

/* WS-31 */
static err_t check_worktree(struct db *db, const struct issue *row, const json_t *wish)
{
    const char *mode = json_str(wish, "mode"), *type = json_str(json_object_get(wish, "workspaceStrategy"), "type");
    bool own = text_is(mode, "isolated_workspace") || text_is(mode, "operator_branch");
    bool bound = text_is(row->execution_workspace_preference, "reuse_existing") && row->execution_workspace_id;
    if (!own || !text_is(type, "git_worktree") || row->project_id || row->project_workspace_id || bound) return OK;
    return worktree_needs_project(db_arena(db));
}

static err_t check_override(struct db *db, const struct actor *actor, const struct issue *row, const json_t *wish)
{
    json_t *policy;
    bool overrides = json_str(wish, "mode") || json_object_get(wish, "workspaceStrategy") ||
                     json_object_get(wish, "workspaceRuntime");
    if (actor->type == ACTOR_BOARD || !overrides) return OK;
    TRY(policy_of(db, row->project_id, &policy));
    if (workspace_policy_allows_override(policy)) return OK;
    return err_new(db_arena(db), ERR_UNPROCESSABLE,
                   "The project does not allow issues to choose their own workspace mode or strategy");
}

err_t issue_workspace_check(struct db *db, const struct actor *actor, const struct issue *before,
                            const struct issue *after, bool settings_sent)
{
    const json_t *wish = object(after->execution_workspace_settings);
    TRY(check_binding(db, before, after));
    if (!settings_sent || wish == NULL) return OK;
    TRY(environment_check(db, json_str(wish, "environmentId")));
    TRY(check_override(db, actor, after, wish));
    return before == NULL ? check_worktree(db, after, wish) : OK;
}

err_t issue_workspace_settle(struct db *db, const struct issue *after)
{
    struct execution_workspace before, now;
    bool found;
    const json_t *wish = object(after->execution_workspace_settings),
                 *strategy = json_object_get(wish, "workspaceStrategy");
    if (!text_is(after->execution_workspace_preference, "reuse_existing") || after->execution_workspace_id == NULL)
        return OK;
    TRY(execution_workspace_get(db, after->execution_workspace_id, &before, &found));
    if (!found) return OK;
    now = before;
    json_t *m = execution_workspace_metadata(&now), *config = json_object_get(m, "config");
    if (!json_is_object(config)) config = json_object();
    const json_t *const values[] = {
        json_object_get(wish, "environmentId"), json_object_get(strategy, "provisionCommand"),
        json_object_get(strategy, "runtimeProvisionCommand"), json_object_get(strategy, "teardownCommand"),
        json_object_get(wish, "workspaceRuntime")};
    static const char *const keys[] = {"environmentId", "provisionCommand", "runtimeProvisionCommand",
                                       "teardownCommand", "workspaceRuntime"};
    for (int i = 0; i < 5; i++) {
        if (values[i]) json_object_set(config, keys[i], (json_t *)(uintptr_t)values[i]);
        else json_object_set_new(config, keys[i], json_null());
    }
    json_object_set(m, "config", config);
    now.metadata = json_text(db_arena(db), m);
    return entity_update(db, &ENTITY_execution_workspace, &before, &now);
}

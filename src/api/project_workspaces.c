/* project_workspaces: where a project's code lies (WS §3). */
#include "api/app.h"
#include "api/handlers.h"
#include "api/project_body.h"
#include "api/schemas.h"
#include "model/project_view.h"
#include "model/project_workspace.h"
#include "rules/agent_config.h"

#include <string.h>

static const char *const source_types[] = {"local_path", "git_repo", "remote_managed", "non_git_path", NULL};
static const char *const visibilities[] = {"default", "advanced", NULL};

/* clang-format off */
#define WORKSPACE_PROPS                                     \
    {"name", PROP_STRING, NULLABLE},                        \
    {"sourceType", PROP_ENUM, .options = source_types},     \
    {"cwd", PROP_STRING, NULLABLE},                         \
    {"repoUrl", PROP_STRING, NULLABLE},                     \
    {"repoRef", PROP_STRING, NULLABLE},                     \
    {"defaultRef", PROP_STRING, NULLABLE},                  \
    {"visibility", PROP_ENUM, .options = visibilities},     \
    {"setupCommand", PROP_STRING, NULLABLE},                \
    {"cleanupCommand", PROP_STRING, NULLABLE},              \
    {"remoteProvider", PROP_STRING, NULLABLE},              \
    {"remoteWorkspaceRef", PROP_STRING, NULLABLE},          \
    {"sharedWorkspaceKey", PROP_STRING, NULLABLE},          \
    {"metadata", PROP_OBJECT, NULLABLE},                    \
    {"runtimeConfig", PROP_OBJECT, NULLABLE},               \
    {"isPrimary", PROP_BOOL}
/* clang-format on */

static const struct prop workspace_props[] = {WORKSPACE_PROPS};

static bool given(const json_t *body, const char *key)
{
    const char *s = json_str(body, key);
    return s && s[strspn(s, " \t\r\n")];
}

static void refine_places(const json_t *body, json_t *problems)
{
    const char *url = json_str(body, "repoUrl"), *cwd = json_str(body, "cwd"),
               *slashes = url ? strstr(url, "://") : NULL;
    if (given(body, "repoUrl") && (slashes == NULL || slashes == url || slashes[3] == 0))
        json_array_append_new(problems, json_pack("{s:s, s:s, s:s, s:[s]}", "validation", "url", "code",
                                                  "invalid_string", "message", "Invalid url", "path", "repoUrl"));
    if (given(body, "cwd") && *cwd != '/') schema_custom(problems, "cwd", "cwd must be an absolute path");
}

/* WS-24 */
static void refine_create(const json_t *body, json_t *problems)
{
    const char *type = json_str(body, "sourceType");
    bool remote = type ? strcmp(type, "remote_managed") == 0 : given(body, "remoteWorkspaceRef") && !given(body, "cwd");
    refine_places(body, problems);
    if (given(body, "repoUrl")) return;
    if (remote && !given(body, "remoteWorkspaceRef"))
        schema_custom(problems, "remoteWorkspaceRef",
                      "Remote-managed workspace requires remoteWorkspaceRef or repoUrl.");
    if (!remote && !given(body, "cwd"))
        schema_custom(problems, "cwd", "Workspace requires at least one of cwd or repoUrl.");
}

SCHEMA_WITH(PROJECT_WORKSPACE_CREATE, workspace_props, .refine = refine_create);
SCHEMA_WITH(PROJECT_WORKSPACE_PATCH, workspace_props, .refine = refine_places);

static const char *const writable[] = {"name",
                                       "sourceType",
                                       "cwd",
                                       "repoUrl",
                                       "repoRef",
                                       "defaultRef",
                                       "visibility",
                                       "setupCommand",
                                       "cleanupCommand",
                                       "remoteProvider",
                                       "remoteWorkspaceRef",
                                       "sharedWorkspaceKey",
                                       "metadata",
                                       "isPrimary",
                                       NULL};

static err_t refused(struct req *r, const char *paths)
{
    return forbidden(r, "Agent keys cannot modify host-executed workspace commands (%s).", paths);
}

err_t refuse_policy_commands(struct req *r, const json_t *policy)
{
    static const char *const commands[] = {"provisionCommand", "runtimeProvisionCommand", "teardownCommand", NULL};
    const json_t *strategy = json_object_get(policy, "workspaceStrategy");
    struct buf b BUF_AUTO = {0};
    if (!is_agent(r)) return OK;
    for (const char *const *c = commands; *c; c++)
        if (json_object_get(strategy, *c))
            buf_printf(&b, "%sexecutionWorkspacePolicy.workspaceStrategy.%s", b.len ? ", " : "", *c);
    if (json_object_size(json_object_get(policy, "workspaceRuntime")) > 0)
        buf_printf(&b, "%sexecutionWorkspacePolicy.workspaceRuntime", b.len ? ", " : "");
    return b.len ? refused(r, b.data) : OK;
}

/* WS-29 with its BETTER: whatever makes the host run something, or somewhere. */
static err_t refuse_commands(struct req *r, const json_t *body)
{
    static const char *const keys[] = {"cleanupCommand", "cwd", "runtimeConfig", "setupCommand", NULL};
    struct buf b BUF_AUTO = {0};
    if (!is_agent(r)) return OK;
    for (const char *const *k = keys; *k; k++)
        if (json_object_get(body, *k)) buf_printf(&b, "%s%s", b.len ? ", " : "", *k);
    if (json_object_get(json_object_get(body, "metadata"), "runtimeConfig"))
        buf_printf(&b, "%smetadata.runtimeConfig", b.len ? ", " : "");
    return b.len ? refused(r, b.data) : OK;
}

/* runtimeConfig lives inside metadata, and outlives a metadata without it. */
static void apply_runtime_config(struct req *r, const json_t *body, const char *stored, struct project_workspace *ws)
{
    json_t *config = json_object_get(body, "runtimeConfig"), *metadata = json_read(ws->metadata);
    json_t *kept = json_object_get(json_read(stored), "runtimeConfig");
    if (!json_is_object(metadata)) metadata = json_object();
    if (config && !json_is_null(config)) json_object_set(metadata, "runtimeConfig", config);
    else if (config) json_object_del(metadata, "runtimeConfig");
    else if (kept && json_object_get(metadata, "runtimeConfig") == NULL)
        json_object_set(metadata, "runtimeConfig", kept);
    ws->metadata =
        json_object_size(metadata) || (ws->metadata && config == NULL) ? json_text(r->arena, metadata) : NULL;
}

err_t project_workspace_apply(struct req *r, const json_t *body, struct project_workspace *ws)
{
    const char *stored = ws->metadata;
    TRY(refuse_commands(r, body));
    for (const char *const *name = writable; *name; name++) {
        const json_t *v = json_object_get(body, *name);
        if (v) entity_set(r->arena, entity_field(&ENTITY_project_workspace, *name), ws, v);
    }
    apply_runtime_config(r, body, stored, ws);
    return OK;
}

static err_t load(struct req *r, struct project_workspace *ws)
{
    bool found;
    TRY(project_workspace_get(r->db, r->project.id, r->params[1], ws, &found));
    return found ? OK : not_found(r, "Project workspace");
}

static err_t log_change(struct req *r, const char *action, json_t *details)
{
    return project_log(r->db, &r->actor, action, &r->project, details, app_get(r->app)->data_dir);
}

err_t project_workspaces_list(struct req *r)
{
    struct project_workspace *rows;
    int n;
    TRY(project_workspace_list(r->db, r->project.id, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) project_workspace_write(&r->w, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

err_t project_workspace_create_route(struct req *r)
{
    struct project_workspace ws;
    entity_init(&ENTITY_project_workspace, &ws);
    TRY(project_workspace_apply(r, r->body, &ws));
    TRY(project_workspace_create(r->db, &r->project, &ws));
    TRY(log_change(r, "project.workspace_created",
                   json_pack("{s:s, s:s, s:s?, s:b}", "workspaceId", ws.id, "name", ws.name, "cwd", ws.cwd, "isPrimary",
                             ws.is_primary)));
    project_workspace_write(&r->w, &ws);
    return OK;
}

err_t project_workspace_patch(struct req *r)
{
    struct project_workspace before, after;
    TRY(load(r, &before));
    after = before;
    TRY(project_workspace_apply(r, r->body, &after));
    TRY(project_workspace_update(r->db, &before, &after, given(r->body, "name")));
    TRY(log_change(
        r, "project.workspace_updated",
        json_pack("{s:s, s:o}", "workspaceId", after.id, "changedKeys", changed_keys(json_object(), r->body))));
    project_workspace_write(&r->w, &after);
    return OK;
}

err_t project_workspace_remove(struct req *r)
{
    struct project_workspace ws;
    TRY(load(r, &ws));
    TRY(project_workspace_delete(r->db, &ws));
    TRY(log_change(r, "project.workspace_deleted", json_pack("{s:s, s:s}", "workspaceId", ws.id, "name", ws.name)));
    project_workspace_write(&r->w, &ws);
    return OK;
}

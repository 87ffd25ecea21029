/* issue_workspace: the workspace fields in bodies of issues (WS §4.2, WS-29). */
#include "api/issue_workspace.h"

#include "base/settings.h"
#include "base/text.h"

const char *const EXECUTION_WORKSPACE_MODES[] = {
    "inherit", "shared_workspace", "isolated_workspace", "operator_branch", "reuse_existing", "agent_default", NULL};
static const char *const concurrency[] = {"auto", "serialize", "allow", NULL};
static const struct prop host = {"host", PROP_STRING, .min = 1, .max = 253};
static const struct prop egress_props[] = {
    {"allowFqdns", PROP_ARRAY, .items = &host, .max = 200},
    {"allowCidrs", PROP_ARRAY, .items = &host, .max = 200},
};
SCHEMA_WITH(network_egress, egress_props, .strict = true);
static const struct prop settings_props[] = {
    {"mode", PROP_ENUM, .options = EXECUTION_WORKSPACE_MODES},
    {"environmentId", PROP_UUID, NULLABLE},
    {"environmentIdSource", PROP_STRING, NULLABLE | READ_ONLY},
    {"sharedWorkspaceConcurrency", PROP_ENUM, .options = concurrency},
    {"workspaceStrategy", PROP_OBJECT, NULLABLE, .object = &workspace_strategy},
    {"workspaceRuntime", PROP_OBJECT, NULLABLE},
    {"networkEgress", PROP_OBJECT, NULLABLE, .object = &network_egress},
};
SCHEMA_WITH(issue_workspace_settings, settings_props, .strict = true);

static err_t refuse_commands(struct req *r, const json_t *wish)
{
    static const char *const commands[] = {"provisionCommand", "runtimeProvisionCommand", "teardownCommand", NULL};
    const json_t *strategy = json_object_get(wish, "workspaceStrategy");
    struct buf b BUF_AUTO = {0};
    if (!is_agent(r)) return OK;
    for (const char *const *c = commands; *c; c++)
        if (json_object_get(strategy, *c))
            buf_printf(&b, "%sexecutionWorkspaceSettings.workspaceStrategy.%s", b.len ? ", " : "", *c);
    if (json_object_size(json_object_get(wish, "workspaceRuntime")) > 0)
        buf_printf(&b, "%sexecutionWorkspaceSettings.workspaceRuntime", b.len ? ", " : "");
    return b.len ? forbidden(r, "Agent keys cannot modify host-executed workspace commands (%s).", b.data) : OK;
}

err_t issue_workspace_apply(struct req *r, struct issue *row)
{
    static const char *const plain[] = {"executionWorkspaceId", "executionWorkspacePreference", NULL};
    json_t *wish = json_object_get(r->body, "executionWorkspaceSettings");
    TRY(refuse_commands(r, wish));
    if (!settings.isolated_workspaces) return OK; /* WS-8 */
    body_apply(r, &ENTITY_issue, row, plain);
    if (wish == NULL) return OK;
    if (json_is_null(wish)) {
        row->execution_workspace_settings = NULL;
        return OK;
    }
    wish = json_deep_copy(wish);
    json_object_del(wish, "environmentIdSource"); /* the server's own word (WS-48) */
    if (json_object_get(wish, "environmentId"))
        json_object_set_new(wish, "environmentIdSource", json_string("explicit"));
    row->execution_workspace_settings = json_text(r->arena, wish);
    return OK;
}

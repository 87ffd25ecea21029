/* projects: containers of issues and their code (WS §2). */
#include "api/app.h"
#include "api/handlers.h"
#include "api/issue_workspace.h"
#include "api/project_body.h"
#include "api/schemas.h"
#include "model/project.h"
#include "model/project_view.h"
#include "model/project_workspace.h"
#include "rules/agent_config.h"
#include "rules/redact.h"

#include <string.h>

static const char *const statuses[] = {"backlog", "planned", "in_progress", "completed", "cancelled", NULL};
static const char *const modes[] = {"shared_workspace", "isolated_workspace", "operator_branch", "adapter_default",
                                    NULL};
static const char *const concurrency[] = {"auto", "serialize", "allow", NULL};
static const char *const strategies[] = {"project_primary", "git_worktree", "adapter_managed", "cloud_sandbox", NULL};
static const char *const icons[] = {
#define ICON(name) #name,
#include "tables/project_icons.def"
#undef ICON
    NULL,
};

static const struct prop strategy_props[] = {
    {"type", PROP_ENUM, .options = strategies},  {"baseRef", PROP_STRING, NULLABLE},
    {"branchTemplate", PROP_STRING, NULLABLE},   {"worktreeParentDir", PROP_STRING, NULLABLE},
    {"provisionCommand", PROP_STRING, NULLABLE}, {"runtimeProvisionCommand", PROP_STRING, NULLABLE},
    {"teardownCommand", PROP_STRING, NULLABLE},
};
SCHEMA_WITH(workspace_strategy, strategy_props, .strict = true);

static const struct prop policy_props[] = {
    {"enabled", PROP_BOOL, REQUIRED},
    {"defaultMode", PROP_ENUM, .options = modes},
    {"allowIssueOverride", PROP_BOOL},
    {"defaultProjectWorkspaceId", PROP_UUID, NULLABLE},
    {"environmentId", PROP_UUID, NULLABLE},
    {"sharedWorkspaceConcurrency", PROP_ENUM, .options = concurrency},
    {"workspaceStrategy", PROP_OBJECT, NULLABLE, .object = &workspace_strategy},
    {"workspaceRuntime", PROP_OBJECT, NULLABLE},
    {"branchPolicy", PROP_OBJECT, NULLABLE},
    {"pullRequestPolicy", PROP_OBJECT, NULLABLE},
    {"runtimePolicy", PROP_OBJECT, NULLABLE},
    {"cleanupPolicy", PROP_OBJECT, NULLABLE},
    {"authorizationPolicy", PROP_OBJECT, NULLABLE},
};
SCHEMA_WITH(workspace_policy, policy_props, .strict = true);

static const struct prop goal_id = {"goalIds", PROP_UUID};

/* clang-format off */
#define PROJECT_PROPS                                                           \
    {"description", PROP_TEXT, NULLABLE},                                       \
    {"status", PROP_ENUM, .options = statuses},                                 \
    {"goalIds", PROP_ARRAY, .items = &goal_id, .max = 100},                     \
    {"goalId", PROP_UUID, NULLABLE},                                            \
    {"leadAgentId", PROP_UUID, NULLABLE},                                       \
    {"targetDate", PROP_STRING, NULLABLE},                                      \
    {"color", PROP_STRING, NULLABLE},                                           \
    {"icon", PROP_ENUM, NULLABLE, .options = icons},                            \
    {"env", PROP_OBJECT, NULLABLE},                                             \
    {"executionWorkspacePolicy", PROP_OBJECT, NULLABLE, .object = &workspace_policy}, \
    {"archivedAt", PROP_TIME, NULLABLE}
/* clang-format on */

static void refine_project(const json_t *body, json_t *problems)
{
    const char *date = json_str(body, "targetDate");
    instant_t t;
    if (date == NULL || instant_parse(date, &t)) return;
    char midnight[32] = "";
    if (strlen(date) == 10) {
        memcpy(midnight, date, 10);
        memcpy(midnight + 10, "T00:00:00Z", 11);
    }
    if (!instant_parse(midnight, &t)) schema_custom(problems, "targetDate", "Invalid date: give YYYY-MM-DD");
}

static const struct prop create_props[] = {
    {"name", PROP_STRING, REQUIRED, .min = 1},
    PROJECT_PROPS,
    {"workspace", PROP_OBJECT, .object = &PROJECT_WORKSPACE_CREATE},
};
SCHEMA_WITH(PROJECT_CREATE, create_props, .refine = refine_project);
static const struct prop patch_props[] = {{"name", PROP_STRING, .min = 1}, PROJECT_PROPS};
SCHEMA_WITH(PROJECT_PATCH, patch_props, .refine = refine_project);

static const char *const writable[] = {"name",       "description", "status", "leadAgentId",
                                       "targetDate", "color",       "icon",   "executionWorkspacePolicy",
                                       "archivedAt", NULL};

static struct project_view view_of(const struct req *r)
{
    return (struct project_view){.data_dir = app_get(r->app)->data_dir, .mask_env = is_agent(r)};
}

static err_t answer(struct req *r, const struct project *p)
{
    const struct project_view view = view_of(r);
    return project_write(r->db, &r->w, p, &view);
}

err_t projects_list(struct req *r)
{
    const struct project_view view = view_of(r);
    struct project *rows;
    int n;
    TRY(project_list(r->db, r->company.id, query_bool(r, "includeArchived"), &rows, &n));
    return project_write_all(r->db, &r->w, r->company.id, rows, n, &view);
}

err_t project_show(struct req *r) { return answer(r, &r->project); }

/* goalIds, else the older goalId; NULL when neither was sent. */
static json_t *goal_ids(const struct req *r)
{
    json_t *ids = json_object_get(r->body, "goalIds"), *one = json_object_get(r->body, "goalId");
    if (ids || one == NULL) return ids;
    return json_is_null(one) ? json_array() : json_pack("[O]", one);
}

/* WS-17: the same bindings as an agent's env. */
static err_t apply_env(struct req *r, struct project *p)
{
    const json_t *env = json_object_get(r->body, "env");
    if (env == NULL) return OK;
    const char *marked = redact_find_marker(env);
    if (marked) return unprocessable(r, "Refusing to persist redacted placeholder for key: %s", marked);
    const json_t *stored = json_is_null(env) ? NULL : env_normalize(env);
    if (stored == NULL && !json_is_null(env))
        return schema_problem(r->arena, "env",
                              "env must map names to a string or a plain, secret_ref or user_secret_ref binding");
    p->env = stored ? json_text(r->arena, stored) : NULL;
    return OK;
}

static err_t apply(struct req *r, struct project *p)
{
    TRY(refuse_policy_commands(r, json_object_get(r->body, "executionWorkspacePolicy")));
    body_apply(r, &ENTITY_project, p, writable);
    if (p->target_date && strlen(p->target_date) > 10) p->target_date = arena_strndup(r->arena, p->target_date, 10);
    return apply_env(r, p);
}

static json_t *keys_of(const json_t *object) { return changed_keys(json_object(), object); }

err_t project_create_route(struct req *r)
{
    struct project p;
    struct project_workspace ws = {0};
    const json_t *nested = json_object_get(r->body, "workspace");
    entity_init(&ENTITY_project, &p);
    p.company_id = r->company.id;
    p.status = "backlog";
    TRY(apply(r, &p));
    TRY(project_create(r->db, &p, goal_ids(r)));
    if (nested) {
        TRY(project_workspace_apply(r, nested, &ws));
        TRY(project_workspace_create(r->db, &p, &ws));
    }
    TRY(project_log(
        r->db, &r->actor, "project.created", &p,
        json_pack("{s:s, s:s?, s:o}", "name", p.name, "workspaceId", ws.id, "envKeys", keys_of(json_read(p.env))),
        app_get(r->app)->data_dir));
    return answer(r, &p);
}

err_t project_patch(struct req *r)
{
    struct project after = r->project;
    TRY(apply(r, &after));
    TRY(project_update(r->db, &r->project, &after, goal_ids(r)));
    json_t *details = json_pack("{s:o}", "changedKeys", keys_of(r->body));
    if (has(r, "env")) json_object_set_new(details, "envKeys", keys_of(json_read(after.env)));
    TRY(project_log(r->db, &r->actor, "project.updated", &after, details, app_get(r->app)->data_dir));
    return answer(r, &after);
}

err_t project_remove(struct req *r)
{
    TRY(answer(r, &r->project));
    return project_delete(r->db, &r->actor, &r->project);
}

/* agents: list, create, show, change (AR §1-4). */
#include "api/agent_access.h"
#include "api/handlers.h"
#include "api/issue_guard.h"
#include "api/schemas.h"
#include "model/agent_control.h"
#include "model/agent_edit.h"
#include "model/agent_timers.h"
#include "model/approval.h"
#include "model/inbox.h"
#include "rules/adapter_types.h"
#include "rules/agent_config.h"
#include "rules/redact.h"

#include <stdlib.h>
#include <string.h>

static const char *const roles[] = {"ceo", "cto", "cmo",    "cfo",        "security", "engineer", "designer",
                                    "pm",  "qa",  "devops", "researcher", "general",  NULL};
static const char *const statuses[] = {"active", "paused",           "idle",       "running",
                                       "error",  "pending_approval", "terminated", NULL};
static const char *const presets[] = {"standard", "low_trust_review", NULL};
static const char *const icons[] = {
#define ICON(name) #name,
#include "tables/agent_icons.def"
#undef ICON
    NULL,
};

static const struct prop cheap_props[] = {
    {"enabled", PROP_BOOL},
    {"label", PROP_STRING},
    {"adapterConfig", PROP_OBJECT},
};
SCHEMA_WITH(cheap_profile, cheap_props, .strict = true);
static const struct prop profiles_props[] = {{"cheap", PROP_OBJECT, .object = &cheap_profile}};
SCHEMA_WITH(model_profiles, profiles_props, .strict = true);
static const struct prop runtime_props[] = {
    {"heartbeat", PROP_ANY},
    {"modelProfiles", PROP_OBJECT, .object = &model_profiles},
};
SCHEMA(runtime_config, runtime_props);
static const struct prop permission_props[] = {
    {"canCreateAgents", PROP_BOOL},
    {"canCreateSkills", PROP_BOOL},
    {"canAssignTasks", PROP_BOOL},
    {"trustPreset", PROP_ENUM, .options = presets},
    {"authorizationPolicy", PROP_OBJECT, NULLABLE},
};
SCHEMA(agent_permissions, permission_props);
static const struct prop skill = {"desiredSkills", PROP_ANY};

/* clang-format off */
#define PROFILE_PROPS                                                \
    {"role", PROP_ENUM, .options = roles},                           \
    {"title", PROP_STRING, NULLABLE},                                \
    {"icon", PROP_ENUM, NULLABLE, .options = icons},                 \
    {"reportsTo", PROP_UUID, NULLABLE},                              \
    {"capabilities", PROP_STRING, NULLABLE},                         \
    {"desiredSkills", PROP_ARRAY, .items = &skill},                  \
    {"adapterType", PROP_STRING, .min = 1},                          \
    {"adapterConfig", PROP_OBJECT},                                  \
    {"runtimeConfig", PROP_OBJECT, .object = &runtime_config},       \
    {"defaultEnvironmentId", PROP_UUID, NULLABLE},                   \
    {"budgetMonthlyCents", PROP_INT, .bounded = true},               \
    {"metadata", PROP_OBJECT, NULLABLE}
/* clang-format on */

static const struct prop create_props[] = {
    {"name", PROP_STRING, REQUIRED, .min = 1},
    PROFILE_PROPS,
    {"permissions", PROP_OBJECT, .object = &agent_permissions},
    {"instructionsBundle", PROP_OBJECT},
};
SCHEMA(AGENT_CREATE, create_props);

static const struct prop source_item = {"", PROP_UUID};
static const struct prop hire_props[] = {
    {"name", PROP_STRING, REQUIRED, .min = 1},
    PROFILE_PROPS,
    {"permissions", PROP_OBJECT, .object = &agent_permissions},
    {"instructionsBundle", PROP_OBJECT},
    {"sourceIssueId", PROP_UUID, NULLABLE},
    {"sourceIssueIds", PROP_ARRAY, .max = 100, .items = &source_item},
};
SCHEMA(AGENT_HIRE, hire_props);

static const struct prop patch_props[] = {
    {"name", PROP_STRING, .min = 1},
    PROFILE_PROPS,
    {"status", PROP_ENUM, .options = statuses},
    {"spentMonthlyCents", PROP_INT, READ_ONLY, .bounded = true}, /* accepted, computed all the same (AR-1) */
    {"replaceAdapterConfig", PROP_BOOL},
    {"permissions", PROP_NEVER}, /* has its own route (AR-14d) */
};
SCHEMA(AGENT_PATCH, patch_props);

static const struct prop permissions_props[] = {
    {"canCreateAgents", PROP_BOOL, REQUIRED},
    {"canAssignTasks", PROP_BOOL, REQUIRED},
    {"canCreateSkills", PROP_BOOL},
    {"trustPreset", PROP_ENUM, .options = presets},
    {"authorizationPolicy", PROP_OBJECT, NULLABLE},
};
SCHEMA(AGENT_PERMISSIONS, permissions_props);

/* What the body sets as it stands; the configurations go through their rules. */
static const char *const plain[] = {"name",
                                    "role",
                                    "title",
                                    "icon",
                                    "reportsTo",
                                    "capabilities",
                                    "adapterType",
                                    "defaultEnvironmentId",
                                    "budgetMonthlyCents",
                                    "metadata",
                                    NULL};

/* ---- reading ---- */

static int by_text(const void *x, const void *y) { return strcmp(*(const char *const *)x, *(const char *const *)y); }

struct names {
    const char *list[16];
    int n;
};

static void collect_name(void *ctx, const char *name, const char *value)
{
    struct names *names = ctx;
    (void)value;
    if (names->n < 16) names->list[names->n++] = name;
}

/* AR-17: a filter that would be ignored is refused instead. */
static err_t no_parameters(struct req *r)
{
    struct names names = {0};
    struct buf b BUF_AUTO = {0};
    http_query_each(r->http, collect_name, &names);
    if (names.n == 0) return OK;
    qsort(names.list, (size_t)names.n, sizeof *names.list, by_text);
    for (int i = 0; i < names.n; i++) buf_printf(&b, "%s%s", i ? ", " : "", names.list[i]);
    return err_new(r->arena, ERR_BAD_REQUEST, "Unsupported query parameter%s: %.200s", names.n > 1 ? "s" : "", b.data);
}

err_t agents_list(struct req *r)
{
    struct agent *rows;
    struct org org;
    int n;
    TRY(no_parameters(r));
    TRY(agent_list(r->db, r->company.id, &rows, &n));
    agent_org(r->arena, rows, n, &org);
    struct agent nobody = {.id = ""};
    enum agent_configs others;
    TRY(agent_configs_seen(r, &nobody, &others));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) {
        bool self = is_agent(r) && strcmp(rows[i].id, r->actor.agent_id) == 0;
        if (strcmp(rows[i].status, "terminated") == 0) continue;
        agent_write(&r->w, r->arena, &rows[i], &org, i, self ? AGENT_CONFIGS_MASKED : others);
    }
    jw_arr_end(&r->w);
    return OK;
}

err_t agent_show(struct req *r)
{
    enum agent_configs configs;
    TRY(agent_configs_seen(r, &r->agent, &configs));
    return agent_write_detail(r->db, &r->w, &r->agent, configs);
}

/* What a task bridge learns of its agent: no configuration (AR-19). */
static void write_bridge(struct req *r)
{
    jw_obj(&r->w);
    jw_kstr(&r->w, "id", r->self.id);
    jw_kstr(&r->w, "companyId", r->self.company_id);
    jw_kstr(&r->w, "name", r->self.name);
    jw_kstr(&r->w, "role", r->self.role);
    jw_kstr(&r->w, "title", r->self.title);
    jw_kstr(&r->w, "status", r->self.status);
    jw_kraw(&r->w, "keyScope", r->actor.key_scope);
    jw_obj_end(&r->w);
}

err_t agent_me(struct req *r)
{
    if (r->actor.key_scope == NULL || strcmp(json_str(json_read(r->actor.key_scope), "kind"), "task_bridge") != 0)
        return agent_write_detail(r->db, &r->w, &r->self, AGENT_CONFIGS_FULL);
    write_bridge(r);
    return OK;
}

err_t agent_inbox_lite(struct req *r) { return inbox_write_lite(r->db, &r->w, &r->self); }

err_t agent_configuration(struct req *r)
{
    TRY(require_config_reader(r));
    agent_write_configuration(&r->w, r->arena, &r->agent);
    return OK;
}

err_t agent_configurations(struct req *r)
{
    struct agent *rows;
    int n;
    TRY(require_config_reader(r));
    TRY(agent_list(r->db, r->company.id, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++)
        if (strcmp(rows[i].status, "terminated") != 0) agent_write_configuration(&r->w, r->arena, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

err_t scheduler_heartbeats(struct req *r) { return agent_timers_write(r->db, &r->w); }

/* ---- writing ---- */

static err_t check_adapter(struct req *r, const char *type)
{
    const struct adapter_type *t = adapter_type_find(type);
    struct buf b BUF_AUTO = {0};
    if (t == NULL) return unprocessable(r, "Unknown adapter type: %.100s", type);
    if (t->available) return OK;
    for (t = ADAPTER_TYPES; t->type; t++)
        if (t->available) buf_printf(&b, "%s%s", b.len ? ", " : "", t->type);
    return unprocessable(r, "Adapter type %s is not available on this server. Available: %s", type, b.data);
}

/* A copied answer must not overwrite a secret with its mask (AR-9). */
static err_t check_marker(struct req *r, const char *field)
{
    const char *key = redact_find_marker(json_object_get(r->body, field));
    return key ? unprocessable(r, "Refusing to persist redacted placeholder for key: %s", key) : OK;
}

static err_t bad_env(struct req *r)
{
    return schema_problem(r->arena, "adapterConfig.env",
                          "env must map names to a string or a plain, secret_ref or user_secret_ref binding");
}

/* desiredSkills: keys, or {key, versionId}; stored where the skills live (AR-33). */
static err_t check_skills(struct req *r)
{
    const json_t *list = json_object_get(r->body, "desiredSkills");
    json_t *v;
    size_t i;
    json_array_foreach (list, i, v) {
        const char *key = json_is_string(v) ? json_string_value(v) : json_str(v, "key");
        if (key == NULL || *key == 0)
            return schema_problem(r->arena, arena_printf(r->arena, "desiredSkills.%zu", i),
                                  "Expected a skill key or {key, versionId}");
    }
    return OK;
}

/* The stored form of adapterConfig after this request. */
static err_t next_config(struct req *r, const struct agent *before, const char *type, json_t **out)
{
    json_t *stored = json_read(before->adapter_config), *skills = json_object_get(r->body, "desiredSkills");
    struct config_change change = {
        .stored = json_is_object(stored) ? stored : json_object(),
        .given = json_object_get(r->body, "adapterConfig"),
        .replace = json_bool(r->body, "replaceAdapterConfig", false),
        .type_changed = before->adapter_type && strcmp(before->adapter_type, type) != 0,
    };
    TRY(check_marker(r, "adapterConfig"));
    TRY(check_marker(r, "runtimeConfig"));
    TRY(check_skills(r));
    *out = adapter_config_normalize(adapter_config_merge(&change));
    if (*out == NULL) return bad_env(r);
    if (skills) json_object_set_new(*out, "paperclipSkillSync", json_pack("{s:O}", "desiredSkills", skills));
    return OK;
}

static err_t check_create(struct req *r)
{
    TRY(require_agent_creator(r));
    TRY(refuse_host_commands(r, json_object_get(r->body, "adapterConfig")));
    const char *role = json_str(r->body, "role");
    return has(r, "permissions") || (role && strcmp(role, "ceo") == 0) ? require_permission_manager(r) : OK;
}

static err_t check_direct(struct req *r)
{
    if (r->company.require_board_approval_for_new_agents)
        return err_new(
            r->arena, ERR_CONFLICT,
            "New agents of this company need board approval. Use POST /api/companies/%s/agent-hires instead.",
            r->company.id);
    return OK;
}

/* The agent that the body describes. */
static err_t described(struct req *r, struct agent *out)
{
    struct agent agent;
    json_t *config;
    entity_init(&ENTITY_agent, &agent);
    agent.company_id = r->company.id;
    agent.role = "general";
    const char *type = json_str(r->body, "adapterType");
    TRY(check_adapter(r, type ? type : "process"));
    TRY(next_config(r, &agent, type ? type : "process", &config));
    if (has(r, "instructionsBundle"))
        return unprocessable(
            r, "The adapter %s takes no instructions bundle; put instructions where its command reads them",
            type ? type : "process");
    agent.adapter_type = "process";
    body_apply(r, &ENTITY_agent, &agent, plain);
    agent.adapter_config = json_text(r->arena, config);
    agent.runtime_config = json_text(r->arena, runtime_config_defaults(json_object_get(r->body, "runtimeConfig")));
    agent.permissions = json_text(r->arena, permissions_defaults(agent.role, json_object_get(r->body, "permissions")));
    *out = agent;
    return OK;
}

err_t agent_create_route(struct req *r)
{
    struct agent agent;
    TRY(check_create(r));
    TRY(check_direct(r));
    TRY(described(r, &agent));
    TRY(agent_create(r->db, &r->actor, &agent, json_object_get(r->body, "desiredSkills")));
    return agent_write_one(r->db, &r->w, &agent, is_board(r) ? AGENT_CONFIGS_FULL : AGENT_CONFIGS_MASKED);
}

/* sourceIssueId and sourceIssueIds, each once. */
static const struct id_list *source_issues(struct req *r)
{
    const char *one = json_str(r->body, "sourceIssueId");
    json_t *all = json_array();
    if (one) json_array_append_new(all, json_string(one));
    json_array_extend(all, json_object_get(r->body, "sourceIssueIds"));
    json_object_set_new(r->body, "sourceIssueIds", all);
    return body_ids(r, "sourceIssueIds");
}

/* AR-14b: an agent, and where the company wants it the approval that lets it work. */
err_t agent_hire_route(struct req *r)
{
    struct agent agent;
    struct approval approval;
    bool pending = r->company.require_board_approval_for_new_agents;
    TRY(check_create(r));
    TRY(described(r, &agent));
    TRY(approval_hire(r->db, &r->actor,
                      &(struct approval_hiring){.agent = &agent,
                                                .pending = pending,
                                                .issues = source_issues(r),
                                                .desired_skills = json_object_get(r->body, "desiredSkills")},
                      &approval));
    jw_obj(&r->w);
    jw_key(&r->w, "agent");
    TRY(agent_write_one(r->db, &r->w, &agent, is_board(r) ? AGENT_CONFIGS_FULL : AGENT_CONFIGS_MASKED));
    jw_key(&r->w, "approval");
    if (pending) approval_write(&r->w, r->arena, &approval);
    else jw_null(&r->w);
    jw_obj_end(&r->w);
    return OK;
}

/* Equal values keep their stored text: the database may have spelled it otherwise. */
static void keep_if_equal(const char *before, const char **after)
{
    if (before && *after && json_equal(json_read(before), json_read(*after))) *after = before;
}

err_t agent_patch(struct req *r)
{
    struct agent after = r->agent;
    const char *status = json_str(r->body, "status"), *type = json_str(r->body, "adapterType");
    enum agent_configs configs;
    json_t *config;
    TRY(require_agent_editor(r, &r->agent));
    if (type && strcmp(type, after.adapter_type) != 0) TRY(check_adapter(r, type));
    body_apply(r, &ENTITY_agent, &after, plain);
    if (has(r, "adapterConfig") || has(r, "desiredSkills") || type) {
        TRY(next_config(r, &r->agent, after.adapter_type, &config));
        after.adapter_config = json_text(r->arena, config);
    }
    if (has(r, "runtimeConfig")) {
        TRY(check_marker(r, "runtimeConfig"));
        after.runtime_config = json_text(r->arena, json_object_get(r->body, "runtimeConfig"));
    }
    keep_if_equal(r->agent.adapter_config, &after.adapter_config);
    keep_if_equal(r->agent.runtime_config, &after.runtime_config);
    keep_if_equal(r->agent.metadata, &after.metadata);
    TRY(agent_update(r->db, &r->actor, &r->agent, &after));
    if (status) TRY(agent_write_status(r->db, &r->actor, &after, status));
    TRY(agent_configs_seen(r, &after, &configs));
    return agent_write_one(r->db, &r->w, &after, configs);
}

err_t agent_permissions_patch(struct req *r)
{
    enum agent_configs configs;
    TRY(require_permission_manager(r));
    TRY(agent_set_permissions(r->db, &r->actor, &r->agent, r->body));
    TRY(agent_configs_seen(r, &r->agent, &configs));
    return agent_write_detail(r->db, &r->w, &r->agent, configs);
}

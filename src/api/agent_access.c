/* agent_access: the rights on agents. */
#include "api/agent_access.h"

#include "model/grant.h"
#include "rules/agent_config.h"

#include <string.h>

static err_t missing(struct req *r, const char *permission, const char *reason)
{
    const char *details = json_text(r->arena, json_pack("{s:s, s:s}", "reason", reason, "permission", permission));
    return err_with(r->arena, ERR_FORBIDDEN, NULL, details, "Missing permission: %s.", permission);
}

static bool is_self(const struct req *r, const struct agent *agent)
{
    return is_agent(r) && strcmp(r->actor.agent_id, agent->id) == 0;
}

err_t agent_configs_seen(struct req *r, const struct agent *agent, enum agent_configs *out)
{
    bool reader = false;
    *out = AGENT_CONFIGS_FULL;
    if (is_board(r)) return OK;
    if (!is_self(r, agent)) TRY(agent_may_read_configs(r->db, &r->self, &reader));
    *out = reader || is_self(r, agent) ? AGENT_CONFIGS_MASKED : AGENT_CONFIGS_EMPTY;
    return OK;
}

err_t require_config_reader(struct req *r)
{
    bool yes = true;
    if (is_agent(r)) TRY(agent_may_read_configs(r->db, &r->self, &yes));
    return yes ? OK : missing(r, "agents:suggest-changes", "deny_missing_grant");
}

err_t require_agent_creator(struct req *r)
{
    bool yes = true;
    if (is_agent(r)) TRY(agent_may_create(r->db, &r->self, &yes));
    return yes ? OK : missing(r, "agents:create", "deny_missing_grant");
}

err_t require_permission_manager(struct req *r)
{
    return is_board(r) || strcmp(r->self.role, "ceo") == 0 ? OK : forbidden(r, "Only CEO can manage permissions");
}

err_t refuse_host_commands(struct req *r, const json_t *adapter_config)
{
    if (!is_agent(r) || adapter_config == NULL) return OK;
    const char *bundle = config_bundle_key(adapter_config), *command = config_host_command(r->arena, adapter_config);
    if (bundle) return forbidden(r, "Agent keys cannot set adapterConfig.%s", bundle);
    return command ? forbidden(r, "Agent keys cannot modify host-executed workspace commands (%s).", command) : OK;
}

/* Body fields an agent changes, even on itself, only with agents:configure: its
 * profile, its budget and line, and what program it is (AR-18, BETTER a). */
static bool needs_grant(const struct req *r)
{
    static const char *const fields[] = {
        "name", "role", "title", "capabilities", "adapterType", "budgetMonthlyCents", "reportsTo", NULL};
    for (const char *const *f = fields; *f; f++)
        if (has(r, *f)) return true;
    const json_t *config = json_object_get(r->body, "adapterConfig");
    return json_bool(r->body, "replaceAdapterConfig", false) || config_program_key(config) != NULL;
}

err_t require_agent_editor(struct req *r, const struct agent *agent)
{
    bool granted = true;
    if (is_board(r)) return OK;
    if (has(r, "status")) return forbidden(r, "Board access required");
    TRY(refuse_host_commands(r, json_object_get(r->body, "adapterConfig")));
    if (!is_self(r, agent) || needs_grant(r)) TRY(agent_may_configure(r->db, &r->self, &granted));
    return granted ? OK : missing(r, "agents:configure", "deny_no_grant");
}

err_t require_agent_configurer(struct req *r)
{
    bool granted = true;
    if (is_agent(r)) TRY(agent_may_configure(r->db, &r->self, &granted));
    return granted ? OK : missing(r, "agents:configure", "deny_no_grant");
}

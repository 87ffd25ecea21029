/*
 * approval_hire: the agent that a decided hire brings to life or ends (GV-31,
 * AR-14c). The payload of a hire holds its secrets masked: where the mask
 * stands, the agent keeps what it has.
 */
#include "base/id.h"
#include "base/text.h"
#include "model/agent_control.h"
#include "model/agent_edit.h"
#include "model/approval_internal.h"
#include "rules/adapter_types.h"
#include "rules/agent_config.h"

static const char *text_or(const json_t *payload, const char *key, const char *dflt)
{
    const char *v = json_str(payload, key);
    return v && *v ? v : dflt;
}

/* What the payload says about the agent, over what it is. */
static err_t apply(struct db *db, const json_t *payload, struct agent *agent)
{
    struct arena *a = db_arena(db);
    json_t *config = json_object_get(payload, "adapterConfig"), *runtime = json_object_get(payload, "runtimeConfig"),
           *metadata = json_object_get(payload, "metadata");
    const char *manager = json_str(payload, "reportsTo");
    agent->name = text_or(payload, "name", agent->name);
    agent->role = text_or(payload, "role", agent->role);
    agent->title = text_or(payload, "title", agent->title);
    agent->icon = text_or(payload, "icon", agent->icon);
    agent->capabilities = text_or(payload, "capabilities", agent->capabilities);
    agent->adapter_type = text_or(payload, "adapterType", agent->adapter_type);
    agent->budget_monthly_cents = json_int(payload, "budgetMonthlyCents", agent->budget_monthly_cents);
    if (manager && !id_valid(manager)) return err_new(a, ERR_NOT_FOUND, "Manager not found");
    if (manager) agent->reports_to = manager;
    if (json_is_object(runtime)) agent->runtime_config = json_text(a, config_unmask(runtime, json_read(agent->runtime_config)));
    if (json_is_object(metadata)) agent->metadata = json_text(a, config_unmask(metadata, json_read(agent->metadata)));
    if (!json_is_object(config)) return OK;
    json_t *stored = adapter_config_normalize(config_unmask(config, json_read(agent->adapter_config)));
    if (stored == NULL) return err_new(a, ERR_UNPROCESSABLE, "The payload's adapterConfig.env is malformed");
    agent->adapter_config = json_text(a, stored);
    return OK;
}

static err_t check_adapter(struct db *db, const struct agent *agent)
{
    const struct adapter_type *t = adapter_type_find(agent->adapter_type);
    if (t && t->available) return OK;
    return err_new(db_arena(db), ERR_UNPROCESSABLE, t ? "Adapter type %.100s is not available on this server" : "Unknown adapter type: %.100s",
                   agent->adapter_type);
}

/* An approval without an agent of its own makes one. */
static err_t hire_new(struct db *db, const struct actor *actor, const struct approval *x, const json_t *payload)
{
    struct arena *a = db_arena(db);
    struct agent agent;
    entity_init(&ENTITY_agent, &agent);
    agent.company_id = x->company_id;
    agent.name = "New Agent";
    agent.role = "general";
    agent.adapter_type = "process";
    agent.adapter_config = "{}";
    agent.runtime_config = "{}";
    TRY(apply(db, payload, &agent));
    TRY(check_adapter(db, &agent));
    agent.runtime_config = json_text(a, runtime_config_defaults(json_read(agent.runtime_config)));
    agent.permissions = json_text(a, permissions_defaults(agent.role, NULL));
    return agent_create(db, actor, &agent, json_object_get(payload, "desiredSkills"));
}

static err_t activate(struct db *db, const struct actor *actor, const struct approval *x, const json_t *payload,
                      struct agent *agent)
{
    struct agent before;
    if (!text_is(agent->status, "pending_approval")) return OK;
    TRY(agent_activate(db, actor, agent, "approval", x->id));
    before = *agent;
    TRY(apply(db, payload, agent));
    TRY(check_adapter(db, agent));
    return agent_update(db, actor, &before, agent);
}

err_t approval_apply_hire(struct db *db, const struct actor *actor, const struct approval *x, enum approval_verb verb)
{
    const json_t *payload = json_read(x->payload);
    const char *agent_id = json_str(payload, "agentId");
    struct agent agent;
    bool found = false;
    if (agent_id) TRY(agent_get(db, agent_id, &agent, &found));
    found = found && text_is(agent.company_id, x->company_id);
    if (verb == APPROVAL_REJECT) {
        bool waits = found && text_is(agent.status, "pending_approval");
        return waits ? agent_move(db, actor, &agent, AGENT_TERMINATE) : OK;
    }
    if (agent_id == NULL) return hire_new(db, actor, x, payload);
    if (!found) return err_new(db_arena(db), ERR_UNPROCESSABLE, "The agent of this hire does not exist any more");
    return activate(db, actor, x, payload, &agent);
}

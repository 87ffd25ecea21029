/*
 * approval_hire: the agent that a decided hire brings to life or ends (GV-31,
 * AR-14c). The payload of a hire holds its secrets masked: where the mask
 * stands, the agent keeps what it has.
 */
#include "base/id.h"
#include "base/text.h"
#include "model/agent_control.h"
#include "model/agent_edit.h"
#include "model/agent_view.h"
#include "model/approval_internal.h"
#include "model/tenant.h"
#include "rules/adapter_types.h"
#include "rules/agent_config.h"
#include "rules/redact.h"

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
    if (json_is_object(runtime))
        agent->runtime_config = json_text(a, config_unmask(runtime, json_read(agent->runtime_config)));
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
    return err_new(db_arena(db), ERR_UNPROCESSABLE,
                   t ? "Adapter type %.100s is not available on this server" : "Unknown adapter type: %.100s",
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

/* ---- asking for it (AR-14b) ---- */

static json_t *hire_payload(struct arena *a, const struct actor *actor, const struct approval_hiring *h)
{
    const struct agent *x = h->agent;
    json_t *config = redact_json(a, json_read(x->adapter_config)),
           *runtime = redact_json(a, json_read(x->runtime_config)),
           *skills = h->desired_skills ? h->desired_skills : json_array(), *p = json_object(),
           *snapshot = json_object();
    static const char *const plain[] = {"name",      "role",         "title",       "icon",
                                        "reportsTo", "capabilities", "adapterType", NULL};
    for (const char *const *f = plain; *f; f++) {
        const char *v = *(const char *const *)((const char *)x + entity_field(&ENTITY_agent, *f)->offset);
        json_object_set_new(p, *f, v ? json_string(v) : json_null());
    }
    json_object_set(p, "adapterConfig", config);
    json_object_set(p, "runtimeConfig", runtime);
    json_object_set_new(p, "budgetMonthlyCents", json_integer((json_int_t)x->budget_monthly_cents));
    json_object_set(p, "desiredSkills", skills);
    json_object_set_new(p, "metadata", x->metadata ? json_read(x->metadata) : json_null());
    json_object_set_new(p, "agentId", json_string(x->id));
    json_object_set_new(p, "requestedByAgentId", actor->agent_id ? json_string(actor->agent_id) : json_null());
    json_object_set_new(snapshot, "adapterType", json_string(x->adapter_type));
    json_object_set(snapshot, "adapterConfig", config);
    json_object_set(snapshot, "runtimeConfig", runtime);
    json_object_set(snapshot, "desiredSkills", skills);
    json_object_set_new(p, "requestedConfigurationSnapshot", snapshot);
    return p;
}

err_t approval_hire(struct db *db, const struct actor *actor, const struct approval_hiring *h,
                    struct approval *approval)
{
    struct arena *a = db_arena(db);
    struct agent *agent = h->agent;
    entity_init(&ENTITY_approval, approval);
    for (int i = 0; h->issues && i < h->issues->count; i++)
        TRY(tenant_check(db, "issues", agent->company_id, "sourceIssueIds", h->issues->ids[i]));
    TRY(agent_insert(db, actor, agent, h->pending));
    if (h->pending) approval->id = id_new(a);
    TRY(agent_log(db, actor, "agent.hire_created", agent,
                  json_pack("{s:s, s:s, s:b, s:s?, s:o, s:O}", "name", agent->name, "role", agent->role,
                            "requiresApproval", h->pending, "approvalId", approval->id, "issueIds",
                            id_list_json(h->issues), "desiredSkills",
                            h->desired_skills ? h->desired_skills : json_array())));
    if (!h->pending) return OK;
    approval->company_id = agent->company_id;
    approval->type = "hire_agent";
    approval->requested_by_agent_id = actor->agent_id;
    approval->requested_by_user_id = actor->type == ACTOR_BOARD ? actor->user_id : NULL;
    approval->payload = json_text(a, hire_payload(a, actor, h));
    return approval_create(db, actor, approval, h->issues, json_pack("{s:s}", "linkedAgentId", agent->id));
}

/* ---- its decision ---- */

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

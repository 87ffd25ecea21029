/* agent_view: agents on the wire. */
#include "model/agent_view.h"

#include "model/activity.h"
#include "model/grant.h"
#include "rules/redact.h"

#include <string.h>

#define COMMAND_CHAIN_MAX 50

static void write_ancestors(struct jw *w, const char *key, const struct org_ancestor *list, int n)
{
    jw_karr(w, key);
    for (int i = 0; i < n; i++) {
        jw_obj(w);
        jw_kstr(w, "id", list[i].id);
        jw_kstr(w, "name", list[i].name);
        jw_kstr(w, "status", list[i].status);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void write_health(struct jw *w, const struct org_health *h, const char *company_id)
{
    jw_kobj(w, "orgChainHealth");
    jw_kstr(w, "status", h->verdict == ORG_HEALTHY ? "healthy" : "invalid_org_chain");
    jw_kstr(w, "reason", org_verdict_name(h->verdict));
    jw_karr(w, "fullChain");
    for (int i = 0; i < h->length; i++) {
        const struct org_node *n = h->chain[i];
        jw_obj(w);
        jw_kstr(w, "id", n->id);
        jw_kstr(w, "companyId", company_id);
        jw_kstr(w, "name", n->name);
        jw_kstr(w, "status", n->status);
        jw_kstr(w, "reportsTo", n->reports_to);
        jw_kint(w, "depth", i);
        jw_kstr(w, "relation", i == 0 ? "self" : "ancestor");
        jw_obj_end(w);
    }
    jw_arr_end(w);
    jw_key(w, "firstInvalidAncestor");
    if (h->invalid_count == 0) {
        jw_null(w);
    } else {
        jw_obj(w);
        jw_kstr(w, "id", h->invalid[0].id);
        jw_kstr(w, "name", h->invalid[0].name);
        jw_kstr(w, "status", h->invalid[0].status);
        jw_obj_end(w);
    }
    write_ancestors(w, "invalidAncestors", h->invalid, h->invalid_count);
    jw_kstr(w, "repairGuidance", h->repair_guidance);
    write_ancestors(w, "pausedAncestors", h->paused, h->paused_count);
    jw_kstr(w, "escalationWarning", h->escalation_warning);
    jw_obj_end(w);
}

static bool is_config(const struct field *f)
{
    return f->offset == offsetof(struct agent, adapter_config) || f->offset == offsetof(struct agent, runtime_config);
}

static void write_fields(struct jw *w, struct arena *a, const struct agent *agent, enum agent_configs configs)
{
    for (int i = 0; i < ENTITY_agent.count; i++) {
        const struct field *f = &ENTITY_agent.fields[i];
        if (f->flags & FF_HIDDEN) continue;
        bool config = is_config(f);
        if (config && configs == AGENT_CONFIGS_NONE) continue;
        jw_key(w, f->json);
        if (!config || configs == AGENT_CONFIGS_FULL) entity_write_field(w, f, agent);
        else if (configs == AGENT_CONFIGS_EMPTY) jw_raw(w, "{}");
        else jw_json(w, redact_json(a, json_read(*(const char *const *)((const char *)agent + f->offset))));
    }
}

void agent_write(struct jw *w, struct arena *a, const struct agent *agent, struct org *org, int self,
                 enum agent_configs configs)
{
    struct org_health h = org_health(a, org, self);
    jw_obj(w);
    write_fields(w, a, agent, configs);
    write_health(w, &h, agent->company_id);
    jw_obj_end(w);
}

err_t agent_write_one(struct db *db, struct jw *w, const struct agent *agent, enum agent_configs configs)
{
    struct agent row = *agent;
    struct org org;
    TRY(agent_fill_spent(db, &row));
    TRY(agent_chain(db, agent, &org));
    agent_write(w, db_arena(db), &row, &org, 0, configs);
    return OK;
}

/* From the direct manager up to a gap, a repetition or the limit (AR-2). */
static void write_command_chain(struct jw *w, const struct org_health *h)
{
    jw_karr(w, "chainOfCommand");
    for (int i = 1; i < h->length && i <= COMMAND_CHAIN_MAX; i++) {
        jw_obj(w);
        jw_kstr(w, "id", h->chain[i]->id);
        jw_kstr(w, "name", h->chain[i]->name);
        jw_kstr(w, "role", h->chain[i]->role);
        jw_kstr(w, "title", h->chain[i]->title);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static const char *assign_source(const struct agent *agent, const struct grant *grants, int n,
                                 const struct membership *m)
{
    if (strcmp(agent->role, "ceo") == 0) return "ceo_role";
    if (json_bool(json_read(agent->permissions), "canCreateAgents", false)) return "agent_creator";
    for (int i = 0; i < n; i++)
        if (strcmp(grants[i].permission_key, "tasks:assign") == 0) return "explicit_grant";
    return m && strcmp(m->status, "active") == 0 ? "simple_default" : "none";
}

static err_t write_access(struct db *db, struct jw *w, const struct agent *agent)
{
    struct membership m;
    struct grant *grants;
    bool member;
    int n;
    TRY(membership_get(db, agent, &m, &member));
    TRY(grant_list(db, agent, &grants, &n));
    const char *source = assign_source(agent, grants, n, member ? &m : NULL);
    jw_kobj(w, "access");
    jw_kbool(w, "canAssignTasks", strcmp(source, "none") != 0);
    jw_kstr(w, "taskAssignSource", source);
    jw_key(w, "membership");
    if (member) {
        jw_obj(w);
        entity_write(w, &ENTITY_membership, &m, VIEW_FULL);
        jw_obj_end(w);
    } else {
        jw_null(w);
    }
    jw_karr(w, "grants");
    for (int i = 0; i < n; i++) {
        jw_obj(w);
        entity_write(w, &ENTITY_grant, &grants[i], VIEW_FULL);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    jw_obj_end(w);
    return OK;
}

err_t agent_write_detail(struct db *db, struct jw *w, const struct agent *agent, enum agent_configs configs)
{
    struct arena *a = db_arena(db);
    struct agent row = *agent;
    struct org org;
    TRY(agent_fill_spent(db, &row));
    TRY(agent_chain(db, agent, &org));
    struct org_health h = org_health(a, &org, 0);
    jw_obj(w);
    write_fields(w, a, &row, configs);
    write_health(w, &h, row.company_id);
    write_command_chain(w, &h);
    TRY(write_access(db, w, &row));
    jw_obj_end(w);
    return OK;
}

void agent_write_configuration(struct jw *w, struct arena *a, const struct agent *agent)
{
    jw_obj(w);
    jw_kstr(w, "id", agent->id);
    jw_kstr(w, "companyId", agent->company_id);
    jw_kstr(w, "name", agent->name);
    jw_kstr(w, "role", agent->role);
    jw_kstr(w, "title", agent->title);
    jw_kstr(w, "icon", agent->icon);
    jw_kstr(w, "status", agent->status);
    jw_kstr(w, "reportsTo", agent->reports_to);
    jw_kstr(w, "capabilities", agent->capabilities);
    jw_kstr(w, "adapterType", agent->adapter_type);
    jw_key(w, "adapterConfig");
    jw_json(w, redact_json(a, json_read(agent->adapter_config)));
    jw_key(w, "runtimeConfig");
    jw_json(w, redact_json(a, json_read(agent->runtime_config)));
    jw_kstr(w, "defaultEnvironmentId", agent->default_environment_id);
    jw_kint(w, "budgetMonthlyCents", agent->budget_monthly_cents);
    jw_kraw(w, "permissions", agent->permissions);
    jw_key(w, "metadata");
    jw_json(w, redact_json(a, json_read(agent->metadata)));
    jw_ktime(w, "updatedAt", agent->updated_at);
    jw_obj_end(w);
}

err_t agent_log(struct db *db, const struct actor *actor, const char *action, const struct agent *agent,
                json_t *details)
{
    struct buf b BUF_AUTO = {0};
    struct jw w;
    jw_init(&w, &b);
    TRY(agent_write_one(db, &w, agent, AGENT_CONFIGS_NONE));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = agent->company_id,
                                                 .action = action,
                                                 .entity_type = "agent",
                                                 .entity_id = agent->id,
                                                 .details = details,
                                                 .entity = arena_strdup(db_arena(db), b.data)});
}

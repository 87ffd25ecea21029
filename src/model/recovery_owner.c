/* recovery_owner: the ladder. */
#include "model/recovery_owner.h"

#include "base/settings.h"
#include "base/text.h"
#include "model/agent.h"
#include "rules/heartbeat.h"
#include "rules/recovery.h"

#define RUNGS 8

struct ladder {
    const char *rungs[RUNGS];
    int count;
};

static void add(struct ladder *l, const struct recovery_owner_query *q, const char *agent_id)
{
    if (agent_id == NULL || text_is(agent_id, q->excluded)) return;
    for (int i = 0; i < l->count; i++)
        if (text_is(l->rungs[i], agent_id)) return;
    if (l->count < RUNGS) l->rungs[l->count++] = agent_id;
}

err_t recovery_owner_can(struct db *db, const char *company_id, const char *agent_id, bool *yes)
{
    struct agent agent;
    const char *why;
    *yes = false;
    TRY(agent_get(db, agent_id, &agent, yes));
    if (!*yes) return OK;
    TRY(agent_invokable(db, &agent, &why));
    *yes =
        why == NULL && text_is(agent.company_id, company_id) && heartbeat_policy(agent.runtime_config).wake_on_demand;
    return OK;
}

static err_t manager_of(struct db *db, const char *agent_id, const char **out)
{
    *out = NULL;
    return agent_id ? db_text(db, out, "SELECT reports_to FROM agents WHERE id = $1", P(V_ID(agent_id))) : OK;
}

static err_t head(struct db *db, const char *company_id, const char *role, const char **out)
{
    return db_text(db, out,
                   "SELECT id FROM agents WHERE company_id = $1 AND role = $2 AND status <> 'terminated'"
                   " ORDER BY created_at, id LIMIT 1",
                   P(V_ID(company_id), V_TEXT(role)));
}

/* The order of EX-123. */
static err_t build(struct db *db, const struct recovery_owner_query *q, struct ladder *l)
{
    const struct issue *i = q->issue;
    const char *assignee_manager, *creator_manager, *cto = NULL, *ceo = NULL;
    TRY(manager_of(db, i->assignee_agent_id, &assignee_manager));
    TRY(manager_of(db, i->created_by_agent_id, &creator_manager));
    TRY(head(db, i->company_id, "cto", &cto));
    TRY(head(db, i->company_id, "ceo", &ceo));
    if (recovery_by_same_agent(q->cause)) add(l, q, q->run_agent_id);
    add(l, q, q->preferred);
    add(l, q, assignee_manager);
    add(l, q, creator_manager);
    add(l, q, i->created_by_agent_id);
    add(l, q, cto);
    add(l, q, ceo);
    add(l, q, i->assignee_agent_id);
    return OK;
}

err_t recovery_owner_find(struct db *db, const struct recovery_owner_query *q, struct recovery_owner *out)
{
    struct ladder l = {0};
    *out = (struct recovery_owner){.type = "board"};
    if (q->board || recovery_mode(settings.auto_recovery) != RECOVERY_FULL) return OK;
    TRY(build(db, q, &l));
    for (int i = 0; i < l.count; i++) {
        bool can;
        TRY(recovery_owner_can(db, q->issue->company_id, l.rungs[i], &can));
        if (!can) continue;
        *out = (struct recovery_owner){.type = "agent", .agent_id = l.rungs[i]};
        break;
    }
    bool same = recovery_by_same_agent(q->cause) && q->run_agent_id;
    if (same && !text_is(out->agent_id, q->run_agent_id)) out->fallback_reason = "original_agent_not_available";
    return OK;
}

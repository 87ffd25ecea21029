/* review_owner: a ladder of agents. */
#include "model/review_owner.h"

#include "base/text.h"
#include "model/agent.h"
#include "rules/heartbeat.h"

#include <stdlib.h>
#include <string.h>

err_t review_owners_start(struct db *db, const char *company_id, struct review_owners *o)
{
    o->count = 0;
    return agent_list(db, company_id, &o->agents, &o->agent_count);
}

static int at(const struct review_owners *o, const char *id)
{
    for (int i = 0; id && i < o->agent_count; i++)
        if (text_is(o->agents[i].id, id)) return i;
    return -1;
}

static void add_index(struct review_owners *o, int index)
{
    if (index < 0 || o->count == REVIEW_OWNERS_MAX) return;
    for (int i = 0; i < o->count; i++)
        if (o->order[i] == index) return;
    o->order[o->count++] = index;
}

void review_owners_add(struct review_owners *o, const char *agent_id) { add_index(o, at(o, agent_id)); }

void review_owners_add_chain(struct review_owners *o, const char *agent_id)
{
    int i = at(o, agent_id);
    for (int guard = 0; i >= 0 && guard < o->agent_count; guard++) {
        i = at(o, o->agents[i].reports_to);
        add_index(o, i);
    }
}

void review_owners_add_role(struct review_owners *o, const char *role)
{
    for (int i = 0; i < o->agent_count; i++)
        if (text_is(o->agents[i].role, role)) add_index(o, i);
}

void review_owners_add_roots(struct review_owners *o)
{
    for (int i = 0; i < o->agent_count; i++)
        if (o->agents[i].reports_to == NULL) add_index(o, i);
}

void review_owners_add_all(struct review_owners *o)
{
    /* ids sort by birth, and so do the rows */
    for (int i = 0; i < o->agent_count; i++) add_index(o, i);
}

err_t review_owners_first(struct db *db, const struct review_owners *o, const char *never, const char **id)
{
    *id = NULL;
    for (int i = 0; i < o->count; i++) {
        const struct agent *agent = &o->agents[o->order[i]];
        const char *why;
        if (text_is(agent->id, never) || !heartbeat_policy(agent->runtime_config).wake_on_demand) continue;
        TRY(agent_invokable(db, agent, &why));
        if (why) continue;
        *id = agent->id;
        return OK;
    }
    return OK;
}

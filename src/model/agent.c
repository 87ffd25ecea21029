/* agent: the agents of a company. */
#include "model/agent.h"

#include "base/id.h"
#include "rules/shortname.h"

#include <string.h>

err_t agent_get(struct db *db, const char *id, struct agent *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_agent, out, found, "WHERE id = $1", P(V_ID(id)));
}

err_t agent_resolve(struct db *db, const char *ref, const char *company_id, struct agent *out, bool *found)
{
    struct arena *a = db_arena(db);
    struct agent *rows;
    int n;
    if (id_valid(ref)) return agent_get(db, ref, out, found);
    *found = false;
    if (company_id == NULL) return err_new(a, ERR_UNPROCESSABLE, "Agent shortname lookup requires companyId query parameter");
    const char *key = shortname(a, ref);
    if (!id_valid(company_id) || key == NULL) return OK;
    TRY(entity_many(db, &ENTITY_agent, &rows, &n, "WHERE company_id = $1 AND url_key = $2 AND status <> 'terminated' LIMIT 2",
                    P(V_ID(company_id), V_TEXT(key))));
    if (n > 1) return err_new(a, ERR_CONFLICT, "Agent shortname is ambiguous in this company. Use the agent ID.");
    *found = n == 1;
    if (*found) *out = rows[0];
    return OK;
}

#define CHAIN_MAX 50

err_t agent_invokable(struct db *db, const struct agent *agent, const char **why)
{
    static const char *const invokable[] = {"active", "idle", "running", "error"};
    struct agent at = *agent;
    *why = agent->status;
    for (int i = 0; i < 4; i++)
        if (strcmp(agent->status, invokable[i]) == 0) *why = NULL;
    for (int depth = 0; *why == NULL && at.reports_to; depth++) {
        bool found;
        struct agent manager;
        TRY(agent_get(db, at.reports_to, &manager, &found));
        bool broken = !found || strcmp(manager.company_id, agent->company_id) != 0 || strcmp(manager.status, "terminated") == 0 ||
                      strcmp(manager.id, agent->id) == 0 || depth >= CHAIN_MAX;
        if (broken) *why = "invalid_org_chain";
        at = manager;
    }
    return OK;
}

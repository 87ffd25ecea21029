/* agent: the agents of a company. */
#include "model/agent.h"

#include "base/id.h"
#include "rules/agent_status.h"
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
    if (company_id == NULL)
        return err_new(a, ERR_UNPROCESSABLE, "Agent shortname lookup requires companyId query parameter");
    const char *key = shortname(a, ref);
    if (!id_valid(company_id) || key == NULL) return OK;
    TRY(entity_many(db, &ENTITY_agent, &rows, &n,
                    "WHERE company_id = $1 AND url_key = $2 AND status <> 'terminated' LIMIT 2",
                    P(V_ID(company_id), V_TEXT(key))));
    if (n > 1) return err_new(a, ERR_CONFLICT, "Agent shortname is ambiguous in this company. Use the agent ID.");
    *found = n == 1;
    if (*found) *out = rows[0];
    return OK;
}

err_t agent_fill_spent(struct db *db, struct agent *agent)
{
    return db_int(db, &agent->spent_monthly_cents, 0,
                  "SELECT sum(cost_cents) FROM cost_events WHERE agent_id = $1 AND occurred_at >= $2",
                  P(V_ID(agent->id), V_TIME(instant_month_start(clock_now()))));
}

err_t agent_list(struct db *db, const char *company_id, struct agent **rows, int *count)
{
    struct rows r ROWS_AUTO = {0};
    TRY(entity_many(db, &ENTITY_agent, rows, count, "WHERE company_id = $1 ORDER BY created_at, id",
                    P(V_ID(company_id))));
    TRY(db_query(
        db, &r,
        "SELECT agent_id, sum(cost_cents) FROM cost_events WHERE company_id = $1 AND occurred_at >= $2 GROUP BY agent_id",
        P(V_ID(company_id), V_TIME(instant_month_start(clock_now())))));
    while (rows_next(&r)) {
        const char *id = row_text(&r, 0);
        for (int i = 0; id && i < *count; i++)
            if (strcmp((*rows)[i].id, id) == 0) (*rows)[i].spent_monthly_cents = row_int(&r, 1);
    }
    return rows_err(&r);
}

void agent_org(struct arena *a, const struct agent *rows, int count, struct org *out)
{
    struct org_node *nodes = arena_array(a, struct org_node, count);
    for (int i = 0; i < count; i++)
        nodes[i] = (struct org_node){rows[i].id,    rows[i].name,   rows[i].role,
                                     rows[i].title, rows[i].status, rows[i].reports_to};
    org_init(a, out, nodes, count);
}

#define NODE_COLUMNS "id, name, role, title, status, reports_to"

static struct org_node *grow(struct arena *a, const struct org_node *nodes, int *cap)
{
    struct org_node *bigger = arena_array(a, struct org_node, *cap * 2);
    memcpy(bigger, nodes, sizeof *nodes * (size_t)*cap);
    *cap *= 2;
    return bigger;
}

err_t agent_chain(struct db *db, const struct agent *agent, struct org *out)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    int n = 1, cap = 8;
    struct org_node *nodes = arena_array(a, struct org_node, cap);
    nodes[0] = (struct org_node){agent->id, agent->name, agent->role, agent->title, agent->status, agent->reports_to};
    if (agent->reports_to) {
        /* UNION, not UNION ALL: a circle ends the recursion */
        TRY(db_query(
            db, &r,
            "WITH RECURSIVE chain(" NODE_COLUMNS ") AS ("
            " SELECT " NODE_COLUMNS " FROM agents WHERE id = $1 AND company_id = $2"
            " UNION SELECT m.id, m.name, m.role, m.title, m.status, m.reports_to FROM agents m JOIN chain c ON m.id = c.reports_to"
            " WHERE m.company_id = $2) SELECT " NODE_COLUMNS " FROM chain",
            P(V_ID(agent->reports_to), V_ID(agent->company_id))));
        while (rows_next(&r)) {
            if (strcmp(row_text(&r, 0), agent->id) == 0) continue;
            if (n == cap) nodes = grow(a, nodes, &cap);
            nodes[n++] = (struct org_node){row_text(&r, 0), row_text(&r, 1), row_text(&r, 2),
                                           row_text(&r, 3), row_text(&r, 4), row_text(&r, 5)};
        }
        TRY(rows_err(&r));
    }
    org_init(a, out, nodes, n);
    return OK;
}

err_t agent_invokable(struct db *db, const struct agent *agent, const char **why)
{
    struct org org;
    *why = agent->status;
    if (!agent_status_invokable(agent->status)) return OK;
    TRY(agent_chain(db, agent, &org));
    bool healthy = org_health(db_arena(db), &org, 0).verdict == ORG_HEALTHY;
    *why = healthy ? NULL : "invalid_org_chain";
    return OK;
}

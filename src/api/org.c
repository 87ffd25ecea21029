/* org: the company's tree of agents (AR-29). */
#include "api/handlers.h"
#include "model/agent.h"

#include <string.h>

static void write_level(struct req *r, const struct org *org, const int *parent, int above)
{
    jw_arr(&r->w);
    for (int i = 0; i < org->count; i++) {
        const struct org_node *n = &org->nodes[i];
        if (parent[i] != above) continue;
        jw_obj(&r->w);
        jw_kstr(&r->w, "id", n->id);
        jw_kstr(&r->w, "name", n->name);
        jw_kstr(&r->w, "role", n->role);
        jw_kstr(&r->w, "status", n->status);
        jw_key(&r->w, "reports");
        write_level(r, org, parent, i);
        jw_obj_end(&r->w);
    }
    jw_arr_end(&r->w);
}

err_t org_show(struct req *r)
{
    struct agent *rows;
    struct org org;
    int n, kept = 0;
    TRY(agent_list(r->db, r->company.id, &rows, &n));
    for (int i = 0; i < n; i++)
        if (strcmp(rows[i].status, "terminated") != 0) rows[kept++] = rows[i];
    agent_org(r->arena, rows, kept, &org);
    write_level(r, &org, org_forest(r->arena, &org), -1);
    return OK;
}

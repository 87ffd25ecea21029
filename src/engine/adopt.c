/*
 * adopt: after a start, every run that was claimed and is not closed belongs to
 * a living server again, and each finds out what became of its agent (EX-60).
 */
#include "engine/engine_internal.h"
#include "model/run.h"

#include <string.h>

static err_t enlist(struct engine *e, void *arg)
{
    int64_t *adopted = arg;
    TRY(node_register(e->db, e->opt.data_dir, &e->node));
    return node_adopt_runs(e->db, &e->node, e->opt.data_dir, adopted);
}

err_t engine_enlist(struct engine *e, int64_t *adopted) { return engine_tx(e, NULL, enlist, adopted); }

void adopt_unstarted(struct live_run *r)
{
    struct engine *e = r->engine;
    struct run run;
    bool found;
    const char *id = arena_strdup(&e->arena, r->run_id);
    live_drop(r);
    err_t err = run_get(e->db, id, &run, &found);
    if (err) engine_failed(e, "adopt", err);
    else if (found && strcmp(run.status, "running") == 0) launch_run(e, &run);
    else collect_lost(e, id, NULL); /* cancelled before it ever started */
}

static const char *adapter_of(struct engine *e, const struct run *run)
{
    const char *type = NULL;
    err_t err = db_text(e->db, &type, "SELECT adapter_type FROM agents WHERE id = $1", P(V_ID(run->agent_id)));
    if (err) engine_failed(e, "adopt", err);
    return type ? type : "process";
}

void supervise_adopt(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    struct run *rows;
    int n;
    engine_unit(e);
    err_t err =
        entity_many(e->db, &ENTITY_run, &rows, &n,
                    "WHERE owner_node_id = $1 AND claimed_at IS NOT NULL AND closed_at IS NULL ORDER BY claimed_at, id",
                    P(V_ID(e->node.id)));
    if (err) {
        engine_failed(e, "adopt", err);
        return;
    }
    struct run *list = arena_array(&keep, struct run, n + 1);
    for (int i = 0; i < n; i++) {
        list[i].id = arena_strdup(&keep, rows[i].id);
        list[i].company_id = arena_strdup(&keep, rows[i].company_id);
        list[i].agent_id = arena_strdup(&keep, rows[i].agent_id);
        list[i].issue_id = arena_strdup(&keep, rows[i].issue_id);
    }
    for (int i = 0; i < n; i++) {
        struct live_run *r = live_find(e, list[i].id);
        if (r && (r->link.fd >= 0 || r->resolving)) continue; /* looked after */
        engine_unit(e);
        if (strcmp(adapter_of(e, &list[i]), "http") == 0) { /* the answer went with the old process */
            if (r) live_drop(r);
            collect_lost(e, list[i].id, NULL);
        } else {
            supervise_resolve(r ? r : live_add(e, &list[i]));
        }
    }
}

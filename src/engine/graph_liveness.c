/*
 * graph_liveness: the periodic duty over stalled chains of blockers (step 3b of
 * EX-113). Looks only while the instance's switch is on (EX-112); each incident
 * is treated in a transaction of its own.
 */
#include "model/graph_liveness.h"
#include "base/log.h"
#include "engine/engine_internal.h"
#include "model/instance_settings.h"

#define PAGES_MAX 20

struct item {
    const char *company_id, *id;
    instant_t cutoff;
};

static err_t escalate(struct engine *e, void *arg)
{
    const struct item *i = arg;
    enum graph_step step;
    TRY(graph_escalate(e->db, i->id, i->cutoff, &step));
    if (step == GRAPH_CREATED) log_info("graph.escalated", "issue=%s", i->id);
    return OK;
}

static err_t retire(struct engine *e, void *arg)
{
    bool cancelled;
    return graph_retire(e->db, ((struct item *)arg)->id, &cancelled);
}

static void each(struct engine *e, err_t (*fn)(struct engine *e, void *arg), struct item *items, int n)
{
    for (int i = 0; i < n; i++) {
        engine_unit(e);
        err_t err = engine_tx(e, items[i].company_id, fn, &items[i]);
        if (err) engine_failed(e, "graph_liveness", err);
    }
}

static err_t company_pass(struct engine *e, struct arena *keep, const char *company_id, instant_t cutoff)
{
    const char *after = NULL, **ids;
    int n;
    engine_unit(e);
    TRY(graph_open_escalations(e->db, company_id, &ids, &n));
    struct item *filed = arena_array(keep, struct item, n + 1);
    for (int i = 0; i < n; i++) filed[i] = (struct item){company_id, arena_strdup(keep, ids[i]), cutoff};
    each(e, retire, filed, n);
    for (int page = 0; page < PAGES_MAX && (page == 0 || after); page++) {
        struct graph_incident *found;
        engine_unit(e);
        TRY(graph_incidents(e->db, company_id, after, &found, &n, &after));
        after = after ? arena_strdup(keep, after) : NULL;
        struct item *items = arena_array(keep, struct item, n + 1);
        for (int i = 0; i < n; i++)
            items[i] = (struct item){company_id, arena_strdup(keep, found[i].source.id), cutoff};
        each(e, escalate, items, n);
    }
    return OK;
}

err_t graph_liveness_pass(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    struct instance_settings s;
    const char **found;
    int n;
    TRY(instance_settings_get(e->db, &s));
    if (!instance_experiment(&s, "enableIssueGraphLivenessAutoRecovery")) return OK;
    instant_t cutoff = clock_now() - instance_lookback_hours(&s) * HOUR_MS;
    TRY(graph_companies(e->db, &found, &n));
    const char **companies = arena_array(&keep, const char *, n + 1);
    for (int i = 0; i < n; i++) companies[i] = arena_strdup(&keep, found[i]);
    for (int i = 0; i < n; i++) {
        err_t err = company_pass(e, &keep, companies[i], cutoff);
        if (err) engine_failed(e, "graph_liveness", err);
    }
    return OK;
}

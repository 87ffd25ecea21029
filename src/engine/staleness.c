/*
 * staleness: the periodic duty over agents that give no sign of life (EX-147,
 * step 4b). First every agent whose process is held by a supervisor of ours
 * beats; then those that work waits for are looked at, one transaction each.
 */
#include "model/staleness.h"
#include "base/log.h"
#include "engine/engine_internal.h"

#include <stdio.h>
#include <string.h>

#define PAGE 200

static err_t beat(struct engine *e, void *arg) { return agent_beat(e->db, arg); }

/* A link to the supervisor is there as long as the agent's process is (EX-145). */
static void beat_the_living(struct engine *e)
{
    for (struct live_run *r = e->runs; r; r = r->next) {
        bool seen = r->link.fd < 0;
        for (struct live_run *k = e->runs; k != r && !seen; k = k->next)
            seen = k->link.fd >= 0 && strcmp(k->agent_id, r->agent_id) == 0;
        if (seen) continue;
        engine_unit(e);
        err_t err = engine_tx(e, r->company_id, beat, (void *)(uintptr_t)r->agent_id);
        if (err) engine_failed(e, "beat", err);
    }
}

struct look {
    struct stale_candidate who;
    struct staleness_view view;
};

static err_t treat(struct engine *e, void *arg)
{
    const struct look *l = arg;
    const char *did;
    TRY(staleness_treat(e->db, l->who.agent_id, &l->view, &did));
    if (did) log_info("staleness", "agent=%s step=%s", l->who.agent_id, did);
    return OK;
}

err_t staleness_pass(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    struct stale_candidate *page;
    int n;
    beat_the_living(e);
    engine_unit(e);
    TRY(staleness_page(e->db, *e->stale_seen ? e->stale_seen : NULL, PAGE, &page, &n));
    struct look *looks = arena_array(&keep, struct look, n + 1);
    for (int i = 0; i < n; i++)
        looks[i] = (struct look){{arena_strdup(&keep, page[i].company_id), arena_strdup(&keep, page[i].agent_id)},
                                 {e->started_at, engine_slots_left(e) <= 0}};
    snprintf(e->stale_seen, sizeof e->stale_seen, "%s", n == PAGE ? looks[n - 1].who.agent_id : "");
    for (int i = 0; i < n; i++) {
        engine_unit(e);
        err_t err = engine_tx(e, looks[i].who.company_id, treat, &looks[i]);
        if (err) engine_failed(e, "staleness", err);
    }
    return OK;
}

/* live: the claimed runs this server looks after, in memory only; rows say the same after a restart. */
#include "base/settings.h"
#include "engine/engine_internal.h"

#include <stdlib.h>
#include <string.h>

struct live_run *live_find(struct engine *e, const char *run_id)
{
    for (struct live_run *r = e->runs; r; r = r->next)
        if (strcmp(r->run_id, run_id) == 0) return r;
    return NULL;
}

const char *engine_log_path(const struct engine *e, struct arena *a, const struct run *run)
{
    const char *root =
        *settings.run_log_dir ? settings.run_log_dir : arena_printf(a, "%s/data/run-logs", e->opt.data_dir);
    return arena_printf(a, "%s/%s/%s/%s.ndjson", root, run->company_id, run->agent_id, run->id);
}

struct live_run *live_add(struct engine *e, const struct run *run)
{
    struct live_run *r = calloc(1, sizeof *r);
    if (r == NULL) abort();
    r->engine = e;
    r->link.fd = -1;
    r->run_id = arena_strdup(&r->arena, run->id);
    r->company_id = arena_strdup(&r->arena, run->company_id);
    r->agent_id = arena_strdup(&r->arena, run->agent_id);
    r->issue_id = arena_strdup(&r->arena, run->issue_id);
    r->run_dir = arena_printf(&r->arena, "%s/runs/%s", e->opt.data_dir, run->id);
    r->log_path = engine_log_path(e, &r->arena, run);
    r->grace_ms = 15000;
    r->next = e->runs;
    r->link_to_me = &e->runs;
    if (e->runs) e->runs->link_to_me = &r->next;
    e->runs = r;
    e->run_count++;
    return r;
}

static void live_free(struct live_run *r)
{
    arena_free(&r->arena);
    free(r);
}

static void poll_closed(uv_handle_t *h) { live_free(h->data); }

void live_drop(struct live_run *r)
{
    *r->link_to_me = r->next;
    if (r->next) r->next->link_to_me = r->link_to_me;
    r->engine->run_count--;
    if (r->polled) {
        uv_poll_stop(&r->poll);
        atomic_fetch_sub(&r->engine->attached, 1);
    }
    shim_link_close(&r->link);
    if (r->polled) uv_close((uv_handle_t *)&r->poll, poll_closed);
    else live_free(r);
}

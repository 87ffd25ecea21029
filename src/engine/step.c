/*
 * step: one look at everything that may be due, in order, and the units of work
 * it is made of. Knows nothing of threads, loops and processes: the simulator
 * runs the same code.
 */
#include "base/settings.h"
#include "engine/workspace.h"
#include "model/suppression.h"

void engine_unit(struct engine *e)
{
    arena_reset(&e->arena);
    json_arena(&e->arena);
    db_use(e->db, &e->arena);
}

err_t engine_tx(struct engine *e, const char *company_id, err_t (*fn)(struct engine *e, void *arg), void *arg)
{
    err_t err = OK;
    for (int i = 0; i < DB_RETRY_MAX; i++) {
        TRY(db_begin(e->db, company_id));
        err = fn(e, arg);
        if (err == OK) err = db_commit(e->db);
        if (err) db_rollback(e->db);
        if (err == OK || !err->retry) break;
    }
    return err;
}

void engine_passes(struct engine *e, instant_t now)
{
    cancels_pass(e);
    timers_pass(e);
    monitors_pass(e);
    if (now >= e->next_tick) {
        e->next_tick = now + settings.tick_ms;
        engine_unit(e);
        err_t err = suppression_refresh(e->db); /* another server may have changed it */
        if (err) engine_failed(e, "suppression", err);
        if (settings.scheduler_enabled) sweep_pass(e);
    }
    dispatch_pass(e);
    engine_unit(e);
    err_t err = workspace_cleanup_pass(e);
    if (err) engine_failed(e, "workspaces", err);
}

instant_t engine_due(const struct engine *e)
{
    instant_t due = e->next_tick;
    if (!settings.scheduler_enabled || scheduling_suppressed()) return due; /* what is overdue rests, and wakes nobody */
    if (e->next_retry != INSTANT_NONE && e->next_retry < due) due = e->next_retry;
    if (e->next_monitor != INSTANT_NONE && e->next_monitor < due) due = e->next_monitor;
    if (e->next_timer != INSTANT_NONE && e->next_timer < due) due = e->next_timer;
    return due;
}

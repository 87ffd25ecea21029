/*
 * actions: the periodic duty over recovery actions (EX-125, EX-127): each open
 * one is folded when its source moved on, else gets its next owner wake, else
 * goes to the board when its bound is reached. A page per pass; the next pass
 * goes on where this one ended.
 */
#include "base/log.h"
#include "engine/engine_internal.h"
#include "model/recovery_turn.h"

#include <stdio.h>

#define PAGE 200

static err_t take(struct engine *e, void *arg)
{
    const struct recovery_due *d = arg;
    const char *did;
    TRY(recovery_turn_take(e->db, d->id, &did));
    if (did) log_info("actions", "action=%s step=%s", d->id, did);
    return OK;
}

err_t actions_pass(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    struct recovery_due *due;
    int n;
    TRY(recovery_due_page(e->db, *e->action_seen ? e->action_seen : NULL, PAGE, &due, &n));
    struct recovery_due *kept = arena_array(&keep, struct recovery_due, n + 1);
    for (int i = 0; i < n; i++)
        kept[i] = (struct recovery_due){arena_strdup(&keep, due[i].company_id), arena_strdup(&keep, due[i].id)};
    snprintf(e->action_seen, sizeof e->action_seen, "%s", n == PAGE ? kept[n - 1].id : "");
    for (int i = 0; i < n; i++) {
        engine_unit(e);
        err_t err = engine_tx(e, kept[i].company_id, take, &kept[i]);
        if (err) engine_failed(e, "actions", err);
    }
    return OK;
}

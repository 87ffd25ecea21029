/* monitors: looks that are due (EX-94). One transaction per issue; a failing one
 * does not keep the others, and is looked at again. */
#include "base/log.h"
#include "base/settings.h"
#include "engine/engine_internal.h"
#include "model/monitor.h"
#include "model/suppression.h"

#define BATCH 50
#define AGAIN_MS (5 * SECOND_MS) /* after a failure */

static err_t look(struct engine *e, void *arg)
{
    static const char *const names[] = {"nothing", "woken", "rearmed", "cleared", "exhausted"};
    const struct monitor_due *d = arg;
    enum monitor_look did;
    TRY(monitor_look(e->db, d->issue_id, &did));
    log_debug("monitor", "issue=%s did=%s", d->issue_id, names[did]);
    return OK;
}

void monitors_pass(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    struct monitor_due found[BATCH], *due = arena_array(&keep, struct monitor_due, BATCH);
    int n = 0;
    if (!settings.scheduler_enabled || scheduling_suppressed()) return;
    engine_unit(e);
    err_t err = monitor_due_page(e->db, BATCH, found, &n, &e->next_monitor);
    if (err) {
        engine_failed(e, "monitors", err);
        e->next_monitor = clock_now() + AGAIN_MS;
        return;
    }
    for (int i = 0; i < n; i++)
        due[i] = (struct monitor_due){arena_strdup(&keep, found[i].company_id), arena_strdup(&keep, found[i].issue_id)};
    for (int i = 0; i < n; i++) {
        engine_unit(e);
        err = engine_tx(e, due[i].company_id, look, &due[i]);
        if (err) engine_failed(e, "monitors", err);
    }
}

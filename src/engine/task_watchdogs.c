/*
 * task_watchdogs: the periodic duty over watched trees (step 3c of EX-113): each
 * watchdog looks at its tree in a transaction of its own.
 */
#include "base/log.h"
#include "engine/engine_internal.h"
#include "model/task_watchdog.h"

#define PAGE 100
#define PAGES_MAX 20

struct item {
    const char *company_id, *id;
};

static err_t look(struct engine *e, void *arg)
{
    const struct item *i = arg;
    enum watchdog_state state;
    TRY(watchdog_evaluate(e->db, i->id, &state));
    if (state == WATCHDOG_STOPPED) log_info("watchdog.stopped", "watchdog=%s", i->id);
    return OK;
}

err_t task_watchdogs_pass(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    const char *after = NULL;
    for (int page = 0; page < PAGES_MAX; page++) {
        struct watchdog *found;
        int n;
        engine_unit(e);
        TRY(watchdog_page(e->db, after, PAGE, &found, &n));
        struct item *items = arena_array(&keep, struct item, n + 1);
        for (int i = 0; i < n; i++)
            items[i] = (struct item){arena_strdup(&keep, found[i].company_id), arena_strdup(&keep, found[i].id)};
        for (int i = 0; i < n; i++) {
            engine_unit(e);
            err_t err = engine_tx(e, items[i].company_id, look, &items[i]);
            if (err) engine_failed(e, "task_watchdogs", err);
        }
        if (n < PAGE) break;
        after = items[n - 1].id;
    }
    return OK;
}

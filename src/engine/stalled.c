/*
 * stalled: the periodic duty over work that nothing moves (EX-97…101). A few
 * pages per pass; the next pass goes on where this one ended, so that a long
 * list of waiting issues never hides a dead one. One bad issue does not stop it
 * (EX-104).
 */
#include "model/stalled.h"
#include "base/log.h"
#include "base/rare.h"
#include "base/settings.h"
#include "engine/engine_internal.h"
#include "rules/recovery.h"

#include <stdio.h>

#define PAGE 200
#define PAGES_MAX 10

static err_t treat(struct engine *e, void *arg)
{
    const struct stalled *s = arg;
    enum stalled_step step;
    TRY(stalled_treat(e->db, s->issue_id, &step));
    if (step != STALLED_NOTHING)
        log_info("stalled", "issue=%s step=%s", s->issue_id, step == STALLED_WOKEN ? "woken" : "escalated");
    return OK;
}

err_t stalled_pass(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    if (recovery_mode(settings.auto_recovery) == RECOVERY_OFF) return OK;
    for (int page = 0; page < PAGES_MAX; page++) {
        struct stalled *found, last;
        int n;
        engine_unit(e);
        const struct stalled after = {*e->stalled_company ? e->stalled_company : NULL,
                                      *e->stalled_issue ? e->stalled_issue : NULL};
        TRY(stalled_page(e->db, &after, (int)rare_value("stalled.page", PAGE, 1), &found, &n, &last));
        snprintf(e->stalled_company, sizeof e->stalled_company, "%s", last.company_id ? last.company_id : "");
        snprintf(e->stalled_issue, sizeof e->stalled_issue, "%s", last.issue_id ? last.issue_id : "");
        struct stalled *kept = arena_array(&keep, struct stalled, n + 1);
        for (int i = 0; i < n; i++)
            kept[i] =
                (struct stalled){arena_strdup(&keep, found[i].company_id), arena_strdup(&keep, found[i].issue_id)};
        for (int i = 0; i < n; i++) {
            engine_unit(e);
            err_t err = engine_tx(e, kept[i].company_id, treat, &kept[i]);
            if (err) engine_failed(e, "stalled", err);
        }
        if (last.issue_id == NULL) break; /* the end: from the start next time */
    }
    return OK;
}

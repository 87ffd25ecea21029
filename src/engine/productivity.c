/*
 * productivity: the periodic duty over agents that are busy without getting
 * anywhere (step 5 of EX-113). One transaction an issue.
 */
#include "model/productivity.h"
#include "base/log.h"
#include "base/settings.h"
#include "engine/engine_internal.h"

#define BATCH 250

static err_t treat(struct engine *e, void *arg)
{
    const struct productivity_item *i = arg;
    enum productivity_act act;
    TRY(productivity_treat(e->db, i->issue_id, &act));
    if (act == PRODUCTIVITY_ASK) log_info("productivity.review", "issue=%s", i->issue_id);
    return OK;
}

err_t productivity_pass(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    struct productivity_item *found;
    int n;
    if (!settings.productivity_reviews) return OK;
    TRY(productivity_candidates(e->db, BATCH, &found, &n));
    struct productivity_item *items = arena_array(&keep, struct productivity_item, n + 1);
    for (int i = 0; i < n; i++)
        items[i] = (struct productivity_item){arena_strdup(&keep, found[i].company_id),
                                              arena_strdup(&keep, found[i].issue_id)};
    for (int i = 0; i < n; i++) {
        engine_unit(e);
        err_t err = engine_tx(e, items[i].company_id, treat, &items[i]);
        if (err) engine_failed(e, "productivity", err);
    }
    return OK;
}

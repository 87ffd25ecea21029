/* silence: the periodic duty over runs that say nothing (EX-140, step 4). */
#include "model/silence.h"
#include "base/log.h"
#include "engine/engine_internal.h"

#define BATCH 100

static err_t treat(struct engine *e, void *arg)
{
    const struct silent *s = arg;
    const char *did;
    TRY(silence_treat(e->db, s->run_id, &did));
    if (did) log_info("silence", "run=%s step=%s", s->run_id, did);
    return OK;
}

err_t silence_pass(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    struct silent *page;
    int n;
    TRY(silence_page(e->db, BATCH, &page, &n));
    struct silent *kept = arena_array(&keep, struct silent, n + 1);
    for (int i = 0; i < n; i++)
        kept[i] = (struct silent){arena_strdup(&keep, page[i].company_id), arena_strdup(&keep, page[i].run_id)};
    for (int i = 0; i < n; i++) {
        engine_unit(e);
        err_t err = engine_tx(e, kept[i].company_id, treat, &kept[i]);
        if (err) engine_failed(e, "silence", err);
    }
    return OK;
}

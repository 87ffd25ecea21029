/* orphans: the periodic duty over blockers that nobody owns (EX-108), at the end of the pass over stranded work. */
#include "base/log.h"
#include "base/settings.h"
#include "engine/engine_internal.h"
#include "model/orphan.h"
#include "rules/recovery.h"

#define BATCH 100

static err_t adopt(struct engine *e, void *arg)
{
    const struct orphan *o = arg;
    bool done;
    TRY(orphan_adopt(e->db, o->issue_id, &done));
    if (done) log_info("orphans", "issue=%s step=adopted", o->issue_id);
    return OK;
}

err_t orphans_pass(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    struct orphan *page;
    int n;
    if (recovery_mode(settings.auto_recovery) != RECOVERY_FULL) return OK;
    TRY(orphan_page(e->db, BATCH, &page, &n));
    struct orphan *kept = arena_array(&keep, struct orphan, n + 1);
    for (int i = 0; i < n; i++)
        kept[i] = (struct orphan){arena_strdup(&keep, page[i].company_id), arena_strdup(&keep, page[i].issue_id)};
    for (int i = 0; i < n; i++) {
        engine_unit(e);
        err_t err = engine_tx(e, kept[i].company_id, adopt, &kept[i]);
        if (err) engine_failed(e, "orphans", err);
    }
    return OK;
}

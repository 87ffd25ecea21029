/* backstop: a duty of the sweep, dependents that were never told (EX-79). One page
 * a pass; the next pass goes on where this one ended. */
#include "model/backstop.h"
#include "base/log.h"
#include "engine/engine_internal.h"

#include <stdio.h>

#define PAGE 500

static err_t treat(struct engine *e, void *arg)
{
    const struct backstop_item *i = arg;
    bool woken;
    TRY(backstop_treat(e->db, i->issue_id, &woken));
    if (woken) log_info("backstop", "issue=%s", i->issue_id);
    return OK;
}

err_t backstop_pass(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    struct backstop_item *found;
    int n;
    TRY(backstop_page(e->db, *e->backstop_issue ? e->backstop_issue : NULL, PAGE, &found, &n));
    struct backstop_item *kept = arena_array(&keep, struct backstop_item, n + 1);
    for (int i = 0; i < n; i++)
        kept[i] =
            (struct backstop_item){arena_strdup(&keep, found[i].company_id), arena_strdup(&keep, found[i].issue_id)};
    snprintf(e->backstop_issue, sizeof e->backstop_issue, "%s", n == PAGE ? kept[n - 1].issue_id : "");
    for (int i = 0; i < n; i++) {
        engine_unit(e);
        err_t err = engine_tx(e, kept[i].company_id, treat, &kept[i]);
        if (err) engine_failed(e, "backstop", err);
    }
    return OK;
}

/* staleness: the verdict. */
#include "rules/staleness.h"

instant_t staleness_since(const struct staleness_facts *f)
{
    instant_t since = f->last_beat;
    if (f->strict) return since;
    if (f->demand_since != INSTANT_NONE && f->demand_since > since) since = f->demand_since;
    return f->watched_since > since ? f->watched_since : since;
}

enum staleness staleness_judge(const struct staleness_facts *f, instant_t now)
{
    bool reported = f->reported_beat != INSTANT_NONE;
    if (reported && f->last_beat > f->reported_beat) return STALENESS_RESUMED;
    if (f->demand_since == INSTANT_NONE) return reported ? STALENESS_IDLE : STALENESS_NONE;
    if (reported || f->slots_full) return STALENESS_NONE; /* once per window */
    return now - staleness_since(f) > f->threshold_ms ? STALENESS_REPORT : STALENESS_NONE;
}

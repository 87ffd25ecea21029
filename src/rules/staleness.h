/*
 * staleness: is an agent's adapter wedged, or is the agent merely idle
 * (EX-145…148)? Pure. Only work that waits for an agent makes its silence
 * suspicious; an agent's status is never evidence of life.
 */
#ifndef BULLDOG_RULES_STALENESS_H
#define BULLDOG_RULES_STALENESS_H

#include "base/clock.h"

#include <stdbool.h>

struct staleness_facts {
    instant_t last_beat;     /* the last heartbeat, else the agent's birth */
    instant_t demand_since;  /* since when work waits for it; INSTANT_NONE: none does */
    instant_t watched_since; /* since when a server has been there to hear it */
    instant_t reported_beat; /* the beat after which it was reported as silent; INSTANT_NONE: it was not */
    bool slots_full;         /* no run of it could start: the server's slots are taken */
    int64_t threshold_ms;
    bool strict; /* any open assignment counts, whatever explains its rest */
};
enum staleness {
    STALENESS_NONE,    /* nothing to do */
    STALENESS_REPORT,  /* silent for too long: open an action */
    STALENESS_RESUMED, /* it was reported, and beats again */
    STALENESS_IDLE,    /* it was reported, and nothing waits for it any more */
};
enum staleness staleness_judge(const struct staleness_facts *f, instant_t now);
/* Since when its silence counts. */
instant_t staleness_since(const struct staleness_facts *f);

#endif

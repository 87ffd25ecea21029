/*
 * staleness: agents whose adapter gives no sign of life while work waits for
 * them (EX-145…148). Heartbeats are told here; the pass reports a silent agent
 * once per silence, with a recovery action on the issue that waits most, and
 * takes the report back with the next beat.
 */
#ifndef BULLDOG_MODEL_STALENESS_H
#define BULLDOG_MODEL_STALENESS_H

#include "store/entity.h"

/* A sign of life now. */
err_t agent_beat(struct db *db, const char *agent_id) MUST_CHECK;

struct stale_candidate {
    const char *company_id, *agent_id;
};
/* Agents that may be silent or were reported as such, by id after the given one (NULL: the first); read only. */
err_t staleness_page(struct db *db, const char *after_id, int limit, struct stale_candidate **out,
                     int *count) MUST_CHECK;

struct staleness_view {
    instant_t watched_since; /* since when this server has been listening */
    bool slots_full;
};
/* Looks at one agent inside the caller's transaction, and acts. *did: a word for the log, or NULL. */
err_t staleness_treat(struct db *db, const char *agent_id, const struct staleness_view *v, const char **did) MUST_CHECK;

#endif

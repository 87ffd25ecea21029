/* influence: what one run writes to issues other than its own is counted and bounded (IS-10). */
#ifndef BULLDOG_MODEL_INFLUENCE_H
#define BULLDOG_MODEL_INFLUENCE_H

#include "model/actor.h"
#include "store/entity.h"

#define INFLUENCE_MAX 20

enum influence { INFLUENCE_OK, INFLUENCE_NO_RUN, INFLUENCE_OVER };
/* The actor is an agent. NO_RUN: the request names no run of it that works on an
 * issue. OK on another issue has been recorded as one more touch. */
err_t influence_observe(struct db *db, const struct actor *actor, const struct issue *target, enum influence *out,
                        int *count) MUST_CHECK;

#endif

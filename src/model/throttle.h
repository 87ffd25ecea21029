/* throttle: the re-wake throttle (EX-37, AR-62): runs that changed nothing make
 * the next automatic wake wait, longer each time, until new input arrives. */
#ifndef BULLDOG_MODEL_THROTTLE_H
#define BULLDOG_MODEL_THROTTLE_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

/* Only candidate wakes wait: automatic ones, and comments written by agents.
 * payload gets heartbeatSkip when *throttled. */
err_t throttle_check(struct db *db, const struct agent *agent, const struct issue *issue, const struct actor *requester,
                     const char *reason, bool has_comment, json_t *payload, bool *throttled) MUST_CHECK;

#endif

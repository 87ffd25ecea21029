/* goal: what a company is after (GV-25…28). */
#ifndef BULLDOG_MODEL_GOAL_H
#define BULLDOG_MODEL_GOAL_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

err_t goal_get(struct db *db, const char *id, struct goal *out, bool *found) MUST_CHECK;

#endif

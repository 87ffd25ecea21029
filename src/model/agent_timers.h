/* agent_timers: who is woken by a timer, over all companies (AR-38). */
#ifndef BULLDOG_MODEL_AGENT_TIMERS_H
#define BULLDOG_MODEL_AGENT_TIMERS_H

#include "base/json.h"
#include "store/entity.h"

/* An array of all agents that may run: active timers first, then by company and name. */
err_t agent_timers_write(struct db *db, struct jw *w) MUST_CHECK;

#endif

/* runtime_state: what an agent carries from run to run: its session and its totals (AR-75). */
#ifndef BULLDOG_MODEL_RUNTIME_STATE_H
#define BULLDOG_MODEL_RUNTIME_STATE_H

#include "model/actor.h"
#include "store/entity.h"

/* The row, or what a new row would say. */
err_t runtime_state_get(struct db *db, const struct agent *agent, struct runtime_state *out) MUST_CHECK;
/* Forgets the session; without a task key its state too. Activity agent.runtime_session_reset. */
err_t runtime_state_reset(struct db *db, const struct actor *actor, const struct agent *agent, const char *task_key,
                          struct runtime_state *out) MUST_CHECK;

#endif

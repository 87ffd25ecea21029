/* runtime_state: what an agent carries from run to run: its session and its totals (AR-75). */
#ifndef BULLDOG_MODEL_RUNTIME_STATE_H
#define BULLDOG_MODEL_RUNTIME_STATE_H

#include "model/actor.h"
#include "store/entity.h"

/* The row, or what a new row would say. */
err_t runtime_state_get(struct db *db, const struct agent *agent, struct runtime_state *out) MUST_CHECK;
/* Forgets the session of one task, or without a key those of all tasks and the
 * state; *cleared: how many. Activity agent.runtime_session_reset. */
err_t runtime_state_reset(struct db *db, const struct actor *actor, const struct agent *agent, const char *task_key,
                          struct runtime_state *out, int64_t *cleared) MUST_CHECK;
/* Sessions kept for tasks, the one used last first. */
err_t task_session_list(struct db *db, const char *agent_id, struct task_session **rows, int *n) MUST_CHECK;

#endif

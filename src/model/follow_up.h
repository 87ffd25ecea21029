/*
 * follow_up: an automatic run that goes on where another one ended (EX-24,
 * EX-64). It inherits the run's issue, person and lock; how many there may be in
 * a row without a trace of work is bounded, whatever each of them is for.
 */
#ifndef BULLDOG_MODEL_FOLLOW_UP_H
#define BULLDOG_MODEL_FOLLOW_UP_H

#include "model/actor.h"
#include "model/wake_internal.h"

/* A successor of `run` with its own wake row; the lock moves to it. The
 * seed gives what is special: status, counters, retry times. */
err_t follow_up_run(struct db *db, const struct run *run, json_t *context, const char *reason, const char *retry_reason,
                    struct run_seed seed, struct run *out) MUST_CHECK;
/* EX-64: counts up the chain to the last run that left a trace on the issue. */
err_t follow_up_budget_spent(struct db *db, const struct run *run, bool *spent) MUST_CHECK;

#endif

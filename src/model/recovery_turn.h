/*
 * recovery_turn: keeps an open action moving (EX-124, EX-125): its owner is
 * woken at most execution.recoveryActionMaxAttempts times, then, or after
 * execution.recoveryActionTimeoutSec, it is the board's, and rests there.
 */
#ifndef BULLDOG_MODEL_RECOVERY_TURN_H
#define BULLDOG_MODEL_RECOVERY_TURN_H

#include "model/recovery_action.h"

/* Wakes the owner for the action's present attempt, when its policy says so. */
err_t recovery_wake_owner(struct db *db, const struct recovery_action *a) MUST_CHECK;

/* Open actions that may have something due, by id after the given one (NULL: the first); read only. */
struct recovery_due {
    const char *company_id, *id;
};
err_t recovery_due_page(struct db *db, const char *after_id, int limit, struct recovery_due **out,
                        int *count) MUST_CHECK;
/* Folds the action, or takes its next turn, inside the caller's transaction. *did: a word for the log, or NULL. */
err_t recovery_turn_take(struct db *db, const char *action_id, const char **did) MUST_CHECK;
/* The board's from now on. */
err_t recovery_turn_escalate(struct db *db, struct recovery_action *a, const char *why) MUST_CHECK;

#endif

/*
 * checkout: who holds an issue while it is worked on (IS §10, EX-18…23). The
 * two run columns are one lock: they are given and taken together.
 */
#ifndef BULLDOG_MODEL_CHECKOUT_H
#define BULLDOG_MODEL_CHECKOUT_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

struct checkout_request {
    const struct agent *agent;   /* for whom; checked by the caller to be the actor, if that is an agent */
    const char *const *expected; /* statuses */
    int expected_count;
};
/* Takes the issue, or 409 naming the holder. *issue becomes the new row. Taking
 * what one holds changes and records nothing. */
err_t checkout_take(struct db *db, const struct actor *actor, const struct checkout_request *q,
                    struct issue *issue) MUST_CHECK;

/* IS-62: the acting run owns the checkout of the actor's own work in progress;
 * an unowned or stale lock is adopted. Else 409 "Issue run ownership conflict". */
err_t checkout_assert_owner(struct db *db, const struct actor *actor, struct issue *issue) MUST_CHECK;

err_t checkout_release(struct db *db, const struct actor *actor, struct issue *issue) MUST_CHECK;
/* BOARD: clears the lock, optionally the assignee; promotes what waited (EX-23 BETTER). */
err_t checkout_force_release(struct db *db, const struct actor *actor, bool clear_assignee,
                             struct issue *issue) MUST_CHECK;

#endif

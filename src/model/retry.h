/*
 * retry: what a run that ended badly may try again, in its own finalizing
 * transaction (EX-60…64): one retry after a lost process, four after transient
 * errors or used-up quota, a few more turns where the agent's policy grants
 * them. Scheduled ones become queued when they are due and still wanted.
 */
#ifndef BULLDOG_MODEL_RETRY_H
#define BULLDOG_MODEL_RETRY_H

#include "model/follow_up.h"

/* Sets e->followed when a retry stands; the issue's lock is then the retry's. */
err_t retry_settle(struct db *db, struct ended *e) MUST_CHECK;

/* Due scheduled retries become queued, are cancelled with a reason, or asked again later (EX-62). next: the earliest one left. */
err_t retry_promote_due(struct db *db, int limit, int *promoted, instant_t *next) MUST_CHECK;

/* EX-63: the board does not want to wait. */
struct retry_now {
    const char *outcome; /* promoted, already_promoted, no_scheduled_retry, gate_suppressed */
    const char *message;
    struct run run; /* id NULL: none */
};
err_t retry_now(struct db *db, const struct actor *actor, const struct issue *issue, struct retry_now *out) MUST_CHECK;
/* "<key>": the retry as issues show it, or null. */
void retry_write(struct jw *w, const char *key, const struct run *retry);

#endif

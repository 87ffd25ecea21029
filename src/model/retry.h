/*
 * retry: what a run that ended badly may try again, in its own finalizing
 * transaction (EX-60…64). One retry after a lost process, four after transient
 * errors; scheduled ones become queued when they are due and still wanted.
 */
#ifndef BULLDOG_MODEL_RETRY_H
#define BULLDOG_MODEL_RETRY_H

#include "base/json.h"
#include "store/entity.h"

/* A lost process: one queued retry (EX-60). *queued false: used up, or the outcome is better left alone. */
err_t retry_process_loss(struct db *db, const struct run *run, json_t *context, bool *queued) MUST_CHECK;
/* A transient error: a scheduled_retry with backoff (EX-61). */
err_t retry_transient(struct db *db, const struct run *run, json_t *context, instant_t not_before,
                      bool *scheduled) MUST_CHECK;
/* Due scheduled retries become queued or are cancelled with a reason (EX-62). next: the earliest one left. */
err_t retry_promote_due(struct db *db, int limit, int *promoted, instant_t *next) MUST_CHECK;

#endif

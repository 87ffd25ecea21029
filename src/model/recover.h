/*
 * recover: what follows a run that ended badly, in its own finalizing
 * transaction (EX-60, EX-61, EX-67). Every path is bounded: one retry after a
 * lost process, four after transient errors, one automatic continuation, then
 * the issue is blocked in the open with the board as owner.
 */
#ifndef BULLDOG_MODEL_RECOVER_H
#define BULLDOG_MODEL_RECOVER_H

#include "base/json.h"
#include "store/entity.h"

/* A lost process: one queued retry (EX-60). *queued false: used up, or the outcome is better left alone. */
err_t recover_process_loss(struct db *db, const struct run *run, json_t *context, bool *queued) MUST_CHECK;
/* A transient error: a scheduled_retry with backoff (EX-61). */
err_t recover_transient(struct db *db, const struct run *run, json_t *context, instant_t not_before, bool *scheduled) MUST_CHECK;
/* EX-67, after release and promotion found nothing: one continuation, else escalation. */
err_t recover_immediately(struct db *db, const struct run *run, json_t *context, bool *recovered) MUST_CHECK;
/* Due scheduled retries become queued or are cancelled with a reason (EX-62). next: the earliest one left. */
err_t recover_promote_due(struct db *db, int limit, int *promoted, instant_t *next) MUST_CHECK;

#endif

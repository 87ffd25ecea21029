/*
 * recover: what follows a run that ended badly when no retry does, in its own
 * finalizing transaction (EX-67): one automatic continuation, then the issue is
 * blocked in the open with the board as owner.
 */
#ifndef BULLDOG_MODEL_RECOVER_H
#define BULLDOG_MODEL_RECOVER_H

#include "base/json.h"
#include "store/entity.h"

/* EX-67, after release and promotion found nothing: one continuation, else escalation. */
err_t recover_immediately(struct db *db, const struct run *run, json_t *context, bool *recovered) MUST_CHECK;

#endif

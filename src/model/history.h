/* history: what the engine decided about an issue, in order, each with its reason
 * code: put together from wakes, runs, activity and engine_decisions. */
#ifndef BULLDOG_MODEL_HISTORY_H
#define BULLDOG_MODEL_HISTORY_H

#include "base/json.h"
#include "store/entity.h"

#define HISTORY_LIST_MAX 1000

/* {issueId, identifier, entries: [{at, decision, reason, count, lastAt, agentId, agentName,
 * wakeId, runId, details}], more}: the newest `limit`, oldest first. */
err_t history_write(struct db *db, struct jw *w, const struct issue *issue, int limit) MUST_CHECK;

#endif

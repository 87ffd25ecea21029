/*
 * decision: what the engine decided about an issue and has no row to show for
 * (rules/history reads the rest from wakes, runs and activity). One insert in the
 * transaction of the decision; rows age out after execution.decisionRetentionDays.
 */
#ifndef BULLDOG_MODEL_DECISION_H
#define BULLDOG_MODEL_DECISION_H

#include "base/json.h"
#include "store/db.h"

struct decision {
    const char *company_id, *issue_id;
    const char *agent_id, *run_id, *wake_id; /* what it was about, or NULL */
    const char *decision; /* admitted, coalesced, skipped, deferred, promoted, gated, recovered, folded */
    const char *reason;   /* a reason code */
    json_t *details;      /* object or NULL */
    const char *subject;  /* set: a condition that is found again each pass; told once (no write on a repeat) */
};
err_t decision_record(struct db *db, const struct decision *d) MUST_CHECK;
/* Forgets what is older; *n: how many. */
err_t decision_prune(struct db *db, instant_t before, int64_t *n) MUST_CHECK;

#endif

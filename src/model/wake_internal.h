/* wake_internal: what wake.c shares with the rooms that promote and retry. */
#ifndef BULLDOG_MODEL_WAKE_INTERNAL_H
#define BULLDOG_MODEL_WAKE_INTERNAL_H

#include "base/json.h"
#include "store/entity.h"

/* May this deferred wake become a queued run now? *why: NULL, or the typed reason against it. */
err_t wake_promotable(struct db *db, const struct wake *wake, const struct agent *agent, const struct issue *issue,
                      json_t *context, const char **why) MUST_CHECK;
/* deferred row → queued row + queued run with the stored context (EX-66). */
err_t wake_promote(struct db *db, const struct wake *wake, const struct agent *agent, const struct issue *issue,
                   json_t *context) MUST_CHECK;

struct run_seed {
    const char *company_id, *agent_id, *issue_id, *invocation_source, *trigger_detail, *responsible_user_id;
    const char *wakeup_request_id;
    json_t *context;    /* object */
    const char *status; /* queued or scheduled_retry */
    const char *retry_of_run_id, *scheduled_retry_reason;
    instant_t scheduled_retry_at;
    int64_t scheduled_retry_attempt, process_loss_retry_count, continuation_attempt;
    const char *idempotency_key; /* of its wake, when that is made with it (follow_up) */
};
/* Inserts a run and its data; publishes heartbeat.run.queued; pokes the engine. */
err_t run_insert(struct db *db, const struct run_seed *seed, struct run *out) MUST_CHECK;

#endif

/*
 * wake: a request that an agent runs (EX §5, AR §11). wake_enqueue is the one
 * entry point: it runs inside the transaction of the mutation that causes the
 * wake (outbox: a crash cannot lose it, EX-38) and leaves exactly one durable
 * row change (EX-28), whatever it decides.
 */
#ifndef BULLDOG_MODEL_WAKE_H
#define BULLDOG_MODEL_WAKE_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

struct wake_request {
    const char *agent_id;
    const char *source;         /* timer, assignment, on_demand, automation; default on_demand */
    const char *trigger_detail; /* manual, ping, callback, system … or NULL */
    const char *reason;         /* wake reason (EX §5.3) or NULL */
    json_t *payload;            /* object or NULL; issueId / taskId name the issue */
    json_t *context;            /* seed of the run's contextSnapshot, object or NULL */
    const char *idempotency_key;
    bool force_fresh_session;
};

enum wake_outcome { WAKE_QUEUED, WAKE_COALESCED, WAKE_DEFERRED, WAKE_SKIPPED };

struct wake_result {
    enum wake_outcome outcome;
    const char *reason;  /* why not queued: issue_execution_deferred, agent.not_invokable … */
    const char *wake_id; /* the row */
    const char *run_id;  /* queued or absorbing run, or NULL */
    err_t refusal;       /* what a direct caller (wakeup route) must answer, or NULL: 409, 404, 422.
                            The row is written all the same, so callers that only cause wakes ignore it. */
};

err_t wake_enqueue(struct db *db, const struct actor *requester, const struct wake_request *req, struct wake_result *out) MUST_CHECK;

/* One mutation yields at most one wake per (agent, issue): a later entry for the
 * same pair replaces an earlier one (EX-38). */
struct wake_batch {
    struct arena *arena; /* set by the caller: {.arena = a} */
    struct wake_request *items;
    const char **issue_ids;
    int count, capacity;
};
void wake_batch_add(struct wake_batch *b, const char *issue_id, const struct wake_request *w);
err_t wake_batch_flush(struct db *db, const struct actor *requester, struct wake_batch *b) MUST_CHECK;

#endif

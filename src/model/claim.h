/*
 * claim: queued → running, the only way a run starts (EX-44…47, AR-47…50). One
 * transaction per agent moves as many of its queued runs as it has slots: run,
 * wake, lock, checkout, agent status and events together, owned by this node
 * (node id, epoch as fencing token, lease).
 */
#ifndef BULLDOG_MODEL_CLAIM_H
#define BULLDOG_MODEL_CLAIM_H

#include "model/instance.h"
#include "store/entity.h"

struct claim_scope {
    const struct node *node;
    int64_t slots_left; /* of this server, lowered by what is claimed */
};

/* A page of the agents with queued runs that may run, longest waiting first. */
err_t claim_candidates(struct db *db, int limit, int offset, const char ***agent_ids, const char ***company_ids, int *n) MUST_CHECK;
/* Runs the transaction's part for one agent; the caller begins and commits it. */
err_t claim_agent(struct db *db, const char *agent_id, struct claim_scope *s, struct run **started, int *n) MUST_CHECK;

#endif

/* recovery_owner: who is asked to repair a stuck issue (EX-123). */
#ifndef BULLDOG_MODEL_RECOVERY_OWNER_H
#define BULLDOG_MODEL_RECOVERY_OWNER_H

#include "model/recovery_action.h"

struct recovery_owner_query {
    const struct issue *issue;
    const char *cause;
    const char *run_agent_id; /* of the run that got stuck, or NULL */
    const char *preferred;    /* the first rung, or NULL */
    const char *excluded;     /* never this one, or NULL */
    bool board;               /* a person has to decide, whoever else could */
};
/* The first agent of the ladder that can be woken, else the board. */
err_t recovery_owner_find(struct db *db, const struct recovery_owner_query *q, struct recovery_owner *out) MUST_CHECK;
/* May this agent be asked: does it exist in the company, can it run, and do wakes reach it? */
err_t recovery_owner_can(struct db *db, const char *company_id, const char *agent_id, bool *yes) MUST_CHECK;

#endif

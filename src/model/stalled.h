/*
 * stalled: agent-owned work that nothing moves (EX-97…101). Finds it, asks
 * rules/explain, and does what is due: one recovery wake after
 * execution.dispatchTimeoutSec, escalation to the board after as long again.
 */
#ifndef BULLDOG_MODEL_STALLED_H
#define BULLDOG_MODEL_STALLED_H

#include "store/entity.h"

struct stalled {
    const char *company_id, *issue_id;
};
/* The next candidates in the order of (company, id), after the given one (NULLs: from the start); read only.
 * found: those of the page that explain calls dead. *last: where the page ended, an empty page has none. */
err_t stalled_page(struct db *db, const struct stalled *after, int limit, struct stalled **found, int *count,
                   struct stalled *last) MUST_CHECK;

enum stalled_step { STALLED_NOTHING, STALLED_WOKEN, STALLED_ESCALATED };
/* Looks again inside the caller's transaction, and acts on what it sees there (EX-106). */
err_t stalled_treat(struct db *db, const char *issue_id, enum stalled_step *step) MUST_CHECK;

#endif

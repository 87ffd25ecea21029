/*
 * backstop: dependents that were never told that the way is free (EX-79). The
 * wake comes with the change that frees it; this looks at the level, for what a
 * skipped wake or an older writer left behind.
 */
#ifndef BULLDOG_MODEL_BACKSTOP_H
#define BULLDOG_MODEL_BACKSTOP_H

#include "store/entity.h"

struct backstop_item {
    const char *company_id, *issue_id;
};
/* Blocked issues of agents all of whose blockers are done, after this id (NULL: from the start). */
err_t backstop_page(struct db *db, const char *after_id, int limit, struct backstop_item **rows, int *count) MUST_CHECK;
/* Looks again, and wakes the assignee once per resolution. */
err_t backstop_treat(struct db *db, const char *issue_id, bool *woken) MUST_CHECK;

#endif

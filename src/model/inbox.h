/* inbox: what an agent has on its desk (AR-26, IS-134). */
#ifndef BULLDOG_MODEL_INBOX_H
#define BULLDOG_MODEL_INBOX_H

#include "base/json.h"
#include "store/entity.h"

#define INBOX_ISSUES_MAX 500

/* An array: its issues in todo, in_progress and blocked, in the order of issue
 * lists, each with its live run and what blocks it. Three queries in all. */
err_t inbox_write_lite(struct db *db, struct jw *w, const struct agent *agent) MUST_CHECK;

#endif

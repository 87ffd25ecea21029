/* missing_comment: a run that was asked to do something says on the issue what
 * became of it, or is reminded once (EX-71). */
#ifndef BULLDOG_MODEL_MISSING_COMMENT_H
#define BULLDOG_MODEL_MISSING_COMMENT_H

#include "model/follow_up.h"

/* Before the locks are released: the reminder takes the lock over. Sets
 * run->issue_comment_status, and e->followed when a reminder is queued. */
err_t missing_comment_settle(struct db *db, struct ended *e) MUST_CHECK;

#endif

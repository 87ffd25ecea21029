/* recovery_resolve: somebody says how a recovery action ended (EX-126, IS-142). */
#ifndef BULLDOG_MODEL_RECOVERY_RESOLVE_H
#define BULLDOG_MODEL_RECOVERY_RESOLVE_H

#include "model/recovery_action.h"

struct recovery_verdict {
    const char *outcome;       /* restored, false_positive, blocked, cancelled */
    const char *source_status; /* todo, done, in_review, blocked */
    const char *note;          /* or NULL */
};
/* IS-58: the assignee, the action's owner, or who manages the checkouts of either. */
err_t recovery_may_decide(struct db *db, const struct agent *self, const struct recovery_action *a,
                          const struct issue *issue, bool *yes) MUST_CHECK;
/* Ends the action, moves the issue, wakes its assignee. *issue and *a are updated. 422: blocked, but by nothing. */
err_t recovery_resolve(struct db *db, const struct actor *actor, const struct recovery_verdict *v,
                       struct recovery_action *a, struct issue *issue) MUST_CHECK;

#endif

/* approval_internal: what the approval rooms share. */
#ifndef BULLDOG_MODEL_APPROVAL_INTERNAL_H
#define BULLDOG_MODEL_APPROVAL_INTERNAL_H

#include "model/approval.h"

err_t approval_log(struct db *db, const struct actor *actor, const struct approval *x, const char *action,
                   json_t *details) MUST_CHECK;
/* ids of the linked issues, in the order of linking. */
err_t approval_issue_ids(struct db *db, const char *approval_id, struct id_list *out) MUST_CHECK;

/* GV-31: what deciding a hire does to its agent. */
err_t approval_apply_hire(struct db *db, const struct actor *actor, const struct approval *x,
                          enum approval_verb verb) MUST_CHECK;

struct approval_news {
    const struct approval *x;
    const char *what;       /* approved, rejected, revision_requested, commented */
    const char *comment_id; /* of a comment, or NULL */
    bool decided;           /* linked issues may have lost their review path (GV-42) */
};
err_t approval_wake(struct db *db, const struct actor *actor, const struct approval_news *n) MUST_CHECK;

#endif

/* issue_queue: comments that wait behind the run that is working on their issue (IS-91). */
#ifndef BULLDOG_MODEL_ISSUE_QUEUE_H
#define BULLDOG_MODEL_ISSUE_QUEUE_H

#include "base/json.h"
#include "store/entity.h"

struct queued_comment {
    const char *run_id; /* the live run of the issue, or NULL */
    bool queued;        /* written after that run started, by somebody else */
};
err_t queued_comment_of(struct db *db, const struct issue *issue, const struct comment *c,
                        struct queued_comment *out) MUST_CHECK;
/* Takes the comment out of the deferred wakes that would have carried it. */
err_t queued_comment_forget(struct db *db, const struct comment *c) MUST_CHECK;

#endif

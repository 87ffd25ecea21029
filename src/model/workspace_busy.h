/*
 * workspace_busy: does somebody else work where a run would work (WS §12)? Asked
 * at the claim: the run stays queued and has its turn when the holder ends
 * (WS-104); nothing is cancelled, nothing counted.
 */
#ifndef BULLDOG_MODEL_WORKSPACE_BUSY_H
#define BULLDOG_MODEL_WORKSPACE_BUSY_H

#include "store/entity.h"

struct workspace_holder {
    const char *run_id, *issue_id, *identifier; /* run_id NULL: nobody */
};
err_t workspace_busy(struct db *db, const struct run *run, const struct issue *issue,
                     struct workspace_holder *out) MUST_CHECK;

#endif

/* scratch: a run's own temporary directory (AR-51), marked so that only ours is ever removed. */
#ifndef BULLDOG_WORKSPACE_SCRATCH_H
#define BULLDOG_WORKSPACE_SCRATCH_H

#include "base/err.h"

#define SCRATCH_MARKER ".paperclip-run-scratch.json"

struct scratch_owner {
    const char *company_id, *agent_id, *run_id, *issue_id, *identifier; /* the last two may be NULL */
};
/* Makes <tmp>/paperclip-run-<identifier>-<run>-<random> with its marker; path in the arena. */
err_t scratch_make(struct arena *a, const struct scratch_owner *o, const char **path) MUST_CHECK;
/* Removes the tree if its marker names this run; does not follow links. Blocks: job threads only. */
err_t scratch_remove(struct arena *a, const char *path, const char *run_id) MUST_CHECK;

#endif

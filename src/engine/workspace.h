/*
 * workspace: the engine's side of execution workspaces. Before an agent starts a
 * job prepares its directory, after its last process is gone a job finalizes it;
 * the rows are written here, on the engine's thread. Whatever a crash leaves is
 * found again: a preparation is repeated, a finalize is made good.
 */
#ifndef BULLDOG_ENGINE_WORKSPACE_H
#define BULLDOG_ENGINE_WORKSPACE_H

#include "engine/engine_internal.h"
#include "model/finalize.h"
#include "model/workspace_plan.h"

/* What a run was given. */
struct realized {
    struct execution_workspace workspace;
    struct project_workspace place;
    bool has_place;
    const char *source, *repo_root;
};
/* *taken true: launch_prepared, or a failure's end of the run, follows. false: the run gets no workspace. */
err_t workspace_prepare_start(struct engine *e, const struct run *run, bool *taken) MUST_CHECK;

/* How the one who ends a run is called again: keep copies arg into the arena of the work under way. */
struct settle_again {
    void (*fn)(struct engine *e, const char *run_id, void *arg);
    void *(*keep)(struct arena *a, const void *arg); /* NULL: arg is not used */
    const void *arg;
};
/* true: end the run now; *o says so when its workspace did not come to a good end.
 * false: not yet; `again` is called, or the sweep comes back to the run.
 * synthetic: nobody saw the run end (WS-95). */
bool workspace_settled(struct engine *e, const struct run *run, struct run_outcome *o, bool synthetic,
                       const struct settle_again *again);

/* workspace_sweep.c: duties of the periodic pass. */
err_t workspace_settle_pass(struct engine *e) MUST_CHECK;  /* what a crash left unsettled (WS-94, WS-95) */
err_t workspace_retire_pass(struct engine *e) MUST_CHECK;  /* finished workspaces are closed (WS-123…126) */
err_t workspace_cleanup_pass(struct engine *e) MUST_CHECK; /* closed ones are taken away (WS-120) */

/* Where operation logs are (WS-74). */
const char *workspace_log_root(const struct engine *e, struct arena *a);
/* A short environment for the project's own commands: no secret of the server is in it (WS-66). */
const char *const *workspace_command_env(struct arena *a, const char *const *more);

#endif

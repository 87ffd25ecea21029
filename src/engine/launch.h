/* launch: what a run is given: directory, environment, secrets to hide (AR-54). */
#ifndef BULLDOG_ENGINE_LAUNCH_H
#define BULLDOG_ENGINE_LAUNCH_H

#include "base/json.h"
#include "store/entity.h"

struct engine_options;

struct launch {
    struct run *run;
    struct agent agent;
    struct issue issue;
    bool has_issue;
    struct project_workspace workspace;
    bool has_workspace;
    const struct realized *where; /* the run's execution workspace, or NULL */
    json_t *context, *wake_payload; /* the latter may be NULL */
    const char *cwd, *cwd_source, *agent_home, *scratch;
    const char *cwd_ignored; /* the agent's configured directory, when the worktree goes before it */
    const char *token;
};

/* The complete environment, NULL-terminated; nothing else is inherited. secrets:
 * values that must reach no log. ERR_UNPROCESSABLE code configuration_incomplete
 * for a binding that cannot be resolved. */
err_t launch_env(struct arena *a, const struct engine_options *o, const struct launch *l, const json_t *config_env,
                 const char *const **env, const char *const **secrets) MUST_CHECK;

#endif

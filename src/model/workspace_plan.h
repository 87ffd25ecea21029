/*
 * workspace_plan: which workspace a run gets (WS §5, §6), decided from rows in
 * one transaction that also writes the run's `worktree_prepare` row. What the
 * driver then has to do stands in `request`; workspace_life stores what it did.
 */
#ifndef BULLDOG_MODEL_WORKSPACE_PLAN_H
#define BULLDOG_MODEL_WORKSPACE_PLAN_H

#include "rules/environment_choice.h"
#include "rules/workspace_choice.h"
#include "rules/worktree.h"
#include "store/entity.h"

struct workspace_plan {
    bool wanted; /* false: the run is about no project; it works in the agent's home */
    struct run run;
    struct issue issue;
    struct project project;
    struct project_workspace place;
    bool has_place;
    struct workspace_choice choice;
    struct environment_verdict where;
    const char *driver;
    struct execution_workspace reuse; /* the row that is used again */
    bool has_reuse, reopened;
    struct execution_workspace refused; /* the one that may not be (WS-51) */
    bool has_refused;
    struct workspace_operation op; /* the run's worktree_prepare row */
    const char *source;            /* project_primary, agent_home */
    struct prepare_request request;
};

struct workspace_roots {
    const char *data_dir, *agent_home;
};
/* ERR_UNPROCESSABLE code workspace_validation_failed with details {reason, …}: no
 * repetition helps, somebody must repair the configuration (WS-45). Idempotent:
 * a run planned before keeps its row. */
err_t workspace_plan(struct db *db, const struct run *run, const struct agent *agent,
                     const struct workspace_roots *roots, struct workspace_plan *out) MUST_CHECK;

/* The same error for what the driver found. */
err_t workspace_invalid(struct db *db, const struct workspace_plan *p, const char *reason, const char *message,
                        json_t *evidence) MUST_CHECK;
/* data/projects/<company>/<project>/<repository or _default> (WS-15). */
const char *workspace_managed_dir(struct arena *a, const char *data_dir, const struct project *p, const char *repo_url);

#endif

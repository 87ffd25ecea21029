/*
 * driver: what a kind of environment does with workspaces. The engine asks, on
 * job threads; the answers are plain facts that the model stores. `local` works
 * on this machine; other kinds stand behind the same four questions.
 *
 * A function returns an error only when it could not find out; what it found,
 * failures of the user's making among them, stands in the result.
 */
#ifndef BULLDOG_WORKSPACE_DRIVER_H
#define BULLDOG_WORKSPACE_DRIVER_H

#include "rules/worktree.h"

#include "base/err.h"

#include <stdatomic.h>

struct op_log;
struct workspace_job {
    struct arena *arena; /* of everything in the results */
    atomic_bool *abort;  /* the run was cancelled: stop soon; or NULL */
    struct op_log *log;  /* of the operation; or NULL */
};

struct workspace_driver {
    const char *name;
    /* The directory is there, on its branch, and ready to work in (WS §7). Idempotent. */
    err_t (*prepare)(const struct workspace_job *j, const struct prepare_request *q, struct prepare_result *out);
    /* No process of the run is left: is everything here, and coherent (WS §9)? Idempotent. */
    err_t (*finalize)(const struct workspace_job *j, const struct finalize_request *q, struct finalize_result *out);
    /* Takes the directory away, and the branch when nothing of it is lost (WS-120). Idempotent. */
    err_t (*cleanup)(const struct workspace_job *j, const struct cleanup_request *q, struct cleanup_result *out);
    /* How it looks now. facts->git false: there is no working tree. */
    err_t (*inspect)(const struct workspace_job *j, const char *cwd, const char *base_ref, struct tree_facts *facts);
};
extern const struct workspace_driver LOCAL_DRIVER;
/* NULL: this server has no driver of that name. */
const struct workspace_driver *workspace_driver(const char *name);

#endif

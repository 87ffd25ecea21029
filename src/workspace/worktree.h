/* worktree: the local driver's prepare and cleanup (WS §7, WS-120…124). */
#ifndef BULLDOG_WORKSPACE_WORKTREE_H
#define BULLDOG_WORKSPACE_WORKTREE_H

#include "workspace/driver.h"
#include "workspace/git.h"

err_t worktree_prepare(const struct workspace_job *j, const struct prepare_request *q,
                       struct prepare_result *out) MUST_CHECK;
err_t worktree_cleanup(const struct workspace_job *j, const struct cleanup_request *q,
                       struct cleanup_result *out) MUST_CHECK;

/* NULL: path is a linked worktree of the repository; else why not (WS-63). */
err_t worktree_flaw(const struct git *g, const char *common_dir, const char *path, const char **why) MUST_CHECK;

#endif

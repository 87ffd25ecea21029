/* provision: the project's own commands around a workspace: what makes it ready, and what takes it down (WS-66, WS-120). */
#ifndef BULLDOG_WORKSPACE_PROVISION_H
#define BULLDOG_WORKSPACE_PROVISION_H

#include "workspace/driver.h"

/* Runs the provision command when the worktree is new or restored, the command
 * changed, or it failed last time. A failure sets out->reason. */
err_t provision(const struct workspace_job *j, const struct prepare_request *q, struct prepare_result *out) MUST_CHECK;
/* sh -c in dir; the text is the project's, no part of it ours. */
err_t project_command(const struct workspace_job *j, const char *dir, const char *repo_root, const char *text,
                      const char *const *env, struct provision_outcome *out) MUST_CHECK;

#endif

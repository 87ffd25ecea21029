/* issue_workspace: the workspace fields in bodies of issues. */
#ifndef BULLDOG_API_ISSUE_WORKSPACE_H
#define BULLDOG_API_ISSUE_WORKSPACE_H

#include "api/request.h"

extern const char *const EXECUTION_WORKSPACE_MODES[];
extern const struct schema workspace_strategy, issue_workspace_settings;

/* Puts the three fields over *row; 403 for an agent that writes what the host would run (WS-29). */
err_t issue_workspace_apply(struct req *r, struct issue *row) MUST_CHECK;

#endif

/* project_body: what the bodies of projects and of their workspaces share. */
#ifndef BULLDOG_API_PROJECT_BODY_H
#define BULLDOG_API_PROJECT_BODY_H

#include "api/request.h"

/* 403 for an agent that would write commands the host runs (WS-29). */
err_t refuse_policy_commands(struct req *r, const json_t *policy) MUST_CHECK;
/* Puts a validated workspace body over *ws (WS-24); agents are held to WS-29. */
err_t project_workspace_apply(struct req *r, const json_t *body, struct project_workspace *ws) MUST_CHECK;

#endif

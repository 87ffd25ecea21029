/*
 * project_workspace: where a project's code lies (WS §3). A project has at most
 * one primary workspace, and one whenever it has any (WS-26).
 */
#ifndef BULLDOG_MODEL_PROJECT_WORKSPACE_H
#define BULLDOG_MODEL_PROJECT_WORKSPACE_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

/* Primary first, then oldest first (WS-14). */
err_t project_workspace_list(struct db *db, const char *project_id, struct project_workspace **rows, int *n) MUST_CHECK;
err_t project_workspace_get(struct db *db, const char *project_id, const char *id, struct project_workspace *out,
                            bool *found) MUST_CHECK;

/* Fills id, name (WS-25), source_type (WS-22) and is_primary. ERR_UNPROCESSABLE
 * when it says nowhere where the code is (WS-24). No activity. */
err_t project_workspace_create(struct db *db, const struct project *project, struct project_workspace *ws) MUST_CHECK;
/* named: the caller gave a name. */
err_t project_workspace_update(struct db *db, const struct project_workspace *before, struct project_workspace *after,
                               bool named) MUST_CHECK;
err_t project_workspace_delete(struct db *db, const struct project_workspace *ws) MUST_CHECK;

#endif

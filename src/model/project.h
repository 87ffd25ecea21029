/*
 * project: containers of issues with an optional code base (WS §2). Their
 * workspaces are in project_workspace.
 */
#ifndef BULLDOG_MODEL_PROJECT_H
#define BULLDOG_MODEL_PROJECT_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

err_t project_get(struct db *db, const char *id, struct project *out, bool *found) MUST_CHECK;
/* A UUID, or a url key inside company_id (WS-13), which may be NULL: then only ids are found. */
err_t project_resolve(struct db *db, const char *ref, const char *company_id, struct project *out,
                      bool *found) MUST_CHECK;
err_t project_list(struct db *db, const char *company_id, bool archived_too, struct project **rows, int *n) MUST_CHECK;

/* Given: company_id, name, status and the rest as stored. goal_ids: array of
 * ids, or NULL. References must be of the company (ERR_UNPROCESSABLE). The name
 * gets a number when its key is taken (WS-11). The caller logs project.created
 * once the workspaces are there. */
err_t project_create(struct db *db, struct project *project, const json_t *goal_ids) MUST_CHECK;
/* goal_ids NULL: as they are. */
err_t project_update(struct db *db, const struct project *before, struct project *after,
                     const json_t *goal_ids) MUST_CHECK;
/* ERR_CONFLICT project_not_empty while issues refer to it (WS-20). */
err_t project_delete(struct db *db, const struct actor *actor, const struct project *project) MUST_CHECK;

#endif

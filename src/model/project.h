/* project: projects and their workspaces (WS §2, §3; the entity). */
#ifndef BULLDOG_MODEL_PROJECT_H
#define BULLDOG_MODEL_PROJECT_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

err_t project_get(struct db *db, const char *id, struct project *out, bool *found) MUST_CHECK;
/* A UUID, or a url key inside company_id (WS-13). Two matches: ERR_CONFLICT. */
err_t project_resolve(struct db *db, const char *ref, const char *company_id, struct project *out, bool *found) MUST_CHECK;

#endif

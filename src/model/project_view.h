/* project_view: projects and their workspaces on the wire (WS-14, WS-15, WS-23). */
#ifndef BULLDOG_MODEL_PROJECT_VIEW_H
#define BULLDOG_MODEL_PROJECT_VIEW_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

struct project_view {
    const char *data_dir; /* the root of managed checkouts */
    bool mask_env;        /* the reader is an agent */
};
/* An array of them: three queries, however many. */
err_t project_write_all(struct db *db, struct jw *w, const char *company_id, const struct project *rows, int n,
                        const struct project_view *view) MUST_CHECK;
err_t project_write(struct db *db, struct jw *w, const struct project *project,
                    const struct project_view *view) MUST_CHECK;
void project_workspace_write(struct jw *w, const struct project_workspace *ws);

/* Activity about a project; the live event carries its row. */
err_t project_log(struct db *db, const struct actor *actor, const char *action, const struct project *project,
                  json_t *details, const char *data_dir) MUST_CHECK;

#endif

/*
 * execution_workspace: the directories that issues are worked on in, on the
 * wire and as rows (WS §13). How a run gets one is in workspace_plan and
 * workspace_life, how one is closed in workspace_close.
 */
#ifndef BULLDOG_MODEL_EXECUTION_WORKSPACE_H
#define BULLDOG_MODEL_EXECUTION_WORKSPACE_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

err_t execution_workspace_get(struct db *db, const char *id, struct execution_workspace *out, bool *found) MUST_CHECK;

struct execution_workspace_filter {
    const char *company_id, *project_id, *project_workspace_id, *issue_id;
    const char *status; /* comma list */
    bool reuse_eligible;
    int limit;
    const char *cursor; /* the id of the last row of the page before */
};
/* Last used first (WS-111). */
err_t execution_workspace_list(struct db *db, const struct execution_workspace_filter *f,
                               struct execution_workspace **rows, int *n) MUST_CHECK;
/* The page of WS-112 as a whole answer. */
struct workspace_overview {
    const char *company_id, *project_id, *status;
    int limit, offset;
};
err_t workspace_overview_write(struct db *db, struct jw *w, const struct workspace_overview *o) MUST_CHECK;

/* facts of the last look at the tree: merged_by_ancestry, unmerged, unknown (WS-110). */
const char *execution_workspace_delivery(const struct execution_workspace *ws);
void execution_workspace_write(struct jw *w, const struct execution_workspace *ws);
/* As an issue embeds it: metadata null (WS-107); id NULL: null. */
err_t execution_workspace_write_current(struct db *db, struct jw *w, const char *id) MUST_CHECK;
void execution_workspace_write_brief(struct jw *w, const struct execution_workspace *ws);

/* What is known of a company's repositories, each list NULL-terminated. */
struct workspace_names {
    const char **roots, **dirs, **held, **made; /* repositories; open workspaces' directories and branches; branches of closed ones */
};
err_t workspace_names_load(struct db *db, const char *company_id, struct workspace_names *out) MUST_CHECK;
/* Runs that are live on an issue bound to it. */
err_t execution_workspace_live_runs(struct db *db, const char *id, int64_t *n) MUST_CHECK;
/* metadata as an object, never NULL. */
json_t *execution_workspace_metadata(const struct execution_workspace *ws);
bool execution_workspace_open(const struct execution_workspace *ws);
/* Metadata keys that only the server writes (WS-109, WS-113 BETTER). */
bool execution_workspace_key_ours(const char *key);

/* Activity about a workspace; the live event carries its row. */
err_t execution_workspace_log(struct db *db, const struct actor *actor, const char *action,
                              const struct execution_workspace *ws, json_t *details) MUST_CHECK;

#endif

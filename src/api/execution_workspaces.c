/* execution_workspaces: the directories issues are worked on in (WS §13). */
#include "api/handlers.h"
#include "api/schemas.h"
#include "api/workspace_rows.h"
#include "base/id.h"
#include "model/execution_workspace.h"
#include "model/workspace_life.h"
#include "model/workspace_operation.h"

#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 200
#define LIST_MAX 1000
#define OPERATIONS_MAX 500

static err_t query_id(struct req *r, const char *name, const char **out)
{
    *out = query(r, name);
    if (*out == NULL || id_valid(*out)) return OK;
    return err_new(r->arena, ERR_BAD_REQUEST, "%s must be a UUID", name);
}

err_t execution_workspaces_list(struct req *r)
{
    struct execution_workspace_filter f = {.company_id = r->company.id,
                                           .status = query(r, "status"),
                                           .reuse_eligible = query_bool(r, "reuseEligible"),
                                           .limit = query_limit(r, "limit", LIST_DEFAULT, LIST_MAX)};
    struct execution_workspace *rows;
    int n;
    bool brief = query_bool(r, "summary");
    TRY(query_id(r, "projectId", &f.project_id));
    TRY(query_id(r, "projectWorkspaceId", &f.project_workspace_id));
    TRY(query_id(r, "issueId", &f.issue_id));
    TRY(query_id(r, "cursor", &f.cursor));
    TRY(execution_workspace_list(r->db, &f, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) {
        if (brief) execution_workspace_write_brief(&r->w, &rows[i]);
        else execution_workspace_write(&r->w, &rows[i]);
    }
    jw_arr_end(&r->w);
    return OK;
}

/* Its query is strict (WS-112). */
err_t workspace_overview(struct req *r)
{
    static const char *const known[] = {"projectId", "status", "limit", "offset"};
    struct workspace_overview o = {
        .company_id = r->company.id, .status = query(r, "status"), .limit = query_limit(r, "limit", 50, 100)};
    char *copy = arena_strdup(r->arena, r->http->raw_query ? r->http->raw_query : ""), *save = NULL;
    for (char *part = strtok_r(copy, "&", &save); part; part = strtok_r(NULL, "&", &save)) {
        bool ok = false;
        part[strcspn(part, "=")] = 0;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) ok |= strcmp(part, known[i]) == 0;
        if (!ok) return unprocessable(r, "Invalid workspace overview query");
    }
    const char *project = query(r, "projectId"), *offset = query(r, "offset");
    char *end = NULL;
    long at = offset ? strtol(offset, &end, 10) : 0;
    if ((project && !id_valid(project)) || (offset && (end == offset || *end || at < 0 || at > 1000000)))
        return unprocessable(r, "Invalid workspace overview query");
    o.project_id = project;
    o.offset = (int)at;
    return workspace_overview_write(r->db, &r->w, &o);
}

err_t execution_workspace_show(struct req *r)
{
    execution_workspace_write(&r->w, &r->workspace);
    return OK;
}

err_t execution_workspace_operations(struct req *r)
{
    struct workspace_operation *rows;
    int n;
    TRY(workspace_operation_list(r->db, r->workspace.id, query_limit(r, "limit", LIST_DEFAULT, OPERATIONS_MAX), &rows,
                                 &n));
    return workspace_operations_write(r, rows, n);
}

/* ---- accepting a workspace as it is (WS-96) ---- */

static const char *const outcomes[] = {"accept_local_state", NULL};
static const struct prop finalize_props[] = {
    {"outcome", PROP_ENUM, REQUIRED, .options = outcomes},
    {"reason", PROP_TEXT, REQUIRED, .min = 1, .max = 2000},
};
SCHEMA(EXECUTION_WORKSPACE_FINALIZE, finalize_props);

err_t execution_workspace_finalize(struct req *r)
{
    struct workspace_operation op;
    int64_t live;
    TRY(execution_workspace_live_runs(r->db, r->workspace.id, &live));
    if (live > 0)
        return err_new(r->arena, ERR_CONFLICT, "A run is working in this workspace; wait for its end or cancel it");
    TRY(workspace_finalize_override(r->db, &r->actor, &r->workspace, json_str(r->body, "reason"), &op));
    workspace_operation_write(&r->w, &op);
    return OK;
}

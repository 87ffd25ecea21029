/* workspace_overview: the board's page of workspaces (WS-112): two statements, no git. */
#include "base/text.h"
#include "model/execution_workspace.h"
#include "model/in_list.h"

#include <string.h>

#define LINKED_MAX 20

static err_t names(struct db *db, const char *company_id, const char *sql, const char ***out)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    int n = 0, cap = 64;
    *out = arena_array(a, const char *, cap + 1);
    TRY(db_query(db, &r, sql, P(V_ID(company_id))));
    while (rows_next(&r)) {
        if (n == cap) {
            const char **more = arena_array(a, const char *, cap * 2 + 1);
            memcpy(more, *out, sizeof *more * (size_t)n);
            *out = more;
            cap *= 2;
        }
        (*out)[n++] = row_text(&r, 0);
    }
    (*out)[n] = NULL;
    return rows_err(&r);
}

err_t workspace_names_load(struct db *db, const char *company_id, struct workspace_names *out)
{
    TRY(names(
        db, company_id,
        "SELECT metadata ->> 'repoRoot' FROM execution_workspaces WHERE company_id = $1 AND metadata ->> 'repoRoot' IS NOT NULL"
        " UNION SELECT cwd FROM project_workspaces WHERE company_id = $1 AND cwd IS NOT NULL ORDER BY 1",
        &out->roots));
    /* of all companies: two may work on one repository */
    TRY(names(db, company_id,
              "SELECT provider_ref FROM execution_workspaces WHERE $1 IS NOT NULL AND provider_ref IS NOT NULL"
              " AND (closed_at IS NULL OR metadata ->> 'cleanupState' = 'pending') ORDER BY 1",
              &out->dirs));
    TRY(names(
        db, company_id,
        "SELECT DISTINCT branch_name FROM execution_workspaces WHERE $1 IS NOT NULL AND branch_name IS NOT NULL AND closed_at IS NULL ORDER BY 1",
        &out->held));
    return names(
        db, company_id,
        "SELECT DISTINCT branch_name FROM execution_workspaces WHERE company_id = $1 AND branch_name IS NOT NULL AND closed_at IS NOT NULL"
        " AND metadata ->> 'createdByRuntime' = 'true' ORDER BY 1",
        &out->made);
}

struct linked {
    const char *workspace_id, *id, *identifier, *title, *status, *priority;
    instant_t updated_at;
};

static err_t load_linked(struct db *db, const char *const *ids, int count, struct linked **out, int *n)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    int cap = 64;
    *out = arena_array(a, struct linked, cap);
    *n = 0;
    if (count == 0) return OK;
    struct in_list in = in_list_make(a, NULL, 0, ids, count);
    TRY(db_query(
        db, &r,
        arena_printf(a,
                     "SELECT execution_workspace_id, id, identifier, title, status, priority, updated_at FROM issues"
                     " WHERE execution_workspace_id IN %s AND hidden_at IS NULL ORDER BY updated_at DESC, id",
                     in.sql),
        in.v, in.n));
    while (rows_next(&r)) {
        if (*n == cap) {
            struct linked *more = arena_array(a, struct linked, cap * 2);
            memcpy(more, *out, sizeof *more * (size_t)cap);
            *out = more;
            cap *= 2;
        }
        (*out)[(*n)++] = (struct linked){row_text(&r, 0), row_text(&r, 1), row_text(&r, 2), row_text(&r, 3),
                                         row_text(&r, 4), row_text(&r, 5), row_time(&r, 6)};
    }
    return rows_err(&r);
}

static void write_linked(struct jw *w, const char *id, const struct linked *all, int n)
{
    int total = 0;
    for (int i = 0; i < n; i++) total += text_is(all[i].workspace_id, id);
    jw_kint(w, "linkedIssueCount", total);
    jw_karr(w, "linkedIssues");
    for (int i = 0, shown = 0; i < n && shown < LINKED_MAX; i++) {
        if (!text_is(all[i].workspace_id, id)) continue;
        shown++;
        jw_obj(w);
        jw_kstr(w, "id", all[i].id);
        jw_kstr(w, "identifier", all[i].identifier);
        jw_kstr(w, "title", all[i].title);
        jw_kstr(w, "status", all[i].status);
        jw_kstr(w, "priority", all[i].priority);
        jw_ktime(w, "updatedAt", all[i].updated_at);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void write_item(struct jw *w, struct arena *a, const struct execution_workspace *ws, const char *project_key,
                       const char *project_name, const struct linked *all, int n)
{
    jw_obj(w);
    jw_kstr(w, "key", arena_printf(a, "execution:%s", ws->id));
    jw_kstr(w, "kind", "execution_workspace");
    jw_kstr(w, "workspaceId", ws->id);
    jw_kstr(w, "workspaceName", ws->name);
    jw_kstr(w, "projectId", ws->project_id);
    jw_kstr(w, "projectUrlKey", project_key);
    jw_kstr(w, "projectName", project_name);
    jw_kstr(w, "mode", ws->mode);
    jw_kstr(w, "strategyType", ws->strategy_type);
    jw_kstr(w, "cwd", ws->cwd);
    jw_kstr(w, "branchName", ws->branch_name);
    jw_ktime(w, "lastUpdatedAt", ws->last_used_at > ws->updated_at ? ws->last_used_at : ws->updated_at);
    jw_kstr(w, "projectWorkspaceId", ws->project_workspace_id);
    jw_kstr(w, "executionWorkspaceId", ws->id);
    jw_kstr(w, "executionWorkspaceStatus", ws->status);
    jw_kint(w, "serviceCount", 0);
    jw_kint(w, "runningServiceCount", 0);
    jw_knull(w, "primaryServiceUrl");
    jw_kbool(w, "primaryServiceUrlRunning", false);
    jw_knull(w, "primaryService");
    jw_kbool(w, "hasRuntimeConfig", false);
    write_linked(w, ws->id, all, n);
    jw_obj_end(w);
}

static err_t project_of(struct db *db, const char *id, const char **key, const char **name)
{
    struct rows r ROWS_AUTO = {0};
    TRY(db_query(db, &r, "SELECT url_key, name FROM projects WHERE id = $1", P(V_ID(id))));
    if (rows_next(&r)) {
        *key = row_text(&r, 0);
        *name = row_text(&r, 1);
    }
    return rows_err(&r);
}

err_t workspace_overview_write(struct db *db, struct jw *w, const struct workspace_overview *o)
{
    static const char where[] =
        "WHERE company_id = $1 AND ($2 IS NULL OR project_id = $2) AND ($3 IS NULL OR status = $3) AND ($3 IS NOT NULL OR status <> 'archived')";
    struct arena *a = db_arena(db);
    struct execution_workspace *rows;
    struct linked *linked;
    int n, links;
    int64_t total;
    TRY(db_int(db, &total, 0, arena_printf(a, "SELECT count(*) FROM execution_workspaces %s", where),
               P(V_ID(o->company_id), V_ID(o->project_id), V_TEXT(o->status))));
    TRY(entity_many(
        db, &ENTITY_execution_workspace, &rows, &n,
        arena_printf(a, "%s ORDER BY last_used_at DESC, created_at DESC, id DESC LIMIT $4 OFFSET $5", where),
        P(V_ID(o->company_id), V_ID(o->project_id), V_TEXT(o->status), V_INT(o->limit), V_INT(o->offset))));
    const char **ids = arena_array(a, const char *, n + 1);
    for (int i = 0; i < n; i++) ids[i] = rows[i].id;
    TRY(load_linked(db, ids, n, &linked, &links));
    bool more = o->offset + n < total;
    jw_obj(w);
    jw_karr(w, "items");
    for (int i = 0; i < n; i++) {
        const char *key = NULL, *name = NULL;
        TRY(project_of(db, rows[i].project_id, &key, &name));
        write_item(w, a, &rows[i], key, name, linked, links);
    }
    jw_arr_end(w);
    jw_kint(w, "total", total);
    jw_kint(w, "limit", o->limit);
    jw_kint(w, "offset", o->offset);
    jw_kbool(w, "hasMore", more);
    jw_key(w, "nextOffset");
    if (more) jw_int(w, o->offset + n);
    else jw_null(w);
    jw_obj_end(w);
    return OK;
}

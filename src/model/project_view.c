/* project_view: projects on the wire. */
#include "model/project_view.h"

#include "model/activity.h"
#include "model/project_workspace.h"
#include "rules/project_key.h"
#include "rules/redact.h"

#include <stddef.h>
#include <string.h>

struct goal_link {
    const char *project_id, *goal_id, *title;
};

/* What hangs on the projects, loaded once for all of them. */
struct attached {
    struct project_workspace *workspaces; /* of each project: primary first */
    struct goal_link *goals;
    int workspace_count, goal_count;
};

static err_t load_goals(struct db *db, const char *column, const char *id, struct attached *out)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    int cap = 16;
    out->goals = arena_array(a, struct goal_link, cap);
    TRY(db_query(db, &r,
                 arena_printf(a,
                              "SELECT x.project_id, g.id, g.title FROM project_goals x JOIN goals g ON g.id = x.goal_id"
                              " WHERE x.%s = $1 ORDER BY x.project_id, x.position, g.id",
                              column),
                 P(V_ID(id))));
    while (rows_next(&r)) {
        if (out->goal_count == cap) {
            struct goal_link *bigger = arena_array(a, struct goal_link, cap * 2);
            memcpy(bigger, out->goals, sizeof *bigger * (size_t)cap);
            out->goals = bigger;
            cap *= 2;
        }
        out->goals[out->goal_count++] = (struct goal_link){row_text(&r, 0), row_text(&r, 1), row_text(&r, 2)};
    }
    return rows_err(&r);
}

static err_t load(struct db *db, const char *column, const char *id, struct attached *out)
{
    *out = (struct attached){0};
    const char *tail = arena_printf(
        db_arena(db), "WHERE %s = $1 ORDER BY CASE WHEN is_primary THEN 0 ELSE 1 END, created_at, id", column);
    TRY(entity_many(db, &ENTITY_project_workspace, &out->workspaces, &out->workspace_count, tail, P(V_ID(id))));
    return load_goals(db, column, id, out);
}

/* WS-23 */
void project_workspace_write(struct jw *w, const struct project_workspace *ws)
{
    struct project_workspace row = *ws;
    const json_t *config = json_object_get(json_read(ws->metadata), "runtimeConfig");
    if (row.default_ref == NULL) row.default_ref = row.repo_ref;
    jw_obj(w);
    entity_write(w, &ENTITY_project_workspace, &row, VIEW_FULL);
    jw_key(w, "runtimeConfig");
    if (json_object_size(config) > 0) jw_json(w, config);
    else jw_null(w);
    jw_karr(w, "runtimeServices");
    jw_arr_end(w);
    jw_obj_end(w);
}

/* WS-15 */
static void write_codebase(struct jw *w, struct arena *a, const struct project *p,
                           const struct project_workspace *primary, const struct project_view *view)
{
    const struct project_workspace none = {0}, *ws = primary ? primary : &none;
    const char *repo = repo_name(a, ws->repo_url);
    const char *managed =
        arena_printf(a, "%s/projects/%s/%s/%s", view->data_dir, p->company_id, p->id, repo ? repo : "_default");
    jw_kobj(w, "codebase");
    jw_kstr(w, "workspaceId", ws->id);
    jw_kstr(w, "repoUrl", ws->repo_url);
    jw_kstr(w, "repoRef", ws->repo_ref);
    jw_kstr(w, "defaultRef", ws->default_ref ? ws->default_ref : ws->repo_ref);
    jw_kstr(w, "repoName", repo);
    jw_kstr(w, "localFolder", ws->cwd);
    jw_kstr(w, "managedFolder", managed);
    jw_kstr(w, "effectiveLocalFolder", ws->cwd ? ws->cwd : managed);
    jw_kstr(w, "origin", ws->cwd ? "local_folder" : "managed_checkout");
    jw_obj_end(w);
}

static void write_goals(struct jw *w, const struct project *p, const struct attached *all)
{
    jw_karr(w, "goalIds");
    for (int i = 0; i < all->goal_count; i++)
        if (strcmp(all->goals[i].project_id, p->id) == 0) jw_str(w, all->goals[i].goal_id);
    jw_arr_end(w);
    jw_karr(w, "goals");
    for (int i = 0; i < all->goal_count; i++) {
        if (strcmp(all->goals[i].project_id, p->id) != 0) continue;
        jw_obj(w);
        jw_kstr(w, "id", all->goals[i].goal_id);
        jw_kstr(w, "title", all->goals[i].title);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void write_fields(struct jw *w, struct arena *a, const struct project *p, bool mask_env)
{
    for (int i = 0; i < ENTITY_project.count; i++) {
        const struct field *f = &ENTITY_project.fields[i];
        jw_key(w, f->json);
        if (mask_env && f->offset == offsetof(struct project, env)) jw_json(w, redact_json(a, json_read(p->env)));
        else entity_write_field(w, f, p);
    }
}

static void write_one(struct jw *w, struct arena *a, const struct project *p, const struct attached *all,
                      const struct project_view *view)
{
    const struct project_workspace *primary = NULL;
    jw_obj(w);
    write_fields(w, a, p, view->mask_env);
    write_goals(w, p, all);
    for (int i = 0; i < all->workspace_count && primary == NULL; i++)
        if (strcmp(all->workspaces[i].project_id, p->id) == 0) primary = &all->workspaces[i];
    write_codebase(w, a, p, primary, view);
    jw_karr(w, "workspaces");
    for (int i = 0; i < all->workspace_count; i++)
        if (strcmp(all->workspaces[i].project_id, p->id) == 0) project_workspace_write(w, &all->workspaces[i]);
    jw_arr_end(w);
    jw_key(w, "primaryWorkspace");
    if (primary) project_workspace_write(w, primary);
    else jw_null(w);
    jw_knull(w, "managedByPlugin");
    jw_obj_end(w);
}

err_t project_write_all(struct db *db, struct jw *w, const char *company_id, const struct project *rows, int n,
                        const struct project_view *view)
{
    struct attached all;
    TRY(load(db, "company_id", company_id, &all));
    jw_arr(w);
    for (int i = 0; i < n; i++) write_one(w, db_arena(db), &rows[i], &all, view);
    jw_arr_end(w);
    return OK;
}

err_t project_write(struct db *db, struct jw *w, const struct project *project, const struct project_view *view)
{
    struct attached all;
    TRY(load(db, "project_id", project->id, &all));
    write_one(w, db_arena(db), project, &all, view);
    return OK;
}

err_t project_log(struct db *db, const struct actor *actor, const char *action, const struct project *project,
                  json_t *details, const char *data_dir)
{
    struct buf b BUF_AUTO = {0};
    struct jw w;
    jw_init(&w, &b);
    TRY(project_write(db, &w, project, &(struct project_view){.data_dir = data_dir, .mask_env = true}));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = project->company_id,
                                                 .action = action,
                                                 .entity_type = "project",
                                                 .entity_id = project->id,
                                                 .details = details,
                                                 .entity = arena_strdup(db_arena(db), b.data)});
}

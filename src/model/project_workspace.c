/* project_workspace: the code locations of a project. */
#include "model/project_workspace.h"

#include "base/id.h"
#include "rules/project_key.h"

#include <string.h>

err_t project_workspace_list(struct db *db, const char *project_id, struct project_workspace **rows, int *n)
{
    return entity_many(db, &ENTITY_project_workspace, rows, n,
                       "WHERE project_id = $1 ORDER BY CASE WHEN is_primary THEN 0 ELSE 1 END, created_at, id",
                       P(V_ID(project_id)));
}

err_t project_workspace_get(struct db *db, const char *project_id, const char *id, struct project_workspace *out,
                            bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_project_workspace, out, found, "WHERE id = $1 AND project_id = $2",
                      P(V_ID(id), V_ID(project_id)));
}

static bool same(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static const char *blank_to_null(const char *s) { return s && s[strspn(s, " \t\r\n")] ? s : NULL; }

/* WS-25: blank strings are no values. */
static void tidy(struct project_workspace *ws)
{
    const char **const texts[] = {&ws->name,
                                  &ws->cwd,
                                  &ws->repo_url,
                                  &ws->repo_ref,
                                  &ws->default_ref,
                                  &ws->setup_command,
                                  &ws->cleanup_command,
                                  &ws->remote_provider,
                                  &ws->remote_workspace_ref,
                                  &ws->shared_workspace_key};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = blank_to_null(*texts[i]);
}

static void derive_name(struct arena *a, struct project_workspace *ws)
{
    const char *name = folder_name(a, ws->cwd);
    if (name == NULL) name = repo_name(a, ws->repo_url);
    if (name == NULL) name = ws->remote_workspace_ref;
    ws->name = name ? name : "workspace";
}

static err_t check(struct db *db, const struct project_workspace *ws)
{
    struct arena *a = db_arena(db);
    int64_t twins = 0;
    bool remote = strcmp(ws->source_type, "remote_managed") == 0;
    bool located = ws->repo_url || (remote ? ws->remote_workspace_ref : ws->cwd);
    if (!located) return err_new(a, ERR_UNPROCESSABLE, "Invalid project workspace payload");
    if (ws->remote_provider && ws->remote_workspace_ref)
        TRY(db_int(
            db, &twins, 0,
            "SELECT count(*) FROM project_workspaces WHERE project_id = $1 AND remote_provider = $2 AND remote_workspace_ref = $3 AND id <> $4",
            P(V_ID(ws->project_id), V_TEXT(ws->remote_provider), V_TEXT(ws->remote_workspace_ref), V_ID(ws->id))));
    return twins == 0 ? OK
                      : err_new(a, ERR_CONFLICT, "The project already has a workspace for this remoteWorkspaceRef");
}

/* Exactly one primary: the others step back before one steps forward. */
static err_t make_primary(struct db *db, const char *project_id, const char *id)
{
    int64_t n;
    TRY(db_exec(db, &n,
                "UPDATE project_workspaces SET is_primary = $3 WHERE project_id = $1 AND id <> $2 AND is_primary",
                P(V_ID(project_id), V_ID(id), V_BOOL(false))));
    return db_exec_one(db, "UPDATE project_workspaces SET is_primary = $2 WHERE id = $1", P(V_ID(id), V_BOOL(true)));
}

/* WS-26: without a primary one, the oldest other takes its place. */
static err_t promote_oldest(struct db *db, const char *project_id, const char *not_id)
{
    const char *id;
    TRY(db_text(db, &id,
                "SELECT id FROM project_workspaces WHERE project_id = $1 AND id <> $2 ORDER BY created_at, id LIMIT 1",
                P(V_ID(project_id), V_ID(not_id))));
    return id ? make_primary(db, project_id, id) : OK;
}

err_t project_workspace_create(struct db *db, const struct project *project, struct project_workspace *ws)
{
    int64_t others;
    tidy(ws);
    ws->id = id_new(db_arena(db));
    ws->company_id = project->company_id;
    ws->project_id = project->id;
    if (ws->source_type == NULL)
        ws->source_type = ws->repo_url ? "git_repo" : ws->cwd ? "local_path" : "remote_managed";
    if (ws->visibility == NULL) ws->visibility = "default";
    if (ws->name == NULL) derive_name(db_arena(db), ws);
    TRY(check(db, ws));
    TRY(db_int(db, &others, 0, "SELECT count(*) FROM project_workspaces WHERE project_id = $1", P(V_ID(project->id))));
    bool primary = ws->is_primary || others == 0;
    ws->is_primary = false; /* until the others stepped back */
    ws->created_at = ws->updated_at = clock_now();
    TRY(entity_insert(db, &ENTITY_project_workspace, ws));
    ws->is_primary = primary;
    return primary ? make_primary(db, project->id, ws->id) : OK;
}

err_t project_workspace_update(struct db *db, const struct project_workspace *before, struct project_workspace *after,
                               bool named)
{
    bool primary = after->is_primary;
    tidy(after);
    bool moved = !same(before->cwd, after->cwd) || !same(before->repo_url, after->repo_url);
    if (after->name == NULL || (moved && !named)) derive_name(db_arena(db), after);
    TRY(check(db, after));
    after->is_primary = before->is_primary;
    after->updated_at = clock_now();
    TRY(entity_update(db, &ENTITY_project_workspace, before, after));
    if (primary && !before->is_primary) TRY(make_primary(db, after->project_id, after->id));
    if (!primary && before->is_primary) TRY(promote_oldest(db, after->project_id, after->id));
    bool found;
    return project_workspace_get(db, after->project_id, after->id, after, &found);
}

err_t project_workspace_delete(struct db *db, const struct project_workspace *ws)
{
    TRY(db_exec_one(db, "DELETE FROM project_workspaces WHERE id = $1", P(V_ID(ws->id))));
    return ws->is_primary ? promote_oldest(db, ws->project_id, ws->id) : OK;
}

/* workspace_gc: worktrees and branches that belong to nobody any more; looking is free, removing is asked for. */
#include "api/app.h"
#include "api/handlers.h"
#include "api/schemas.h"
#include "model/execution_workspace.h"

static const struct prop gc_props[] = {{"apply", PROP_BOOL}, {"force", PROP_BOOL}};
SCHEMA_WITH(WORKSPACE_GC, gc_props, .strict = true);

err_t workspace_gc(struct req *r)
{
    struct workspace_names n;
    json_t *found = json_array();
    const struct app_options *o = app_get(r->app);
    TRY(workspace_names_load(r->db, r->company.id, &n));
    if (o->orphans)
        TRY(o->orphans(r->arena, &n, json_bool(r->body, "apply", false), json_bool(r->body, "force", false), &found));
    jw_obj(&r->w);
    jw_key(&r->w, "orphans");
    jw_json(&r->w, found);
    jw_kbool(&r->w, "applied", json_bool(r->body, "apply", false));
    jw_obj_end(&r->w);
    return OK;
}

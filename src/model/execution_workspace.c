/* execution_workspace: reading and writing on the wire. */
#include "model/execution_workspace.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"

#include <string.h>

err_t execution_workspace_get(struct db *db, const char *id, struct execution_workspace *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_execution_workspace, out, found, "WHERE id = $1", P(V_ID(id)));
}

bool execution_workspace_open(const struct execution_workspace *ws) { return ws->closed_at == INSTANT_NONE; }

json_t *execution_workspace_metadata(const struct execution_workspace *ws)
{
    json_t *m = json_read(ws->metadata);
    return json_is_object(m) ? m : json_object();
}

bool execution_workspace_key_ours(const char *key)
{
    static const char *const ours[] = {"source",
                                       "createdByRuntime",
                                       "baseRefSnapshot",
                                       "config",
                                       "configFingerprint",
                                       "workspaceRealizationRequest",
                                       "workspaceRealization",
                                       "lifecycleGeneration",
                                       "reopenPendingConsumption",
                                       "reopenPendingConsumptionSince",
                                       "workspaceValidationQuarantine",
                                       "repoRoot",
                                       "git",
                                       "provision",
                                       "cleanupState",
                                       "cleanupForce",
                                       "cleanupTries",
                                       "terminalSince"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (text_is(key, ours[i])) return true;
    return false;
}

err_t execution_workspace_live_runs(struct db *db, const char *id, int64_t *n)
{
    return db_int(
        db, n, 0,
        "SELECT count(*) FROM heartbeat_runs r WHERE r.claimed_at IS NOT NULL AND r.closed_at IS NULL AND (r.issue_id IN"
        " (SELECT id FROM issues WHERE execution_workspace_id = $1) OR r.id IN (SELECT heartbeat_run_id FROM workspace_operations"
        " WHERE execution_workspace_id = $1 AND phase = 'worktree_prepare'))",
        P(V_ID(id)));
}

/* ---- lists ---- */

struct terms {
    struct arena *a;
    struct buf where;
    struct dbv v[16];
    int n;
};

static void term(struct terms *t, const char *sql, struct dbv v)
{
    t->v[t->n++] = v;
    buf_printf(&t->where, " AND %s $%d", sql, t->n);
}

static void statuses(struct terms *t, const char *list)
{
    char *copy = arena_strdup(t->a, list), *save = NULL;
    buf_puts(&t->where, " AND status IN (''");
    for (char *s = strtok_r(copy, ", ", &save); s && t->n < 14; s = strtok_r(NULL, ", ", &save)) {
        t->v[t->n++] = V_TEXT(s);
        buf_printf(&t->where, ",$%d", t->n);
    }
    buf_putc(&t->where, ')');
}

err_t execution_workspace_list(struct db *db, const struct execution_workspace_filter *f,
                               struct execution_workspace **rows, int *n)
{
    struct terms t = {.a = db_arena(db)};
    t.v[t.n++] = V_ID(f->company_id);
    buf_puts(&t.where, "WHERE company_id = $1");
    if (f->project_id) term(&t, "project_id =", V_ID(f->project_id));
    if (f->project_workspace_id) term(&t, "project_workspace_id =", V_ID(f->project_workspace_id));
    if (f->issue_id) term(&t, "source_issue_id =", V_ID(f->issue_id));
    if (f->status) statuses(&t, f->status);
    if (f->reuse_eligible) buf_puts(&t.where, " AND closed_at IS NULL AND mode <> 'shared_workspace'");
    if (f->cursor) {
        t.v[t.n++] = V_ID(f->cursor);
        buf_printf(
            &t.where,
            " AND (last_used_at, created_at, id) < (SELECT c.last_used_at, c.created_at, c.id FROM execution_workspaces c"
            " WHERE c.id = $%d)",
            t.n);
    }
    t.v[t.n++] = V_INT(f->limit);
    buf_printf(&t.where, " ORDER BY last_used_at DESC, created_at DESC, id DESC LIMIT $%d", t.n);
    return entity_many(db, &ENTITY_execution_workspace, rows, n, buf_finish(&t.where, t.a), t.v, t.n);
}

/* ---- on the wire ---- */

const char *execution_workspace_delivery(const struct execution_workspace *ws)
{
    const json_t *git = json_object_get(json_read(ws->metadata), "git");
    const json_t *ahead = json_object_get(git, "aheadOfBase");
    if (!json_is_integer(ahead) || !text_is(ws->strategy_type, "git_worktree")) return "unknown";
    return json_integer_value(ahead) == 0 ? "merged_by_ancestry" : "unmerged";
}

static void write_config(struct jw *w, const json_t *metadata)
{
    static const char *const keys[] = {"environmentId",   "provisionCommand", "runtimeProvisionCommand",
                                       "teardownCommand", "cleanupCommand",   "workspaceRuntime",
                                       "desiredState",    "serviceStates"};
    const json_t *config = json_object_get(metadata, "config");
    bool any = false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *v = json_object_get(config, keys[i]);
        any |= v && !json_is_null(v);
    }
    jw_key(w, "config");
    if (!any) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        jw_key(w, keys[i]);
        jw_json(w, json_object_get(config, keys[i]));
    }
    jw_obj_end(w);
}

static void write(struct jw *w, const struct execution_workspace *ws, bool embedded)
{
    struct execution_workspace row = *ws;
    const json_t *metadata = json_read(ws->metadata);
    if (embedded) row.metadata = NULL;
    jw_obj(w);
    entity_write(w, &ENTITY_execution_workspace, &row, VIEW_FULL);
    jw_kstr(w, "deliveryState", execution_workspace_delivery(ws));
    write_config(w, metadata);
    jw_karr(w, "runtimeServices");
    jw_arr_end(w);
    jw_obj_end(w);
}

void execution_workspace_write(struct jw *w, const struct execution_workspace *ws) { write(w, ws, false); }

err_t execution_workspace_write_current(struct db *db, struct jw *w, const char *id)
{
    struct execution_workspace ws;
    bool found = false;
    if (id) TRY(execution_workspace_get(db, id, &ws, &found));
    if (found) write(w, &ws, true);
    else jw_null(w);
    return OK;
}

void execution_workspace_write_brief(struct jw *w, const struct execution_workspace *ws)
{
    jw_obj(w);
    jw_kstr(w, "id", ws->id);
    jw_kstr(w, "name", ws->name);
    jw_kstr(w, "mode", ws->mode);
    jw_kstr(w, "status", ws->status);
    jw_kstr(w, "cwd", ws->cwd);
    jw_kstr(w, "branchName", ws->branch_name);
    jw_kstr(w, "projectWorkspaceId", ws->project_workspace_id);
    jw_ktime(w, "lastUsedAt", ws->last_used_at);
    jw_obj_end(w);
}

err_t execution_workspace_log(struct db *db, const struct actor *actor, const char *action,
                              const struct execution_workspace *ws, json_t *details)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b);
    execution_workspace_write(&w, ws);
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = ws->company_id,
                                                 .action = action,
                                                 .entity_type = "execution_workspace",
                                                 .entity_id = ws->id,
                                                 .details = details,
                                                 .entity = buf_finish(&b, db_arena(db))});
}

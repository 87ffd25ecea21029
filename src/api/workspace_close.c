/*
 * workspace_close: closing and changing execution workspaces (WS-113…122). Git is
 * asked outside any transaction, and closing is judged again inside one; what the
 * directory holds is looked at a third time by the job that takes it away.
 */
#include "model/workspace_close.h"
#include "api/app.h"
#include "api/handlers.h"
#include "api/schemas.h"
#include "base/text.h"
#include "model/environment.h"
#include "model/execution_workspace.h"

#include <string.h>

static const char *const statuses[] = {"active", "idle", "in_review", "archived", NULL};
static const struct prop config_props[] = {
    {"environmentId", PROP_UUID, NULLABLE},
    {"provisionCommand", PROP_STRING, NULLABLE},
    {"runtimeProvisionCommand", PROP_STRING, NULLABLE},
    {"teardownCommand", PROP_STRING, NULLABLE},
    {"cleanupCommand", PROP_STRING, NULLABLE},
    {"workspaceRuntime", PROP_OBJECT, NULLABLE},
    {"desiredState", PROP_ANY, NULLABLE},
    {"serviceStates", PROP_OBJECT, NULLABLE},
};
SCHEMA_WITH(execution_workspace_config, config_props, .strict = true);
static const struct prop patch_props[] = {
    {"name", PROP_STRING, .min = 1},
    {"cwd", PROP_STRING, NULLABLE},
    {"repoUrl", PROP_STRING, NULLABLE},
    {"baseRef", PROP_STRING, NULLABLE},
    {"branchName", PROP_STRING, NULLABLE},
    {"providerRef", PROP_STRING, NULLABLE},
    {"status", PROP_ENUM, .options = statuses},
    {"cleanupEligibleAt", PROP_TIME, NULLABLE},
    {"cleanupReason", PROP_STRING, NULLABLE},
    {"config", PROP_OBJECT, NULLABLE, .object = &execution_workspace_config},
    {"metadata", PROP_OBJECT, NULLABLE},
};
SCHEMA_WITH(EXECUTION_WORKSPACE_PATCH, patch_props, .strict = true);

/* ---- looking ---- */

static void look(struct req *r, struct closing *c)
{
    const struct app_options *o = app_get(r->app);
    *c = (struct closing){.workspace = r->workspace, .readable = true, .force = is_board(r) && query_bool(r, "force")};
    c->tree = (struct tree_facts){.git = false, .ahead = -1, .behind = -1};
    if (!text_is(r->workspace.strategy_type, "git_worktree") || o->inspect == NULL) return;
    err_t err = o->inspect(r->arena, r->workspace.cwd, r->workspace.base_ref, &c->tree);
    c->readable = err == OK;
    c->path_missing = err == OK && !c->tree.git;
}

err_t execution_workspace_close_readiness(struct req *r)
{
    struct closing c;
    look(r, &c);
    TRY(workspace_close_judge(r->db, &c));
    workspace_close_write(&r->w, &c);
    return OK;
}

/* ---- changing ---- */

static err_t refused_command(struct req *r)
{
    static const char *const commands[] = {"provisionCommand", "runtimeProvisionCommand", "teardownCommand",
                                           "cleanupCommand",   "workspaceRuntime",        NULL};
    static const char *const places[] = {"cwd", "providerRef", "branchName", "metadata", NULL};
    const json_t *config = json_object_get(r->body, "config"),
                 *inner = json_object_get(json_object_get(r->body, "metadata"), "config");
    struct buf b BUF_AUTO = {0};
    if (!is_agent(r)) return OK;
    for (const char *const *c = commands; *c; c++) {
        if (json_object_get(config, *c)) buf_printf(&b, "%sconfig.%s", b.len ? ", " : "", *c);
        if (json_object_get(inner, *c)) buf_printf(&b, "%smetadata.config.%s", b.len ? ", " : "", *c);
    }
    if (b.len) return forbidden(r, "Agent keys cannot modify host-executed workspace commands (%s).", b.data);
    for (const char *const *p = places; *p; p++)
        if (json_object_get(r->body, *p)) return forbidden(r, "Agent keys cannot move a workspace (%s).", *p);
    if (!text_is(json_str(r->body, "status"), "archived") || r->workspace.source_issue_id == NULL) return OK;
    const char *issue = NULL; /* only the one who works on its issue closes it (WS-113 BETTER) */
    TRY(db_text(r->db, &issue, "SELECT issue_id FROM heartbeat_runs WHERE id = $1", P(V_ID(r->actor.run_id))));
    if (text_is(issue, r->workspace.source_issue_id)) return OK;
    return forbidden(r, "Only a run on the workspace's own issue may archive it");
}

/* Metadata is replaced, save what the server keeps there (WS-109); config is merged, null clears. */
static void apply_metadata(struct req *r, struct execution_workspace *ws)
{
    json_t *now = execution_workspace_metadata(ws), *sent = json_object_get(r->body, "metadata"), *v;
    json_t *config = json_object_get(r->body, "config");
    const char *key;
    if (sent) {
        json_t *next = json_object();
        json_object_foreach (now, key, v)
            if (execution_workspace_key_ours(key)) json_object_set(next, key, v);
        json_object_foreach (sent, key, v)
            if (!execution_workspace_key_ours(key)) json_object_set(next, key, v);
        now = next;
    }
    if (config && json_is_null(config)) json_object_del(now, "config");
    if (json_is_object(config)) {
        json_t *merged = json_object_get(now, "config");
        if (!json_is_object(merged)) merged = json_object();
        json_object_update(merged, config);
        json_object_set(now, "config", merged);
    }
    if (sent || config) ws->metadata = json_text(r->arena, now);
}

static err_t apply(struct req *r, const struct execution_workspace *before, struct execution_workspace *after)
{
    static const char *const names[] = {
        "name", "cwd", "repoUrl", "baseRef", "branchName", "providerRef", "cleanupEligibleAt", "cleanupReason", NULL};
    const char *status = json_str(r->body, "status");
    *after = *before;
    TRY(environment_check(r->db, json_str(json_object_get(r->body, "config"), "environmentId")));
    body_apply(r, &ENTITY_execution_workspace, after, names);
    apply_metadata(r, after);
    if (after->cwd && *after->cwd != '/') return unprocessable(r, "cwd must be an absolute path");
    if (after->provider_ref && *after->provider_ref != '/')
        return unprocessable(r, "providerRef must be an absolute path");
    if (status && !text_is(status, "archived")) {
        if (!execution_workspace_open(before))
            return err_new(r->arena, ERR_CONFLICT,
                           "A closed execution workspace is opened again by resuming its issue");
        after->status = status;
    }
    after->updated_at = clock_now();
    return OK;
}

struct patch {
    struct req *r;
    struct closing *closing; /* NULL: it is not archived by this */
    struct execution_workspace after;
    bool blocked;
};

static err_t patch(struct db *db, struct patch *p)
{
    struct req *r = p->r;
    struct execution_workspace before;
    bool found;
    p->blocked = false;
    TRY(execution_workspace_get(db, r->workspace.id, &before, &found));
    if (!found) return not_found(r, "Execution workspace");
    if (p->closing) {
        p->closing->workspace = before;
        p->closing->issue_count = 0;
        TRY(workspace_close_judge(db, p->closing));
        p->blocked = json_array_size(p->closing->blocking) > 0;
        if (p->blocked) return OK;
    }
    TRY(apply(r, &before, &p->after));
    TRY(entity_update(db, &ENTITY_execution_workspace, &before, &p->after));
    if (p->closing) {
        before = p->after;
        TRY(workspace_archive(db, &before, &(struct archive){.force = p->closing->force, .eligible_at = INSTANT_NONE},
                              &p->after));
    }
    json_t *keys = json_array(), *v;
    const char *key;
    json_object_foreach (r->body, key, v) json_array_append_new(keys, json_string(key));
    json_t *details = json_pack("{s:o}", "changedKeys", keys);
    if (p->closing && json_array_size(p->closing->warnings))
        json_object_set(details, "cleanupWarnings", p->closing->warnings);
    return execution_workspace_log(db, &r->actor, "execution_workspace.updated", &p->after, details);
}

/* This route is slow, so it has no transaction of its own: git must not run inside one. */
static err_t in_transaction(struct req *r, struct patch *p)
{
    err_t err = OK;
    for (int i = 0; i < DB_RETRY_MAX; i++) {
        TRY(db_begin(r->db, r->company_id));
        err = patch(r->db, p);
        if (err == OK) err = db_commit(r->db);
        if (err) db_rollback(r->db);
        if (err == OK || !err->retry) break;
    }
    return err;
}

err_t execution_workspace_patch(struct req *r)
{
    struct closing c;
    struct patch p = {.r = r};
    bool archive = text_is(json_str(r->body, "status"), "archived") && !text_is(r->workspace.status, "archived");
    TRY(refused_command(r));
    if (archive) {
        look(r, &c);
        p.closing = &c;
    }
    TRY(in_transaction(r, &p));
    if (!p.blocked) {
        execution_workspace_write(&r->w, &p.after);
        return OK;
    }
    r->status = 409;
    jw_obj(&r->w);
    jw_kstr(&r->w, "error", json_string_value(json_array_get(c.blocking, 0)));
    jw_key(&r->w, "closeReadiness");
    workspace_close_write(&r->w, &c);
    jw_obj_end(&r->w);
    return OK;
}

/*
 * launch: a claimed run gets its directory, environment and agent. Whatever
 * fails here ends the run as setup_failed or configuration_incomplete.
 */
#include "engine/launch.h"

#include "adapter/process.h"
#include "base/log.h"
#include "base/settings.h"
#include "engine/engine_internal.h"
#include "engine/http_run.h"
#include "engine/workspace.h"
#include "model/agent.h"
#include "model/issue.h"
#include "model/run.h"
#include "model/run_event.h"
#include "model/token.h"
#include "model/wake_payload.h"
#include "rules/redact.h"
#include "workspace/scratch.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static err_t make_dirs(struct arena *a, const char *path)
{
    char *p = arena_strdup(a, path);
    for (char *slash = strchr(p + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) *slash = 0;
        if (mkdir(p, 0755) != 0 && errno != EEXIST) return err_new(a, ERR_UNAVAILABLE, "cannot make the directory %s: %s", p, strerror(errno));
        if (slash == NULL) return OK;
        *slash = '/';
    }
}

static err_t load(struct engine *e, struct launch *l)
{
    struct run_data data;
    bool found;
    TRY(agent_get(e->db, l->run->agent_id, &l->agent, &found));
    if (!found) return err_with(&e->arena, ERR_NOT_FOUND, "agent_not_found", NULL, "The agent is gone");
    TRY(run_data_get(e->db, l->run->id, &data));
    l->context = json_read(data.context_snapshot);
    if (!json_is_object(l->context)) l->context = json_object();
    if (l->run->issue_id) TRY(issue_get(e->db, l->run->issue_id, &l->issue, &l->has_issue));
    const char *project = l->has_issue ? l->issue.project_id : json_str(l->context, "projectId");
    if (l->where) {
        l->workspace = l->where->place;
        l->has_workspace = l->where->has_place;
    } else if (project) {
        TRY(entity_one(e->db, &ENTITY_project_workspace, &l->workspace, &l->has_workspace,
                       "WHERE project_id = $1 ORDER BY CASE WHEN is_primary THEN 0 ELSE 1 END, created_at, id LIMIT 1", P(V_ID(project))));
    }
    return wake_payload_build(e->db, l->run, l->context, l->has_issue ? &l->issue : NULL, &l->wake_payload);
}

static json_t *shown_workspace(const struct launch *l)
{
    const struct execution_workspace *ws = l->where ? &l->where->workspace : NULL;
    json_t *o = json_pack("{s:s, s:s, s:s?, s:s?, s:s}", "cwd", l->cwd, "source", l->cwd_source, "projectId",
                          ws ? ws->project_id : l->has_workspace ? l->workspace.project_id : NULL, "workspaceId",
                          l->has_workspace ? l->workspace.id : NULL, "agentHome", l->agent_home);
    if (ws)
        json_object_update_new(o, json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?}", "mode", ws->mode, "strategy", ws->strategy_type, "repoUrl",
                                            ws->repo_url, "repoRef", l->has_workspace ? l->workspace.repo_ref : NULL, "branchName",
                                            ws->branch_name, "worktreePath",
                                            strcmp(ws->strategy_type, "git_worktree") == 0 ? ws->provider_ref : NULL));
    return o;
}

/* WS-46: in a worktree of its own the run works there, whatever the agent's configuration says; a relative
 * directory is one inside it. */
static err_t apply_configured(struct engine *e, struct launch *l, const char *configured)
{
    bool worktree = l->where && strcmp(l->where->workspace.strategy_type, "git_worktree") == 0;
    if (configured == NULL) return OK;
    if (*configured != '/') {
        l->cwd = arena_printf(&e->arena, "%s/%s", l->cwd, configured);
    } else if (!worktree) {
        l->cwd = configured;
    } else if (strcmp(configured, l->cwd) != 0) {
        l->cwd_ignored = configured;
    }
    return OK;
}

/* The run's workspace, else the agent's own directory or the project's checkout (AR-55 BETTER: never the server's). */
static err_t choose_cwd(struct engine *e, struct launch *l, const char *configured)
{
    struct arena *a = &e->arena;
    l->agent_home = arena_printf(a, "%s/workspaces/%s", e->opt.data_dir, l->agent.id);
    TRY(make_dirs(a, l->agent_home));
    if (l->where) {
        l->cwd = l->where->workspace.cwd;
        l->cwd_source = l->where->source;
        json_object_set_new(l->context, "executionWorkspaceId", json_string(l->where->workspace.id));
    } else if (l->has_workspace && l->workspace.cwd && *l->workspace.cwd == '/') {
        l->cwd = l->workspace.cwd;
        l->cwd_source = "project_primary";
    } else {
        l->cwd = l->agent_home;
        l->cwd_source = "agent_home";
    }
    json_object_set_new(l->context, "paperclipWorkspace", shown_workspace(l));
    return apply_configured(e, l, configured);
}

static err_t prepare(struct engine *e, struct launch *l, const char *configured_cwd)
{
    struct arena *a = &e->arena;
    TRY(choose_cwd(e, l, configured_cwd));
    TRY(scratch_make(a, &(struct scratch_owner){.company_id = l->agent.company_id, .agent_id = l->agent.id, .run_id = l->run->id,
                                                 .issue_id = l->has_issue ? l->issue.id : NULL,
                                                 .identifier = l->has_issue ? l->issue.identifier : NULL}, &l->scratch));
    json_object_set_new(l->context, "paperclipScratch",
                        json_pack("{s:s, s:s, s:s, s:s}", "type", "heartbeat_run", "dir", l->scratch, "cleanupPolicy", "terminal_run", "marker",
                                  SCRATCH_MARKER));
    if (l->wake_payload && l->where && l->where->workspace.branch_name)
        json_object_set_new(l->wake_payload, "executionWorkspace", json_pack("{s:s}", "branchName", l->where->workspace.branch_name));
    if (l->wake_payload) json_object_set_new(l->context, "paperclipWake", wake_payload_context_form(l->wake_payload));
    l->token = token_sign(a, e->opt.jwt_secret, &(struct run_token){.agent_id = l->agent.id, .company_id = l->agent.company_id,
                                                                    .adapter_type = l->agent.adapter_type, .run_id = l->run->id,
                                                                    .responsible_user_id = l->run->responsible_user_id,
                                                                    .issued_at = clock_now()});
    return OK;
}

/* Names and harmless values only (AR-50 step 6). */
static json_t *shown_env(struct arena *a, const char *const *env)
{
    json_t *out = json_object();
    for (; *env; env++) {
        const char *eq = strchr(*env, '=');
        const char *name = arena_strndup(a, *env, (size_t)(eq - *env));
        json_object_set_new(out, name, json_string(redact_is_sensitive(name) ? REDACTED : redact_text(a, eq + 1)));
    }
    json_object_del(out, "PAPERCLIP_WAKE_PAYLOAD_JSON");
    return out;
}

struct invocation {
    struct launch *l;
    json_t *payload;
    const char *log_ref;
};

static err_t record_invocation(struct engine *e, void *arg)
{
    struct invocation *i = arg;
    struct launch *l = i->l;
    int64_t n;
    TRY(db_relax(e->db));
    TRY(db_exec_one(e->db, "UPDATE heartbeat_run_data SET context_snapshot = $2 WHERE run_id = $1",
                    P(V_ID(l->run->id), V_JSON(json_text(&e->arena, l->context)))));
    TRY(db_exec(e->db, &n, "UPDATE heartbeat_runs SET log_store = $2, log_ref = $3, updated_at = $4 WHERE id = $1",
                P(V_ID(l->run->id), V_TEXT(i->log_ref ? "local_file" : NULL), V_TEXT(i->log_ref), V_TIME(clock_now()))));
    if (l->cwd_ignored)
        TRY(run_event_add(e->db, l->run, &(struct run_event_entry){.event_type = "workspace", .level = "warn",
                                                                   .message = arena_printf(&e->arena, "The run works in its worktree %s; the directory %s of the agent's configuration is not used.",
                                                                                           l->cwd, l->cwd_ignored)}));
    return run_event_add(e->db, l->run, &(struct run_event_entry){.event_type = "adapter.invoke", .level = "info",
                                                                  .message = "adapter invocation", .payload = i->payload});
}

static err_t start_process(struct engine *e, struct launch *l)
{
    struct arena *a = &e->arena;
    struct process_config c;
    const char *const *env, *const *secrets;
    TRY(process_config_parse(a, l->agent.adapter_config, &c));
    TRY(prepare(e, l, c.cwd));
    TRY(launch_env(a, &e->opt, l, c.env, &env, &secrets));
    struct live_run *r = live_add(e, l->run);
    r->grace_ms = c.grace_sec * 1000;
    json_t *args = json_array();
    for (const char *const *v = c.argv + 1; *v; v++) json_array_append_new(args, json_string(*v));
    struct invocation inv = {.l = l, .log_ref = arena_printf(a, "%s/%s/%s.ndjson", l->run->company_id, l->run->agent_id, l->run->id),
                             .payload = json_pack("{s:s, s:s, s:s, s:o, s:o}", "adapterType", "process", "command", c.command, "cwd", l->cwd,
                                                  "commandArgs", args, "env", shown_env(a, env))};
    err_t err = engine_tx(e, l->run->company_id, record_invocation, &inv);
    const struct shim_spec spec = {.run_id = l->run->id, .argv = c.argv, .cwd = l->cwd, .env = env, .log_path = r->log_path,
                                   .log_max_bytes = settings.run_log_bytes_max, .timeout_ms = c.timeout_sec * 1000,
                                   .cgroup = e->opt.cgroup_dir ? arena_printf(a, "%s/%s", e->opt.cgroup_dir, l->run->id) : NULL,
                                   .grace_ms = r->grace_ms, .redact = secrets, .keep_stragglers = !c.kill_group_on_exit};
    if (err == OK) err = shim_spawn(a, e->opt.shim_path, r->run_dir, &spec, &r->link);
    if (err == OK) err = supervise_watch(r);
    if (err) live_drop(r);
    return err;
}

static err_t start_http(struct engine *e, struct launch *l)
{
    TRY(prepare(e, l, NULL));
    struct invocation inv = {.l = l, .payload = json_pack("{s:s, s:s}", "adapterType", "http", "cwd", l->cwd)};
    TRY(engine_tx(e, l->run->company_id, record_invocation, &inv));
    return http_run_start(e, l);
}

static void start(struct engine *e, const struct run *run, const struct realized *where)
{
    struct run copy = *run;
    struct launch l = {.run = &copy, .where = where};
    err_t err = load(e, &l);
    if (err == OK) {
        if (strcmp(l.agent.adapter_type, "process") == 0) err = start_process(e, &l);
        else if (strcmp(l.agent.adapter_type, "http") == 0) err = start_http(e, &l);
        else err = err_with(&e->arena, ERR_UNPROCESSABLE, "configuration_incomplete", NULL,
                            "This server has no adapter of the type %s yet", l.agent.adapter_type);
    }
    if (err == OK) return;
    log_warn("run.setup", "run=%s error=\"%s\"", copy.id, err->message);
    collect_setup_failure(e, &copy, err->code ? err->code : "setup_failed", err->message, NULL);
}

void launch_prepared(struct engine *e, const struct run *run, const struct realized *where) { start(e, run, where); }

void launch_run(struct engine *e, const struct run *run)
{
    bool taken;
    err_t err = workspace_prepare_start(e, run, &taken);
    if (err) {
        log_warn("run.workspace", "run=%s error=\"%s\"", run->id, err->message);
        collect_setup_failure(e, run, err->code ? err->code : "setup_failed", err->message, err->details);
    } else if (!taken) {
        start(e, run, NULL);
    }
}

/* launch_env: the environment of an agent's process, built from nothing (AR-54 BETTER). */
#include "engine/engine.h"
#include "engine/launch.h"
#include "engine/workspace.h"

#include "base/settings.h"
#include "rules/redact.h"

#include <stdlib.h>
#include <string.h>

#define VARS_MAX 1024

struct env {
    struct arena *a;
    const char **vars, **secrets;
    int n, n_secrets;
};

/* Sets or replaces; an empty value is not passed at all. */
static void put(struct env *e, const char *name, const char *value)
{
    if (value == NULL || *value == 0) return;
    const char *pair = arena_printf(e->a, "%s=%s", name, value);
    size_t len = strlen(name) + 1;
    for (int i = 0; i < e->n; i++) {
        if (strncmp(e->vars[i], pair, len) != 0) continue;
        e->vars[i] = pair;
        return;
    }
    if (e->n < VARS_MAX) e->vars[e->n++] = pair;
}

static void hide(struct env *e, const char *value)
{
    if (value && strlen(value) >= 6 && e->n_secrets < VARS_MAX) e->secrets[e->n_secrets++] = value;
}

static void inherit(struct env *e)
{
    char *names = arena_strdup(e->a, settings.child_env), *save = NULL;
    for (char *n = strtok_r(names, " ,", &save); n; n = strtok_r(NULL, " ,", &save)) put(e, n, getenv(n));
    if (getenv("PATH") == NULL) put(e, "PATH", "/usr/local/bin:/usr/bin:/bin");
}

static err_t configured(struct env *e, const json_t *config_env)
{
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)config_env, name, v) {
        const char *type = json_str(v, "type"), *value = json_is_string(v) ? json_string_value(v) : json_str(v, "value");
        if (strncmp(name, "PAPERCLIP_", 10) == 0 || strchr(name, '=')) continue; /* the server's own names win */
        if (value == NULL || (type && strcmp(type, "plain") != 0))
            return err_with(e->a, ERR_UNPROCESSABLE, "configuration_incomplete", NULL,
                            "The environment variable %s is bound to a secret that this server cannot resolve", name);
        put(e, name, value);
        if (redact_is_sensitive(name)) hide(e, value);
    }
    return OK;
}

static const char *joined(struct arena *a, const json_t *list)
{
    struct buf b = {0};
    json_t *v;
    size_t i;
    json_array_foreach(list, i, v)
        if (json_is_string(v)) buf_printf(&b, "%s%s", b.len ? "," : "", json_string_value(v));
    return buf_finish(&b, a);
}

static void about_wake(struct env *e, const struct launch *l)
{
    const json_t *c = l->context;
    const char *task = json_str(c, "taskId"), *comment = json_str(c, "wakeCommentId");
    put(e, "PAPERCLIP_TASK_ID", task ? task : json_str(c, "issueId"));
    put(e, "PAPERCLIP_WAKE_REASON", json_str(c, "wakeReason"));
    put(e, "PAPERCLIP_WAKE_COMMENT_ID", comment ? comment : json_str(c, "commentId"));
    put(e, "PAPERCLIP_APPROVAL_ID", json_str(c, "approvalId"));
    put(e, "PAPERCLIP_APPROVAL_STATUS", json_str(c, "approvalStatus"));
    put(e, "PAPERCLIP_LINKED_ISSUE_IDS", joined(e->a, json_object_get(c, "issueIds")));
    if (l->has_issue) put(e, "PAPERCLIP_ISSUE_WORK_MODE", l->issue.work_mode);
    if (l->wake_payload) put(e, "PAPERCLIP_WAKE_PAYLOAD_JSON", json_text(e->a, l->wake_payload));
}

static void about_workspace(struct env *e, const struct launch *l)
{
    put(e, "PAPERCLIP_WORKSPACE_CWD", l->cwd);
    put(e, "PAPERCLIP_WORKSPACE_SOURCE", l->cwd_source);
    put(e, "AGENT_HOME", l->agent_home);
    if (l->where) {
        const struct execution_workspace *ws = &l->where->workspace;
        put(e, "PAPERCLIP_WORKSPACE_STRATEGY", ws->strategy_type);
        put(e, "PAPERCLIP_WORKSPACE_BRANCH", ws->branch_name);
        if (strcmp(ws->strategy_type, "git_worktree") == 0) put(e, "PAPERCLIP_WORKSPACE_WORKTREE_PATH", ws->provider_ref);
        json_t *list = json_pack("[{s:s?, s:s, s:s?, s:s?}]", "workspaceId", l->has_workspace ? l->workspace.id : NULL, "cwd", ws->cwd, "repoUrl",
                                 ws->repo_url, "repoRef", l->has_workspace ? l->workspace.repo_ref : NULL);
        put(e, "PAPERCLIP_WORKSPACES_JSON", json_text(e->a, list));
    }
    if (!l->has_workspace) return;
    put(e, "PAPERCLIP_WORKSPACE_ID", l->workspace.id);
    put(e, "PAPERCLIP_WORKSPACE_REPO_URL", l->workspace.repo_url);
    put(e, "PAPERCLIP_WORKSPACE_REPO_REF", l->workspace.repo_ref);
}

static void about_scratch(struct env *e, const struct launch *l, const json_t *config_env)
{
    static const char *const ours[] = {"PAPERCLIP_RUN_SCRATCH_DIR", "PAPERCLIP_TASK_SCRATCH_DIR", "PAPERCLIP_SCRATCH_DIR", "PAPERCLIP_TMPDIR"};
    static const char *const usual[] = {"TMPDIR", "TEMP", "TMP"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) put(e, ours[i], l->scratch);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (json_object_get(config_env, usual[i]) == NULL) put(e, usual[i], l->scratch);
}

err_t launch_env(struct arena *a, const struct engine_options *o, const struct launch *l, const json_t *config_env,
                 const char *const **env, const char *const **secrets)
{
    struct env e = {.a = a, .vars = arena_array(a, const char *, VARS_MAX + 1), .secrets = arena_array(a, const char *, VARS_MAX + 1)};
    inherit(&e);
    TRY(configured(&e, config_env));
    about_scratch(&e, l, config_env);
    put(&e, "PAPERCLIP_AGENT_ID", l->agent.id);
    put(&e, "PAPERCLIP_COMPANY_ID", l->agent.company_id);
    put(&e, "PAPERCLIP_RUN_ID", l->run->id);
    put(&e, "PAPERCLIP_API_URL", o->api_url);
    put(&e, "PAPERCLIP_RUNTIME_API_URL", o->api_url);
    put(&e, "PAPERCLIP_LISTEN_HOST", o->listen_host);
    put(&e, "PAPERCLIP_LISTEN_PORT", arena_printf(a, "%d", o->listen_port));
    put(&e, "PAPERCLIP_API_KEY", l->token);
    hide(&e, l->token);
    about_wake(&e, l);
    about_workspace(&e, l);
    *env = e.vars;
    *secrets = e.secrets;
    return OK;
}

/* adapters: the agent runtimes and what each supports (AR-34, AR-35). */
#include "api/agent_access.h"
#include "api/handlers.h"
#include "api/schemas.h"
#include "http/client.h"
#include "rules/adapter_types.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROBE_TIMEOUT_MS 3000

static void write_type(struct jw *w, const struct adapter_type *t)
{
    jw_obj(w);
    jw_kstr(w, "type", t->type);
    jw_kstr(w, "label", t->type);
    jw_kstr(w, "source", "builtin");
    jw_kint(w, "modelsCount", 0);
    jw_kbool(w, "loaded", t->available);
    jw_kbool(w, "disabled", !t->available);
    jw_kobj(w, "capabilities");
    jw_kbool(w, "supportsInstructionsBundle", t->instructions_bundle);
    jw_kbool(w, "supportsSkills", t->skills);
    jw_kbool(w, "supportsLocalAgentJwt", t->run_tokens);
    jw_kbool(w, "requiresMaterializedRuntimeSkills", false);
    jw_kbool(w, "supportsModelProfiles", false);
    jw_kbool(w, "supportsAcp", strncmp(t->type, "acpx", 4) == 0);
    jw_obj_end(w);
    jw_kbool(w, "overridePaused", false);
    jw_obj_end(w);
}

static int by_type(const void *x, const void *y)
{
    return strcmp((*(const struct adapter_type *const *)x)->type, (*(const struct adapter_type *const *)y)->type);
}

err_t adapters_list(struct req *r)
{
    const struct adapter_type *sorted[32];
    size_t n = 0;
    for (const struct adapter_type *t = ADAPTER_TYPES; t->type && n < 32; t++) sorted[n++] = t;
    qsort(sorted, n, sizeof *sorted, by_type);
    jw_arr(&r->w);
    for (size_t i = 0; i < n; i++) write_type(&r->w, sorted[i]);
    jw_arr_end(&r->w);
    return OK;
}

/* The type the path names; registered or 404. */
static err_t named(struct req *r, const struct adapter_type **out)
{
    *out = adapter_type_find(r->params[0]);
    return *out ? OK : err_new(r->arena, ERR_NOT_FOUND, "Adapter \"%.100s\" is not registered.", r->params[0]);
}

err_t adapter_show(struct req *r)
{
    const struct adapter_type *t;
    TRY(named(r, &t));
    write_type(&r->w, t);
    return OK;
}

err_t adapter_config_schema(struct req *r)
{
    const struct adapter_type *t;
    TRY(named(r, &t));
    return err_new(r->arena, ERR_NOT_FOUND, "Adapter \"%s\" does not provide a config schema.", t->type);
}

/* The same inside a company, where an unknown type is 422. */
static err_t in_company(struct req *r, const struct adapter_type **out)
{
    *out = adapter_type_find(r->params[1]);
    return *out ? OK : unprocessable(r, "Unknown adapter type: %.100s", r->params[1]);
}

/* Models, profiles: the runtimes of this version have none to choose from. */
err_t adapter_models(struct req *r)
{
    const struct adapter_type *t;
    TRY(in_company(r, &t));
    jw_arr(&r->w);
    jw_arr_end(&r->w);
    return OK;
}

err_t adapter_detect_model(struct req *r)
{
    const struct adapter_type *t;
    TRY(in_company(r, &t));
    jw_null(&r->w);
    return OK;
}

/* ---- would this configuration run? ---- */

static const struct prop test_props[] = {
    {"adapterConfig", PROP_OBJECT},
    {"environmentId", PROP_UUID, NULLABLE},
};
SCHEMA(ADAPTER_TEST, test_props);

enum level { LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };
struct checks {
    struct req *r;
    json_t *list;
    enum level worst;
};

static void add(struct checks *c, enum level level, const char *code, const char *message)
{
    static const char *const names[] = {"info", "warn", "error"};
    json_array_append_new(c->list,
                          json_pack("{s:s, s:s, s:s}", "code", code, "level", names[level], "message", message));
    if (level > c->worst) c->worst = level;
}

static bool executable(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* As execvp would find it. */
static bool resolvable(struct arena *a, const char *command)
{
    const char *path = getenv("PATH");
    if (strchr(command, '/')) return executable(command);
    for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
        size_t n = strcspn(p, ":");
        if (n > 0 && executable(arena_printf(a, "%.*s/%s", (int)n, p, command))) return true;
        p += n + (p[n] == ':');
    }
    return false;
}

static void check_process(struct checks *c, const json_t *config)
{
    struct arena *a = c->r->arena;
    const char *command = json_str(config, "command"), *cwd = json_str(config, "cwd");
    struct stat st;
    if (command == NULL || *command == 0) {
        add(c, LEVEL_ERROR, "process_command_missing", "adapterConfig.command is missing");
        return;
    }
    add(c, LEVEL_INFO, "process_command_present", arena_printf(a, "Configured command: %s", command));
    if (cwd && *cwd == '/') {
        bool folder = stat(cwd, &st) == 0 && S_ISDIR(st.st_mode);
        if (folder) add(c, LEVEL_INFO, "process_cwd_valid", arena_printf(a, "The folder exists: %s", cwd));
        else add(c, LEVEL_ERROR, "process_cwd_invalid", arena_printf(a, "There is no folder %s", cwd));
    }
    if (resolvable(a, command))
        add(c, LEVEL_INFO, "process_command_resolvable", arena_printf(a, "The command can be started: %s", command));
    else add(c, LEVEL_ERROR, "process_command_unresolvable", arena_printf(a, "No such program: %s", command));
}

static void probe(struct checks *c, const char *url)
{
    struct arena *a = c->r->arena;
    struct http_response res;
    const struct http_call call = {.method = "HEAD", .url = url, .timeout_ms = PROBE_TIMEOUT_MS};
    err_t e = http_call(a, &call, &res);
    if (e) {
        add(c, LEVEL_WARN, "http_endpoint_probe_failed", e->message);
        return;
    }
    bool fine = (res.status >= 200 && res.status < 400) || res.status == 405 || res.status == 501;
    if (fine) add(c, LEVEL_INFO, "http_endpoint_probe_ok", arena_printf(a, "The endpoint answers (%d)", res.status));
    else
        add(c, LEVEL_WARN, "http_endpoint_probe_unexpected_status",
            arena_printf(a, "The endpoint answers HEAD with %d", res.status));
}

static void check_http(struct checks *c, const json_t *config)
{
    struct arena *a = c->r->arena;
    const char *url = json_str(config, "url"), *method = json_str(config, "method"),
               *slashes = url ? strstr(url, "://") : NULL;
    if (url == NULL || *url == 0) {
        add(c, LEVEL_ERROR, "http_url_missing", "adapterConfig.url is missing");
        return;
    }
    if (slashes == NULL || slashes == url || slashes[3] == 0 || slashes[3] == '/') {
        add(c, LEVEL_ERROR, "http_url_invalid", "adapterConfig.url is not a URL");
        return;
    }
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        add(c, LEVEL_ERROR, "http_url_protocol_invalid", "adapterConfig.url must begin with http:// or https://");
        return;
    }
    add(c, LEVEL_INFO, "http_url_valid", "The URL is well formed");
    add(c, LEVEL_INFO, "http_method_configured", arena_printf(a, "Method: %s", method ? method : "POST"));
    probe(c, url);
}

err_t adapter_test(struct req *r)
{
    static const char *const statuses[] = {"pass", "warn", "fail"};
    const struct adapter_type *t;
    struct checks c = {.r = r, .list = json_array()};
    const json_t *config = json_object_get(r->body, "adapterConfig");
    TRY(require_agent_creator(r));
    TRY(in_company(r, &t));
    if (json_str(r->body, "environmentId")) return not_found(r, "Environment");
    if (!t->available)
        add(&c, LEVEL_ERROR, "adapter_unavailable",
            arena_printf(r->arena, "%s is not available on this server", t->type));
    else if (strcmp(t->type, "http") == 0) check_http(&c, config);
    else check_process(&c, config);
    jw_obj(&r->w);
    jw_kstr(&r->w, "adapterType", t->type);
    jw_kstr(&r->w, "status", statuses[c.worst]);
    jw_key(&r->w, "checks");
    jw_json(&r->w, c.list);
    jw_ktime(&r->w, "testedAt", clock_now());
    jw_obj_end(&r->w);
    return OK;
}

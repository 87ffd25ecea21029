/*
 * dispatch: the way of every request: guard → route → actor → body → entity →
 * right → transaction → handler → commit → answer. Handlers see none of it.
 */
#include "api/app.h"
#include "api/auth.h"
#include "api/key_scope.h"
#include "api/status_only.h"
#include "base/id.h"
#include "base/log.h"
#include "base/settings.h"
#include "http/answer_cache.h"
#include "http/assets.h"
#include "http/router.h"
#include "model/agent.h"
#include "model/approval.h"
#include "model/company.h"
#include "model/execution_workspace.h"
#include "model/goal.h"
#include "model/issue.h"
#include "model/label.h"
#include "model/project.h"
#include "model/run.h"
#include "model/work_product.h"
#include "model/workspace_operation.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEPT_BYTES_MAX ((size_t)1 << 20)

struct handle {
    struct handle *next;
    struct db *db;
};

struct app {
    struct app_options opt;
    struct router *router;
    pthread_mutex_t lock;
    struct handle *handles; /* one database handle per thread, closed with the app */
    struct answer_cache *kept;
    uint32_t id_base; /* of request ids: random, and a count */
    atomic_uint id_next;
    unsigned char etag_key[crypto_shorthash_siphashx24_KEYBYTES];
};

/* Parts of the protocol that this version does not have: 501, not 404. */
static const char *const unbuilt[] = {
#define UNBUILT(path) path,
#include "tables/unbuilt.def"
#undef UNBUILT
};

/* Does path begin with the pattern's segments? */
static bool begins_with(const char *path, const char *pattern)
{
    while (*pattern) {
        if (*pattern == ':') {
            if (*path == 0 || *path == '/') return false;
            path += strcspn(path, "/");
            pattern += strcspn(pattern, "/");
        } else if (*path++ != *pattern++) {
            return false;
        }
    }
    return *path == 0 || *path == '/';
}

static bool is_unbuilt(const char *path)
{
    for (size_t i = 0; i < sizeof unbuilt / sizeof *unbuilt; i++)
        if (begins_with(path, unbuilt[i])) return true;
    return false;
}

static _Thread_local struct db *thread_db;
static _Thread_local const struct app *thread_app;

struct app *app_new(const struct app_options *o)
{
    struct app *app = calloc(1, sizeof *app);
    if (app == NULL) abort();
    app->opt = *o;
    pthread_mutex_init(&app->lock, NULL);
    random_bytes(app->etag_key, sizeof app->etag_key);
    random_bytes(&app->id_base, sizeof app->id_base);
    app->kept = answer_cache_new(KEPT_BYTES_MAX);
    app->router = router_new();
    for (int i = 0; i < ROUTES_COUNT; i++) router_add(app->router, ROUTES[i].method, ROUTES[i].path, i);
    return app;
}

void app_free(struct app *app)
{
    for (struct handle *h = app->handles, *next; h; h = next) {
        next = h->next;
        db_close(h->db);
        free(h);
    }
    answer_cache_free(app->kept);
    router_free(app->router);
    pthread_mutex_destroy(&app->lock);
    free(app);
}

const struct app_options *app_get(const struct app *app) { return &app->opt; }

void app_set_listen(struct app *app, const char *host, int port)
{
    app->opt.listen_host = host;
    app->opt.listen_port = port;
}

/* This thread's database handle. */
static err_t handle_of(struct app *app, struct arena *a, struct db **out)
{
    if (thread_db == NULL || thread_app != app) {
        struct db *db;
        TRY(db_open(a, app->opt.store, &db));
        struct handle *h = calloc(1, sizeof *h);
        if (h == NULL) abort();
        h->db = db;
        pthread_mutex_lock(&app->lock);
        h->next = app->handles;
        app->handles = h;
        pthread_mutex_unlock(&app->lock);
        thread_db = db;
        thread_app = app;
    }
    db_use(thread_db, a);
    *out = thread_db;
    return OK;
}

/* ---- helpers of request.h ---- */

/* An id in its one spelling: a UUID's letters are small (IS-1), however a client writes them. */
static const char *plain_id(struct arena *a, const char *v)
{
    if (v == NULL || !id_valid(v)) return v;
    char *id = arena_strdup(a, v);
    for (char *p = id; *p; p++) *p = (char)tolower((unsigned char)*p);
    return id;
}

const char *query(const struct req *r, const char *name)
{
    const char *v = http_query(r->http, name);
    return v && *v ? plain_id(r->arena, v) : NULL;
}

bool query_bool(const struct req *r, const char *name)
{
    const char *v = query(r, name);
    return v && (strcmp(v, "true") == 0 || strcmp(v, "1") == 0);
}

int query_limit(const struct req *r, const char *name, int dflt, int max)
{
    const char *v = query(r, name);
    char *end;
    long n = v ? strtol(v, &end, 10) : dflt;
    if (v && (end == v || *end)) return dflt;
    return n < 1 ? 1 : n > max ? max : (int)n;
}

err_t not_found(struct req *r, const char *what) { return err_new(r->arena, ERR_NOT_FOUND, "%s not found", what); }

err_t forbidden(struct req *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *msg = arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
    return err_new(r->arena, ERR_FORBIDDEN, "%s", msg);
}

err_t unprocessable(struct req *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *msg = arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
    return err_new(r->arena, ERR_UNPROCESSABLE, "%s", msg);
}

err_t dangling(struct req *r, const char *field, const char *id)
{
    const char *details = json_text(r->arena, json_pack("{s:s, s:s?}", "field", field, "id", id));
    return err_with(r->arena, ERR_UNPROCESSABLE, NULL, details, "%s not found in company", field);
}

err_t refuse(struct req *r, err_t e)
{
    r->refusal = e;
    return OK;
}

void body_apply(const struct req *r, const struct entity *e, void *row, const char *const *names)
{
    for (; *names; names++) {
        const json_t *v = json_object_get(r->body, *names);
        const struct field *f = entity_field(e, *names);
        assert(f != NULL);
        if (v) entity_set(r->arena, f, row, v);
    }
}

/* ---- answers ---- */

/* A machine code stands both beside the text and in the details (IS-4 BETTER). */
static void write_code(struct req *r, err_t e)
{
    json_t *details = e->details && *e->details == '{' ? json_read(e->details) : NULL;
    const char *inner = json_str(details, "code"), *code = e->code ? e->code : inner;
    if (code) jw_kstr(&r->w, "code", code);
    if (code && inner == NULL && (details || e->details == NULL)) {
        if (details == NULL) details = json_object();
        json_object_set_new(details, "code", json_string(code));
        jw_key(&r->w, "details");
        jw_json(&r->w, details);
    } else if (e->details) {
        jw_kraw(&r->w, "details", e->details);
    }
}

static void answer_error(struct req *r, err_t e)
{
    int status = err_status(e);
    if (status == 401 && http_header(r->http, "Upgrade")) status = 403; /* AR-73: a refused socket */
    r->http->content_type = NULL;
    buf_clear(&r->http->out);
    jw_init(&r->w, &r->http->out);
    jw_obj(&r->w);
    jw_kstr(&r->w, "error", e->message);
    write_code(r, e);
    if (status == 500) jw_kstr(&r->w, "requestId", r->http->app);
    jw_obj_end(&r->w);
    r->http->status = status;
    if (status == 503 || status == 429) http_set_header(r->http, "Retry-After", "1");
}

static void answer_etag(struct req *r)
{
    unsigned char h[crypto_shorthash_siphashx24_BYTES];
    char hex[sizeof h * 2 + 1];
    if (r->http->status != 200) return;
    crypto_shorthash_siphashx24(h, (const unsigned char *)r->http->out.data, r->http->out.len, r->app->etag_key);
    sodium_bin2hex(hex, sizeof hex, h, sizeof h);
    http_set_header(r->http, "Cache-Control", "private, must-revalidate");
    const char *prefix = r->etag_prefix ? r->etag_prefix : "";
    if (http_etag(r->http, arena_printf(r->arena, "\"%s%s%s\"", prefix, *prefix ? ":" : "", hex)))
        buf_clear(&r->http->out);
}

/* ---- the steps ---- */

static err_t check_company(struct req *r)
{
    if (r->actor.type == ACTOR_AGENT && strcmp(r->actor.company_id, r->company_id) != 0)
        return forbidden(r, "Agent key cannot access another company");
    return OK;
}

/* An entity of another company answers exactly as a missing one (IS-3, GV-6). */
static bool visible(const struct req *r, const char *company_id)
{
    return r->actor.type != ACTOR_AGENT || strcmp(r->actor.company_id, company_id) == 0;
}

static err_t load_entity(struct req *r)
{
    const char *ref = r->params[0];
    bool found = false;
    switch (r->route->scope) {
    case SCOPE_NONE: return OK;
    case SCOPE_COMPANY:
        if (r->actor.type == ACTOR_AGENT && strcasecmp(r->actor.company_id, ref) != 0)
            return forbidden(r, "Agent key cannot access another company");
        TRY(company_get(r->db, ref, &r->company, &found));
        if (!found) return not_found(r, "Company");
        r->company_id = r->company.id;
        return check_company(r);
    case SCOPE_AGENT: {
        const char *company = query(r, "companyId");
        TRY(agent_resolve(r->db, ref, company ? company : r->actor.company_id, &r->agent, &found));
        if (!found || !visible(r, r->agent.company_id)) return not_found(r, "Agent");
        r->company_id = r->agent.company_id;
        return OK;
    }
    case SCOPE_ISSUE:
        TRY(issue_resolve(r->db, ref, &r->issue, &found));
        if (!found || !visible(r, r->issue.company_id)) return not_found(r, "Issue");
        r->company_id = r->issue.company_id;
        return OK;
    case SCOPE_RUN:
        TRY(run_get(r->db, ref, &r->run, &found));
        if (!found || !visible(r, r->run.company_id)) return not_found(r, "Heartbeat run");
        r->company_id = r->run.company_id;
        return OK;
    case SCOPE_GOAL:
        TRY(goal_get(r->db, ref, &r->goal, &found));
        if (!found || !visible(r, r->goal.company_id)) return not_found(r, "Goal");
        r->company_id = r->goal.company_id;
        return OK;
    case SCOPE_PROJECT: {
        const char *company = query(r, "companyId");
        TRY(project_resolve(r->db, ref, company ? company : r->actor.company_id, &r->project, &found));
        if (!found || !visible(r, r->project.company_id)) return not_found(r, "Project");
        r->company_id = r->project.company_id;
        return OK;
    }
    case SCOPE_LABEL:
        TRY(label_get(r->db, ref, &r->label, &found));
        if (!found || !visible(r, r->label.company_id)) return not_found(r, "Label");
        r->company_id = r->label.company_id;
        return OK;
    case SCOPE_WORK_PRODUCT:
        TRY(work_product_get(r->db, ref, &r->work_product, &found));
        if (!found || !visible(r, r->work_product.company_id)) return not_found(r, "Work product");
        r->company_id = r->work_product.company_id;
        return issue_get(r->db, r->work_product.issue_id, &r->issue, &found);
    case SCOPE_APPROVAL:
        TRY(approval_get(r->db, ref, &r->approval, &found));
        if (!found || !visible(r, r->approval.company_id)) return not_found(r, "Approval");
        r->company_id = r->approval.company_id;
        return OK;
    case SCOPE_WORKSPACE:
        TRY(execution_workspace_get(r->db, ref, &r->workspace, &found));
        if (!found || !visible(r, r->workspace.company_id)) return not_found(r, "Execution workspace");
        r->company_id = r->workspace.company_id;
        return OK;
    case SCOPE_OPERATION:
        TRY(workspace_operation_get(r->db, ref, &r->operation, &found));
        if (!found || !visible(r, r->operation.company_id)) return not_found(r, "Workspace operation");
        r->company_id = r->operation.company_id;
        return OK;
    }
    abort();
}

static err_t check_who(struct req *r)
{
    const struct actor *a = &r->actor;
    switch (r->route->who) {
    case WHO_PUBLIC: return OK;
    case WHO_ANY: return a->type == ACTOR_NONE ? err_new(r->arena, ERR_UNAUTHORIZED, "Unauthorized") : OK;
    case WHO_BOARD:
        if (a->type == ACTOR_NONE) return err_new(r->arena, ERR_UNAUTHORIZED, "Unauthorized");
        return a->type == ACTOR_BOARD ? OK : forbidden(r, "Board access required");
    case WHO_ADMIN:
        if (a->type == ACTOR_NONE) return err_new(r->arena, ERR_UNAUTHORIZED, "Unauthorized");
        return a->instance_admin ? OK : forbidden(r, "Instance admin required");
    case WHO_AGENT:
        return a->type == ACTOR_AGENT ? OK : err_new(r->arena, ERR_UNAUTHORIZED, "Agent authentication required");
    }
    abort();
}

/* application/json, with or without parameters; nothing that only begins like it. */
static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t n = sizeof json - 1;
    return type && strncasecmp(type, json, n) == 0 && strchr("; \t", type[n]) != NULL;
}

static err_t read_body(struct req *r)
{
    const struct schema *s = r->route->body;
    if (r->http->body_too_large)
        return err_new(r->arena, ERR_TOO_LARGE, "Request body too large"); /* read or not (AO-20) */
    if (s == NULL) return OK;
    if (r->http->body.len > 0 && is_json(http_header(r->http, "Content-Type")))
        TRY(json_parse(r->arena, r->http->body.data, r->http->body.len, &r->body));
    /* a POST that needs nothing may come without a body */
    if (r->body == NULL && r->http->body.len == 0) r->body = json_object();
    const char *ignored;
    TRY(schema_check(r->arena, s, r->body, &ignored));
    if (ignored == NULL) return OK;
    if (settings.strict_fields)
        return err_new(r->arena, ERR_UNPROCESSABLE, "Unknown or read-only field(s): %s", ignored);
    http_set_header(r->http, "X-Ignored-Fields", ignored);
    return OK;
}

/* The advisory scope of a write: the company the path names (PostgreSQL; SQLite has one writer). */
static err_t write_scope(struct req *r, const char **scope)
{
    *scope = NULL;
    if (db_engine(r->db) == DB_SQLITE || r->route->scope == SCOPE_NONE) return OK;
    TRY(load_entity(r));
    *scope = r->company_id;
    return OK;
}

static err_t run_handler(struct req *r)
{
    TRY(load_entity(r));
    TRY(key_scope_check(r));
    if (r->route->flags & WORK) TRY(status_only_refuse(r));
    return r->route->handler(r);
}

static err_t in_transaction(struct req *r)
{
    if (!(r->route->flags & (RW | SNAP))) return run_handler(r);
    err_t e = OK;
    for (int try = 0; try < DB_RETRY_MAX; try++) {
        const char *scope;
        buf_clear(&r->http->out);
        jw_init(&r->w, &r->http->out);
        r->refusal = OK;
        if (r->route->flags & RW) {
            TRY(write_scope(r, &scope));
            TRY(db_begin(r->db, scope));
        } else {
            TRY(db_begin_read(r->db));
        }
        e = run_handler(r);
        if (e == OK) e = db_commit(r->db);
        if (e) db_rollback(r->db);
        if (e == OK || !e->retry) return e;
    }
    return e;
}

static bool answer_again(struct req *r)
{
    const struct actor *a = &r->actor;
    if (!(r->route->flags & KEEP) || a->key_scope)
        return false; /* of a narrow key: it may not see what its agent may */
    const char *who = a->type == ACTOR_AGENT ? a->agent_id : a->user_id;
    const char *key =
        arena_printf(r->arena, "%d %s %s?%s", (int)a->type, who ? who : "", r->http->route_path, r->http->raw_query);
    return answer_cache_answer(r->app->kept, r->http, key, store_version(r->app->opt.store));
}

static err_t serve(struct req *r)
{
    TRY(handle_of(r->app, r->arena, &r->db));
    TRY(auth_guard(r));
    TRY(auth_actor(r));
    TRY(check_who(r));
    TRY(read_body(r));
    r->again = answer_again(r);
    return r->again ? OK : in_transaction(r);
}

/* The board's files; every unknown path that is not the API's is the page itself. */
static bool serve_asset(struct http_req *h)
{
    if (strncmp(h->path, "/api/", 5) == 0 || strcmp(h->path, "/api") == 0) return false;
    if (strcmp(h->method, "GET") != 0 && strcmp(h->method, "HEAD") != 0) return false;
    const struct asset *f = asset_find(strcmp(h->path, "/") == 0 ? "/index.html" : h->path);
    bool shell = f == NULL && strncmp(h->path, "/assets/", 8) != 0;
    if (shell) f = asset_find("/index.html");
    if (f == NULL) return false;
    const char *accept = http_header(h, "Accept-Encoding");
    bool gz = f->gz && accept && strstr(accept, "gzip");
    h->status = 200;
    h->content_type = f->content_type;
    http_set_header(h, "Cache-Control", f->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    http_set_header(h, "Vary", "Accept-Encoding");
    if (strncmp(f->content_type, "text/html", 9) == 0)
        http_set_header(
            h, "Content-Security-Policy",
            "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; frame-ancestors 'self'; base-uri 'self'");
    if (http_etag(h, f->etag)) return true;
    if (gz) http_set_header(h, "Content-Encoding", "gzip");
    h->static_data = gz ? f->gz : f->raw;
    h->static_len = gz ? f->gz_len : f->raw_len;
    return true;
}

/* Unlike those of before and of other servers; no secret. */
static const char *request_id(struct app *app, struct http_req *h)
{
    const char *given = http_header(h, "X-Request-Id");
    bool ok = given && strlen(given) <= 64 &&
              strspn(given, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == strlen(given);
    char fresh[17];
    const uint32_t parts[] = {app->id_base, htonl(atomic_fetch_add(&app->id_next, 1))};
    sodium_bin2hex(fresh, sizeof fresh, (const unsigned char *)parts, sizeof parts);
    const char *id = ok ? given : arena_strdup(&h->arena, fresh);
    http_set_header(h, "X-Request-Id", id);
    return id;
}

static err_t route_error(struct req *r, const struct route_match *m)
{
    const struct http_req *h = r->http;
    if (!m->path_known && is_unbuilt(h->route_path))
        return err_with(r->arena, ERR_NOT_BUILT, "not_implemented", NULL,
                        "%s %s is not part of this version of Bulldog", h->method, h->path);
    return err_new(r->arena, ERR_NOT_FOUND, "API route not found");
}

static void app_handle(void *ctx, struct http_req *h)
{
    struct app *app = ctx;
    struct req r = {.app = app, .http = h, .arena = &h->arena};
    h->app = (void *)(uintptr_t)request_id(app, h);
    jw_init(&r.w, &h->out);
    struct route_match m = router_match(app->router, r.arena, h->method, h->route_path);
    const char *allow =
        m.path_known && strcmp(h->method, "OPTIONS") == 0 ? router_allow(app->router, r.arena, h->route_path) : NULL;
    if (allow) { /* AO-25 */
        h->status = 200;
        http_set_header(h, "Allow", allow);
        return;
    }
    err_t e;
    if (m.index < 0) {
        if (!is_unbuilt(h->route_path) && serve_asset(h)) return;
        e = route_error(&r, &m);
    } else {
        r.route = &ROUTES[m.index];
        r.status = r.route->status;
        for (int i = 0; i < m.param_count; i++) r.params[i] = plain_id(r.arena, m.params[i]);
        e = serve(&r);
        if (e == OK) e = r.refusal;
    }
    if (e) {
        answer_error(&r, e);
        return;
    }
    if (r.again) return;
    h->status = r.status;
    if ((r.route->flags & ETAG) || r.etag_prefix) answer_etag(&r);
}

static bool app_slow(void *ctx, struct http_req *h)
{
    struct app *app = ctx;
    struct route_match m = router_match(app->router, &h->arena, h->method, h->route_path);
    return m.index >= 0 && (ROUTES[m.index].flags & SLOW);
}

static size_t app_body_max(void *ctx, const struct http_req *h)
{
    (void)ctx;
    (void)h;
    return (size_t)settings.body_bytes_max;
}

/* AO-29: quiet for what boards poll, loud for what went wrong. */
static void app_done(void *ctx, const struct http_req *h)
{
    (void)ctx;
    double ms = (double)(clock_mono_ns() - h->started_ns) / 1e6;
    enum log_level level = h->status >= 500 ? LOG_ERROR : h->status >= 400 ? LOG_WARN : LOG_INFO;
    if (level == LOG_INFO && (strcmp(h->method, "GET") == 0 || strcmp(h->method, "HEAD") == 0)) level = LOG_DEBUG;
    log_event(level, "http", "method=%s path=%.200s status=%d ms=%.2f id=%s", h->method, h->path, h->status, ms,
              h->app ? (const char *)h->app : "-");
}

struct http_app app_http(struct app *app)
{
    return (struct http_app){
        .handle = app_handle, .slow = app_slow, .body_max = app_body_max, .done = app_done, .ctx = app};
}

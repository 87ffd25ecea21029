/* system: health, metrics, and the API's own description (AO §8). */
#include "api/app.h"
#include "api/handlers.h"
#include "base/log.h"
#include "base/settings.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

err_t health(struct req *r)
{
    int64_t one;
    err_t down = db_int(r->db, &one, 0, "SELECT 1", P());
    const struct app_options *o = app_get(r->app);
    struct jw *w = &r->w;
    jw_obj(w);
    jw_kstr(w, "status", down ? "unhealthy" : "ok");
    jw_kstr(w, "version", BULLDOG_VERSION);
    jw_kstr(w, "serverVersion", BULLDOG_VERSION);
    jw_knull(w, "commit");
    if (down) {
        jw_kstr(w, "error", "database_unreachable");
        jw_obj_end(w);
        r->status = 503;
        return OK;
    }
    jw_kstr(w, "deploymentMode", "local_trusted");
    jw_kstr(w, "deploymentExposure", "private");
    jw_kbool(w, "authReady", true);
    jw_kstr(w, "bootstrapStatus", "ready");
    jw_kbool(w, "bootstrapInviteActive", false);
    jw_kobj(w, "features");
    jw_kbool(w, "companyDeletionEnabled", settings.company_deletion);
    jw_obj_end(w);
    jw_kobj(w, "serverInfo");
    jw_ktime(w, "processStartedAt", o->started_at);
    jw_kstr(w, "database", db_engine(r->db) == DB_POSTGRES ? "postgres" : "sqlite");
    jw_kobj(w, "git");
    jw_kbool(w, "available", false);
    jw_kstr(w, "unavailableReason", "not_reported");
    jw_obj_end(w);
    jw_obj_end(w);
    jw_kobj(w, "databaseBackup");
    jw_kbool(w, "enabled", false);
    jw_kstr(w, "status", "disabled");
    jw_karr(w, "warnings");
    jw_arr_end(w);
    jw_obj_end(w);
    jw_obj_end(w);
    return OK;
}

static err_t small_ok(struct req *r, const char *status)
{
    jw_obj(&r->w);
    jw_kstr(&r->w, "status", status);
    jw_obj_end(&r->w);
    return OK;
}

err_t health_live(struct req *r) { return small_ok(r, "ok"); }

err_t health_ready(struct req *r)
{
    int64_t one;
    TRY(db_int(r->db, &one, 0, "SELECT 1", P()));
    return small_ok(r, "ready");
}

static int64_t resident_bytes(void)
{
    char line[128], *second = NULL;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f == NULL) return 0;
    if (fgets(line, sizeof line, f)) second = strchr(line, ' ');
    fclose(f);
    return second ? strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

static bool metrics_allowed(const struct req *r)
{
    const char *peer = r->http->peer, *auth = http_header(r->http, "Authorization");
    if (*settings.metrics_token == 0) return peer && (strcmp(peer, "127.0.0.1") == 0 || strcmp(peer, "::1") == 0);
    if (auth == NULL || strncmp(auth, "Bearer ", 7) != 0 || strlen(auth + 7) != strlen(settings.metrics_token))
        return false;
    return sodium_memcmp(auth + 7, settings.metrics_token, strlen(settings.metrics_token)) == 0;
}

err_t metrics(struct req *r)
{
    struct rows rows ROWS_AUTO = {0};
    struct buf *b = &r->http->out;
    if (!metrics_allowed(r))
        return err_new(r->arena, ERR_UNAUTHORIZED, "Metrics need the bearer token of the setting metrics.token");
    buf_printf(b, "# TYPE bulldog_resident_bytes gauge\nbulldog_resident_bytes %" PRId64 "\n", resident_bytes());
    buf_printf(b, "# TYPE bulldog_ws_clients gauge\nbulldog_ws_clients %d\n",
               app_get(r->app)->hub ? hub_client_count(app_get(r->app)->hub) : 0);
    buf_printf(b, "# TYPE bulldog_attached_runs gauge\nbulldog_attached_runs %d\n",
               app_get(r->app)->attached_runs ? app_get(r->app)->attached_runs(app_get(r->app)->ctx) : 0);
    buf_puts(b, "# TYPE bulldog_runs gauge\n");
    TRY(db_query(
        r->db, &rows,
        "SELECT status, count(*) FROM heartbeat_runs WHERE status IN ('queued','running','scheduled_retry') GROUP BY status",
        P()));
    while (rows_next(&rows))
        buf_printf(b, "bulldog_runs{status=\"%s\"} %" PRId64 "\n", row_text(&rows, 0), row_int(&rows, 1));
    TRY(rows_err(&rows));
    r->http->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return OK;
}

/* ---- OpenAPI ---- */

/* /api/companies/:companyId → /api/companies/{companyId} */
static const char *openapi_path(struct arena *a, const char *path)
{
    struct buf b = {0};
    for (const char *p = path; *p; p++) {
        if (*p != ':') {
            buf_putc(&b, *p);
            continue;
        }
        size_t n = strcspn(p + 1, "/");
        buf_printf(&b, "{%.*s}", (int)n, p + 1);
        p += n;
    }
    return buf_finish(&b, a);
}

static void write_parameters(struct jw *w, const char *path)
{
    jw_karr(w, "parameters");
    for (const char *p = strchr(path, ':'); p; p = strchr(p + 1, ':')) {
        jw_obj(w);
        jw_key(w, "name");
        jw_strn(w, p + 1, strcspn(p + 1, "/"));
        jw_kstr(w, "in", "path");
        jw_kbool(w, "required", true);
        jw_kraw(w, "schema", "{\"type\":\"string\"}");
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void write_operation(struct jw *w, const struct route *t)
{
    char method[8];
    size_t n = 0;
    for (const char *p = t->method; *p; p++) method[n++] = (char)(*p | 0x20);
    method[n] = 0;
    jw_kobj(w, method);
    jw_kstr(w, "operationId", t->handler_name);
    jw_kstr(w, "summary", t->summary);
    jw_karr(w, "tags");
    jw_str(w, t->tag);
    jw_arr_end(w);
    write_parameters(w, t->path);
    if (t->body) {
        jw_kobj(w, "requestBody");
        jw_kobj(w, "content");
        jw_kobj(w, "application/json");
        jw_key(w, "schema");
        schema_write(w, t->body);
        jw_obj_end(w);
        jw_obj_end(w);
        jw_obj_end(w);
    }
    static const char *const auth[] = {
        [WHO_PUBLIC] = "[]",
        [WHO_AGENT] = "[{\"AgentBearerAuth\":[]}]",
        [WHO_BOARD] = "[{\"BoardSessionAuth\":[]},{\"BoardApiKeyAuth\":[]}]",
        [WHO_ADMIN] = "[{\"BoardSessionAuth\":[]},{\"BoardApiKeyAuth\":[]}]",
        [WHO_ANY] = "[{\"BoardSessionAuth\":[]},{\"BoardApiKeyAuth\":[]},{\"AgentBearerAuth\":[]}]",
    };
    jw_kraw(w, "security", auth[t->who]);
    jw_kobj(w, "responses");
    char status[8];
    snprintf(status, sizeof status, "%d", t->status);
    jw_kraw(w, status, "{\"description\":\"Success\"}");
    jw_kraw(
        w, "default",
        "{\"description\":\"Error\",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Error\"}}}}");
    jw_obj_end(w);
    jw_obj_end(w);
}

static void write_entity_schema(struct jw *w, const struct entity *e)
{
    static const char *const types[] = {
        [K_ID] = "{\"type\":\"string\",\"format\":\"uuid\",\"nullable\":true}",
        [K_TEXT] = "{\"type\":\"string\",\"nullable\":true}",
        [K_INT] = "{\"type\":\"integer\",\"nullable\":true}",
        [K_REAL] = "{\"type\":\"number\"}",
        [K_BOOL] = "{\"type\":\"boolean\"}",
        [K_TIME] = "{\"type\":\"string\",\"format\":\"date-time\",\"nullable\":true}",
        [K_JSON] = "{\"nullable\":true}",
    };
    jw_kobj(w, e->name);
    jw_kstr(w, "type", "object");
    jw_kobj(w, "properties");
    for (int i = 0; i < e->count; i++)
        if (!(e->fields[i].flags & FF_HIDDEN)) jw_kraw(w, e->fields[i].json, types[e->fields[i].kind]);
    jw_obj_end(w);
    jw_obj_end(w);
}

err_t openapi(struct req *r)
{
    struct jw *w = &r->w;
    jw_obj(w);
    jw_kstr(w, "openapi", "3.0.0");
    jw_kraw(w, "info", "{\"title\":\"Bulldog API\",\"version\":\"" BULLDOG_VERSION "\"}");
    jw_kraw(w, "servers", "[{\"url\":\"/\"}]");
    jw_kobj(w, "paths");
    bool done[1024] = {false};
    assert(ROUTES_COUNT < 1024);
    for (int i = 0; i < ROUTES_COUNT; i++) {
        if (done[i]) continue;
        jw_kobj(w, openapi_path(r->arena, ROUTES[i].path));
        for (int k = i; k < ROUTES_COUNT; k++) {
            if (strcmp(ROUTES[k].path, ROUTES[i].path) != 0) continue;
            write_operation(w, &ROUTES[k]);
            done[k] = true;
        }
        jw_obj_end(w);
    }
    jw_obj_end(w);
    jw_kobj(w, "components");
    jw_kraw(
        w, "securitySchemes",
        "{\"BoardSessionAuth\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"session\"},"
        "\"BoardApiKeyAuth\":{\"type\":\"http\",\"scheme\":\"bearer\"},\"AgentBearerAuth\":{\"type\":\"http\",\"scheme\":\"bearer\"}}");
    jw_kobj(w, "schemas");
    jw_kraw(
        w, "Error",
        "{\"type\":\"object\",\"properties\":{\"error\":{\"type\":\"string\"},\"code\":{\"type\":\"string\"},\"details\":{}},\"required\":[\"error\"]}");
    for (struct entity *const *e = ENTITIES; *e; e++) write_entity_schema(w, *e);
    jw_obj_end(w);
    jw_obj_end(w);
    jw_obj_end(w);
    return OK;
}

/* ---- what other servers of the protocol may have, and this one has none of ---- */

err_t no_plugins(struct req *r)
{
    jw_arr(&r->w);
    jw_arr_end(&r->w);
    return OK;
}

err_t no_cloud_stacks(struct req *r)
{
    return err_new(r->arena, ERR_NOT_FOUND, "Cloud stack portfolio is unavailable");
}

err_t no_dev_server(struct req *r) { return err_new(r->arena, ERR_NOT_FOUND, "dev_server_supervisor_unavailable"); }

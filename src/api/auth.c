/* auth: actors, tokens, hosts and origins. */
#include "api/auth.h"

#include "api/app.h"
#include "base/id.h"
#include "base/settings.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/agent_key.h"
#include "model/run.h"
#include "model/token.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Host part of "host:port" or "[v6]:port", lower-case. */
static const char *host_of(struct arena *a, const char *s)
{
    if (s == NULL) return NULL;
    const char *end;
    if (*s == '[') {
        end = strchr(++s, ']');
        if (end == NULL) return NULL;
    } else {
        end = s + strcspn(s, ":");
    }
    char *h = arena_strndup(a, s, (size_t)(end - s));
    for (char *p = h; *p; p++) *p = (char)tolower((unsigned char)*p);
    return h;
}

static bool in_list(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; *p;) {
        p += strspn(p, ", ");
        size_t len = strcspn(p, ", ");
        if (len == n && strncasecmp(p, word, n) == 0) return true;
        p += len;
    }
    return false;
}

/* scheme://host[:port] of a URL or origin. */
static const char *origin_of(struct arena *a, const char *url)
{
    const char *slashes = url ? strstr(url, "://") : NULL;
    if (slashes == NULL) return NULL;
    size_t n = (size_t)(slashes - url) + 3;
    return arena_strndup(a, url, n + strcspn(url + n, "/?#"));
}

static bool host_allowed(struct req *r, const char *host)
{
    const char *listen = app_get(r->app)->listen_host;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0) return true;
    if (listen && strcmp(listen, "0.0.0.0") != 0 && strcmp(listen, "::") != 0 && strcasecmp(listen, host) == 0)
        return true;
    const char *origin = origin_of(r->arena, settings.public_url);
    const char *mine = origin ? host_of(r->arena, strstr(origin, "://") + 3) : NULL;
    return (mine && strcmp(mine, host) == 0) || in_list(settings.allowed_hostnames, host);
}

static bool origin_trusted(struct req *r, const char *origin)
{
    const char *host = http_header(r->http, "Host");
    if (host && (strcasecmp(origin, arena_printf(r->arena, "http://%s", host)) == 0 ||
                 strcasecmp(origin, arena_printf(r->arena, "https://%s", host)) == 0))
        return true;
    const char *mine = origin_of(r->arena, settings.public_url);
    return mine && strcasecmp(mine, origin) == 0;
}

static bool safe_method(const char *m)
{
    return strcmp(m, "GET") == 0 || strcmp(m, "HEAD") == 0 || strcmp(m, "OPTIONS") == 0;
}

err_t auth_guard(struct req *r)
{
    const char *host = host_of(r->arena, http_header(r->http, "Host"));
    bool probe = strncmp(r->http->path, "/api/health", 11) == 0; /* probes come by address (AO-24) */
    if (!probe && (host == NULL || !host_allowed(r, host)))
        return forbidden(r, "This host name is not allowed; add it to the setting server.allowedHostnames");
    bool upgrade = http_header(r->http, "Upgrade") != NULL;
    if (safe_method(r->http->method) && !upgrade) return OK;
    if (http_header(r->http, "Authorization")) return OK; /* no ambient authority is used */
    const char *origin = http_header(r->http, "Origin"), *site = http_header(r->http, "Sec-Fetch-Site");
    if (origin && !origin_trusted(r, origin)) return forbidden(r, "Board mutation requires trusted browser origin");
    if (site && strcmp(site, "cross-site") == 0) return forbidden(r, "Board mutation requires trusted browser origin");
    return OK;
}

/* The claimed run, or NULL: a malformed header is no claim and never an error. */
static const char *run_header(struct req *r)
{
    const char *h = http_header(r->http, "X-Paperclip-Run-Id");
    if (h == NULL || !id_valid(h)) return NULL;
    char *id = arena_strdup(r->arena, h);
    for (char *p = id; *p; p++) *p = (char)tolower((unsigned char)*p);
    return id;
}

static err_t invalid_bearer(struct req *r) { return err_new(r->arena, ERR_UNAUTHORIZED, "Invalid bearer token"); }

static bool may_act(const struct agent *a)
{
    return strcmp(a->status, "terminated") != 0 && strcmp(a->status, "pending_approval") != 0;
}

static err_t by_key(struct req *r, const char *token, bool *matched)
{
    struct agent_key key;
    bool found;
    *matched = false;
    TRY(agent_key_find(r->db, key_hash(r->arena, token), &key, &found));
    if (!found) return OK;
    TRY(agent_get(r->db, key.agent_id, &r->self, &found));
    if (!found || !may_act(&r->self)) return OK;
    if (key.responsible_user_id == NULL)
        return err_with(r->arena, ERR_FORBIDDEN, "RESPONSIBLE_USER_UNAVAILABLE", NULL,
                        "The agent key has no responsible user");
    r->actor = (struct actor){.type = ACTOR_AGENT,
                              .source = "agent_key",
                              .agent_id = key.agent_id,
                              .company_id = key.company_id,
                              .key_id = key.id,
                              .key_scope = key.scope_config,
                              .responsible_user_id = key.responsible_user_id,
                              .run_id = run_header(r)};
    *matched = true;
    return agent_key_touch(r->db, &key);
}

static err_t run_mismatch(struct req *r, const char *claim, const char *header)
{
    const char *details = json_text(r->arena, json_pack("{s:s, s:s, s:s}", "code", "agent_jwt_run_id_mismatch",
                                                        "claimRunId", claim, "headerRunId", header));
    TRY(db_begin(r->db, r->self.company_id));
    err_t e = activity_log(
        r->db, &r->actor,
        &(struct activity_entry){.company_id = r->self.company_id,
                                 .action = "auth.agent_jwt_run_header_mismatch",
                                 .entity_type = "agent",
                                 .entity_id = r->self.id,
                                 .details = json_pack("{s:s, s:s}", "claimRunId", claim, "headerRunId", header)});
    if (e == OK) e = db_commit(r->db);
    if (e) db_rollback(r->db);
    TRY(e);
    return err_with(r->arena, ERR_UNPROCESSABLE, "agent_jwt_run_id_mismatch", details,
                    "X-Paperclip-Run-Id does not match signed agent JWT run_id");
}

/* A run token works while its run is queued or running, and a little longer (AR-23 BETTER). */
static bool run_accepts_token(const struct run *run)
{
    bool live = strcmp(run->status, "queued") == 0 || strcmp(run->status, "running") == 0 ||
                strcmp(run->status, "scheduled_retry") == 0;
    return live ||
           (run->finished_at != INSTANT_NONE && clock_now() - run->finished_at < settings.jwt_grace_sec * SECOND_MS);
}

static err_t by_run_token(struct req *r, const char *token, bool *matched)
{
    struct run_token t;
    struct run run;
    bool found;
    *matched = false;
    if (!token_verify(r->arena, app_get(r->app)->jwt_secret, token, &t)) return OK;
    TRY(agent_get(r->db, t.agent_id, &r->self, &found));
    if (!found || !may_act(&r->self) || strcmp(r->self.company_id, t.company_id) != 0) return OK;
    TRY(run_get(r->db, t.run_id, &run, &found));
    if (!found || strcmp(run.agent_id, t.agent_id) != 0) return OK;
    if (!run_accepts_token(&run))
        return err_with(r->arena, ERR_UNAUTHORIZED, "run_not_active", NULL, "The run of this token has ended");
    r->actor = (struct actor){.type = ACTOR_AGENT,
                              .source = "agent_jwt",
                              .agent_id = t.agent_id,
                              .company_id = t.company_id,
                              .run_id = t.run_id,
                              .responsible_user_id = t.responsible_user_id};
    *matched = true;
    const char *header = http_header(r->http, "X-Paperclip-Run-Id");
    return header && *header && strcasecmp(header, t.run_id) != 0 ? run_mismatch(r, t.run_id, header) : OK;
}

err_t auth_token(struct req *r, const char *token)
{
    bool matched;
    TRY(by_key(r, token, &matched));
    if (!matched) TRY(by_run_token(r, token, &matched));
    return matched ? OK : invalid_bearer(r);
}

err_t auth_actor(struct req *r)
{
    const char *header = http_header(r->http, "Authorization");
    r->actor = (struct actor){.type = ACTOR_BOARD,
                              .source = "local_implicit",
                              .user_id = LOCAL_BOARD_USER,
                              .responsible_user_id = LOCAL_BOARD_USER,
                              .instance_admin = true,
                              .run_id = run_header(r)};
    const char *in_query =
        http_header(r->http, "Upgrade") ? query(r, "token") : NULL; /* a browser's socket sends no header */
    if (header == NULL && in_query) {
        r->actor = (struct actor){0};
        return auth_token(r, in_query);
    }
    if (header == NULL) return OK;
    if (strncasecmp(header, "Bearer", 6) != 0) return invalid_bearer(r);
    const char *token = header + 6 + strspn(header + 6, " ");
    if (*token == 0) return OK; /* a literally empty bearer is ignored (AO-41) */
    r->actor = (struct actor){0};
    return auth_token(r, token);
}

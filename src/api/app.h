/*
 * app: the application behind the HTTP server: route table, thread handles,
 * tokens, and the hooks to the engine. One per process.
 */
#ifndef BULLDOG_API_APP_H
#define BULLDOG_API_APP_H

#include "api/request.h"
#include "http/hub.h"
#include "http/server.h"
#include "model/execution_workspace.h"
#include "rules/worktree.h"
#include "store/db.h"

struct app_options {
    struct store *store;
    struct hub *hub;
    const char *data_dir;
    const char *listen_host; /* for the host guard */
    int listen_port;
    const char *jwt_secret;
    instant_t started_at;
    /* How a working tree looks now; asks git, so slow routes only; may be NULL. */
    err_t (*inspect)(struct arena *a, const char *cwd, const char *base_ref, struct tree_facts *out);
    /* Worktrees and branches nobody names; the same. */
    err_t (*orphans)(struct arena *a, const struct workspace_names *n, bool apply, bool force, json_t **found);
    int (*attached_runs)(void *ctx); /* runs whose supervisor answers to this server; may be NULL */
    void *ctx;
};

struct app *app_new(const struct app_options *o);
void app_free(struct app *app);
const struct app_options *app_get(const struct app *app);
void app_set_listen(struct app *app, const char *host, int port);
/* The callbacks for http_server_start. */
struct http_app app_http(struct app *app);

extern const struct route ROUTES[];
extern const int ROUTES_COUNT;

#endif

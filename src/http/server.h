/*
 * server: libmicrohttpd glue. A pool of epoll threads runs the application's
 * handler inline; a request the application calls slow is suspended and
 * answered by the job pool, so nothing that may block runs on an HTTP thread.
 *
 * A struct http_req is one request and its answer; everything in it lives in
 * its arena until the answer is sent.
 *
 * The server itself adds to every answer: Keep-Alive (AO-6), the security
 * headers of AO-26 that hold for any answer (unless the application set its
 * own), a weak ETag and 304 for JSON answers to GET (AO-31), gzip.
 */
#ifndef BULLDOG_HTTP_SERVER_H
#define BULLDOG_HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jobs.h"

#include <stdint.h>

/* A byte that UTF-8 never holds. */
#define HTTP_ESCAPED_SLASH '\xff'

struct http_header {
    struct http_header *next;
    const char *name, *value;
};

struct http_req {
    struct arena arena;     /* also the thread's json_arena() while the handler runs */
    const char *method;     /* GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS */
    const char *path;       /* percent-decoded (valid UTF-8, no NUL), as received otherwise; begins with / */
    const char *route_path; /* the same for the router: a slash that came as %2F is HTTP_ESCAPED_SLASH */
    const char *raw_query;  /* without the '?'; "" when there is none */
    const char *peer;       /* client address text */
    struct buf body;        /* complete before the handler runs */
    bool body_too_large;    /* body is empty; answer 413, the connection closes after it */

    /* the answer */
    int status;
    struct buf out;           /* JSON or other text; taken over by the server, only len remains */
    const char *content_type; /* default application/json; charset=utf-8 */
    struct http_header *headers;
    const void *static_data; /* instead of out: bytes of somebody else */
    size_t static_len;
    struct kept_answer *kept;     /* what owns static_data, released with the answer; NULL: it outlives the server */
    struct answer_cache *keep_in; /* where this answer is to be kept, NULL: nowhere (answer_cache.h) */
    const char *keep_key;
    uint64_t keep_version;
    struct ws_client *upgrade; /* set: answer 101 and hand the socket to the hub */

    void *connection; /* the server's own */
    void *app;        /* the application's own */
    uint64_t started_ns;
};

/* NULL when absent. Header names are case-insensitive; query values are decoded. */
const char *http_header(const struct http_req *r, const char *name);
const char *http_query(struct http_req *r, const char *name);
/* Calls fn for every query parameter in order (repeated ones too). */
void http_query_each(struct http_req *r, void (*fn)(void *ctx, const char *name, const char *value), void *ctx);
void http_set_header(struct http_req *r, const char *name, const char *value);
/* Sets the ETag header (quotes included in etag). true: the client has this version; status is 304, send no body. */
bool http_etag(struct http_req *r, const char *etag);

struct http_app {
    /* Runs on an HTTP thread, or on a job thread when slow() said so. Fills the answer. */
    void (*handle)(void *ctx, struct http_req *r);
    /* Must the request leave the HTTP thread? Cheap; called once the body is complete. */
    bool (*slow)(void *ctx, struct http_req *r);
    /* Body limit in bytes for this request (method and path are set). */
    size_t (*body_max)(void *ctx, const struct http_req *r);
    /* After the answer was handed to the kernel: for the access log. Must not block. May be NULL. */
    void (*done)(void *ctx, const struct http_req *r);
    void *ctx;
};

struct http_server_options {
    const char *host; /* 127.0.0.1, 0.0.0.0, ::1 … */
    int port;         /* 0: any free port */
    int threads;
    int connections_max;  /* clients of the hub count too */
    int idle_timeout_sec; /* AO-6: 185 */
    struct jobs *jobs;    /* for slow requests; NULL: everything runs inline */
    struct hub *hub;      /* where upgraded sockets live; may be NULL */
};

struct http_server;
/* json_setup() was called before. ERR_UNAVAILABLE when the address cannot be had. */
err_t http_server_start(struct arena *a, const struct http_server_options *o, const struct http_app *app,
                        struct http_server **out) MUST_CHECK;
int http_server_port(const struct http_server *s);
/* Stops listening; running handlers finish and their answers are sent (up to 10 s
 * for clients that do not read); closes the hub's clients; returns when all
 * threads are gone. hub_stop and jobs_stop come after. */
void http_server_stop(struct http_server *s);

#endif

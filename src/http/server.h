/*
 * server: libmicrohttpd glue. A pool of epoll threads runs the application's
 * handler inline; a request the application calls slow is suspended and
 * answered by the job pool, so nothing that may block runs on an HTTP thread.
 *
 * A struct http_req is one request and its answer; everything in it lives in
 * its arena until the answer is sent.
 */
#ifndef BULLDOG_HTTP_SERVER_H
#define BULLDOG_HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jobs.h"

struct http_header {
    struct http_header *next;
    const char *name, *value;
};

struct http_req {
    struct arena arena;
    const char *method; /* GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS */
    const char *path;   /* percent-decoded, as received otherwise; begins with / */
    const char *raw_query;
    const char *peer;   /* client address text */
    struct buf body;    /* complete before the handler runs */
    bool body_too_large;

    /* the answer */
    int status;
    struct buf out;            /* JSON or other text; taken over by the server */
    const char *content_type;  /* default application/json; charset=utf-8 */
    struct http_header *headers;
    const void *static_data;   /* instead of out: bytes that outlive the request */
    size_t static_len;
    struct ws_client *upgrade; /* set: answer 101 and hand the socket to the hub */

    void *connection; /* the server's own */
    void *app;        /* the application's own */
    uint64_t started_ns;
};

/* NULL when absent. Header names are case-insensitive; query values are decoded. */
const char *http_header(const struct http_req *r, const char *name);
const char *http_query(const struct http_req *r, const char *name);
/* Calls fn for every query parameter in order (repeated ones too). */
void http_query_each(const struct http_req *r, void (*fn)(void *ctx, const char *name, const char *value), void *ctx);
void http_set_header(struct http_req *r, const char *name, const char *value);

struct http_app {
    /* Runs on an HTTP thread, or on a job thread when slow() said so. Fills the answer. */
    void (*handle)(void *ctx, struct http_req *r);
    /* Must the request leave the HTTP thread? Cheap; called once the body is complete. */
    bool (*slow)(void *ctx, struct http_req *r);
    /* Body limit in bytes for this request (method and path are set). */
    size_t (*body_max)(void *ctx, const struct http_req *r);
    /* After the answer was handed to the kernel: for the access log. Must not block. */
    void (*done)(void *ctx, const struct http_req *r);
    void *ctx;
};

struct http_server_options {
    const char *host; /* 127.0.0.1, 0.0.0.0, ::1 … */
    int port;         /* 0: any free port */
    int threads;
    int connections_max;
    int idle_timeout_sec; /* AO-6: 185 */
    struct jobs *jobs;    /* for slow requests */
    struct hub *hub;      /* for upgrades */
};

struct http_server;
err_t http_server_start(struct arena *a, const struct http_server_options *o, const struct http_app *app,
                        struct http_server **out) MUST_CHECK;
int http_server_port(const struct http_server *s);
/* Stops listening; running handlers finish; returns when all threads are gone. */
void http_server_stop(struct http_server *s);

#endif

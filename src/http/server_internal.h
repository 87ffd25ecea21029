/* server_internal: what the files of the HTTP server share. */
#ifndef BULLDOG_HTTP_SERVER_INTERNAL_H
#define BULLDOG_HTTP_SERVER_INTERNAL_H

#include "http/server.h"

#include <microhttpd.h>
#include <stdatomic.h>

enum exchange_state {
    EXCHANGE_NEW,     /* the request line was read */
    EXCHANGE_BODY,    /* collecting the body */
    EXCHANGE_WORKING, /* suspended, on the job pool */
    EXCHANGE_ANSWER,  /* the answer is ready */
    EXCHANGE_OVER,    /* reported and its memory given back (upgraded) */
};

/* One request. Made at its request line, freed when libmicrohttpd is through with it. */
struct exchange {
    struct http_req req;
    struct http_server *server;
    enum exchange_state state;
    size_t body_max, body_seen;
    bool path_bad; /* 400 */
    bool counted;  /* in server->active */
    bool close;    /* the connection ends with this answer */
};

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_app app;
    struct jobs *jobs;
    struct hub *hub;
    int port;
    char keep_alive[32];
    atomic_bool stopping;
    atomic_int active;  /* requests between the call of the handler and the end of the answer */
    atomic_int working; /* of these, suspended: the daemon must not stop before they resume */
};

/* request.c. Decodes target (path and query) into r; false: 400. */
bool request_target(struct http_req *r, const char *target);

/* answer.c */
void answer_error(struct http_req *r, int status, const char *message);
/* ETag, 304 and compression; on the thread that ran the handler. */
void answer_prepare(struct http_req *r);
/* Queues the answer; r->out is taken over. */
enum MHD_Result answer_send(struct exchange *x);

bool answer_gzip_accepted(const struct http_req *r);

/* answer_cache.c. Keeps the prepared answer when it is to be kept. */
void answer_keep(struct http_req *r);
void kept_answer_release(void *kept);

/* upgrade.c. Queues 101, or 426 when this is no proper WebSocket handshake. */
enum MHD_Result upgrade_send(struct exchange *x);

/* server.c. The request ends: tells the application, frees what it holds. */
void exchange_end(struct exchange *x);

#endif

/*
 * http_kit: a real server with a small application, and a client that speaks
 * raw HTTP and WebSocket over real sockets and hides nothing.
 *
 * The application: /hello; /echo (the body); /path (method, path, peer);
 * /query (every parameter); /bytes?n=N (JSON of N bytes); /plain?n=N (text);
 * /json (parses the body); /static; /slow?ms=N (on the job pool); /ws?company=C
 * (upgrade; since=N replays N+1 … kit.replay_to). /limited takes 1 KiB.
 */
#ifndef BULLDOG_TESTS_HTTP_KIT_H
#define BULLDOG_TESTS_HTTP_KIT_H

#include "unit.h"

#include "base/buf.h"
#include "http/hub.h"
#include "http/server.h"

#include <stdatomic.h>

struct kit {
    struct arena arena;
    struct jobs *jobs;
    struct hub *hub;
    struct http_server *server;
    struct http_server_options options; /* threads, idle_timeout_sec … may be set before kit_start */
    size_t hub_queue_max;
    int ping_ms, job_threads, job_queue;
    atomic_int done;        /* requests reported to the application's done() */
    atomic_int handled;     /* calls of handle() */
    atomic_llong replay_to; /* /ws?since=: the newest event of the "database" */
};

void kit_start(struct kit *k);
void kit_stop(struct kit *k); /* server, hub, jobs, in this order */

struct conn {
    int fd;
    struct buf in;
    size_t at;
};

struct reply {
    int status;
    char *head; /* status line and headers */
    char *body;
    size_t body_len;
};

struct conn kit_connect(const struct kit *k);
void conn_close(struct conn *c);
void conn_send(struct conn *c, const void *p, size_t n);
void conn_puts(struct conn *c, const char *text);
/* Reads one answer. bodyless: it answers a HEAD. false: the connection ended instead. */
bool conn_reply(struct conn *c, struct reply *r, bool bodyless);
bool conn_at_end(struct conn *c); /* waits for the peer to close */
void reply_free(struct reply *r);
#define REPLY_AUTO __attribute__((cleanup(reply_free)))
#define CONN_AUTO __attribute__((cleanup(conn_close)))
/* The header's value in a buffer of the thread, NULL when absent. */
const char *reply_header(const struct reply *r, const char *name);
/* A whole exchange on a connection of its own. */
struct reply kit_get(const struct kit *k, const char *target, const char *headers);

/* WebSocket client side. */
struct frame {
    int opcode;
    char *text; /* payload, NUL-terminated */
    size_t len;
    int close_code;
};
struct conn kit_ws(const struct kit *k, const char *target);
/* false: the connection ended or timeout_ms passed without a frame. */
bool ws_read(struct conn *c, struct frame *f, int timeout_ms);
void ws_send(struct conn *c, int opcode, const void *payload, size_t n);
void frame_free(struct frame *f);
#define FRAME_AUTO __attribute__((cleanup(frame_free)))

void kit_sleep_ms(int ms);
int64_t kit_now_ms(void);

#endif

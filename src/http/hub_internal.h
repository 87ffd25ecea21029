/*
 * hub_internal: what hub.c (thread, registry, fan-out) and ws_client.c (one
 * client's queue and frames) share. Everything here belongs to the hub thread,
 * save what a comment gives to the handler of the upgrade request.
 */
#ifndef BULLDOG_HTTP_HUB_INTERNAL_H
#define BULLDOG_HTTP_HUB_INTERNAL_H

#include "base/buf.h"
#include "http/hub.h"

#include <pthread.h>
#include <stdatomic.h>
#include <wslay/wslay.h>

#define HUB_BUCKETS 1024u

#define WS_GOING_AWAY 1001
#define WS_POLICY 1008
#define WS_TRY_AGAIN_LATER 1013

/* One event for any number of clients. */
struct ws_msg {
    int refs;
    int64_t id;          /* 0: not kept */
    bool log;            /* may be dropped first */
    bool whole;          /* text is the frame; else {"id":N goes before it */
    const char *company; /* in the same block */
    const char *text;
    size_t len;
};

/* First in, first out; owns one reference of each message. */
struct ws_queue {
    struct ws_msg **items;
    size_t head, end, cap;
};

struct ws_client {
    struct hub *hub;
    struct ws_client *prev, *next; /* of the bucket */
    struct ws_client *work_next;   /* of the hub's to-do list */
    bool to_do, dead;
    unsigned bucket;
    char *company;
    struct ws_msg *owner; /* its text; may be NULL */
    int64_t last_id;      /* newest kept id sent; the handler sets the first */

    struct ws_queue replay; /* the handler's until adoption */
    int64_t *replayed;      /* its ids, ascending; likewise */
    size_t replayed_count;

    struct ws_queue queue; /* live events that wait */
    size_t queue_bytes, log_bytes;
    int refuse_code; /* to be closed with this, if need be as soon as it is adopted */

    int fd;       /* -1 before adoption */
    int adopt_fd; /* from the server's thread to ours */
    void (*close_fn)(void *arg);
    void *close_arg;
    wslay_event_context_ptr ws;
    char *early; /* bytes that came behind the handshake */
    size_t early_len, early_at;
    size_t read_budget; /* per wake-up: nobody keeps the thread */
    struct buf out;     /* framed, not yet sent */
    size_t out_at;
    uint32_t armed; /* epoll events asked for */
    bool ping_open, closing;
    uint64_t close_deadline_ns;
};

struct hub {
    size_t queue_max;
    int ping_ms;
    int epoll_fd, event_fd;
    pthread_t thread;
    atomic_int listeners[HUB_BUCKETS]; /* clients per hash of the company, from ws_client_new on */
    atomic_int client_count;           /* adopted */

    pthread_mutex_t lock; /* guards the inbox, its size and all_closed */
    pthread_cond_t closed_all;
    struct hub_cmd *first, **last;
    size_t inbox_bytes;
    bool all_closed;

    struct ws_client *buckets[HUB_BUCKETS];
    struct ws_client *to_do;
    struct buf scratch;
    uint64_t next_ping_ns;
    uint64_t goodbye_ns; /* when set: all clients are gone by then */
    int closing_count;
    bool refusing, stopping;
};

/* ws_client.c */
struct ws_msg *ws_msg_new(int64_t id, const char *company, const char *type, instant_t created_at, const char *payload);
struct ws_msg *ws_msg_whole(const char *text);
void ws_msg_release(struct ws_msg *m);
void ws_queue_push(struct ws_queue *q, struct ws_msg *m); /* takes a reference of its own */
/* Adds a live event, dropping logs or giving the client up when it does not fit. */
void client_enqueue(struct ws_client *c, struct ws_msg *m);
bool client_open(struct ws_client *c); /* adopted: sets up framing */
void client_read(struct ws_client *c);
void client_ping(struct ws_client *c);
void client_close(struct ws_client *c, int code, const char *reason);
/* Drops what waits and closes with the code, now or once adopted. */
void client_refuse(struct ws_client *c, int code);
/* Sends what can be sent; sets dead when the connection is over. */
void client_pump(struct ws_client *c);
void client_free(struct ws_client *c);

/* hub.c */
void hub_to_do(struct ws_client *c); /* pump it before the thread sleeps */

#endif

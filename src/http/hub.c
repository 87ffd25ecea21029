/*
 * hub: the thread that owns all WebSocket clients. Others only append commands
 * to its inbox; a client's registration and the events published after it pass
 * through the same inbox, which is why a resumed client misses nothing.
 */
#include "http/hub.h"

#include "base/log.h"
#include "http/hub_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define INBOX_MAX ((size_t)64 << 20) /* bytes; past it events that are not kept are dropped */
#define CLOSING_TICK_MS 50
#define GOODBYE_MS 400 /* for all clients to take their 1001 */

enum hub_verb { HUB_EVENT, HUB_JOIN, HUB_ADOPT, HUB_DROP, HUB_OWNER, HUB_REVOKE, HUB_CLOSE_ALL, HUB_STOP };

struct hub_cmd {
    struct hub_cmd *next;
    enum hub_verb verb;
    struct ws_msg *msg;
    struct ws_client *client;
};

/* ---- any thread ---- */

static unsigned bucket_of(const char *company)
{
    uint32_t h = 2166136261u;
    for (; *company; company++) h = (h ^ (unsigned char)*company) * 16777619u;
    return (h ^ h >> 16) % HUB_BUCKETS;
}

static void *must_calloc(size_t n)
{
    void *p = calloc(1, n);
    if (p == NULL) {
        fputs("bulldog: out of memory\n", stderr);
        abort();
    }
    return p;
}

static void tell(struct hub *h, enum hub_verb verb, struct ws_msg *msg, struct ws_client *client)
{
    struct hub_cmd *cmd = must_calloc(sizeof *cmd);
    *cmd = (struct hub_cmd){NULL, verb, msg, client};
    pthread_mutex_lock(&h->lock);
    bool wake = h->first == NULL;
    *h->last = cmd;
    h->last = &cmd->next;
    if (msg) h->inbox_bytes += msg->len;
    pthread_mutex_unlock(&h->lock);
    if (wake) eventfd_write(h->event_fd, 1);
}

static bool inbox_full(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    bool full = h->inbox_bytes > INBOX_MAX;
    pthread_mutex_unlock(&h->lock);
    return full;
}

void hub_publish(struct hub *h, int64_t id, const char *company_id, const char *type, instant_t created_at,
                 const char *payload_json)
{
    if (!hub_has_listeners(h, company_id) || (id == 0 && inbox_full(h))) return;
    tell(h, HUB_EVENT, ws_msg_new(id, company_id, type, created_at, payload_json), NULL);
}

bool hub_has_listeners(struct hub *h, const char *company_id)
{
    return atomic_load(&h->listeners[bucket_of(company_id)]) > 0;
}

int hub_client_count(struct hub *h) { return atomic_load(&h->client_count); }

struct ws_client *ws_client_new(struct hub *h, const char *company_id, int64_t last_id)
{
    struct ws_client *c = must_calloc(sizeof *c);
    c->hub = h;
    c->fd = -1;
    c->company = strdup(company_id);
    c->bucket = bucket_of(company_id);
    c->last_id = last_id;
    atomic_fetch_add(&h->listeners[c->bucket], 1); /* before any later publish asks */
    tell(h, HUB_JOIN, NULL, c);
    return c;
}

static void replay_push(struct ws_client *c, struct ws_msg *m)
{
    ws_queue_push(&c->replay, m);
    ws_msg_release(m);
}

void ws_client_replay(struct ws_client *c, int64_t id, const char *type, instant_t created_at, const char *payload_json)
{
    assert(id > 0 && (c->replayed_count == 0 || c->replayed[c->replayed_count - 1] < id)); /* in order */
    if ((c->replayed_count & (c->replayed_count + 1)) == 0) { /* full at 0, 1, 3, 7 …: double */
        size_t room = c->replayed_count * 2 + 1;
        c->replayed = realloc(c->replayed, room * sizeof *c->replayed);
        if (c->replayed == NULL) abort();
    }
    c->replayed[c->replayed_count++] = id;
    replay_push(c, ws_msg_new(id, c->company, type, created_at, payload_json));
}

void ws_client_reset(struct ws_client *c)
{
    assert(c->replayed_count == 0); /* first */
    replay_push(c, ws_msg_whole("{\"type\":\"reset\"}"));
}

void ws_client_drop(struct ws_client *c)
{
    if (c) tell(c->hub, HUB_DROP, NULL, c);
}

void ws_client_adopt(struct ws_client *c, int fd, const char *early, size_t early_len, void (*close_fn)(void *arg),
                     void *close_arg)
{
    c->close_fn = close_fn;
    c->close_arg = close_arg;
    c->early_len = early_len;
    if (early_len) c->early = memcpy(must_calloc(early_len), early, early_len);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    c->adopt_fd = fd;
    tell(c->hub, HUB_ADOPT, NULL, c);
}

void ws_client_owner(struct ws_client *c, const char *owner) { tell(c->hub, HUB_OWNER, ws_msg_whole(owner), c); }

void hub_revoke(struct hub *h, const char *owner) { tell(h, HUB_REVOKE, ws_msg_whole(owner), NULL); }

void hub_close_clients(struct hub *h)
{
    tell(h, HUB_CLOSE_ALL, NULL, NULL);
    pthread_mutex_lock(&h->lock);
    while (!h->all_closed) pthread_cond_wait(&h->closed_all, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

/* ---- the hub thread ---- */

void hub_to_do(struct ws_client *c)
{
    if (c->to_do) return;
    c->to_do = true;
    c->work_next = c->hub->to_do;
    c->hub->to_do = c;
}

static void join(struct hub *h, struct ws_client *c)
{
    c->next = h->buckets[c->bucket];
    if (c->next) c->next->prev = c;
    h->buckets[c->bucket] = c;
}

/* Out of the registry and off the socket; freed here, so nothing else may hold it. */
static void part(struct hub *h, struct ws_client *c)
{
    if (c->prev) c->prev->next = c->next;
    else h->buckets[c->bucket] = c->next;
    if (c->next) c->next->prev = c->prev;
    atomic_fetch_sub(&h->listeners[c->bucket], 1);
    if (c->closing) h->closing_count--;
    if (c->fd >= 0) {
        epoll_ctl(h->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
        atomic_fetch_sub(&h->client_count, 1);
        c->close_fn(c->close_arg);
    }
    client_free(c);
}

static void adopt(struct hub *h, struct ws_client *c)
{
    c->fd = c->adopt_fd;
    atomic_fetch_add(&h->client_count, 1);
    if (h->refusing || !client_open(c)) c->dead = true;
    hub_to_do(c);
}

static void for_each_adopted(struct hub *h, void (*fn)(struct ws_client *c))
{
    for (unsigned i = 0; i < HUB_BUCKETS; i++)
        for (struct ws_client *c = h->buckets[i]; c; c = c->next)
            if (c->fd >= 0 && !c->dead) fn(c);
}

static void say_goodbye(struct ws_client *c) { client_close(c, WS_GOING_AWAY, "server is shutting down"); }

static void fan_out(struct hub *h, struct ws_msg *m)
{
    for (struct ws_client *c = h->buckets[bucket_of(m->company)]; c; c = c->next)
        if (strcmp(c->company, m->company) == 0) client_enqueue(c, m);
    ws_msg_release(m);
}

static void show_out(struct hub *h, struct ws_msg *owner)
{
    for (unsigned i = 0; i < HUB_BUCKETS; i++)
        for (struct ws_client *c = h->buckets[i]; c; c = c->next)
            if (c->owner && strcmp(c->owner->text, owner->text) == 0) client_refuse(c, WS_POLICY);
    ws_msg_release(owner);
}

static void set_owner(struct ws_client *c, struct ws_msg *owner)
{
    ws_msg_release(c->owner);
    c->owner = owner;
}

static void obey(struct hub *h, const struct hub_cmd *cmd)
{
    switch (cmd->verb) {
    case HUB_EVENT: fan_out(h, cmd->msg); break;
    case HUB_JOIN: join(h, cmd->client); break;
    case HUB_ADOPT: adopt(h, cmd->client); break;
    case HUB_DROP: part(h, cmd->client); break; /* was never adopted: on no list */
    case HUB_OWNER: set_owner(cmd->client, cmd->msg); break;
    case HUB_REVOKE: show_out(h, cmd->msg); break;
    case HUB_CLOSE_ALL:
        h->refusing = true;
        for_each_adopted(h, say_goodbye);
        h->goodbye_ns = clock_mono_ns() + (uint64_t)GOODBYE_MS * 1000000;
        break;
    case HUB_STOP: h->stopping = true; break;
    }
}

static void read_inbox(struct hub *h)
{
    eventfd_t n;
    eventfd_read(h->event_fd, &n);
    pthread_mutex_lock(&h->lock);
    struct hub_cmd *cmd = h->first;
    h->first = NULL;
    h->last = &h->first;
    h->inbox_bytes = 0;
    pthread_mutex_unlock(&h->lock);
    while (cmd) {
        struct hub_cmd *next = cmd->next;
        obey(h, cmd);
        free(cmd);
        cmd = next;
    }
}

/* Pumps whoever has something to send, and parts with the dead. */
static void work(struct hub *h)
{
    while (h->to_do) {
        struct ws_client *c = h->to_do;
        h->to_do = c->work_next;
        c->to_do = false;
        if (!c->dead) client_pump(c);
        if (c->dead) part(h, c);
    }
}

static void check_deadline(struct ws_client *c)
{
    if (!c->closing || clock_mono_ns() < c->close_deadline_ns) return;
    c->dead = true;
    hub_to_do(c);
}

static void kill_client(struct ws_client *c)
{
    c->dead = true;
    hub_to_do(c);
}

static void tick(struct hub *h)
{
    uint64_t now = clock_mono_ns();
    if (now >= h->next_ping_ns) {
        for_each_adopted(h, client_ping);
        h->next_ping_ns = now + (uint64_t)h->ping_ms * 1000000;
    }
    if (h->closing_count) for_each_adopted(h, check_deadline);
    if (h->goodbye_ns == 0) return;
    if (now >= h->goodbye_ns) for_each_adopted(h, kill_client);
    work(h);
    if (atomic_load(&h->client_count) > 0) return;
    h->goodbye_ns = 0;
    pthread_mutex_lock(&h->lock);
    h->all_closed = true;
    pthread_cond_broadcast(&h->closed_all);
    pthread_mutex_unlock(&h->lock);
}

static int wait_ms(const struct hub *h)
{
    if (h->closing_count || h->goodbye_ns) return CLOSING_TICK_MS;
    uint64_t now = clock_mono_ns();
    return now >= h->next_ping_ns ? 0 : (int)((h->next_ping_ns - now) / 1000000) + 1;
}

static void *run(void *arg)
{
    struct hub *h = arg;
    struct epoll_event ev[64];
    while (!h->stopping) {
        int n = epoll_wait(h->epoll_fd, ev, 64, wait_ms(h));
        for (int i = 0; i < n; i++) {
            struct ws_client *c = ev[i].data.ptr;
            if (c == NULL) {
                read_inbox(h);
                continue;
            }
            if (ev[i].events & EPOLLIN) client_read(c);
            else if (ev[i].events & (EPOLLERR | EPOLLHUP)) c->dead = true;
            hub_to_do(c);
        }
        work(h);
        tick(h);
        work(h);
    }
    return NULL;
}

err_t hub_start(struct arena *a, size_t queue_max, int ping_ms, struct hub **out)
{
    struct hub *h = must_calloc(sizeof *h);
    h->queue_max = queue_max;
    h->ping_ms = ping_ms;
    h->next_ping_ns = clock_mono_ns() + (uint64_t)ping_ms * 1000000;
    h->last = &h->first;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->closed_all, NULL);
    h->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    bool ok = h->event_fd >= 0 && h->epoll_fd >= 0 && epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, h->event_fd, &ev) == 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals belong to the main thread */
    ok = ok && pthread_create(&h->thread, NULL, run, h) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ok) {
        *out = h;
        return OK;
    }
    if (h->event_fd >= 0) close(h->event_fd);
    if (h->epoll_fd >= 0) close(h->epoll_fd);
    free(h);
    return err_new(a, ERR_UNAVAILABLE, "Cannot start the thread for live events: %s", strerror(errno));
}

void hub_stop(struct hub *h)
{
    if (h == NULL) return;
    hub_close_clients(h);
    tell(h, HUB_STOP, NULL, NULL);
    pthread_join(h->thread, NULL);
    read_inbox(h);
    for (unsigned i = 0; i < HUB_BUCKETS; i++)
        while (h->buckets[i]) part(h, h->buckets[i]); /* made, but neither adopted nor dropped */
    close(h->event_fd);
    close(h->epoll_fd);
    buf_free(&h->scratch);
    pthread_cond_destroy(&h->closed_all);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/*
 * ws_client: one WebSocket client: its bounded queue, its frames, its socket.
 *
 * Messages become frames only when the socket takes them: wslay writes into
 * `out`, at most about OUT_HIGH bytes ahead, so many small events leave in one
 * send and everything else waits in the queue, where it can still be dropped.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "http/hub_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define OUT_HIGH ((size_t)64 << 10)
#define READ_BUDGET ((size_t)64 << 10)
#define CLIENT_FRAME_MAX ((uint64_t)64 << 10) /* what a client sends is ignored, but not for any length */
#define CLOSE_WAIT_NS UINT64_C(5000000000)

static void *must(void *p)
{
    if (p == NULL) {
        fputs("bulldog: out of memory\n", stderr);
        abort();
    }
    return p;
}

/* ---- messages ---- */

static struct ws_msg *msg_make(const char *company, const char *text, size_t len)
{
    size_t company_size = strlen(company) + 1;
    struct ws_msg *m = must(calloc(1, sizeof *m + company_size + len + 1));
    char *at = (char *)(m + 1);
    memcpy(at, company, company_size);
    memcpy(at + company_size, text, len);
    *m = (struct ws_msg){.refs = 1, .company = at, .text = at + company_size, .len = len};
    return m;
}

struct ws_msg *ws_msg_whole(const char *text)
{
    struct ws_msg *m = msg_make("", text, strlen(text));
    m->whole = true;
    return m;
}

struct ws_msg *ws_msg_new(int64_t id, const char *company, const char *type, instant_t created_at, const char *payload)
{
    struct buf b BUF_AUTO = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "companyId", company);
    jw_kstr(&w, "type", type);
    jw_ktime(&w, "createdAt", created_at);
    jw_kraw(&w, "payload", payload);
    jw_obj_end(&w);
    b.data[0] = ','; /* {"id":N goes before: the number may differ by client */
    struct ws_msg *m = msg_make(company, b.data, b.len);
    m->id = id;
    m->log = strcmp(type, "heartbeat.run.log") == 0;
    return m;
}

void ws_msg_release(struct ws_msg *m)
{
    if (m && --m->refs == 0) free(m);
}

/* ---- queues ---- */

void ws_queue_push(struct ws_queue *q, struct ws_msg *m)
{
    if (q->end == q->cap && q->head > q->cap / 2) {
        memmove(q->items, q->items + q->head, sizeof(struct ws_msg *) * (q->end - q->head));
        q->end -= q->head;
        q->head = 0;
    } else if (q->end == q->cap) {
        q->cap = q->cap ? q->cap * 2 : 16;
        q->items = must(realloc(q->items, sizeof(struct ws_msg *) * q->cap));
    }
    m->refs++;
    q->items[q->end++] = m;
}

static struct ws_msg *queue_pop(struct ws_queue *q)
{
    if (q->head == q->end) return NULL;
    struct ws_msg *m = q->items[q->head++];
    if (q->head < q->end) return m;
    free(q->items); /* most clients are idle most of the time */
    *q = (struct ws_queue){0};
    return m;
}

static void queue_clear(struct ws_queue *q)
{
    for (struct ws_msg *m; (m = queue_pop(q)) != NULL;) ws_msg_release(m);
}

static void drop_logs(struct ws_client *c)
{
    struct ws_queue *q = &c->queue;
    size_t kept = q->head;
    for (size_t i = q->head; i < q->end; i++) {
        if (q->items[i]->log) ws_msg_release(q->items[i]);
        else q->items[kept++] = q->items[i];
    }
    q->end = kept;
    c->queue_bytes -= c->log_bytes;
    c->log_bytes = 0;
}

static bool was_replayed(const struct ws_client *c, int64_t id)
{
    size_t lo = 0, hi = c->replayed_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (c->replayed[mid] == id) return true;
        if (c->replayed[mid] < id) lo = mid + 1;
        else hi = mid;
    }
    return false;
}

static const char *close_reason(int code) { return code == WS_POLICY ? "access revoked" : "too slow"; }

void client_refuse(struct ws_client *c, int code)
{
    c->refuse_code = code;
    queue_clear(&c->queue);
    c->queue_bytes = c->log_bytes = 0;
    if (c->fd < 0) return; /* the replay is still in the handler's hands; client_close keeps it from the wire */
    queue_clear(&c->replay);
    client_close(c, code, close_reason(code));
}

void client_enqueue(struct ws_client *c, struct ws_msg *m)
{
    size_t max = c->hub->queue_max;
    if (c->closing || c->dead || c->refuse_code) return;
    if (c->queue_bytes + m->len > max) {
        if (m->log) return;
        drop_logs(c);
        if (c->queue_bytes + m->len > max) {
            log_warn("hub.client_too_slow", "company=%s waiting_bytes=%zu", c->company, c->queue_bytes);
            client_refuse(c, WS_TRY_AGAIN_LATER);
            return;
        }
    }
    ws_queue_push(&c->queue, m);
    c->queue_bytes += m->len;
    if (m->log) c->log_bytes += m->len;
    if (c->fd >= 0) hub_to_do(c);
}

/* The next event for the wire: the replay, then what was collected meanwhile and
 * was not part of it. The caller releases it. */
static struct ws_msg *next_event(struct ws_client *c)
{
    struct ws_msg *m = queue_pop(&c->replay);
    if (m) return m;
    while ((m = queue_pop(&c->queue)) != NULL) {
        c->queue_bytes -= m->len;
        if (m->log) c->log_bytes -= m->len;
        if (m->id == 0 || !was_replayed(c, m->id)) return m;
        ws_msg_release(m);
    }
    return NULL;
}

/* ---- frames ---- */

static ssize_t on_send(wslay_event_context_ptr ws, const uint8_t *data, size_t len, int flags, void *arg)
{
    (void)ws;
    (void)flags;
    struct ws_client *c = arg;
    buf_append(&c->out, data, len);
    return (ssize_t)len;
}

static ssize_t on_recv(wslay_event_context_ptr ws, uint8_t *buf, size_t len, int flags, void *arg)
{
    (void)flags;
    struct ws_client *c = arg;
    if (c->early_at < c->early_len) {
        size_t n = c->early_len - c->early_at < len ? c->early_len - c->early_at : len;
        memcpy(buf, c->early + c->early_at, n);
        c->early_at += n;
        return (ssize_t)n;
    }
    ssize_t n = c->read_budget ? recv(c->fd, buf, len, MSG_DONTWAIT) : -1;
    bool later = c->read_budget == 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
    if (n <= 0) {
        wslay_event_set_error(ws, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    c->read_budget -= (size_t)n < c->read_budget ? (size_t)n : c->read_budget;
    return n;
}

static void on_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *msg, void *arg)
{
    (void)ws;
    struct ws_client *c = arg;
    if (msg->opcode == WSLAY_PONG) c->ping_open = false; /* text and binary are ignored (AR-73) */
}

bool client_open(struct ws_client *c)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_recv, .send_callback = on_send, .on_msg_recv_callback = on_message};
    if (wslay_event_context_server_init(&c->ws, &callbacks, c) != 0) return false;
    wslay_event_config_set_no_buffering(c->ws, 1);
    wslay_event_config_set_max_recv_msg_length(c->ws, CLIENT_FRAME_MAX);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
    c->armed = EPOLLIN;
    if (epoll_ctl(c->hub->epoll_fd, EPOLL_CTL_ADD, c->fd, &ev) != 0) return false;
    if (c->refuse_code) client_close(c, c->refuse_code, close_reason(c->refuse_code));
    client_read(c); /* early bytes do not wake epoll */
    return true;
}

void client_read(struct ws_client *c)
{
    c->read_budget = READ_BUDGET;
    if (!c->dead && wslay_event_recv(c->ws) != 0) c->dead = true;
    hub_to_do(c);
}

void client_ping(struct ws_client *c)
{
    const struct wslay_event_msg ping = {.opcode = WSLAY_PING};
    if (c->ping_open || wslay_event_queue_msg(c->ws, &ping) != 0) c->dead = true;
    c->ping_open = true;
    hub_to_do(c);
}

void client_close(struct ws_client *c, int code, const char *reason)
{
    if (c->closing) return;
    c->closing = true;
    c->close_deadline_ns = clock_mono_ns() + CLOSE_WAIT_NS;
    c->hub->closing_count++;
    wslay_event_queue_close(c->ws, (uint16_t)code, (const uint8_t *)reason, strlen(reason));
    hub_to_do(c);
}

static size_t unsent(const struct ws_client *c) { return c->out.len - c->out_at; }

static void flush(struct ws_client *c)
{
    while (unsent(c) > 0) {
        ssize_t n = send(c->fd, c->out.data + c->out_at, unsent(c), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK) c->dead = true;
            return;
        }
        c->out_at += (size_t)n;
    }
    buf_free(&c->out);
    c->out_at = 0;
}

/* One more event into wslay; false when there is none. */
static bool feed(struct ws_client *c)
{
    struct ws_msg *m = c->closing ? NULL : next_event(c);
    if (m == NULL) return false;
    if (m->id > c->last_id) c->last_id = m->id;
    struct buf *s = &c->hub->scratch;
    buf_clear(s);
    if (!m->whole) buf_printf(s, "{\"id\":%" PRId64, m->id ? m->id : c->last_id);
    buf_append(s, m->text, m->len);
    ws_msg_release(m);
    const struct wslay_event_msg frame = {
        .opcode = WSLAY_TEXT_FRAME, .msg = (const uint8_t *)s->data, .msg_length = s->len};
    return wslay_event_queue_msg(c->ws, &frame) == 0; /* not after the client's close */
}

static void rearm(struct ws_client *c)
{
    uint32_t want = unsent(c) ? (uint32_t)EPOLLOUT : 0;
    if (unsent(c) < OUT_HIGH && wslay_event_want_read(c->ws)) want |= EPOLLIN; /* no pongs for who does not read */
    if (want == c->armed) return;
    struct epoll_event ev = {.events = want, .data.ptr = c};
    c->armed = want;
    if (epoll_ctl(c->hub->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev) != 0) c->dead = true;
}

void client_pump(struct ws_client *c)
{
    while (!c->dead) {
        if (unsent(c) >= OUT_HIGH) flush(c);
        if (unsent(c) >= OUT_HIGH) break;
        if (!wslay_event_want_write(c->ws) && !feed(c)) break;
        if (wslay_event_send(c->ws) != 0) c->dead = true;
    }
    if (!c->dead) flush(c);
    bool over = !wslay_event_want_read(c->ws) && !wslay_event_want_write(c->ws); /* both closes are through */
    if (over && unsent(c) == 0) c->dead = true;
    if (!c->dead) rearm(c);
}

void client_free(struct ws_client *c)
{
    queue_clear(&c->replay);
    queue_clear(&c->queue);
    if (c->ws) wslay_event_context_free(c->ws);
    buf_free(&c->out);
    free(c->early);
    free(c->replayed);
    free(c->company);
    ws_msg_release(c->owner);
    free(c);
}

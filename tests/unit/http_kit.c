/* http_kit: see http_kit.h. */
#include "http_kit.h"

#include "base/clock.h"
#include "base/json.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_TIMEOUT_MS 20000

void kit_sleep_ms(int ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&ts, NULL);
}

int64_t kit_now_ms(void) { return (int64_t)(clock_mono_ns() / 1000000); }

/* ---- the application ---- */

static int query_int(struct http_req *r, const char *name, int dflt)
{
    const char *v = http_query(r, name);
    return v ? atoi(v) : dflt;
}

static void write_param(void *ctx, const char *name, const char *value) { jw_kstr(ctx, name, value); }

static void fill(struct http_req *r, const char *before, const char *after)
{
    size_t n = (size_t)query_int(r, "n", 100);
    buf_puts(&r->out, before);
    for (size_t i = 0; r->out.len + strlen(after) < n; i++) buf_putc(&r->out, (char)('a' + i % 7 + i / 11 % 19));
    buf_puts(&r->out, after);
}

static void answer_path(struct http_req *r)
{
    struct jw w;
    jw_init(&w, &r->out);
    jw_obj(&w);
    jw_kstr(&w, "method", r->method);
    jw_kstr(&w, "path", r->path);
    jw_kstr(&w, "peer", r->peer);
    jw_obj_end(&w);
}

static void answer_query(struct http_req *r)
{
    struct jw w;
    jw_init(&w, &r->out);
    jw_obj(&w);
    http_query_each(r, write_param, &w);
    jw_obj_end(&w);
}

static void answer_json(struct http_req *r)
{
    json_t *j = NULL;
    err_t e = json_parse(&r->arena, r->body.data ? r->body.data : "", r->body.len, &j);
    r->status = e ? 400 : 200;
    buf_puts(&r->out, e ? "{}" : json_text(&r->arena, j));
}

static void upgrade(struct kit *k, struct http_req *r)
{
    const char *company = http_query(r, "company"), *since = http_query(r, "since");
    int64_t last = since ? atoll(since) : 0;
    struct ws_client *c = ws_client_new(k->hub, company ? company : "c1", last);
    if (http_query(r, "owner")) ws_client_owner(c, http_query(r, "owner"));
    if (http_query(r, "reset")) ws_client_reset(c);
    kit_sleep_ms(query_int(r, "wait", 0));
    long long newest = since ? atomic_load(&k->replay_to) : 0;
    for (int64_t id = last + 1; id <= newest; id++) ws_client_replay(c, id, "replayed", 0, "{}");
    r->upgrade = c;
}

static void handle(void *ctx, struct http_req *r)
{
    static const char fixed[] = "console.log(1)";
    struct kit *k = ctx;
    atomic_fetch_add(&k->handled, 1);
    r->status = 200;
    if (r->body_too_large) {
        r->status = 413;
        buf_puts(&r->out, "{\"error\":\"Request body too large\"}");
    } else if (strcmp(r->path, "/hello") == 0) {
        buf_puts(&r->out, "{\"hello\":\"world\"}");
    } else if (strcmp(r->path, "/echo") == 0 || strcmp(r->path, "/limited") == 0) {
        buf_append(&r->out, r->body.data ? r->body.data : "", r->body.len);
    } else if (strcmp(r->path, "/bytes") == 0) {
        fill(r, "{\"a\":\"", "\"}");
        if (http_query(r, "encoded")) http_set_header(r, "Content-Encoding", "identity");
    } else if (strcmp(r->path, "/plain") == 0) {
        r->content_type = "text/plain";
        fill(r, "", "");
    } else if (strcmp(r->path, "/query") == 0) {
        answer_query(r);
    } else if (strcmp(r->path, "/json") == 0) {
        answer_json(r);
    } else if (strcmp(r->path, "/static") == 0) {
        r->content_type = "text/javascript";
        if (http_etag(r, "\"v1\"")) return;
        r->static_data = fixed;
        r->static_len = sizeof fixed - 1;
    } else if (strcmp(r->path, "/slow") == 0) {
        kit_sleep_ms(query_int(r, "ms", 0));
        fill(r, "{\"slow\":\"", "\"}");
    } else if (strcmp(r->path, "/ws") == 0) {
        upgrade(k, r);
    } else {
        answer_path(r);
    }
}

static bool slow(void *ctx, struct http_req *r)
{
    (void)ctx;
    return strcmp(r->path, "/slow") == 0 || http_query(r, "wait") != NULL;
}

static size_t body_max(void *ctx, const struct http_req *r)
{
    (void)ctx;
    return strcmp(r->path, "/limited") == 0 ? 1024 : (size_t)32 << 20;
}

static void done(void *ctx, const struct http_req *r)
{
    struct kit *k = ctx;
    assert_true(r->status >= 100);
    atomic_fetch_add(&k->done, 1);
}

void kit_start(struct kit *k)
{
    static bool once;
    if (!once) json_setup();
    once = true;
    struct http_server_options *o = &k->options;
    o->host = "127.0.0.1";
    if (o->threads == 0) o->threads = 4;
    if (o->connections_max == 0) o->connections_max = 4000;
    if (o->idle_timeout_sec == 0) o->idle_timeout_sec = 185;
    k->jobs = o->jobs = jobs_start(k->job_threads ? k->job_threads : 4, k->job_queue ? k->job_queue : 64);
    assert_null(hub_start(&k->arena, k->hub_queue_max ? k->hub_queue_max : (size_t)1 << 20,
                          k->ping_ms ? k->ping_ms : 30000, &k->hub));
    o->hub = k->hub;
    const struct http_app app = {handle, slow, body_max, done, k};
    err_t e = http_server_start(&k->arena, o, &app, &k->server);
    if (e) fail_msg("%s", e->message);
}

void kit_stop(struct kit *k)
{
    http_server_stop(k->server);
    hub_stop(k->hub);
    jobs_stop(k->jobs);
    arena_free(&k->arena);
}

/* ---- the client ---- */

struct conn kit_connect(const struct kit *k)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_server_port(k->server))};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    struct conn c = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(c.fd >= 0);
    assert_int_equal(connect(c.fd, (struct sockaddr *)&to, sizeof to), 0);
    const int yes = 1;
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return c;
}

void conn_close(struct conn *c)
{
    if (c->fd >= 0) close(c->fd);
    buf_free(&c->in);
    *c = (struct conn){.fd = -1};
}

void conn_send(struct conn *c, const void *p, size_t n)
{
    const char *s = p;
    while (n > 0) {
        ssize_t sent = send(c->fd, s, n, MSG_NOSIGNAL);
        if (sent <= 0) return; /* the peer left: the answer tells */
        s += sent;
        n -= (size_t)sent;
    }
}

void conn_puts(struct conn *c, const char *text) { conn_send(c, text, strlen(text)); }

/* More bytes; false at the end or after timeout_ms. */
static bool more(struct conn *c, int timeout_ms)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    if (poll(&p, 1, timeout_ms) <= 0) return false;
    buf_reserve(&c->in, 65536);
    ssize_t n = recv(c->fd, c->in.data + c->in.len, 65536, 0);
    if (n <= 0) return false;
    c->in.len += (size_t)n;
    c->in.data[c->in.len] = 0;
    return true;
}

static size_t have(const struct conn *c) { return c->in.len - c->at; }

static char *take(struct conn *c, size_t n)
{
    char *s = malloc(n + 1);
    assert_non_null(s);
    memcpy(s, c->in.data + c->at, n);
    s[n] = 0;
    c->at += n;
    if (c->at == c->in.len) {
        buf_clear(&c->in);
        c->at = 0;
    }
    return s;
}

bool conn_reply(struct conn *c, struct reply *r, bool bodyless)
{
    const char *end;
    *r = (struct reply){0};
    while (have(c) == 0 || (end = strstr(c->in.data + c->at, "\r\n\r\n")) == NULL)
        if (!more(c, READ_TIMEOUT_MS)) return false;
    r->head = take(c, (size_t)(end - (c->in.data + c->at)) + 4);
    r->status = atoi(r->head + strlen("HTTP/1.1 "));
    if (r->status / 100 == 1) return true;
    const char *length = reply_header(r, "Content-Length");
    size_t n = bodyless || length == NULL ? 0 : strtoul(length, NULL, 10);
    while (have(c) < n)
        if (!more(c, READ_TIMEOUT_MS)) return false;
    r->body = n ? take(c, n) : calloc(1, 1);
    r->body_len = n;
    return true;
}

bool conn_at_end(struct conn *c)
{
    while (more(c, READ_TIMEOUT_MS)) {}
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1 && have(c) == 0;
}

void reply_free(struct reply *r)
{
    free(r->head);
    free(r->body);
    *r = (struct reply){0};
}

const char *reply_header(const struct reply *r, const char *name)
{
    static _Thread_local char value[512];
    if (r->head == NULL) return NULL;
    size_t n = strlen(name);
    for (const char *line = strchr(r->head, '\n'); line && line[1] != '\r'; line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, name, n) != 0 || line[n] != ':') continue;
        const char *v = line + n + 1 + strspn(line + n + 1, " ");
        snprintf(value, sizeof value, "%.*s", (int)strcspn(v, "\r"), v);
        return value;
    }
    return NULL;
}

struct reply kit_get(const struct kit *k, const char *target, const char *headers)
{
    struct conn c CONN_AUTO = kit_connect(k);
    struct buf b BUF_AUTO = {0};
    struct reply r;
    buf_printf(&b, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", target, headers);
    conn_puts(&c, b.data);
    assert_true(conn_reply(&c, &r, false));
    return r;
}

/* ---- WebSocket ---- */

struct conn kit_ws(const struct kit *k, const char *target)
{
    struct conn c = kit_connect(k);
    struct buf b BUF_AUTO = {0};
    struct reply r;
    buf_printf(&b,
               "GET %s HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
               target);
    conn_puts(&c, b.data);
    assert_true(conn_reply(&c, &r, false));
    assert_int_equal(r.status, 101);
    assert_string_equal(reply_header(&r, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); /* RFC 6455, 1.3 */
    reply_free(&r);
    return c;
}

static bool need(struct conn *c, size_t n, int timeout_ms)
{
    while (have(c) < n)
        if (!more(c, timeout_ms)) return false;
    return true;
}

bool ws_read(struct conn *c, struct frame *f, int timeout_ms)
{
    *f = (struct frame){0};
    if (!need(c, 2, timeout_ms)) return false;
    const unsigned char *p = (const unsigned char *)c->in.data + c->at;
    assert_int_equal(p[0] & 0xf0, 0x80); /* one frame a message, no extension bits */
    assert_int_equal(p[1] & 0x80, 0);    /* a server does not mask */
    size_t header = p[1] == 126 ? 4 : p[1] == 127 ? 10 : 2;
    if (!need(c, header, timeout_ms)) return false;
    p = (const unsigned char *)c->in.data + c->at;
    size_t n = header == 2 ? p[1] : 0;
    for (size_t i = 2; i < header; i++) n = n << 8 | p[i];
    if (!need(c, header + n, timeout_ms)) return false;
    f->opcode = (unsigned char)c->in.data[c->at] & 0xf;
    free(take(c, header));
    f->text = n ? take(c, n) : calloc(1, 1);
    f->len = n;
    if (f->opcode == 8 && n >= 2) f->close_code = (unsigned char)f->text[0] << 8 | (unsigned char)f->text[1];
    return true;
}

void ws_send(struct conn *c, int opcode, const void *payload, size_t n)
{
    assert_true(n < 126);
    unsigned char b[140] = {(unsigned char)(0x80 | opcode), (unsigned char)(0x80 | n), 1, 2, 3, 4};
    for (size_t i = 0; i < n; i++) b[6 + i] = (unsigned char)(((const unsigned char *)payload)[i] ^ b[2 + i % 4]);
    conn_send(c, b, 6 + n);
}

void frame_free(struct frame *f)
{
    free(f->text);
    *f = (struct frame){0};
}

/*
 * server: the life of a request from its first line to the end of its answer,
 * and of the daemon. A request is either on an HTTP thread, or (slow)
 * suspended and on one job thread, never on both; libmicrohttpd's suspend and
 * resume order the hand-over.
 */
#include "http/server.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "http/hub.h"
#include "http/server_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BODY_RESERVE_MAX ((size_t)1 << 20)  /* taken on a client's word */
#define BODY_DISCARD_MAX ((size_t)16 << 20) /* read past the limit so that the client gets to read its 413 */
#define STOP_WAIT_MS 10000

/* ---- one request ---- */

static const char *peer_text(struct arena *a, struct MHD_Connection *conn)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr == NULL) return "";
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)info->client_addr;
    if (in->sin_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_LOOPBACK)) return "127.0.0.1";
    char *text = arena_alloc(a, INET6_ADDRSTRLEN);
    if (info->client_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)info->client_addr;
        inet_ntop(AF_INET6, &in6->sin6_addr, text, INET6_ADDRSTRLEN);
        return strncmp(text, "::ffff:", 7) == 0 && strchr(text, '.') ? text + 7 : text;
    }
    inet_ntop(AF_INET, &in->sin_addr, text, INET6_ADDRSTRLEN);
    return text;
}

/* The request line was read: its target is still as received. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *conn)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (x == NULL) return NULL;
    x->server = cls;
    x->req.connection = conn;
    arena_borrow(&x->req.arena);
    x->req.started_ns = clock_mono_ns();
    x->path_bad = !request_target(&x->req, target);
    return x;
}

/* Keeps libmicrohttpd from decoding: request.c does it, with checks. */
static size_t leave_escaped(void *cls, struct MHD_Connection *conn, char *s)
{
    (void)cls;
    (void)conn;
    return strlen(s);
}

void exchange_end(struct exchange *x)
{
    struct http_req *r = &x->req;
    if (x->server->app.done && r->status) x->server->app.done(x->server->app.ctx, r);
    if (r->upgrade) ws_client_drop(r->upgrade); /* the connection broke before the handshake was through */
    r->upgrade = NULL;
    if (r->kept) kept_answer_release(r->kept);
    r->kept = NULL;
    buf_free(&r->body);
    buf_free(&r->out);
    arena_return(&r->arena);
    if (x->counted) atomic_fetch_sub(&x->server->active, 1);
    x->counted = false;
    x->state = EXCHANGE_OVER;
}

static void on_completed(void *cls, struct MHD_Connection *conn, void **con_cls, enum MHD_RequestTerminationCode why)
{
    (void)cls;
    (void)conn;
    (void)why;
    struct exchange *x = *con_cls;
    if (x == NULL) return;
    if (x->state != EXCHANGE_OVER) exchange_end(x);
    free(x);
    *con_cls = NULL;
}

static enum MHD_Result send_error(struct exchange *x, int status, const char *message)
{
    answer_error(&x->req, status, message);
    x->close = true;
    return answer_send(x);
}

static void run_handler(struct exchange *x)
{
    const struct http_app *app = &x->server->app;
    json_arena(&x->req.arena);
    app->handle(app->ctx, &x->req);
    assert(x->req.status != 0 || x->req.upgrade); /* a handler always answers */
    if (x->req.upgrade == NULL) {
        answer_prepare(&x->req);
        answer_keep(&x->req);
    }
    json_arena(NULL);
    x->state = EXCHANGE_ANSWER;
}

static void run_slow(void *arg)
{
    struct exchange *x = arg;
    struct MHD_Connection *conn = x->req.connection;
    run_handler(x);
    struct http_server *s = x->server;
    MHD_resume_connection(conn); /* x belongs to the HTTP thread again */
    atomic_fetch_sub(&s->working, 1);
}

static enum MHD_Result send_answer(struct exchange *x) { return x->req.upgrade ? upgrade_send(x) : answer_send(x); }

/* The request is complete: run it here, or hand it to the job pool. */
static enum MHD_Result dispatch(struct exchange *x)
{
    struct http_server *s = x->server;
    atomic_fetch_add(&s->active, 1); /* before the look at stopping: http_server_stop does it the other way round */
    x->counted = true;
    if (atomic_load(&s->stopping)) return send_error(x, MHD_HTTP_SERVICE_UNAVAILABLE, "Server is shutting down");
    bool slow = s->jobs && !x->req.body_too_large && s->app.slow(s->app.ctx, &x->req);
    if (!slow) {
        run_handler(x);
        return send_answer(x);
    }
    x->state = EXCHANGE_WORKING;
    atomic_fetch_add(&s->working, 1);
    MHD_suspend_connection(x->req.connection); /* before the job can resume it */
    if (jobs_submit(s->jobs, run_slow, x)) return MHD_YES;
    answer_error(&x->req, MHD_HTTP_SERVICE_UNAVAILABLE, "Server is busy; try again shortly");
    http_set_header(&x->req, "Retry-After", "1");
    x->state = EXCHANGE_ANSWER;
    MHD_resume_connection(x->req.connection);
    atomic_fetch_sub(&s->working, 1);
    return MHD_YES;
}

/* Headers are read. A body that says it is too large is not read when that helps nobody. */
static enum MHD_Result begin(struct exchange *x, const char *method)
{
    struct http_req *r = &x->req;
    struct http_server *s = x->server;
    r->method = method;
    r->peer = peer_text(&r->arena, r->connection);
    x->state = EXCHANGE_BODY;
    if (x->path_bad) {
        r->path = r->route_path = "/";
        return send_error(x, MHD_HTTP_BAD_REQUEST, "Malformed request path");
    }
    x->body_max = s->app.body_max(s->app.ctx, r);
    const char *length_text = http_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    unsigned long long length = length_text ? strtoull(length_text, NULL, 10) : 0;
    if (length > x->body_max) {
        r->body_too_large = x->close = true;
        if (http_header(r, MHD_HTTP_HEADER_EXPECT) || length - x->body_max > BODY_DISCARD_MAX) return dispatch(x);
    } else if (length) {
        buf_reserve(&r->body, length < BODY_RESERVE_MAX ? (size_t)length : BODY_RESERVE_MAX);
    }
    return MHD_YES;
}

static enum MHD_Result take_body(struct exchange *x, const char *data, size_t n)
{
    struct http_req *r = &x->req;
    x->body_seen += n;
    if (x->body_seen > x->body_max) {
        r->body_too_large = x->close = true;
        buf_free(&r->body);
        return x->body_seen - x->body_max > BODY_DISCARD_MAX ? MHD_NO : MHD_YES; /* endless chunks: cut */
    }
    buf_append(&r->body, data, n);
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url, const char *method,
                                  const char *version, const char *data, size_t *data_len, void **con_cls)
{
    (void)cls;
    (void)conn;
    (void)url;
    (void)version;
    struct exchange *x = *con_cls;
    if (x == NULL) return MHD_NO;
    switch (x->state) {
    case EXCHANGE_NEW: return begin(x, method);
    case EXCHANGE_BODY:
        if (*data_len == 0) return dispatch(x);
        size_t n = *data_len;
        *data_len = 0;
        return take_body(x, data, n);
    case EXCHANGE_ANSWER: return send_answer(x);
    case EXCHANGE_WORKING:
    case EXCHANGE_OVER: break;
    }
    return MHD_NO;
}

/* ---- the daemon ---- */

/* What a client can cause at will must not fill the log. */
static bool client_caused(const char *text)
{
    static const char *const starts[] = {
        "Connection was closed",
        "Connection socket is closed",
        "Socket has been disconnected",
        "Failed to send the response",
        "Failed to send data in request",
        "Error processing request",
        "Failed to parse",
        "Too large value",
        "Not enough memory in pool",
        "Received malformed",
        "Closing connection",
    };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(text, starts[i], strlen(starts[i])) == 0) return true;
    return false;
}

static void on_log(void *cls, const char *fmt, va_list ap)
{
    (void)cls;
    char text[512];
    vsnprintf(text, sizeof text, fmt, ap);
    text[strcspn(text, "\r\n")] = 0;
    if (client_caused(text)) log_debug("http.client_fault", "msg=\"%s\"", text);
    else log_warn("http.library", "msg=\"%s\"", text);
}

/* A bound, listening socket of the first address that can be had; -1 and errno otherwise. */
static int listen_on(const struct addrinfo *list)
{
    int fd = -1;
    for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next) {
        const int yes = 1;
        fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, ai->ai_protocol);
        if (fd < 0) continue;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0) break;
        int keep = errno;
        close(fd);
        fd = -1;
        errno = keep;
    }
    return fd;
}

static err_t open_listener(struct arena *a, const struct http_server_options *o, int *out)
{
    char port[16];
    snprintf(port, sizeof port, "%d", o->port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(o->host, port, &hints, &list);
    if (rc) return err_new(a, ERR_UNAVAILABLE, "Cannot listen on host '%s': %s", o->host, gai_strerror(rc));
    *out = listen_on(list);
    int why = errno;
    freeaddrinfo(list);
    if (*out >= 0) return OK;
    return err_new(a, ERR_UNAVAILABLE, "Cannot listen on %s port %d: %s%s", o->host, o->port, strerror(why),
                   why == EADDRINUSE ? "; stop what uses the port or choose another one" : "");
}

static int bound_port(int fd, bool *v6)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } at = {.in6 = {0}};
    socklen_t len = sizeof at;
    getsockname(fd, &at.any, &len);
    *v6 = at.any.sa_family == AF_INET6;
    return ntohs(*v6 ? at.in6.sin6_port : at.in.sin_port);
}

/*
 * In place of the C library's, for the whole program: hands out one event fewer
 * than the caller has room for; the rest comes with the next call. For
 * libmicrohttpd (0.9.75) takes 128 at a time, and a full hand makes it wait for
 * more, with its whole timeout, before it serves any: a crowd of just that size
 * hung for minutes (tests/api/crowd.test.mjs).
 */
int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout_ms)
{
    return epoll_pwait(epoll, events, room > 1 ? room - 1 : room, timeout_ms, NULL);
}

static struct MHD_Daemon *start_daemon(struct http_server *s, const struct http_server_options *o, int fd, bool v6)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG |
                     (v6 ? MHD_USE_IPv6 : 0u);
    unsigned pool = o->threads > 1 ? (unsigned)o->threads : 0;
    return MHD_start_daemon(flags, (uint16_t)s->port, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log,
                            NULL, /* first: covers the rest */
                            MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, pool,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->connections_max, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)o->idle_timeout_sec, MHD_OPTION_URI_LOG_CALLBACK, on_target, s,
                            MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_NOTIFY_COMPLETED,
                            on_completed, s, MHD_OPTION_END);
}

err_t http_server_start(struct arena *a, const struct http_server_options *o, const struct http_app *app,
                        struct http_server **out)
{
    int fd = -1;
    bool v6 = false;
    TRY(open_listener(a, o, &fd));
    struct http_server *s = calloc(1, sizeof *s);
    if (s == NULL) abort();
    s->app = *app;
    s->jobs = o->jobs;
    s->hub = o->hub;
    s->port = bound_port(fd, &v6);
    if (o->idle_timeout_sec > 0) snprintf(s->keep_alive, sizeof s->keep_alive, "timeout=%d", o->idle_timeout_sec);
    s->daemon = start_daemon(s, o, fd, v6);
    if (s->daemon == NULL) {
        close(fd);
        free(s);
        return err_new(a, ERR_UNAVAILABLE, "Cannot start %d HTTP threads for %d connections: %s", o->threads,
                       o->connections_max, strerror(errno));
    }
    *out = s;
    return OK;
}

int http_server_port(const struct http_server *s) { return s->port; }

void http_server_stop(struct http_server *s)
{
    if (s == NULL) return;
    atomic_store(&s->stopping, true);
    MHD_socket fd = MHD_quiesce_daemon(s->daemon);
    if (fd != MHD_INVALID_SOCKET) shutdown(fd, SHUT_RDWR); /* refuse; the threads may still hold its number */
    for (int waited = 0;; waited += 5) {
        bool idle = atomic_load(&s->active) == 0; /* looked at first: only an active request can start to work */
        if (atomic_load(&s->working) == 0 && (idle || waited >= STOP_WAIT_MS)) break;
        usleep(5000);
    }
    if (s->hub) hub_close_clients(s->hub);
    MHD_stop_daemon(s->daemon);
    if (fd != MHD_INVALID_SOCKET) close(fd);
    free(s);
}

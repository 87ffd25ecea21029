/* ws_link: libcurl connects, we shake hands, wslay frames. */
#include "http/ws_link.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wslay/wslay.h>

enum { HANDSHAKE_BYTES_MAX = 16384, MESSAGE_BYTES_MAX = 4 << 20, QUEUE_MAX = 1024 };

struct message {
    struct message *next;
    size_t len;
    char text[];
};

struct ws_link {
    CURL *curl;
    curl_socket_t socket;
    wslay_event_context_ptr wslay;
    struct buf early; /* bytes that came with the handshake's answer */
    size_t early_used;
    struct message *first, **last;
    int queued;
    bool dead;
};

/* ---- bytes ---- */

static bool wait_for(struct ws_link *l, short events, int timeout_ms)
{
    struct pollfd p = {.fd = l->socket, .events = events};
    return poll(&p, 1, timeout_ms) > 0;
}

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *data, size_t len, int flags, void *user)
{
    (void)flags;
    struct ws_link *l = user;
    size_t left = l->early.len - l->early_used;
    if (l->queued >= QUEUE_MAX) { /* the rest waits in the socket; nothing is dropped */
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    if (left) {
        size_t n = left < len ? left : len;
        memcpy(data, l->early.data + l->early_used, n);
        l->early_used += n;
        return (ssize_t)n;
    }
    size_t n = 0;
    CURLcode rc = curl_easy_recv(l->curl, data, len, &n);
    if (rc == CURLE_OK && n > 0) return (ssize_t)n;
    wslay_event_set_error(ctx, rc == CURLE_AGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    if (rc != CURLE_AGAIN) l->dead = true;
    return -1;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags, void *user)
{
    (void)flags;
    struct ws_link *l = user;
    size_t n = 0;
    CURLcode rc = curl_easy_send(l->curl, data, len, &n);
    if (rc == CURLE_OK) return (ssize_t)n;
    wslay_event_set_error(ctx, rc == CURLE_AGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    if (rc != CURLE_AGAIN) l->dead = true;
    return -1;
}

static int on_mask(wslay_event_context_ptr ctx, uint8_t *out, size_t len, void *user)
{
    (void)ctx, (void)user;
    random_bytes(out, len);
    return 0;
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg, void *user)
{
    (void)ctx;
    struct ws_link *l = user;
    if (arg->opcode == WSLAY_CONNECTION_CLOSE) l->dead = true;
    if (arg->opcode != WSLAY_TEXT_FRAME) return;
    struct message *m = malloc(sizeof *m + arg->msg_length + 1);
    if (m == NULL) abort();
    m->next = NULL;
    m->len = arg->msg_length;
    memcpy(m->text, arg->msg, arg->msg_length);
    m->text[m->len] = 0;
    *l->last = m;
    l->last = &m->next;
    l->queued++;
}

/* ---- opening ---- */

static err_t broken(struct arena *a, const char *what)
{
    return err_with(a, ERR_UNAVAILABLE, "connect_failed", NULL, "WebSocket: %s", what);
}

/* What the server must answer to our key (RFC 6455, 4.2.2). */
static const char *expected_accept(struct arena *a, const char *key)
{
    const char *joined = arena_printf(a, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    unsigned char digest[EVP_MAX_MD_SIZE], *text = arena_alloc(a, 64);
    unsigned int n = 0;
    if (EVP_Digest(joined, strlen(joined), digest, &n, EVP_sha1(), NULL) != 1) return "";
    EVP_EncodeBlock(text, digest, (int)n);
    return (const char *)text;
}

static err_t send_all(struct arena *a, struct ws_link *l, const char *data, size_t len, instant_t until)
{
    while (len) {
        size_t n = 0;
        CURLcode rc = curl_easy_send(l->curl, data, len, &n);
        if (rc != CURLE_OK && rc != CURLE_AGAIN) return broken(a, curl_easy_strerror(rc));
        if (rc == CURLE_AGAIN && (clock_now() >= until || !wait_for(l, POLLOUT, (int)(until - clock_now()))))
            return broken(a, "the server does not read");
        data += n;
        len -= n;
    }
    return OK;
}

/* Reads the answer's head; what follows it stays in l->early. */
static err_t read_head(struct arena *a, struct ws_link *l, instant_t until, const char **head)
{
    char part[2048];
    for (;;) {
        char *end = l->early.len ? strstr(l->early.data, "\r\n\r\n") : NULL;
        if (end) {
            *head = arena_strndup(a, l->early.data, (size_t)(end - l->early.data) + 2);
            l->early_used = (size_t)(end - l->early.data) + 4;
            return OK;
        }
        if (l->early.len > HANDSHAKE_BYTES_MAX) return broken(a, "the answer's head is too long");
        size_t n = 0;
        CURLcode rc = curl_easy_recv(l->curl, part, sizeof part, &n);
        if (rc == CURLE_OK && n == 0) return broken(a, "closed by the server");
        if (rc == CURLE_OK) buf_append(&l->early, part, n);
        else if (rc != CURLE_AGAIN) return broken(a, curl_easy_strerror(rc));
        else if (clock_now() >= until || !wait_for(l, POLLIN, (int)(until - clock_now())))
            return broken(a, "no answer in time");
    }
}

static err_t shake_hands(struct arena *a, struct ws_link *l, const char *url, const char *const *headers,
                         instant_t until)
{
    const char *host = strstr(url, "://") + 3, *path = strchr(host, '/');
    unsigned char nonce[16], *key = arena_alloc(a, 32);
    random_bytes(nonce, sizeof nonce);
    EVP_EncodeBlock(key, nonce, sizeof nonce);
    struct buf out BUF_AUTO = {0};
    buf_printf(&out,
               "GET %s HTTP/1.1\r\nHost: %.*s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n",
               path ? path : "/", (int)(path ? path - host : (long)strlen(host)), host, (const char *)key);
    for (; headers && *headers; headers++) buf_printf(&out, "%s\r\n", *headers);
    buf_puts(&out, "\r\n");
    const char *head = NULL;
    TRY(send_all(a, l, out.data, out.len, until));
    TRY(read_head(a, l, until, &head));
    if (strncmp(head, "HTTP/1.1 101", 12) != 0)
        return broken(a, arena_printf(a, "the server answered %.*s", (int)strcspn(head, "\r\n"), head));
    const char *accept = strcasestr(head, "\r\nsec-websocket-accept:");
    if (accept == NULL) return broken(a, "the answer is not a WebSocket's");
    accept += strlen("\r\nsec-websocket-accept:");
    accept += strspn(accept, " ");
    const char *want = expected_accept(a, (const char *)key);
    if (strncmp(accept, want, strlen(want)) != 0) return broken(a, "the answer is to another key");
    return OK;
}

static err_t open_link(struct arena *a, struct ws_link *l, const char *url, const char *const *headers, int timeout_ms)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = on_recv,
                                                           .send_callback = on_send,
                                                           .genmask_callback = on_mask,
                                                           .on_msg_recv_callback = on_message};
    instant_t until = clock_now() + timeout_ms;
    if (strstr(url, "://") == NULL) return broken(a, "not a URL");
    l->curl = curl_easy_init();
    if (l->curl == NULL) return broken(a, "no HTTP client");
    curl_easy_setopt(l->curl, CURLOPT_URL, url);
    curl_easy_setopt(l->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(l->curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(l->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(l->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(l->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    CURLcode rc = curl_easy_perform(l->curl);
    if (rc == CURLE_OK) rc = curl_easy_getinfo(l->curl, CURLINFO_ACTIVESOCKET, &l->socket);
    if (rc != CURLE_OK) return broken(a, curl_easy_strerror(rc));
    TRY(shake_hands(a, l, url, headers, until));
    if (wslay_event_context_client_init(&l->wslay, &callbacks, l) != 0) return broken(a, "out of memory");
    wslay_event_config_set_max_recv_msg_length(l->wslay, MESSAGE_BYTES_MAX);
    return OK;
}

err_t ws_link_open(struct arena *a, const char *url, const char *const *headers, int timeout_ms, struct ws_link **out)
{
    struct ws_link *l = calloc(1, sizeof *l);
    if (l == NULL) abort();
    l->last = &l->first;
    err_t failed = open_link(a, l, url, headers, timeout_ms);
    if (failed) {
        ws_link_close(l);
        l = NULL;
    }
    *out = l;
    return failed;
}

/* ---- reading ---- */

err_t ws_link_next(struct ws_link *l, struct arena *a, int timeout_ms, const char **message, size_t *len)
{
    instant_t until = clock_now() + timeout_ms;
    *message = NULL;
    *len = 0;
    while (l->first == NULL) {
        if (l->dead) return broken(a, "closed by the server");
        if (wslay_event_want_read(l->wslay) && wslay_event_recv(l->wslay) != 0) l->dead = true;
        if (!l->dead && wslay_event_want_write(l->wslay) && wslay_event_send(l->wslay) != 0) l->dead = true;
        if (l->first || l->dead) continue;
        int64_t left = until - clock_now();
        if (left <= 0) return OK;
        short events = (short)(POLLIN | (wslay_event_want_write(l->wslay) ? POLLOUT : 0));
        (void)wait_for(l, events, (int)left);
    }
    struct message *m = l->first;
    l->first = m->next;
    if (l->first == NULL) l->last = &l->first;
    l->queued--;
    *message = arena_strndup(a, m->text, m->len);
    *len = m->len;
    free(m);
    return OK;
}

void ws_link_close(struct ws_link *l)
{
    if (l == NULL) return;
    while (l->first) {
        struct message *m = l->first;
        l->first = m->next;
        free(m);
    }
    if (l->wslay) wslay_event_context_free(l->wslay);
    if (l->curl) curl_easy_cleanup(l->curl);
    buf_free(&l->early);
    free(l);
}

/*
 * client: libcurl behind one call. A thread keeps one easy handle, and with it
 * its connections; nothing of a call survives in the handle (curl_easy_reset).
 */
#include "http/client.h"

#include "base/buf.h"
#include "base/clock.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIMEOUT_MS 10000L
#define LINE_MAX_BYTES ((size_t)1 << 20)

/* One call under way. */
struct transfer {
    const struct http_call *call;
    CURL *curl;
    struct buf body, head, line;
    size_t body_max;
    curl_off_t moved; /* bytes both ways at moved_ns */
    uint64_t moved_ns;
    bool too_large, stopped, idle; /* why a callback ended the transfer */
};

/* ---- the thread's handle ---- */

static pthread_key_t handle_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && pthread_key_create(&handle_key, curl_easy_cleanup) == 0)
        return;
    fputs("bulldog: cannot set up the HTTP client\n", stderr);
    abort();
}

static CURL *thread_handle(void)
{
    pthread_once(&once, set_up);
    CURL *curl = pthread_getspecific(handle_key);
    if (curl) {
        curl_easy_reset(curl);
        return curl;
    }
    curl = curl_easy_init();
    if (curl == NULL) abort();
    pthread_setspecific(handle_key, curl);
    return curl;
}

/* ---- callbacks ---- */

static bool give_line(struct transfer *t)
{
    size_t n = t->line.len;
    if (n && t->line.data[n - 1] == '\r') n--;
    bool on = t->call->on_line(t->call->ctx, t->line.data ? t->line.data : "", n);
    buf_clear(&t->line);
    return on;
}

static bool give_lines(struct transfer *t, const char *data, size_t n)
{
    while (n > 0) {
        const char *end = memchr(data, '\n', n);
        size_t part = end ? (size_t)(end - data) : n;
        if (part > LINE_MAX_BYTES - t->line.len) part = LINE_MAX_BYTES - t->line.len;
        buf_append(&t->line, data, part);
        bool whole = end == data + part;
        if ((whole || t->line.len == LINE_MAX_BYTES) && !give_line(t)) return false;
        data += part + whole;
        n -= part + whole;
    }
    return true;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t n = size * count;
    long status = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    bool stream = status / 100 == 2 && (t->call->on_data || t->call->on_line);
    if (stream) {
        bool on = t->call->on_data ? t->call->on_data(t->call->ctx, data, n) : give_lines(t, data, n);
        t->stopped = !on;
        return on ? n : 0;
    }
    t->too_large = n > t->body_max - t->body.len;
    if (t->too_large) return 0;
    buf_append(&t->body, data, n);
    return n;
}

static size_t on_head(char *data, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    if (size * count >= 5 && memcmp(data, "HTTP/", 5) == 0) { /* after a redirect or a 100 */
        buf_clear(&t->head);
        buf_clear(&t->body);
    }
    buf_append(&t->head, data, size * count);
    return size * count;
}

/* Called as bytes move, and about every second when none do. */
static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    (void)down_total, (void)up_total;
    struct transfer *t = arg;
    const struct http_call *call = t->call;
    uint64_t now = clock_mono_ns();
    if (down + up != t->moved || t->moved_ns == 0) {
        t->moved = down + up;
        t->moved_ns = now;
    }
    t->idle = call->idle_timeout_ms > 0 && (now - t->moved_ns) / 1000000 > (uint64_t)call->idle_timeout_ms;
    return t->idle || (call->abort && atomic_load(call->abort));
}

/* ---- setting up ---- */

static bool names(const char *header, const char *name)
{
    size_t n = strlen(name);
    return strncasecmp(header, name, n) == 0 && header[n] == ':';
}

static struct curl_slist *header_list(const struct http_call *call)
{
    struct curl_slist *list = NULL;
    bool typed = false;
    for (const char *const *h = call->headers; h && *h; h++) {
        list = curl_slist_append(list, *h);
        typed = typed || names(*h, "Content-Type");
    }
    if (call->body && !typed) list = curl_slist_append(list, "Content-Type: application/json");
    return list;
}

/* This machine is never behind the proxy of the environment. */
static void set_no_proxy(CURL *curl)
{
    const char *more = getenv("no_proxy");
    if (more == NULL) more = getenv("NO_PROXY");
    struct buf b BUF_AUTO = {0};
    buf_printf(&b, "localhost,127.0.0.1,::1%s%s", more && *more ? "," : "", more ? more : "");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, more && strcmp(more, "*") == 0 ? "*" : b.data);
}

static void set_method(CURL *curl, const struct http_call *call)
{
    const char *method = call->method ? call->method : call->body ? "POST" : "GET";
    if (call->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
    } else if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0); /* servers want a length */
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
}

static void set_limits(CURL *curl, const struct http_call *call, bool secure)
{
    long timeout = call->timeout_ms ? call->timeout_ms : HTTP_CALL_TIMEOUT_MS;
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout > 0 ? timeout : 0L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, call->redirects_max > 0 ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)call->redirects_max);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (call->ca_file) curl_easy_setopt(curl, CURLOPT_CAINFO, call->ca_file);
}

static void set_callbacks(CURL *curl, struct transfer *t)
{
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

/* ---- the outcome ---- */

/* scheme://host[:port], for messages; NULL when url is none of ours. */
static const char *url_origin(struct arena *a, const char *url)
{
    CURLU *u = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL;
    const char *origin = NULL;
    bool ok = u && url && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
              curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
              (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    if (ok) {
        bool has_port = curl_url_get(u, CURLUPART_PORT, &port, 0) == CURLUE_OK;
        origin = arena_printf(a, "%s://%s%s%s", scheme, host, has_port ? ":" : "", has_port ? port : "");
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return origin;
}

static err_t failure(struct arena *a, const struct transfer *t, CURLcode rc, const char *origin)
{
    if (t->too_large)
        return err_with(a, ERR_TOO_LARGE, "response_too_large", NULL, "The answer of %s is larger than %zu bytes",
                        origin, t->body_max);
    switch (t->idle ? CURLE_OPERATION_TIMEDOUT : rc) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return err_with(a, ERR_UNAVAILABLE, "connect_failed", NULL, "Cannot reach %s: the host name is not known",
                        origin);
    case CURLE_COULDNT_CONNECT:
        return err_with(a, ERR_UNAVAILABLE, "connect_failed", NULL, "Cannot reach %s: nobody answers there", origin);
    case CURLE_OPERATION_TIMEDOUT:
        return err_with(a, ERR_UNAVAILABLE, "timeout", NULL, "%s did not answer in time", origin);
    case CURLE_ABORTED_BY_CALLBACK:
        return err_with(a, ERR_UNAVAILABLE, "aborted", NULL, "The call to %s was cancelled", origin);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
        return err_with(a, ERR_UNAVAILABLE, "tls_failed", NULL, "No secure connection to %s: %s", origin,
                        curl_easy_strerror(rc));
    case CURLE_UNSUPPORTED_PROTOCOL:
        return err_with(a, ERR_UNAVAILABLE, "connection_broken", NULL, "%s redirects to another scheme", origin);
    default:
        return err_with(a, ERR_UNAVAILABLE, "connection_broken", NULL, "The call to %s failed: %s", origin,
                        curl_easy_strerror(rc));
    }
}

err_t http_call(struct arena *a, const struct http_call *call, struct http_response *out)
{
    *out = (struct http_response){0};
    struct transfer t = {.call = call, .curl = thread_handle()};
    const char *origin = url_origin(a, call->url);
    if (origin == NULL) return err_with(a, ERR_BAD_REQUEST, "bad_url", NULL, "Not an http or https URL");
    t.body_max = call->response_max ? call->response_max : HTTP_CALL_RESPONSE_MAX;
    struct curl_slist *headers = header_list(call);
    curl_easy_setopt(t.curl, CURLOPT_URL, call->url);
    curl_easy_setopt(t.curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(t.curl, CURLOPT_USERAGENT, "bulldog/" BULLDOG_VERSION);
    curl_easy_setopt(t.curl, CURLOPT_ACCEPT_ENCODING, "");
    set_method(t.curl, call);
    set_no_proxy(t.curl);
    set_limits(t.curl, call, strncmp(origin, "https:", 6) == 0);
    set_callbacks(t.curl, &t);
    CURLcode rc = curl_easy_perform(t.curl);
    if (rc == CURLE_OK && t.line.len && !t.stopped) give_line(&t); /* the last line may lack its end */
    long status = 0;
    curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(t.curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    buf_free(&t.line);
    out->status = (int)status;
    out->headers = buf_finish(&t.head, a);
    out->body_len = t.body.len;
    out->body = buf_finish(&t.body, a);
    return rc == CURLE_OK || t.stopped ? OK : failure(a, &t, rc, origin);
}

const char *http_response_header(struct arena *a, const struct http_response *r, const char *name)
{
    for (const char *line = r->headers; line && *line;) {
        size_t len = strcspn(line, "\r\n");
        if (names(line, name)) {
            size_t skip = strlen(name) + 1;
            skip += strspn(line + skip, " \t");
            return arena_strndup(a, line + skip, len > skip ? len - skip : 0);
        }
        line += len;
        line += strspn(line, "\r\n");
    }
    return NULL;
}

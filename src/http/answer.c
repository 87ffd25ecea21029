/*
 * answer: from the handler's result to a libmicrohttpd response: entity tag and
 * 304 (AO-31), gzip for JSON (§2 step 2), the headers every answer carries.
 */
#include "base/log.h"
#include "http/server_internal.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define JSON_TYPE "application/json; charset=utf-8"
#define GZIP_MIN 1024 /* bytes; below, the frame costs more than it saves */
#define GZIP_LEVEL 1  /* of our lists: 29 % of their size at 150 MB/s; level 6: 25 % at 57 MB/s */

/* AO-26: right for any answer of ours. */
static const char *const security_headers[][2] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "same-origin"},
    {"X-Frame-Options", "SAMEORIGIN"},
};

static const char *answer_header(const struct http_req *r, const char *name)
{
    for (const struct http_header *h = r->headers; h; h = h->next)
        if (strcasecmp(h->name, name) == 0) return h->value;
    return NULL;
}

static bool is_json(const struct http_req *r)
{
    return r->content_type == NULL || strncmp(r->content_type, "application/json", 16) == 0;
}

void answer_error(struct http_req *r, int status, const char *message)
{
    r->status = status;
    r->content_type = NULL;
    r->static_data = NULL;
    buf_clear(&r->out);
    buf_printf(&r->out, "{\"error\":\"%s\"}", message);
}

/* ---- entity tags ---- */

/* Is tag in the list of an If-None-Match? The comparison is weak (RFC 9110, 8.8.3.2). */
static bool tag_listed(const char *list, const char *tag)
{
    if (strncmp(tag, "W/", 2) == 0) tag += 2;
    size_t n = strlen(tag);
    for (const char *p = list; *p;) {
        p += strspn(p, " \t,");
        if (*p == '*') return true;
        if (strncmp(p, "W/", 2) == 0) p += 2;
        if (strncmp(p, tag, n) == 0) return true;
        if (*p == '"') p += 1 + strcspn(p + 1, "\"");
        p += strcspn(p, ",");
    }
    return false;
}

bool http_etag(struct http_req *r, const char *etag)
{
    http_set_header(r, "ETag", etag);
    const char *known = http_header(r, MHD_HTTP_HEADER_IF_NONE_MATCH);
    if (known == NULL || !tag_listed(known, etag)) return false;
    r->status = MHD_HTTP_NOT_MODIFIED;
    return true;
}

static void tag_json(struct http_req *r)
{
    static const unsigned char key[crypto_shorthash_KEYBYTES] = "bulldog etag key"; /* no secret: it only spreads */
    unsigned char h[crypto_shorthash_BYTES];
    char tag[] = "W/\"0123456789abcdef\"";
    crypto_shorthash(h, (const unsigned char *)r->out.data, r->out.len, key);
    sodium_bin2hex(tag + 3, sizeof h * 2 + 1, h, sizeof h);
    tag[sizeof tag - 2] = '"'; /* where bin2hex put its NUL */
    if (http_etag(r, tag)) buf_clear(&r->out);
}

/* ---- compression ---- */

/* The q-value of a coding in Accept-Encoding, in thousandths; -1 when not named. */
static int coding_quality(const char *accept, const char *coding)
{
    size_t n = strlen(coding);
    for (const char *p = accept; *p; p += *p == ',') {
        p += strspn(p, " \t");
        const char *end = p + strcspn(p, ",");
        size_t len = strcspn(p, " \t;,");
        if (len == n && strncasecmp(p, coding, n) == 0) {
            const char *q = p + len + strspn(p + len, " \t;");
            return q < end && strncasecmp(q, "q=", 2) == 0 ? (int)(strtod(q + 2, NULL) * 1000) : 1000;
        }
        p = end;
    }
    return -1;
}

bool answer_gzip_accepted(const struct http_req *r)
{
    const char *accept = http_header(r, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    if (accept == NULL) return false;
    int gzip = coding_quality(accept, "gzip"), identity = coding_quality(accept, "identity");
    if (gzip < 0) gzip = coding_quality(accept, "*");
    return gzip > 0 && gzip >= identity;
}

static bool compressible(const struct http_req *r)
{
    static const char *const forbidding[] = {"Content-Encoding", "Content-Disposition", "Accept-Ranges",
                                             "Content-Range"};
    if (r->static_data || r->out.len < GZIP_MIN || !is_json(r)) return false;
    for (size_t i = 0; i < sizeof forbidding / sizeof *forbidding; i++)
        if (answer_header(r, forbidding[i])) return false;
    const char *cache = answer_header(r, "Cache-Control");
    return cache == NULL || strstr(cache, "no-transform") == NULL;
}

/* A deflate stream weighs 256 KiB and a millisecond of setup: each thread keeps one. */
static pthread_key_t deflater_key;
static pthread_once_t deflater_once = PTHREAD_ONCE_INIT;

static void deflater_free(void *p)
{
    deflateEnd(p);
    free(p);
}

static void deflater_key_make(void)
{
    if (pthread_key_create(&deflater_key, deflater_free) == 0) return;
    fputs("bulldog: no thread key left\n", stderr);
    abort();
}

static z_stream *deflater(void)
{
    pthread_once(&deflater_once, deflater_key_make);
    z_stream *z = pthread_getspecific(deflater_key);
    if (z) return deflateReset(z) == Z_OK ? z : NULL;
    z = calloc(1, sizeof *z);
    if (z == NULL) return NULL;
    if (deflateInit2(z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(z);
        return NULL;
    }
    pthread_setspecific(deflater_key, z);
    return z;
}

/* Replaces out by its gzip form; leaves it when that fails or does not pay. */
static bool compress_out(struct http_req *r)
{
    z_stream *z = deflater();
    if (z == NULL || r->out.len > (size_t)1 << 30) return false;
    struct buf packed = {0};
    buf_reserve(&packed, r->out.len);
    z->next_in = (unsigned char *)r->out.data;
    z->avail_in = (uInt)r->out.len;
    z->next_out = (unsigned char *)packed.data;
    z->avail_out = (uInt)r->out.len;
    if (deflate(z, Z_FINISH) != Z_STREAM_END) {
        buf_free(&packed);
        return false;
    }
    packed.len = r->out.len - z->avail_out;
    buf_free(&r->out);
    r->out = packed;
    return true;
}

void answer_prepare(struct http_req *r)
{
    bool get = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
    if (get && r->status == MHD_HTTP_OK && !r->static_data && r->out.len && is_json(r) && !answer_header(r, "ETag"))
        tag_json(r);
    if (!compressible(r)) return;
    http_set_header(r, "Vary", "Accept-Encoding");
    if (answer_gzip_accepted(r) && compress_out(r)) http_set_header(r, "Content-Encoding", "gzip");
}

/* ---- sending ---- */

static void add_header(struct MHD_Response *resp, const char *name, const char *value)
{
    if (MHD_add_response_header(resp, name, value) == MHD_NO)
        log_warn("http.header_refused", "name=%s", name); /* a line break or an empty value */
}

/* The bytes of an answer, until the response is sent. */
static void drop_body(void *body)
{
    buf_free(body);
    free(body);
}

static struct MHD_Response *own_body(struct http_req *r)
{
    struct buf *body = malloc(sizeof *body);
    if (body == NULL) return NULL;
    *body = r->out;
    struct MHD_Response *resp =
        MHD_create_response_from_buffer_with_free_callback_cls(r->out.len, r->out.data, drop_body, body);
    if (resp == NULL) {
        free(body);
        return NULL;
    }
    r->out.data = NULL; /* the response owns it now; len stays for the access log */
    r->out.cap = 0;
    return resp;
}

static struct MHD_Response *make_response(struct http_req *r)
{
    if (r->kept) {
        struct kept_answer *kept = r->kept;
        r->kept = NULL; /* the response releases it */
        struct MHD_Response *resp = MHD_create_response_from_buffer_with_free_callback_cls(
            r->static_len, (void *)(uintptr_t)r->static_data, kept_answer_release, kept);
        if (resp == NULL) kept_answer_release(kept);
        return resp;
    }
    if (r->static_data)
        return MHD_create_response_from_buffer(r->static_len, (void *)(uintptr_t)r->static_data,
                                               MHD_RESPMEM_PERSISTENT);
    return own_body(r);
}

enum MHD_Result answer_send(struct exchange *x)
{
    struct http_req *r = &x->req;
    struct MHD_Response *resp = make_response(r);
    if (resp == NULL) return MHD_NO;
    bool bodyless = r->status == MHD_HTTP_NOT_MODIFIED || r->status == MHD_HTTP_NO_CONTENT;
    if (!bodyless) add_header(resp, "Content-Type", r->content_type ? r->content_type : JSON_TYPE);
    for (size_t i = 0; i < sizeof security_headers / sizeof *security_headers; i++)
        if (!answer_header(r, security_headers[i][0])) add_header(resp, security_headers[i][0], security_headers[i][1]);
    for (const struct http_header *h = r->headers; h; h = h->next) add_header(resp, h->name, h->value);
    if (x->close) add_header(resp, "Connection", "close");
    else if (x->server->keep_alive[0]) add_header(resp, "Keep-Alive", x->server->keep_alive);
    enum MHD_Result ok = MHD_queue_response(r->connection, (unsigned)r->status, resp);
    MHD_destroy_response(resp);
    return ok;
}

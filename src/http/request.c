/* request: reading a request's target, headers and query. */
#include "base/utf8.h"
#include "http/server_internal.h"

#include <string.h>
#include <strings.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The byte escaped as %XX at s (s[0] is the '%'), -1 when malformed. */
static int escaped_byte(const char *s, size_t n)
{
    if (n < 3) return -1;
    int hi = hex_value(s[1]), lo = hex_value(s[2]);
    return hi < 0 || lo < 0 ? -1 : hi * 16 + lo;
}

/* Strict: well-formed escapes only, and the result is UTF-8 without NUL. *slashes: how
 * many slashes came escaped. NULL otherwise. */
static char *decode_path(struct arena *a, const char *s, size_t n, size_t *slashes)
{
    char *out = arena_alloc(a, n + 1);
    size_t len = 0;
    *slashes = 0;
    for (size_t i = 0; i < n; i++) {
        int c = (unsigned char)s[i];
        if (c == '%') {
            c = escaped_byte(s + i, n - i);
            if (c <= 0) return NULL;
            i += 2;
            *slashes += c == '/';
        }
        out[len++] = (char)c;
    }
    if (!utf8_valid(out, len)) return NULL;
    return out;
}

/* The decoded path as the router reads it: an escaped slash parts no segments. */
static const char *route_path(struct arena *a, const char *decoded, const char *target)
{
    char *out = arena_strdup(a, decoded);
    for (char *p = out; *p; p++, target += *target == '%' ? 3 : 1)
        if (*p == '/' && *target == '%') *p = HTTP_ESCAPED_SLASH;
    return out;
}

/* Lenient, as clients expect of forms: '+' is a space, a malformed escape stands for
 * itself, NUL and broken UTF-8 become U+FFFD. */
static const char *decode_form(struct arena *a, const char *s, size_t n)
{
    if (memchr(s, '%', n) == NULL && memchr(s, '+', n) == NULL) {
        bool ascii = true;
        for (size_t i = 0; i < n && ascii; i++) ascii = (signed char)s[i] > 0;
        if (ascii) return arena_strndup(a, s, n);
    }
    char *raw = arena_alloc(a, n + 1);
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        int c = s[i] == '%' ? escaped_byte(s + i, n - i) : -1;
        if (c >= 0) i += 2;
        else c = s[i] == '+' ? ' ' : (unsigned char)s[i];
        raw[len++] = (char)c;
    }
    struct buf out = {0};
    buf_reserve(&out, len);
    for (size_t i = 0, step; i < len; i += step) {
        step = raw[i] ? utf8_char(raw + i, len - i) : 0;
        if (step) {
            buf_append(&out, raw + i, step);
        } else {
            buf_puts(&out, "\xef\xbf\xbd");
            step = 1;
        }
    }
    return buf_finish(&out, a);
}

bool request_target(struct http_req *r, const char *target)
{
    if (strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0) {
        const char *authority = strchr(target, ':') + 3; /* absolute form, as through a proxy */
        target = authority + strcspn(authority, "/?");
    }
    size_t n = strcspn(target, "?#");
    r->raw_query = target[n] == '?' ? arena_strndup(&r->arena, target + n + 1, strcspn(target + n + 1, "#")) : "";
    size_t slashes = 0;
    r->path = n ? decode_path(&r->arena, target, n, &slashes) : "/";
    if (r->path == NULL || r->path[0] != '/') return false;
    r->route_path = slashes ? route_path(&r->arena, r->path, target) : r->path;
    return r->route_path[0] == '/';
}

const char *http_header(const struct http_req *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

void http_query_each(struct http_req *r, void (*fn)(void *ctx, const char *name, const char *value), void *ctx)
{
    for (const char *p = r->raw_query; *p;) {
        size_t n = strcspn(p, "&");
        const char *eq = memchr(p, '=', n);
        size_t name_len = eq ? (size_t)(eq - p) : n;
        if (n) {
            const char *value = eq ? decode_form(&r->arena, eq + 1, n - name_len - 1) : "";
            fn(ctx, decode_form(&r->arena, p, name_len), value);
        }
        p += n + (p[n] == '&');
    }
}

struct lookup {
    const char *name, *value;
};

static void lookup_one(void *ctx, const char *name, const char *value)
{
    struct lookup *l = ctx;
    if (l->value == NULL && strcmp(name, l->name) == 0) l->value = value;
}

const char *http_query(struct http_req *r, const char *name)
{
    struct lookup l = {name, NULL};
    http_query_each(r, lookup_one, &l);
    return l.value;
}

void http_set_header(struct http_req *r, const char *name, const char *value)
{
    struct http_header *h = arena_new(&r->arena, struct http_header);
    *h = (struct http_header){r->headers, arena_strdup(&r->arena, name), arena_strdup(&r->arena, value)};
    r->headers = h;
}

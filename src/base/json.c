/* json: jansson on arenas, and the streaming writer. */
#include "base/json.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct arena *current;

void json_arena(struct arena *a) { current = a; }

static void *json_malloc(size_t n)
{
    assert(current != NULL); /* a thread uses JSON without a current arena */
    return arena_alloc(current, n);
}

static void json_no_free(void *p) { (void)p; }

void json_setup(void)
{
    json_set_alloc_funcs(json_malloc, json_no_free);
    json_object_seed(1); /* order of keys is insertion order; the seed only spreads buckets */
}

/* Bounded nesting, before jansson recurses. Strings are skipped. */
static bool depth_ok(const char *s, size_t n)
{
    int depth = 0;
    bool in_str = false;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        if (in_str) {
            if (c == '\\') i++;
            else if (c == '"') in_str = false;
        } else if (c == '"') {
            in_str = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH_MAX) return false;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return true;
}

err_t json_parse(struct arena *a, const char *text, size_t len, json_t **out)
{
    *out = NULL;
    if (!depth_ok(text, len))
        return err_new(a, ERR_BAD_REQUEST, "Invalid JSON body: nested deeper than %d", JSON_DEPTH_MAX);
    json_error_t je;
    json_t *j = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &je);
    if (j == NULL) {
        const char *where = arena_printf(a, "%s at line %d column %d", je.text, je.line, je.column);
        return err_with(a, ERR_BAD_REQUEST, NULL, json_text(a, json_string(where)), "Invalid JSON body");
    }
    *out = j;
    return OK;
}

json_t *json_read(const char *text)
{
    json_t *j = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    return j ? j : json_null();
}

const char *json_text(struct arena *a, const json_t *j)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_json(&w, j);
    return buf_finish(&b, a);
}

const char *json_str(const json_t *obj, const char *key) { return json_string_value(json_object_get(obj, key)); }

int64_t json_int(const json_t *obj, const char *key, int64_t dflt)
{
    const json_t *v = json_object_get(obj, key);
    if (json_is_integer(v)) return (int64_t)json_integer_value(v);
    if (json_is_real(v)) return (int64_t)json_real_value(v);
    return dflt;
}

bool json_bool(const json_t *obj, const char *key, bool dflt)
{
    const json_t *v = json_object_get(obj, key);
    return json_is_boolean(v) ? json_is_true(v) : dflt;
}

/* ---- writer ---- */

void jw_init(struct jw *w, struct buf *out)
{
    memset(w, 0, sizeof *w);
    w->out = out;
    w->first[0] = true;
}

static void sep(struct jw *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->first[w->depth]) w->first[w->depth] = false;
    else buf_putc(w->out, ',');
}

static void open_level(struct jw *w, char c)
{
    sep(w);
    buf_putc(w->out, c);
    w->depth++;
    assert(w->depth < (int)(sizeof w->first / sizeof *w->first));
    w->first[w->depth] = true;
}

static void close_level(struct jw *w, char c)
{
    assert(w->depth > 0 && !w->after_key);
    w->depth--;
    buf_putc(w->out, c);
}

void jw_obj(struct jw *w) { open_level(w, '{'); }
void jw_obj_end(struct jw *w) { close_level(w, '}'); }
void jw_arr(struct jw *w) { open_level(w, '['); }
void jw_arr_end(struct jw *w) { close_level(w, ']'); }

/* Bytes at the start of s that stand for themselves; eight at a look. May stop early, never late: the lowest
 * byte that is special has no borrow from below it, so its high bit tells. */
static inline bool plain_word(const char *s)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x80 * ones;
    uint64_t x;
    memcpy(&x, s, 8);
    return ((x | (x - 0x20 * ones) | ((x ^ '"' * ones) - ones) | ((x ^ '\\' * ones) - ones)) & highs) == 0;
}

static inline size_t plain_prefix(const char *s, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        if (!plain_word(s + i)) return i;
    if (n >= 8) return plain_word(s + n - 8) ? n : i; /* the rest, with some of what was seen already */
    for (; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
    }
    return i;
}

static void escaped(struct buf *b, const char *s, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    size_t i = plain_prefix(s, n), run = 0;
    buf_reserve(b, n + 2);
    if (i == n) { /* nearly always */
        char *p = b->data + b->len;
        *p = '"';
        memcpy(p + 1, s, n);
        p[n + 1] = '"';
        p[n + 2] = 0;
        b->len += n + 2;
        return;
    }
    buf_putc(b, '"');
    for (; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') continue;
        if (c >= 0x80) {
            size_t len = utf8_char(s + i, n - i);
            if (len != 0) {
                i += len - 1;
                continue;
            }
        }
        buf_append(b, s + run, i - run);
        run = i + 1;
        if (c >= 0x80) {
            buf_append(b, "\xef\xbf\xbd", 3); /* U+FFFD: what we write can always be read */
            continue;
        }
        char e[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        switch (c) {
        case '"': buf_append(b, "\\\"", 2); break;
        case '\\': buf_append(b, "\\\\", 2); break;
        case '\n': buf_append(b, "\\n", 2); break;
        case '\r': buf_append(b, "\\r", 2); break;
        case '\t': buf_append(b, "\\t", 2); break;
        default: buf_append(b, e, 6);
        }
    }
    buf_append(b, s + run, n - run);
    buf_putc(b, '"');
}

void jw_key(struct jw *w, const char *key)
{
    assert(!w->after_key);
    sep(w);
    escaped(w->out, key, strlen(key));
    buf_putc(w->out, ':');
    w->after_key = true;
}

void jw_strn(struct jw *w, const char *s, size_t n)
{
    sep(w);
    escaped(w->out, s, n);
}

void jw_str(struct jw *w, const char *s)
{
    if (s == NULL) jw_null(w);
    else jw_strn(w, s, strlen(s));
}

void jw_int(struct jw *w, int64_t v)
{
    char tmp[24], *p = tmp + sizeof tmp;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0) *--p = '-';
    sep(w);
    buf_append(w->out, p, (size_t)(tmp + sizeof tmp - p));
}

void jw_real(struct jw *w, double v)
{
    if (!isfinite(v)) {
        jw_null(w);
        return;
    }
    if (v == 0) v = 0; /* never -0: a reader that takes it for an integer loses the sign */
    sep(w);
    char tmp[40];
    for (int precision = 15; precision <= 17; precision++) { /* shortest that reads back equal */
        snprintf(tmp, sizeof tmp, "%.*g", precision, v);
        if (strtod(tmp, NULL) == v) break;
    }
    buf_puts(w->out, tmp);
}

void jw_bool(struct jw *w, bool v)
{
    sep(w);
    buf_puts(w->out, v ? "true" : "false");
}

void jw_null(struct jw *w)
{
    sep(w);
    buf_append(w->out, "null", 4);
}

void jw_time(struct jw *w, instant_t t)
{
    if (t == INSTANT_NONE) {
        jw_null(w);
        return;
    }
    char s[INSTANT_TEXT_SIZE];
    instant_format(t, s);
    sep(w);
    buf_putc(w->out, '"');
    buf_puts(w->out, s);
    buf_putc(w->out, '"');
}

void jw_raw(struct jw *w, const char *json)
{
    sep(w);
    buf_puts(w->out, json ? json : "null");
}

void jw_json(struct jw *w, const json_t *j)
{
    const char *key;
    json_t *v;
    size_t i;
    switch (j ? json_typeof(j) : JSON_NULL) {
    case JSON_OBJECT:
        jw_obj(w);
        json_object_foreach ((json_t *)(uintptr_t)j, key, v) {
            jw_key(w, key);
            jw_json(w, v);
        }
        jw_obj_end(w);
        break;
    case JSON_ARRAY:
        jw_arr(w);
        json_array_foreach (j, i, v) jw_json(w, v);
        jw_arr_end(w);
        break;
    case JSON_STRING: jw_strn(w, json_string_value(j), json_string_length(j)); break;
    case JSON_INTEGER: jw_int(w, (int64_t)json_integer_value(j)); break;
    case JSON_REAL: jw_real(w, json_real_value(j)); break;
    case JSON_TRUE: jw_bool(w, true); break;
    case JSON_FALSE: jw_bool(w, false); break;
    case JSON_NULL: jw_null(w); break;
    }
}

/* key and value in one call; clang-format would make five lines of each */
/* clang-format off */
void jw_kstr(struct jw *w, const char *key, const char *s) { jw_key(w, key); jw_str(w, s); }
void jw_kint(struct jw *w, const char *key, int64_t v) { jw_key(w, key); jw_int(w, v); }
void jw_kbool(struct jw *w, const char *key, bool v) { jw_key(w, key); jw_bool(w, v); }
void jw_knull(struct jw *w, const char *key) { jw_key(w, key); jw_null(w); }
void jw_ktime(struct jw *w, const char *key, instant_t t) { jw_key(w, key); jw_time(w, t); }
void jw_kraw(struct jw *w, const char *key, const char *json) { jw_key(w, key); jw_raw(w, json); }
void jw_kobj(struct jw *w, const char *key) { jw_key(w, key); jw_obj(w); }
void jw_karr(struct jw *w, const char *key) { jw_key(w, key); jw_arr(w); }
/* clang-format on */

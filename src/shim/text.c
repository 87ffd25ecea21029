/* text: small text building without stdio, UTF-8 and JSON strings, clocks. */
#include "shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) return errno;
        p += w;
        n -= (size_t)w;
    }
    return 0;
}

ssize_t read_small(int dir, const char *path, char *buf, size_t cap)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    size_t len = 0;
    while (len + 1 < cap) {
        ssize_t n = read(fd, buf + len, cap - 1 - len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        len += (size_t)n;
    }
    close(fd);
    buf[len] = '\0';
    return (ssize_t)len;
}

void memory_trim(char *p, size_t n)
{
    uintptr_t page = (uintptr_t)getpagesize();
    uintptr_t from = ((uintptr_t)p + page - 1) & ~(page - 1), to = ((uintptr_t)p + n) & ~(page - 1);
    if (to > from) madvise((void *)from, to - from, MADV_DONTNEED);
}

static int64_t clock_ms(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t wall_ms(void) { return clock_ms(CLOCK_REALTIME); }
int64_t mono_ms(void) { return clock_ms(CLOCK_MONOTONIC); }

void text_flush(struct text *t)
{
    if (t->fd >= 0 && t->len > 0 && t->error == 0) t->error = write_all(t->fd, t->p, t->len);
    if (t->fd >= 0) t->len = 0;
}

void text_add(struct text *t, const char *p, size_t n)
{
    while (n > 0) {
        if (t->len == t->cap) {
            if (t->fd < 0) return;
            text_flush(t);
        }
        size_t part = n < t->cap - t->len ? n : t->cap - t->len;
        memcpy(t->p + t->len, p, part);
        t->len += part;
        p += part;
        n -= part;
    }
}

void text_puts(struct text *t, const char *s) { text_add(t, s, strlen(s)); }

/* At least `width` digits. */
static void text_uint(struct text *t, uint64_t v, int width)
{
    char d[24];
    size_t n = sizeof d;
    do {
        d[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0 || (int)(sizeof d - n) < width);
    text_add(t, d + n, sizeof d - n);
}

void text_int(struct text *t, int64_t v)
{
    if (v < 0) text_puts(t, "-");
    text_uint(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 1);
}

/* Without gmtime, which would bring time zones and half of stdio along. */
void text_time(struct text *t, int64_t unix_ms)
{
    int64_t days = unix_ms / 86400000, ms = unix_ms % 86400000;
    /* civil date: years begin in March, eras are the calendar's 400-year cycle */
    int64_t shifted = days + 719468, era = shifted / 146097, doe = shifted % 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);
    const struct {
        int64_t v;
        int width;
        const char *after;
    } parts[] = {{year, 4, "-"},         {month, 2, "-"},           {doy - (153 * mp + 2) / 5 + 1, 2, "T"},
                 {ms / 3600000, 2, ":"}, {ms / 60000 % 60, 2, ":"}, {ms / 1000 % 60, 2, "."},
                 {ms % 1000, 3, "Z"}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        text_uint(t, (uint64_t)parts[i].v, parts[i].width);
        text_puts(t, parts[i].after);
    }
}

enum utf8 { UTF8_OK, UTF8_BAD, UTF8_CUT };

/* One character: its length, or that of the part to replace by one U+FFFD. */
static enum utf8 utf8_next(const char *text, size_t n, size_t *len)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned char lo = 0x80, hi = 0xbf;
    size_t need;
    *len = 1;
    if (p[0] < 0x80) return UTF8_OK;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) need = 1;
    else if (p[0] >= 0xe0 && p[0] <= 0xef) need = 2;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4) need = 3;
    else return UTF8_BAD;
    if (p[0] == 0xe0) lo = 0xa0; /* no overlong forms, */
    if (p[0] == 0xf0) lo = 0x90;
    if (p[0] == 0xed) hi = 0x9f; /* no surrogates, */
    if (p[0] == 0xf4) hi = 0x8f; /* nothing above U+10FFFF */
    for (size_t i = 1; i <= need; i++, lo = 0x80, hi = 0xbf) {
        *len = i;
        if (i >= n) return UTF8_CUT;
        if (p[i] < lo || p[i] > hi) return UTF8_BAD;
    }
    *len = need + 1;
    return UTF8_OK;
}

size_t utf8_whole(const char *p, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)p[n - back];
        if (c < 0x80) return n;
        size_t len;
        if (c >= 0xc0) return utf8_next(p + n - back, back, &len) == UTF8_CUT ? n - back : n;
    }
    return n;
}

/* Two-character escapes; 1 stands for \u00XX. */
static const char escapes[256] = {
    ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\',
    [0] = 1,      [1] = 1,      [2] = 1,      [3] = 1,      [4] = 1,      [5] = 1,     [6] = 1,
    [7] = 1,      [11] = 1,     [14] = 1,     [15] = 1,     [16] = 1,     [17] = 1,    [18] = 1,
    [19] = 1,     [20] = 1,     [21] = 1,     [22] = 1,     [23] = 1,     [24] = 1,    [25] = 1,
    [26] = 1,     [27] = 1,     [28] = 1,     [29] = 1,     [30] = 1,     [31] = 1,
};

size_t text_json_width(const char *p, size_t n, size_t *taken)
{
    unsigned char c = (unsigned char)*p;
    if (c >= 0x80) return utf8_next(p, n, taken) == UTF8_OK ? *taken : 3;
    *taken = 1;
    if (c == 0) return 3;
    return escapes[c] == 0 ? 1 : escapes[c] == 1 ? 6 : 2;
}

void text_json(struct text *t, const char *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    size_t plain = 0; /* start of the run that needs no change */
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)p[i];
        size_t len = 1;
        if (c < 0x80 ? escapes[c] == 0 : utf8_next(p + i, n - i, &len) == UTF8_OK) {
            i += len;
            continue;
        }
        text_add(t, p + plain, i - plain);
        if (c >= 0x80 || c == 0) { /* many JSON readers and databases refuse NUL */
            text_puts(t, "\xef\xbf\xbd");
        } else if (escapes[c] == 1) {
            char u[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            text_add(t, u, sizeof u);
        } else {
            char e[2] = {'\\', escapes[c]};
            text_add(t, e, sizeof e);
        }
        i += len;
        plain = i;
    }
    text_add(t, p + plain, n - plain);
}

static void text_key(struct text *t, const char *key)
{
    if (t->len == 0 || t->p[t->len - 1] != '{') text_puts(t, ",");
    text_puts(t, "\"");
    text_puts(t, key);
    text_puts(t, "\":");
}

void text_kstr(struct text *t, const char *key, const char *s)
{
    text_key(t, key);
    if (s == NULL) {
        text_puts(t, "null");
        return;
    }
    text_puts(t, "\"");
    text_json(t, s, strlen(s));
    text_puts(t, "\"");
}

void text_kint(struct text *t, const char *key, int64_t v)
{
    text_key(t, key);
    text_int(t, v);
}

void text_kbool(struct text *t, const char *key, bool v)
{
    text_key(t, key);
    text_puts(t, v ? "true" : "false");
}

void text_ktime(struct text *t, const char *key, int64_t unix_ms)
{
    text_key(t, key);
    if (unix_ms == 0) {
        text_puts(t, "null");
        return;
    }
    text_puts(t, "\"");
    text_time(t, unix_ms);
    text_puts(t, "\"");
}

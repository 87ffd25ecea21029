/* buf: a growing byte string. */
#include "base/buf.h"

#include "base/blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void buf_drop(struct buf *b)
{
    if (b->cap >= BLOCK_MIN) block_give(b->data);
    else free(b->data);
}

static void grow_big(struct buf *b, size_t cap)
{
    char *p = block_take(&cap);
    if (b->data) memcpy(p, b->data, b->len + 1);
    buf_drop(b);
    b->data = p;
    b->cap = cap;
}

void buf_grow(struct buf *b, size_t extra)
{
    size_t need = b->len + extra + 1;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < need) cap *= 2;
    if (cap >= BLOCK_MIN) {
        grow_big(b, cap);
        return;
    }
    char *p = realloc(b->data, cap);
    if (p == NULL) {
        fputs("bulldog: out of memory\n", stderr);
        abort();
    }
    b->data = p;
    b->cap = cap;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    buf_reserve(b, 63); /* most texts: formatted once */
    size_t room = b->cap - b->len;
    int n = vsnprintf(b->data + b->len, room, fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n >= room) {
        buf_reserve(b, (size_t)n);
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
    }
    if (n > 0) b->len += (size_t)n;
    b->data[b->len] = 0;
    va_end(again);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data) b->data[0] = 0;
}

void buf_free(struct buf *b)
{
    buf_drop(b);
    *b = (struct buf){0};
}

char *buf_finish(struct buf *b, struct arena *a)
{
    char *s = arena_strndup(a, b->data ? b->data : "", b->len);
    buf_free(b);
    return s;
}

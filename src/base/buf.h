/*
 * buf: a growing byte string (string builder), large if it must be; always
 * NUL-terminated after a write. Its bytes are freed by buf_free alone.
 */
#ifndef BULLDOG_BASE_BUF_H
#define BULLDOG_BASE_BUF_H

#include "base/arena.h"

#include <string.h>

struct buf {
    char *data;
    size_t len, cap;
};

void buf_grow(struct buf *b, size_t extra);
/* Room for extra bytes and the NUL. */
static inline void buf_reserve(struct buf *b, size_t extra)
{
    if (b->cap - b->len <= extra) buf_grow(b, extra); /* with cap 0 len is 0 */
}
static inline void buf_append(struct buf *b, const void *p, size_t n)
{
    buf_reserve(b, n);
    if (n) memcpy(b->data + b->len, p, n);
    b->len += n;
    b->data[b->len] = 0;
}
static inline void buf_puts(struct buf *b, const char *s) { buf_append(b, s, strlen(s)); }
static inline void buf_putc(struct buf *b, char c)
{
    buf_reserve(b, 1);
    b->data[b->len++] = c;
    b->data[b->len] = 0;
}
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_clear(struct buf *b); /* len = 0, memory kept */
void buf_free(struct buf *b);
/* The bytes as an arena string; the buffer is freed. */
char *buf_finish(struct buf *b, struct arena *a);

#define BUF_AUTO __attribute__((cleanup(buf_free)))

#endif

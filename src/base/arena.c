/* arena: region memory in doubling chunks. */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define CHUNK_MIN ((size_t)4096)
#define CHUNK_MAX ((size_t)1 << 20)
#define ALIGN ((size_t)16)

struct arena_chunk {
    struct arena_chunk *prev;
    size_t size; /* usable bytes after the header */
    size_t used;
    char pad[8]; /* keeps data 16-aligned */
};

static char *chunk_data(struct arena_chunk *c) { return (char *)(c + 1); }

static struct arena_chunk *chunk_new(struct arena_chunk *prev, size_t need)
{
    size_t size = prev ? prev->size * 2 : CHUNK_MIN;
    if (size > CHUNK_MAX) size = CHUNK_MAX;
    if (size < need) size = need;
    struct arena_chunk *c = malloc(sizeof *c + size);
    if (c == NULL) {
        fputs("bulldog: out of memory\n", stderr);
        abort();
    }
    c->prev = prev;
    c->size = size;
    c->used = 0;
    POISON(chunk_data(c), size);
    return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 2) abort();
    size_t need = (size + ALIGN - 1) & ~(ALIGN - 1);
    if (need == 0) need = ALIGN;
    if (a->head == NULL || a->head->size - a->head->used < need) a->head = chunk_new(a->head, need);
    char *p = chunk_data(a->head) + a->head->used;
    a->head->used += need;
    a->total_bytes += need;
    UNPOISON(p, size);
    memset(p, 0, size);
    return p;
}

void *arena_memdup(struct arena *a, const void *p, size_t n)
{
    void *q = arena_alloc(a, n);
    if (n) memcpy(q, p, n);
    return q;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    if (s == NULL) return NULL;
    char *q = arena_alloc(a, n + 1);
    memcpy(q, s, n);
    q[n] = 0;
    return q;
}

char *arena_strdup(struct arena *a, const char *s) { return s ? arena_strndup(a, s, strlen(s)) : NULL; }

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0) n = 0;
    char *q = arena_alloc(a, (size_t)n + 1);
    vsnprintf(q, (size_t)n + 1, fmt, again);
    va_end(again);
    return q;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *q = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return q;
}

void arena_reset(struct arena *a)
{
    if (a->head == NULL) return;
    struct arena_chunk *c = a->head->prev;
    while (c) {
        struct arena_chunk *prev = c->prev;
        free(c);
        c = prev;
    }
    a->head->prev = NULL;
    a->head->used = 0;
    POISON(chunk_data(a->head), a->head->size);
    a->total_bytes = 0;
}

void arena_free(struct arena *a)
{
    struct arena_chunk *c = a->head;
    while (c) {
        struct arena_chunk *prev = c->prev;
        free(c);
        c = prev;
    }
    a->head = NULL;
    a->total_bytes = 0;
}

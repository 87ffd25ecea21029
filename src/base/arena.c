/* arena: region memory in doubling chunks. */
#include "base/arena.h"

#include "base/blocks.h"

#include <pthread.h>
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
#define SPARE_MAX ((size_t)32 << 10) /* the largest chunk a thread keeps */

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
    struct arena_chunk *c;
    if (size >= BLOCK_MIN) {
        size_t whole = sizeof *c + size;
        c = block_take(&whole);
        size = (whole - sizeof *c) & ~(ALIGN - 1);
    } else if ((c = malloc(sizeof *c + size)) == NULL) {
        fputs("bulldog: out of memory\n", stderr);
        abort();
    }
    c->prev = prev;
    c->size = size;
    c->used = 0;
    POISON(chunk_data(c), size);
    return c;
}

static void chunk_free(struct arena_chunk *c)
{
    if (c->size < BLOCK_MIN) {
        free(c);
        return;
    }
    UNPOISON(chunk_data(c), c->size);
    block_give(c);
}

/* Not zeroed, except by chance. */
static char *take(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 2) abort();
    size_t need = (size + ALIGN - 1) & ~(ALIGN - 1);
    if (need == 0) need = ALIGN;
    if (a->head == NULL || a->head->size - a->head->used < need) a->head = chunk_new(a->head, need);
    char *p = chunk_data(a->head) + a->head->used;
    a->head->used += need;
    a->total_bytes += need;
    UNPOISON(p, size);
    return p;
}

void *arena_alloc(struct arena *a, size_t size) { return memset(take(a, size), 0, size); }

void *arena_memdup(struct arena *a, const void *p, size_t n)
{
    void *q = take(a, n);
    if (n) memcpy(q, p, n);
    return q;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    if (s == NULL) return NULL;
    char *q = take(a, n + 1);
    memcpy(q, s, n);
    q[n] = 0;
    return q;
}

char *arena_strdup(struct arena *a, const char *s) { return s ? arena_strndup(a, s, strlen(s)) : NULL; }

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    char brief[256]; /* most texts: formatted once */
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(brief, sizeof brief, fmt, ap);
    if (n < 0) n = 0;
    char *q = take(a, (size_t)n + 1);
    if ((size_t)n < sizeof brief) memcpy(q, brief, (size_t)n + 1);
    else vsnprintf(q, (size_t)n + 1, fmt, again);
    q[n] = 0;
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
        chunk_free(c);
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
        chunk_free(c);
        c = prev;
    }
    a->head = NULL;
    a->total_bytes = 0;
}

/* ---- one chunk per thread ---- */

static pthread_key_t spare_key;
static pthread_once_t spare_once = PTHREAD_ONCE_INIT;

static void spare_key_make(void)
{
    if (pthread_key_create(&spare_key, free) == 0) return;
    fputs("bulldog: no thread key left\n", stderr);
    abort();
}

void arena_borrow(struct arena *a)
{
    pthread_once(&spare_once, spare_key_make);
    if (a->head || (a->head = pthread_getspecific(spare_key)) == NULL) return;
    pthread_setspecific(spare_key, NULL);
}

void arena_return(struct arena *a)
{
    pthread_once(&spare_once, spare_key_make);
    struct arena_chunk *keep = NULL;
    if (pthread_getspecific(spare_key) == NULL)
        for (struct arena_chunk **c = &a->head; *c; c = &(*c)->prev) {
            if ((*c)->size > SPARE_MAX) continue; /* the newest that fits is the largest of them */
            keep = *c;
            *c = keep->prev;
            break;
        }
    arena_free(a);
    if (keep == NULL) return;
    keep->prev = NULL;
    keep->used = 0;
    POISON(chunk_data(keep), keep->size);
    pthread_setspecific(spare_key, keep);
}

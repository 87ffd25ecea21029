/*
 * arena: region memory. Everything a request, an engine step or a job
 * allocates lives in one arena and goes away with it; there is no free().
 *
 * Allocation never returns NULL: running out of memory is fatal (the engine
 * restarts from rows). Not thread-safe: one arena belongs to one thread.
 */
#ifndef BULLDOG_BASE_ARENA_H
#define BULLDOG_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_chunk;
struct arena {
    struct arena_chunk *head; /* newest chunk, the one being filled */
    size_t total_bytes;       /* handed out since the last reset */
};

/* Zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
void *arena_memdup(struct arena *a, const void *p, size_t n) __attribute__((returns_nonnull));
/* Copies of strings. A NULL argument gives NULL. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3), returns_nonnull));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0), returns_nonnull));

/* Forget everything but keep one chunk for reuse / give all memory back. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

/* For short units of work that follow each other on a thread: an empty arena starts with the chunk that the
 * thread's last arena_return kept / free the arena, but keep a chunk for the next arena_borrow. */
void arena_borrow(struct arena *a);
void arena_return(struct arena *a);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))

/* struct arena tmp ARENA_AUTO = {0}; frees itself at the end of the scope. */
#define ARENA_AUTO __attribute__((cleanup(arena_free)))

#endif

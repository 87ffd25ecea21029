/* blocks: powers of two, one list for each, under one lock that is held for a few instructions. */
#include "base/blocks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define KINDS 6                            /* 64 KiB … 2 MiB; larger ones are not kept */
#define SHELF_BYTES_MAX ((size_t)16 << 20) /* while others are in use */
#define SHELF_BYTES_IDLE ((size_t)1 << 20) /* when none is */

struct block {
    struct block *next; /* on the shelf */
    size_t size;        /* with this header, which is as long as the strictest alignment */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *shelf[KINDS];
static size_t shelf_bytes;
static long in_use;

static size_t kind_size(int kind) { return BLOCK_MIN << kind; }

static int kind_of(size_t size)
{
    int kind = 0;
    while (kind < KINDS && kind_size(kind) < size) kind++;
    return kind; /* KINDS: larger than all */
}

static struct block *unshelve(int kind)
{
    struct block *b = shelf[kind];
    if (b == NULL) return NULL;
    shelf[kind] = b->next;
    shelf_bytes -= b->size;
    return b;
}

void *block_take(size_t *size)
{
    size_t want = *size + sizeof(struct block);
    int kind = kind_of(want);
    pthread_mutex_lock(&lock);
    struct block *b = kind < KINDS ? unshelve(kind) : NULL;
    in_use++;
    pthread_mutex_unlock(&lock);
    if (b == NULL) {
        if (kind < KINDS) want = kind_size(kind);
        b = malloc(want);
        if (b == NULL) {
            fputs("bulldog: out of memory\n", stderr);
            abort();
        }
        b->size = want;
    }
    *size = b->size - sizeof *b;
    return b + 1;
}

/* The largest first, until so many bytes are left; returns what is to be freed. */
static struct block *clear_shelf(size_t bytes)
{
    struct block *list = NULL;
    for (int kind = KINDS - 1; kind >= 0; kind--)
        while (shelf_bytes > bytes && shelf[kind]) {
            struct block *b = unshelve(kind);
            b->next = list;
            list = b;
        }
    return list;
}

void block_give(void *p)
{
    if (p == NULL) return;
    struct block *b = (struct block *)p - 1;
    int kind = kind_of(b->size);
    pthread_mutex_lock(&lock);
    struct block *list = NULL;
    in_use--;
    if (kind == KINDS || shelf_bytes + b->size > SHELF_BYTES_MAX) {
        b->next = NULL;
        list = b;
    } else {
        b->next = shelf[kind];
        shelf[kind] = b;
        shelf_bytes += b->size;
        if (in_use == 0) list = clear_shelf(SHELF_BYTES_IDLE);
    }
    pthread_mutex_unlock(&lock);
    while (list) {
        struct block *next = list->next;
        free(list);
        list = next;
    }
}

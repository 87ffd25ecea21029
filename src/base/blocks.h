/*
 * blocks: big pieces of memory that threads hand on to each other. A long list
 * wants a megabyte for a few milliseconds; to give it back to the system each
 * time costs more than the list (every thread of the process is told that its
 * pages are gone), to let each thread keep one costs sixteen. Here a few lie on
 * one shelf, and when nobody has one in hand most of them go back.
 */
#ifndef BULLDOG_BASE_BLOCKS_H
#define BULLDOG_BASE_BLOCKS_H

#include <stddef.h>

#define BLOCK_MIN ((size_t)64 << 10) /* below this malloc is as good */

/* At least *size bytes (of BLOCK_MIN or more); *size becomes what there is. Not zeroed. Aborts without memory. */
void *block_take(size_t *size);
/* Any thread; p may be NULL. */
void block_give(void *p);

#endif

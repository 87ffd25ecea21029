/*
 * rare: places where the program does something that seldom happens by itself:
 * a batch ends, a database asks to try again. The simulator makes them happen
 * often (as FoundationDB's "buggify"); a build without tests has constants.
 */
#ifndef BULLDOG_BASE_RARE_H
#define BULLDOG_BASE_RARE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef BULLDOG_RARE
/* Gives a value from least to usual for the place; NULL: the usual one. */
extern int64_t (*rare_source)(const char *place, int64_t usual, int64_t least);
#endif

static inline int64_t rare_value(const char *place, int64_t usual, int64_t least)
{
#ifdef BULLDOG_RARE
    if (rare_source) return rare_source(place, usual, least);
#endif
    (void)place;
    (void)least;
    return usual;
}

/* Does the rare thing happen here, now? */
static inline bool rare(const char *place) { return rare_value(place, 0, 1) != 0; }

#endif

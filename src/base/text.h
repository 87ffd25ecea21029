/* text: the two string questions everybody asks. NULL is no text: it equals nothing but NULL in text_same. */
#ifndef BULLDOG_BASE_TEXT_H
#define BULLDOG_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Both there and equal. */
static inline bool text_is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }
/* Equal, or both absent. */
static inline bool text_same(const char *a, const char *b) { return a == b || text_is(a, b); }

#endif

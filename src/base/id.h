/*
 * id: identifiers and random bytes. Entity ids are UUIDv7: they sort by time.
 * The random source is injectable for the simulator.
 */
#ifndef BULLDOG_BASE_ID_H
#define BULLDOG_BASE_ID_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

const char *id_new(struct arena *a); /* lower-case UUIDv7 text; strictly increasing within the process */
bool id_valid(const char *s);        /* UUID-shaped, any version, either case */
void random_bytes(void *p, size_t n);
void random_set_source(void (*fill)(void *p, size_t n)); /* NULL: the real source */
char *random_hex(struct arena *a, size_t nbytes);        /* 2*nbytes lower-case hex digits */
char *sha256_hex(struct arena *a, const void *p, size_t n);

#endif

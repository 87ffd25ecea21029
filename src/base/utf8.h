/*
 * utf8: is this byte string UTF-8? (RFC 3629: shortest form, no surrogates,
 * nothing above U+10FFFF.) JSON may hold nothing else, so what comes from
 * outside without a parser in between (git, a process, a header) is asked.
 */
#ifndef BULLDOG_BASE_UTF8_H
#define BULLDOG_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that s starts with (1 to 4); 0 when none stands there. n > 0. */
size_t utf8_char(const char *s, size_t n);
bool utf8_valid(const char *s, size_t n);

#endif

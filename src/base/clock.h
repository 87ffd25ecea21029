/*
 * clock: instants and durations. An instant is milliseconds since the Unix
 * epoch, UTC. The clock is injectable: the simulator sets its own source, and
 * nothing above base reads the time in any other way.
 */
#ifndef BULLDOG_BASE_CLOCK_H
#define BULLDOG_BASE_CLOCK_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

typedef int64_t instant_t;
#define INSTANT_NONE INT64_MIN /* a null time */
#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define INSTANT_TEXT_SIZE 32

instant_t clock_now(void);                     /* wall clock, injectable */
uint64_t clock_mono_ns(void);                  /* monotonic, for measuring only */
void clock_set_source(instant_t (*now)(void)); /* NULL: the real clock */

/* RFC 3339 UTC with milliseconds and Z: 2026-11-21T01:20:53.707Z */
void instant_format(instant_t t, char out[INSTANT_TEXT_SIZE]);
const char *instant_text(struct arena *a, instant_t t); /* NULL for INSTANT_NONE */
/* Accepts RFC 3339 with any offset and fraction, and "YYYY-MM-DD HH:MM:SS+00". */
bool instant_parse(const char *s, instant_t *out);

instant_t instant_day_start(instant_t t);   /* 00:00 UTC of that day */
instant_t instant_month_start(instant_t t); /* first instant of that UTC month */

#ifdef BULLDOG_TEST_CLOCK
/* Test builds only: now is the machine's clock moved forward by the number of
 * seconds that the file test.clockOffsetSec of the data directory holds. Read
 * again with clock_test_look; true when it has changed. */
void clock_test_follow(const char *data_dir);
bool clock_test_look(int64_t *offset_sec);
#endif

#endif

/* clock: instants, their text form, and the injectable source of now. */
#include "base/clock.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static instant_t (*source)(void);

#ifdef BULLDOG_TEST_CLOCK
static char test_file[512];
static atomic_llong test_offset_ms;

void clock_test_follow(const char *data_dir)
{
    int64_t sec;
    snprintf(test_file, sizeof test_file, "%s/test.clockOffsetSec", data_dir);
    clock_test_look(&sec);
}

bool clock_test_look(int64_t *offset_sec)
{
    long long sec = 0;
    FILE *f = *test_file ? fopen(test_file, "re") : NULL;
    if (f == NULL) return false;
    if (fscanf(f, "%lld", &sec) != 1) sec = 0;
    fclose(f);
    *offset_sec = sec;
    return atomic_exchange(&test_offset_ms, sec * 1000) != sec * 1000;
}
#define TEST_OFFSET_MS ((instant_t)atomic_load_explicit(&test_offset_ms, memory_order_relaxed))
#else
#define TEST_OFFSET_MS 0
#endif

void clock_set_source(instant_t (*now)(void)) { source = now; }

instant_t clock_now(void)
{
    if (source) return source();
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (instant_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + TEST_OFFSET_MS;
}

uint64_t clock_mono_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Days since the epoch of a civil date (proleptic Gregorian). */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t z, int64_t *y, int64_t *m, int64_t *d)
{
    z += 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = yoe + era * 400 + (*m <= 2);
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* v in n digits. */
static void put(char *s, int n, int64_t v)
{
    for (; n-- > 0; v /= 10) s[n] = (char)('0' + v % 10);
}

void instant_format(instant_t t, char out[INSTANT_TEXT_SIZE])
{
    int64_t days = floor_div(t, DAY_MS), ms = t - days * DAY_MS, y, m, d;
    civil_from_days(days, &y, &m, &d);
    if (y >= 0 && y <= 9999) {
        memcpy(out, "0000-00-00T00:00:00.000Z", INSTANT_TEXT_SIZE < 25 ? INSTANT_TEXT_SIZE : 25);
        put(out, 4, y);
        put(out + 5, 2, m);
        put(out + 8, 2, d);
        put(out + 11, 2, ms / HOUR_MS);
        put(out + 14, 2, ms / MINUTE_MS % 60);
        put(out + 17, 2, ms / SECOND_MS % 60);
        put(out + 20, 3, ms % 1000);
        return;
    }
    snprintf(out, INSTANT_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)y, (int)m, (int)d, (int)(ms / HOUR_MS),
             (int)(ms / MINUTE_MS % 60), (int)(ms / SECOND_MS % 60), (int)(ms % 1000));
}

const char *instant_text(struct arena *a, instant_t t)
{
    if (t == INSTANT_NONE) return NULL;
    char *s = arena_alloc(a, INSTANT_TEXT_SIZE);
    instant_format(t, s);
    return s;
}

/* Exactly n digits; advances *s. */
static bool digits(const char **s, int n, int64_t *out)
{
    int64_t v = 0;
    for (int i = 0; i < n; i++, (*s)++) {
        if (!isdigit((unsigned char)**s)) return false;
        v = v * 10 + (**s - '0');
    }
    *out = v;
    return true;
}

static bool eat(const char **s, char c)
{
    if (**s != c) return false;
    (*s)++;
    return true;
}

static int64_t month_days(int64_t y, int64_t m)
{
    static const int n[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return m == 2 && leap ? 29 : n[m - 1];
}

bool instant_parse(const char *s, instant_t *out)
{
    int64_t y, mo, d, h, mi, sec, ms = 0, off = 0;
    if (s == NULL) return false;
    if (!digits(&s, 4, &y) || !eat(&s, '-') || !digits(&s, 2, &mo) || !eat(&s, '-') || !digits(&s, 2, &d)) return false;
    if (!eat(&s, 'T') && !eat(&s, ' ') && !eat(&s, 't')) return false;
    if (!digits(&s, 2, &h) || !eat(&s, ':') || !digits(&s, 2, &mi)) return false;
    sec = 0;
    if (eat(&s, ':') && !digits(&s, 2, &sec)) return false;
    if (eat(&s, '.')) {
        int64_t scale = 100;
        if (!isdigit((unsigned char)*s)) return false;
        for (; isdigit((unsigned char)*s); s++, scale /= 10) ms += (*s - '0') * scale;
    }
    if (*s == '+' || *s == '-') {
        int64_t sign = *s++ == '-' ? -1 : 1, oh, om = 0;
        if (!digits(&s, 2, &oh)) return false;
        if (eat(&s, ':')) {
            if (!digits(&s, 2, &om)) return false;
        } else if (*s && !digits(&s, 2, &om)) {
            return false;
        }
        if (oh > 23 || om > 59) return false;
        off = sign * (oh * 60 + om) * MINUTE_MS;
    } else if (!eat(&s, 'Z') && !eat(&s, 'z')) {
        return false;
    }
    if (*s) return false;
    if (mo < 1 || mo > 12 || d < 1 || d > month_days(y, mo) || h > 23 || mi > 59 || sec > 59) return false;
    *out = days_from_civil(y, mo, d) * DAY_MS + h * HOUR_MS + mi * MINUTE_MS + sec * SECOND_MS + ms - off;
    return true;
}

instant_t instant_day_start(instant_t t) { return floor_div(t, DAY_MS) * DAY_MS; }

instant_t instant_month_start(instant_t t)
{
    int64_t y, m, d;
    civil_from_days(floor_div(t, DAY_MS), &y, &m, &d);
    return days_from_civil(y, m, 1) * DAY_MS;
}

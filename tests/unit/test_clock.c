/* clock: the text form of instants, both ways, and the injected source. */
#include "unit.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static instant_t parsed(const char *s)
{
    instant_t t = INSTANT_NONE;
    if (!instant_parse(s, &t)) fail_msg("not accepted: %s", s);
    return t;
}

static void formats_known_instants(void **state)
{
    (void)state;
    static const struct {
        instant_t t;
        const char *text;
    } known[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
        {INT64_C(1795224053707), "2026-11-21T01:20:53.707Z"},
        {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
        {INT64_C(-62135596800000), "0001-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char out[INSTANT_TEXT_SIZE];
        instant_format(known[i].t, out);
        assert_string_equal(out, known[i].text);
        assert_int_equal(parsed(known[i].text), known[i].t);
    }
}

/* Property: for 200,000 instants from year 0 to 9999, text and instant are one. */
static void round_trips(void **state)
{
    (void)state;
    uint64_t seed = 0x9e3779b97f4a7c15u;
    const instant_t lo = INT64_C(-62167219200000), hi = INT64_C(253402300799999);
    for (int i = 0; i < 200000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        instant_t t = lo + (instant_t)((seed >> 11) % (uint64_t)(hi - lo));
        char text[INSTANT_TEXT_SIZE];
        instant_format(t, text);
        assert_int_equal(strlen(text), 24);
        assert_int_equal(parsed(text), t);
    }
}

/* The C library's calendar agrees, day by day over four centuries. */
static void agrees_with_gmtime(void **state)
{
    (void)state;
    for (int64_t day = -80000; day < 80000; day++) {
        time_t sec = (time_t)(day * 86400);
        struct tm tm;
        gmtime_r(&sec, &tm);
        char want[64], got[INSTANT_TEXT_SIZE];
        strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S.000Z", &tm);
        instant_format(day * DAY_MS, got);
        assert_string_equal(got, want);
    }
}

static void accepts_offsets_and_fractions(void **state)
{
    (void)state;
    instant_t noon = parsed("2024-02-29T12:00:00Z");
    assert_int_equal(parsed("2024-02-29T14:30:00+02:30"), noon);
    assert_int_equal(parsed("2024-02-29T04:00:00-0800"), noon);
    assert_int_equal(parsed("2024-02-29 12:00:00+00"), noon);
    assert_int_equal(parsed("2024-02-29t12:00:00z"), noon);
    assert_int_equal(parsed("2024-02-29T12:00Z"), noon);
    assert_int_equal(parsed("2024-02-29T12:00:00.5Z"), noon + 500);
    assert_int_equal(parsed("2024-02-29T12:00:00.0429999999Z"), noon + 42);
    assert_int_equal(parsed("2024-02-29T23:59:59.999-23:59"), parsed("2024-03-01T23:58:59.999Z"));
}

static void refuses_what_is_no_instant(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "now",
        "2024",
        "2024-02-29",
        "2024-02-29T12:00:00",
        "2024-02-30T12:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00Zx",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+01:60",
        "2024-01-01T00:00:00+1",
        "24-01-01T00:00:00Z",
        " 2024-01-01T00:00:00Z",
        "2024-1-1T00:00:00Z",
        "+2024-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        instant_t t;
        if (instant_parse(bad[i], &t)) fail_msg("accepted: %s", bad[i]);
    }
    instant_t t;
    assert_false(instant_parse(NULL, &t));
}

static void has_a_text_for_no_time(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    assert_null(instant_text(&a, INSTANT_NONE));
    assert_string_equal(instant_text(&a, 1), "1970-01-01T00:00:00.001Z");
}

static void finds_the_start_of_day_and_month(void **state)
{
    (void)state;
    instant_t t = parsed("2024-02-29T23:59:59.999Z");
    assert_int_equal(instant_day_start(t), parsed("2024-02-29T00:00:00Z"));
    assert_int_equal(instant_month_start(t), parsed("2024-02-01T00:00:00Z"));
    assert_int_equal(instant_day_start(-1), -DAY_MS);
    assert_int_equal(instant_month_start(-1), parsed("1969-12-01T00:00:00Z"));
}

static instant_t noon(void) { return 43200000; }

static void takes_another_source_of_now(void **state)
{
    (void)state;
    clock_set_source(noon);
    assert_int_equal(clock_now(), 43200000);
    clock_set_source(NULL);
    instant_t before = (instant_t)time(NULL) * 1000;
    assert_true(clock_now() >= before);
    uint64_t m = clock_mono_ns();
    assert_true(clock_mono_ns() >= m);
}

UNIT_MAIN(NULL, cmocka_unit_test(formats_known_instants), cmocka_unit_test(round_trips),
          cmocka_unit_test(agrees_with_gmtime), cmocka_unit_test(accepts_offsets_and_fractions),
          cmocka_unit_test(refuses_what_is_no_instant), cmocka_unit_test(has_a_text_for_no_time),
          cmocka_unit_test(finds_the_start_of_day_and_month), cmocka_unit_test(takes_another_source_of_now))

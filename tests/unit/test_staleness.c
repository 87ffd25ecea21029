/* Wedged adapter, or idle agent? */
#include "unit.h"

#include "rules/staleness.h"

#define NOW (INT64_C(1000) * DAY_MS)
#define LIMIT (15 * MINUTE_MS)

static struct staleness_facts silent(int64_t beat_ago, int64_t demand_ago)
{
    return (struct staleness_facts){.last_beat = NOW - beat_ago,
                                    .demand_since = NOW - demand_ago,
                                    .watched_since = NOW - DAY_MS,
                                    .reported_beat = INSTANT_NONE,
                                    .threshold_ms = LIMIT};
}

static void check(struct staleness_facts f, enum staleness expected)
{
    assert_int_equal(staleness_judge(&f, NOW), expected);
}

static void test_silence_counts_from_the_later_of_beat_and_demand(void **state)
{
    (void)state;
    check(silent(LIMIT, DAY_MS), STALENESS_NONE);
    check(silent(LIMIT + 1, DAY_MS), STALENESS_REPORT);
    check(silent(DAY_MS, LIMIT), STALENESS_NONE);
    check(silent(DAY_MS, LIMIT + 1), STALENESS_REPORT);
}

static void test_an_idle_agent_is_healthy_however_long_it_is_silent(void **state)
{
    (void)state;
    struct staleness_facts f = silent(30 * DAY_MS, 0);
    f.demand_since = INSTANT_NONE;
    check(f, STALENESS_NONE);
}

static void test_a_server_that_was_away_has_heard_nothing(void **state)
{
    (void)state;
    struct staleness_facts f = silent(DAY_MS, DAY_MS);
    f.watched_since = NOW - MINUTE_MS;
    check(f, STALENESS_NONE);
    f.strict = true;
    check(f, STALENESS_REPORT);
}

static void test_a_full_server_is_not_the_agents_fault(void **state)
{
    (void)state;
    struct staleness_facts f = silent(DAY_MS, DAY_MS);
    f.slots_full = true;
    check(f, STALENESS_NONE);
}

static void test_one_report_per_silence(void **state)
{
    (void)state;
    struct staleness_facts f = silent(DAY_MS, DAY_MS);
    f.reported_beat = f.last_beat;
    check(f, STALENESS_NONE);
    f.demand_since = INSTANT_NONE;
    check(f, STALENESS_IDLE);
    f.last_beat = NOW;
    check(f, STALENESS_RESUMED);
    f.demand_since = NOW - DAY_MS;
    check(f, STALENESS_RESUMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence_counts_from_the_later_of_beat_and_demand),
        cmocka_unit_test(test_an_idle_agent_is_healthy_however_long_it_is_silent),
        cmocka_unit_test(test_a_server_that_was_away_has_heard_nothing),
        cmocka_unit_test(test_a_full_server_is_not_the_agents_fault),
        cmocka_unit_test(test_one_report_per_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* When an agent's busyness is questioned, and how often (rules/productivity, EX-152). */
#include "unit.h"

#include "rules/productivity.h"

#define NOW (INT64_C(1000) * DAY_MS)

static struct productivity_facts facts(void) { return (struct productivity_facts){.started_at = INSTANT_NONE}; }

#define TRIGGER(member, limit, want)                                      \
    do {                                                                  \
        struct productivity_facts f = facts();                            \
        f.member = (limit)-1;                                             \
        assert_int_equal(productivity_judge(&f, NOW), PRODUCTIVITY_FINE); \
        f.member = (limit);                                               \
        assert_int_equal(productivity_judge(&f, NOW), (want));            \
    } while (0)

static void test_each_trigger_at_its_limit(void **state)
{
    (void)state;
    TRIGGER(no_comment_streak, 10, PRODUCTIVITY_NO_COMMENTS);
    TRIGGER(runs_hour, 10, PRODUCTIVITY_CHURN);
    TRIGGER(comments_hour, 10, PRODUCTIVITY_CHURN);
    TRIGGER(runs_long, 30, PRODUCTIVITY_CHURN);
    TRIGGER(comments_long, 30, PRODUCTIVITY_CHURN);
    struct productivity_facts f = facts();
    f.in_progress = true;
    assert_int_equal(productivity_judge(&f, NOW), PRODUCTIVITY_FINE);
    f.started_at = NOW - 6 * HOUR_MS + 1;
    assert_int_equal(productivity_judge(&f, NOW), PRODUCTIVITY_FINE);
    f.started_at = NOW - 6 * HOUR_MS;
    assert_int_equal(productivity_judge(&f, NOW), PRODUCTIVITY_LONG_ACTIVE);
    f.in_progress = false;
    assert_int_equal(productivity_judge(&f, NOW), PRODUCTIVITY_FINE);
    f.in_progress = true; /* in this order */
    f.runs_hour = 10;
    assert_int_equal(productivity_judge(&f, NOW), PRODUCTIVITY_CHURN);
    f.no_comment_streak = 10;
    assert_int_equal(productivity_judge(&f, NOW), PRODUCTIVITY_NO_COMMENTS);
}

static struct productivity_past past(void)
{
    return (struct productivity_past){
        .refreshed_at = INSTANT_NONE, .last_created_at = INSTANT_NONE, .last_resolved_at = INSTANT_NONE};
}

static void test_nobody_is_asked_too_often(void **state)
{
    (void)state;
    struct productivity_past p = past();
    assert_int_equal(productivity_next(&p, NOW), PRODUCTIVITY_ASK);
    p.last_created_at = NOW - DAY_MS + 1;
    assert_int_equal(productivity_next(&p, NOW), PRODUCTIVITY_REST);
    p.last_created_at = NOW - DAY_MS;
    p.last_resolved_at = NOW - 6 * HOUR_MS + 1;
    assert_int_equal(productivity_next(&p, NOW), PRODUCTIVITY_REST);
    p.last_resolved_at = NOW - 6 * HOUR_MS;
    p.unheeded = 2;
    assert_int_equal(productivity_next(&p, NOW), PRODUCTIVITY_ASK);
    p.unheeded = 3;
    assert_int_equal(productivity_next(&p, NOW), PRODUCTIVITY_REST);
}

static void test_an_open_review_is_refreshed_three_times(void **state)
{
    (void)state;
    struct productivity_past p = past();
    p.open = true;
    p.refreshed_at = NOW - HOUR_MS + 1;
    assert_int_equal(productivity_next(&p, NOW), PRODUCTIVITY_REST);
    p.refreshed_at = NOW - HOUR_MS;
    assert_int_equal(productivity_next(&p, NOW), PRODUCTIVITY_REFRESH);
    p.refreshes = 3;
    assert_int_equal(productivity_next(&p, NOW), PRODUCTIVITY_REST);
}

static void test_what_holds_continuations(void **state)
{
    (void)state;
    assert_true(productivity_holds("no_comment_streak"));
    assert_true(productivity_holds("high_churn"));
    assert_false(productivity_holds("long_active_duration"));
    assert_false(productivity_holds(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_trigger_at_its_limit),
        cmocka_unit_test(test_nobody_is_asked_too_often),
        cmocka_unit_test(test_an_open_review_is_refreshed_three_times),
        cmocka_unit_test(test_what_holds_continuations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

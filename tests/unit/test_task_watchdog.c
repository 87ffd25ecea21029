/* When a watchdog is told of a tree that stands still (rules/task_watchdog, EX-150, EX-151). */
#include "unit.h"

#include "rules/task_watchdog.h"

static void expect(struct watchdog_facts f, enum watchdog_state state, enum watchdog_act act, int attempt)
{
    struct watchdog_verdict v = watchdog_judge(&f);
    assert_string_equal(watchdog_state_name(v.state), watchdog_state_name(state));
    assert_int_equal(v.act, act);
    assert_int_equal(v.attempt, attempt);
}

static void test_a_tree_that_moves_or_is_over_is_left_alone(void **state)
{
    (void)state;
    expect((struct watchdog_facts){.live = 1, .open = 2, .agent_can = true}, WATCHDOG_LIVE, WATCHDOG_REST, 0);
    expect((struct watchdog_facts){.open = 0, .agent_can = true}, WATCHDOG_NOT_APPLICABLE, WATCHDOG_REST, 0);
    expect((struct watchdog_facts){.open = 2, .young_unrun = 1, .agent_can = true}, WATCHDOG_PENDING_FIRST_RUN,
           WATCHDOG_REST, 0);
    expect((struct watchdog_facts){.open = 2, .agent_can = false}, WATCHDOG_NOT_APPLICABLE, WATCHDOG_REST, 0);
}

static void test_a_new_stop_is_told_once(void **state)
{
    (void)state;
    struct watchdog_facts f = {.open = 2, .agent_can = true};
    expect(f, WATCHDOG_STOPPED, WATCHDOG_FIRE, 1);
    f.fired_attempt = 1;
    f.same_as_fired = true;
    expect(f, WATCHDOG_ALREADY_REVIEWED, WATCHDOG_REST, 0);
    f.report_open = true;
    expect(f, WATCHDOG_ALREADY_REVIEWED, WATCHDOG_REST, 0);
    f.same_as_fired = false; /* another stop, even while the first is looked at */
    expect(f, WATCHDOG_STOPPED, WATCHDOG_FIRE, 1);
    f.shrunk = true; /* a part of what was reviewed is nothing new */
    expect(f, WATCHDOG_ALREADY_REVIEWED, WATCHDOG_REST, 0);
}

static void test_the_same_stop_after_a_move_is_told_again_three_times(void **state)
{
    (void)state;
    struct watchdog_facts f = {.open = 1, .agent_can = true, .fired_attempt = 1, .live = 1};
    expect(f, WATCHDOG_LIVE, WATCHDOG_NOTE_MOVED, 0);
    f.moved_since_fired = true;
    expect(f, WATCHDOG_LIVE, WATCHDOG_REST, 0); /* remembered: no further write */
    f.live = 0;
    f.same_as_fired = true;
    expect(f, WATCHDOG_STOPPED, WATCHDOG_FIRE, 2);
    f.report_open = true;
    expect(f, WATCHDOG_ALREADY_REVIEWED, WATCHDOG_REST, 0);
    f.report_open = false;
    f.fired_attempt = 2;
    expect(f, WATCHDOG_STOPPED, WATCHDOG_FIRE, 3);
    f.fired_attempt = 3;
    expect(f, WATCHDOG_STOPPED, WATCHDOG_ESCALATE, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tree_that_moves_or_is_over_is_left_alone),
        cmocka_unit_test(test_a_new_stop_is_told_once),
        cmocka_unit_test(test_the_same_stop_after_a_move_is_told_again_three_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The table of EX-101, and what comes before it. */
#include "unit.h"

#include "rules/stranded.h"

#define NOW (INT64_C(1000) * DAY_MS)
#define TIMEOUT (300 * SECOND_MS)

static struct stranded_facts never(int64_t ago)
{
    return (struct stranded_facts){
        .since = NOW - ago, .timeout_ms = TIMEOUT, .tried_at = INSTANT_NONE, .finished_at = INSTANT_NONE};
}

static struct stranded_facts ran(const char *status, const char *code, const char *wake_reason)
{
    struct stranded_facts f = never(TIMEOUT);
    f.in_progress = true;
    f.status = status;
    f.code = code;
    f.wake_reason = wake_reason;
    f.liveness = "advanced";
    f.finished_at = NOW - TIMEOUT;
    return f;
}

static void check(struct stranded_facts f, enum stranded_step step, const char *word)
{
    struct stranded_verdict v = stranded_decide(&f, NOW);
    assert_int_equal(v.step, step);
    if (step == STRANDED_ESCALATE) assert_string_equal(v.cause, word);
    if (step == STRANDED_WAKE) assert_string_equal(v.reason, word);
}

static void test_never_dispatched(void **state)
{
    (void)state;
    check(never(TIMEOUT - 1), STRANDED_REST, NULL);
    check(never(TIMEOUT), STRANDED_WAKE, "issue_assignment_recovery");
    struct stranded_facts f = never(2 * TIMEOUT);
    f.in_progress = true;
    check(f, STRANDED_WAKE, "issue_continuation_needed");
    f.tried_at = NOW - TIMEOUT + 1;
    check(f, STRANDED_REST, NULL);
    f.tried_at = NOW - TIMEOUT;
    check(f, STRANDED_ESCALATE, "stalled_at_dispatch");
}

static void test_todo_with_a_run_behind_it(void **state)
{
    (void)state;
    struct stranded_facts f = ran("failed", "adapter_failed", "issue_assigned");
    f.in_progress = false;
    check(f, STRANDED_WAKE, "issue_assignment_recovery");
    f.wake_reason = "issue_assignment_recovery";
    check(f, STRANDED_ESCALATE, "stranded_assigned_issue");
    f.status = "succeeded"; /* given out anew after it */
    check(f, STRANDED_WAKE, "issue_assignment_recovery");
}

static void test_transient_failures_are_tried_three_times_with_growing_waits(void **state)
{
    static const int64_t waits[] = {0, MINUTE_MS, 2 * MINUTE_MS};
    (void)state;
    for (int n = 0; n < 3; n++) {
        struct stranded_facts f = ran("failed", "adapter_failed", "issue_continuation_needed");
        f.same_code = n;
        f.finished_at = NOW - waits[n];
        check(f, STRANDED_WAKE, "issue_continuation_needed");
        f.finished_at++;
        check(f, STRANDED_REST, NULL);
    }
    struct stranded_facts f = ran("timed_out", "timeout", "issue_continuation_needed");
    f.same_code = 3;
    check(f, STRANDED_ESCALATE, "stranded_assigned_issue");
}

static void test_other_failures_are_tried_once_and_some_never(void **state)
{
    (void)state;
    struct stranded_facts f = ran("failed", "setup_failed", "issue_assigned");
    check(f, STRANDED_WAKE, "issue_continuation_needed");
    f.wake_reason = "issue_continuation_needed";
    f.same_code = 1;
    check(f, STRANDED_ESCALATE, "stranded_assigned_issue");
    check(ran("cancelled", "budget_blocked", "issue_assigned"), STRANDED_ESCALATE, "stranded_assigned_issue");
    check(ran("cancelled", "agent_paused", "issue_assigned"), STRANDED_WAKE, "issue_continuation_needed");
    f = ran("failed", "process_lost", "issue_continuation_needed");
    f.same_code = 1;
    check(f, STRANDED_ESCALATE, "process_lost");
}

static void test_success_without_a_next_step(void **state)
{
    (void)state;
    struct stranded_facts f = ran("succeeded", NULL, "issue_assigned");
    check(f, STRANDED_WAKE, "issue_continuation_needed");
    assert_string_equal(stranded_decide(&f, NOW).source, "issue.productive_terminal_continuation_recovery");
    f.wake_reason = "issue_continuation_needed";
    check(f, STRANDED_ESCALATE, "stranded_assigned_issue");
    f.progress = true;
    check(f, STRANDED_WAKE, "issue_continuation_needed");
    check(ran("succeeded", NULL, "finish_successful_run_handoff"), STRANDED_ESCALATE, "successful_run_missing_state");
    f = ran("succeeded", NULL, "run_liveness_continuation");
    f.liveness = "plan_only";
    check(f, STRANDED_ESCALATE, "liveness_exhausted");
    f = ran("succeeded", NULL, "issue_assigned");
    f.liveness = "empty_response";
    check(f, STRANDED_WAKE, "issue_continuation_needed");
    f.continuations = 2;
    check(f, STRANDED_ESCALATE, "liveness_exhausted");
}

static void test_a_spent_budget_ends_it(void **state)
{
    (void)state;
    struct stranded_facts f = ran("failed", "adapter_failed", "issue_assigned");
    f.budget_spent = true;
    check(f, STRANDED_ESCALATE, "incident_budget_exhausted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_dispatched),
        cmocka_unit_test(test_todo_with_a_run_behind_it),
        cmocka_unit_test(test_transient_failures_are_tried_three_times_with_growing_waits),
        cmocka_unit_test(test_other_failures_are_tried_once_and_some_never),
        cmocka_unit_test(test_success_without_a_next_step),
        cmocka_unit_test(test_a_spent_budget_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

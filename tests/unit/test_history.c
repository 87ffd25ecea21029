/* Which decisions rows tell of (rules/history). */
#include "unit.h"

#include "rules/history.h"

#include <stdio.h>

static struct history_wake wake(const char *status, const char *reason)
{
    return (struct history_wake){.status = status,
                                 .reason = reason,
                                 .requested_at = 10,
                                 .finished_at = INSTANT_NONE,
                                 .run_created_at = INSTANT_NONE};
}

static void expect(const struct history_entry *e, int n, const char *want)
{
    char got[400];
    size_t len = 0;
    got[0] = 0;
    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(got + len, sizeof got - len, "%s%lld %s %s", i ? "; " : "", (long long)e[i].at,
                                history_kind_name(e[i].kind), e[i].reason ? e[i].reason : "-");
    assert_string_equal(got, want);
}

#define WAKE(w, want)                              \
    do {                                           \
        struct history_entry e[HISTORY_PER_ROW];   \
        expect(e, history_of_wake(&(w), e), want); \
    } while (0)
#define RUN(r, want)                              \
    do {                                          \
        struct history_entry e[HISTORY_PER_ROW];  \
        expect(e, history_of_run(&(r), e), want); \
    } while (0)

static void test_wakes(void **state)
{
    (void)state;
    struct history_wake w = wake("coalesced", "issue_execution_same_name");
    w.has_run = true;
    WAKE(w, "10 coalesced issue_execution_same_name");
    w = wake("skipped", "agent.not_invokable");
    WAKE(w, "10 skipped agent.not_invokable");
    w = wake("queued", "issue_assigned");
    w.has_run = true;
    WAKE(w, "10 admitted issue_assigned");
    w.status = "skipped"; /* by a gate, when its run was to be claimed */
    WAKE(w, "10 admitted issue_assigned");
    w.status = "completed";
    w.run_is_retry = true;
    WAKE(w, "");
    w = wake("deferred_issue_execution", "issue_execution_deferred");
    WAKE(w, "10 deferred issue_execution_deferred");
    w.status = "cancelled";
    w.finished_at = 30;
    w.error = "Deferred wake could not be promoted: issue_parked";
    WAKE(w, "10 deferred issue_execution_deferred; 30 gated issue_parked");
    w = wake("completed", "issue_execution_promoted");
    w.has_run = true;
    w.run_created_at = 20;
    w.finished_at = 40;
    WAKE(w, "10 deferred issue_execution_deferred; 20 promoted issue_execution_promoted");
}

static void test_runs(void **state)
{
    (void)state;
    struct history_run r = {.status = "queued",
                            .wake_reason = "issue_assigned",
                            .has_wake = true,
                            .created_at = 1,
                            .claimed_at = INSTANT_NONE,
                            .finished_at = INSTANT_NONE};
    RUN(r, "");
    r.claimed_at = 2;
    r.finished_at = 3;
    r.status = "succeeded";
    RUN(r, "2 claimed issue_assigned; 3 ended succeeded");
    r.status = "failed";
    r.error_code = "adapter_failed";
    RUN(r, "2 claimed issue_assigned; 3 ended adapter_failed");
    r.is_retry = true;
    r.retry_reason = "transient_failure";
    RUN(r, "1 recovered transient_failure; 2 claimed issue_assigned; 3 ended adapter_failed");
    r = (struct history_run){.status = "cancelled",
                             .error_code = "issue_dependencies_blocked",
                             .has_wake = true,
                             .created_at = 1,
                             .claimed_at = INSTANT_NONE,
                             .finished_at = 5};
    RUN(r, "5 gated issue_dependencies_blocked");
    r.error_code = "cancelled"; /* by somebody */
    RUN(r, "5 ended cancelled");
    r.has_wake = false;
    r.wake_reason = "issue_continuation_needed";
    RUN(r, "1 admitted issue_continuation_needed; 5 ended cancelled");
}

static void test_activity(void **state)
{
    (void)state;
    assert_int_equal(history_of_activity("issue.updated", "recovery.escalation"), HISTORY_RECOVERED);
    assert_int_equal(history_of_activity("issue.updated", "source_revalidation"), HISTORY_FOLDED);
    assert_int_equal(history_of_activity("issue.recovery_action_opened", NULL), HISTORY_RECOVERED);
    assert_int_equal(history_of_activity("issue.recovery_action_resolved", NULL), HISTORY_FOLDED);
    assert_int_equal(history_of_activity("issue.tree_hold_wakeup_deferred", NULL), HISTORY_GATED);
    assert_int_equal(history_of_activity("issue.updated", NULL), HISTORY_KINDS);
    assert_int_equal(history_of_activity("issue.comment_added", "api"), HISTORY_KINDS);
}

static void test_names_go_both_ways(void **state)
{
    (void)state;
    for (int k = 0; k < HISTORY_KINDS; k++)
        assert_int_equal(history_kind_of(history_kind_name((enum history_kind)k)), k);
    assert_int_equal(history_kind_of("dreamt"), HISTORY_KINDS);
    assert_int_equal(history_kind_of(NULL), HISTORY_KINDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wakes),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_activity),
        cmocka_unit_test(test_names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

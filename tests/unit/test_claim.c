/* claim: the gates between queued and running (EX-44, EX-45), and what a finished run amounted to (EX-69). */
#include "unit.h"

#include "base/arena.h"
#include "base/json.h"
#include "rules/claim.h"
#include "rules/heartbeat.h"
#include "rules/liveness.h"

#include <string.h>

static struct arena arena;

static struct claim_facts fine(void)
{
    return (struct claim_facts){.issue_scoped = true, .issue_found = true, .agent_is_assignee = true, .dependencies_ready = true, .lock_wanted = true};
}

static void is_verdict(struct claim_facts f, enum claim_action action, const char *reason)
{
    struct claim_verdict v = claim_decide(&f);
    assert_int_equal(v.action, action);
    if (reason) assert_string_equal(v.reason, reason);
    else assert_null(v.reason);
}

static void starts_when_nothing_is_against_it(void **state)
{
    (void)state;
    is_verdict(fine(), CLAIM_START, NULL);
    is_verdict((struct claim_facts){0}, CLAIM_START, NULL); /* a run without an issue */
}

static void caps_come_first(void **state)
{
    (void)state;
    struct claim_facts f = {.daily_runs_reached = true};
    is_verdict(f, CLAIM_CANCEL, "heartbeat.daily_run_limit");
    f = (struct claim_facts){.daily_cost_reached = true};
    is_verdict(f, CLAIM_CANCEL, "heartbeat.daily_cost_limit");
}

static void stale_runs_are_cancelled_with_the_cause(void **state)
{
    (void)state;
    struct claim_facts f = fine();
    f.dependencies_ready = false;
    is_verdict(f, CLAIM_CANCEL, "issue_dependencies_blocked");
    f.review_of_another = true;
    is_verdict(f, CLAIM_CANCEL, "issue_review_participant_changed");
    f.issue_terminal = true;
    is_verdict(f, CLAIM_CANCEL, "issue_terminal_status");
    f.agent_is_assignee = false;
    is_verdict(f, CLAIM_CANCEL, "issue_assignee_changed");
    f.issue_found = false;
    is_verdict(f, CLAIM_CANCEL, "issue_not_found");
}

static void a_paused_tree_stands_before_what_the_issue_says(void **state)
{
    (void)state;
    struct claim_facts f = fine();
    f.held = true;
    is_verdict(f, CLAIM_CANCEL, "issue_tree_hold_active");
    f.issue_found = f.dependencies_ready = false;
    is_verdict(f, CLAIM_CANCEL, "issue_tree_hold_active");
    f.daily_runs_reached = true;
    is_verdict(f, CLAIM_CANCEL, "heartbeat.daily_run_limit");
}

static void parked_work_starts_only_when_asked_for(void **state)
{
    (void)state;
    struct claim_facts f = fine();
    f.issue_parked = true;
    is_verdict(f, CLAIM_CANCEL, "issue_parked");
    f.by_hand = true;
    is_verdict(f, CLAIM_START, NULL);
    f.by_hand = false;
    f.resume_intent = true;
    is_verdict(f, CLAIM_START, NULL);
    f.resume_intent = false;
    f.interaction = true;
    is_verdict(f, CLAIM_START, NULL);
}

static void a_comment_passes_the_gates_of_work(void **state)
{
    (void)state;
    struct claim_facts f = fine();
    f.interaction = true;
    f.lock_wanted = false;
    f.agent_is_assignee = f.dependencies_ready = false;
    f.issue_terminal = true;
    is_verdict(f, CLAIM_START, NULL);
}

static void resume_reopens_and_recovery_owners_may_come(void **state)
{
    (void)state;
    struct claim_facts f = fine();
    f.issue_terminal = f.resume_intent = true;
    is_verdict(f, CLAIM_START, NULL);
    f = fine();
    f.agent_is_assignee = f.lock_wanted = false;
    f.named_in_recovery = true;
    is_verdict(f, CLAIM_START, NULL);
}

/* EX-24 BETTER: two executions on one issue are impossible; the second waits. */
static void waits_for_the_lock_and_for_the_old_tree(void **state)
{
    (void)state;
    struct claim_facts f = fine();
    f.old_tree_alive = true;
    is_verdict(f, CLAIM_WAIT, "previous_run_processes_alive");
    f.lock_held = true;
    is_verdict(f, CLAIM_WAIT, "issue_locked");
    f.lock_wanted = false; /* a mention only reads */
    is_verdict(f, CLAIM_START, NULL);
}

static void heartbeat_policy_has_defaults_aliases_and_bounds(void **state)
{
    (void)state;
    struct heartbeat_policy p = heartbeat_policy("{}");
    assert_false(p.enabled);
    assert_int_equal(p.interval_sec, 0);
    assert_true(p.wake_on_demand);
    assert_int_equal(p.max_concurrent_runs, 20);
    assert_int_equal(p.max_daily_runs, -1);
    p = heartbeat_policy("{\"heartbeat\":{\"enabled\":true,\"intervalSec\":60,\"wakeOnAssignment\":false,\"maxConcurrentRuns\":900,"
                         "\"dailyRunCap\":3,\"dailyBudgetCents\":250,\"issueOnlyTimer\":true}}");
    assert_true(p.enabled);
    assert_int_equal(p.interval_sec, 60);
    assert_false(p.wake_on_demand);
    assert_int_equal(p.max_concurrent_runs, 50);
    assert_int_equal(p.max_daily_runs, 3);
    assert_int_equal(p.max_daily_cost_cents, 250);
    assert_true(p.skip_timer_when_idle);
    p = heartbeat_policy("{\"heartbeat\":{\"enabled\":\"yes\",\"intervalSec\":\"60\",\"maxConcurrentRuns\":0}}");
    assert_false(p.enabled);
    assert_int_equal(p.interval_sec, 0);
    assert_int_equal(p.max_concurrent_runs, 1);
    assert_int_equal(heartbeat_policy("not json").max_concurrent_runs, 20);
    assert_int_equal(heartbeat_policy(NULL).max_concurrent_runs, 20);
}

static void finished_runs_are_classified_in_order(void **state)
{
    static const struct {
        struct liveness_facts f;
        const char *want;
    } cases[] = {
        {{.interrupted = true, .evidence = 3}, "needs_followup"},
        {{.status = "failed", .error_code = "adapter_failed", .evidence = 3, .issue_status = "done"}, "failed"},
        {{.succeeded = true, .issue_status = "done"}, "completed"},
        {{.succeeded = true, .issue_status = "cancelled"}, "completed"},
        {{.succeeded = true, .issue_status = "blocked", .evidence = 1}, "blocked"},
        {{.succeeded = true, .issue_status = "in_progress", .evidence = 1}, "advanced"},
        {{.succeeded = true, .issue_status = "in_progress", .output = true}, "needs_followup"},
        {{.succeeded = true, .issue_status = "in_progress"}, "empty_response"},
        {{.succeeded = true}, "empty_response"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(liveness_classify(&arena, &cases[i].f).state, cases[i].want);
    struct liveness_facts f = {.status = "failed", .error_code = "adapter_failed"};
    assert_string_equal(liveness_classify(&arena, &f).reason, "Run ended with failed (adapter_failed)");
}

static int set_up(void **state)
{
    (void)state;
    json_setup();
    json_arena(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_when_nothing_is_against_it),
        cmocka_unit_test(caps_come_first),
        cmocka_unit_test(stale_runs_are_cancelled_with_the_cause),
        cmocka_unit_test(a_paused_tree_stands_before_what_the_issue_says),
        cmocka_unit_test(parked_work_starts_only_when_asked_for),
        cmocka_unit_test(a_comment_passes_the_gates_of_work),
        cmocka_unit_test(resume_reopens_and_recovery_owners_may_come),
        cmocka_unit_test(waits_for_the_lock_and_for_the_old_tree),
        cmocka_unit_test(heartbeat_policy_has_defaults_aliases_and_bounds),
        cmocka_unit_test(finished_runs_are_classified_in_order),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

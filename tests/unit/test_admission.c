/* admission: what becomes of a wake (EX §5.2, AR-44…46), in the normative order. */
#include "unit.h"

#include "rules/admission.h"

#include <string.h>

/* A wake of the issue's own agent that nothing stands against. */
static struct admission_facts fine(void)
{
    return (struct admission_facts){.company_active = true,
                                    .agent_invokable = true,
                                    .heartbeat_enabled = true,
                                    .wake_on_demand = true,
                                    .issue_scoped = true,
                                    .issue_found = true,
                                    .dependencies_ready = true,
                                    .assignee_is_agent = true,
                                    .reason = "issue_assigned"};
}

static void is_verdict(struct admission_facts f, enum admission action, const char *reason)
{
    struct admission_verdict v = admission_decide(&f);
    assert_int_equal(v.action, action);
    if (reason) assert_string_equal(v.reason, reason);
    else assert_null(v.reason);
}

static void nothing_in_the_way_queues(void **state)
{
    (void)state;
    is_verdict(fine(), ADMIT_QUEUE, NULL);
}

static void gates_skip_with_their_name(void **state)
{
    (void)state;
    struct admission_facts f = fine();
    f.held = true; /* stands before everything about the issue itself (EX-131) */
    f.dependencies_ready = false;
    f.issue_found = false;
    is_verdict(f, ADMIT_SKIP, "issue_tree_hold_active");
    f.agent_invokable = false;
    is_verdict(f, ADMIT_SKIP, "agent.not_invokable");
    f = fine();
    f.daily_cost_reached = true;
    is_verdict(f, ADMIT_SKIP, "heartbeat.daily_cost_limit");
    f.daily_runs_reached = true;
    is_verdict(f, ADMIT_SKIP, "heartbeat.daily_run_limit");
    f.throttled = true;
    is_verdict(f, ADMIT_SKIP, "issue_rewake_throttled");
    f.dependencies_ready = false;
    is_verdict(f, ADMIT_SKIP, "issue_dependencies_blocked");
    f.issue_found = false;
    is_verdict(f, ADMIT_SKIP, "issue_execution_issue_not_found");
    f.skip_idle_timer = true;
    is_verdict(f, ADMIT_SKIP, "heartbeat.timer.no_actionable_work");
    f.wake_on_demand = false;
    is_verdict(f, ADMIT_SKIP, "heartbeat.wakeOnDemand.disabled");
    f.timer = true;
    f.heartbeat_enabled = false;
    is_verdict(f, ADMIT_SKIP, "heartbeat.disabled");
    f.agent_invokable = false;
    is_verdict(f, ADMIT_SKIP, "agent.not_invokable");
    f.budget_blocked = true;
    is_verdict(f, ADMIT_SKIP, "budget.blocked");
    f.company_active = false;
    is_verdict(f, ADMIT_SKIP, "company.inactive");
    f.scheduling_suppressed = true;
    is_verdict(f, ADMIT_SKIP, "heartbeat.scheduling_suppressed");
}

static void wake_on_demand_does_not_stop_timers(void **state)
{
    (void)state;
    struct admission_facts f = fine();
    f.issue_scoped = false;
    f.timer = true;
    f.wake_on_demand = false;
    is_verdict(f, ADMIT_QUEUE, NULL);
}

static void a_comment_on_a_blocked_issue_is_heard(void **state)
{
    (void)state;
    struct admission_facts f = fine();
    f.dependencies_ready = false;
    f.reason = "issue_commented";
    f.has_comment = f.interaction = true;
    is_verdict(f, ADMIT_QUEUE, NULL);
    f.has_comment = f.interaction = false; /* the reason alone proves nothing */
    is_verdict(f, ADMIT_SKIP, "issue_dependencies_blocked");
}

static void joins_a_queued_run_of_the_same_agent(void **state)
{
    (void)state;
    struct admission_facts f = fine();
    f.has_active_run = f.active_same_agent = true;
    is_verdict(f, ADMIT_COALESCE, "issue_execution_same_name");
    f.has_comment = f.interaction = true;
    f.reason = "issue_commented";
    is_verdict(f, ADMIT_COALESCE, "issue_execution_same_name");
}

/* INV-18: news never disappears into a run that cannot see it. */
static void news_waits_behind_a_running_run(void **state)
{
    static const char *const news[] = {
        "issue_commented",   "issue_status_changed",       "issue_children_completed",      "issue_blockers_resolved",
        "approval_approved", "execution_review_requested", "issue_recovery_action_restored"};
    (void)state;
    for (size_t i = 0; i < sizeof news / sizeof *news; i++) {
        struct admission_facts f = fine();
        f.has_active_run = f.active_same_agent = f.active_running = true;
        f.reason = news[i];
        is_verdict(f, ADMIT_DEFER, "issue_execution_deferred");
    }
}

static void no_news_joins_a_running_run(void **state)
{
    static const char *const none[] = {"issue_assigned", "issue_continuation_needed", "issue_checked_out", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct admission_facts f = fine();
        f.has_active_run = f.active_same_agent = f.active_running = true;
        f.reason = none[i];
        is_verdict(f, ADMIT_COALESCE, "issue_execution_same_name");
        f.force_fresh = true;
        is_verdict(f, ADMIT_DEFER, "issue_execution_deferred");
        f.force_fresh = false;
        f.has_comment = f.interaction = true;
        is_verdict(f, ADMIT_DEFER, "issue_execution_deferred");
    }
}

/* AR-48 BETTER (1): who may not work on the issue does not wait for it, unless somebody spoke to it. */
static void a_stranger_waits_only_with_a_comment(void **state)
{
    (void)state;
    struct admission_facts f = fine();
    f.assignee_is_agent = false;
    f.has_active_run = true;
    is_verdict(f, ADMIT_SKIP, "issue_assignee_changed");
    f.reason = "issue_comment_mentioned";
    f.has_comment = f.interaction = true;
    is_verdict(f, ADMIT_DEFER, "issue_execution_deferred");
}

static void without_an_issue_one_run_is_enough(void **state)
{
    (void)state;
    struct admission_facts f = fine();
    f.issue_scoped = f.issue_found = false;
    f.reason = NULL;
    is_verdict(f, ADMIT_QUEUE, NULL);
    f.has_active_run = f.active_same_agent = true;
    is_verdict(f, ADMIT_COALESCE, "issue_execution_same_name");
    f.active_running = true;
    is_verdict(f, ADMIT_COALESCE, "issue_execution_same_name");
    f.force_fresh = true;
    is_verdict(f, ADMIT_QUEUE, NULL);
}

static void mentions_and_recovery_turns_take_no_lock(void **state)
{
    (void)state;
    assert_true(admission_takes_lock(NULL));
    assert_true(admission_takes_lock("issue_assigned"));
    assert_true(admission_takes_lock("execution_review_requested"));
    assert_false(admission_takes_lock("issue_comment_mentioned"));
    assert_false(admission_takes_lock("source_scoped_recovery_action"));
    assert_true(admission_checks_out("issue_commented"));
    assert_false(admission_checks_out(NULL));
    assert_false(admission_checks_out("execution_approval_requested"));
    assert_false(admission_checks_out("issue_comment_mentioned"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_in_the_way_queues),
        cmocka_unit_test(gates_skip_with_their_name),
        cmocka_unit_test(wake_on_demand_does_not_stop_timers),
        cmocka_unit_test(a_comment_on_a_blocked_issue_is_heard),
        cmocka_unit_test(joins_a_queued_run_of_the_same_agent),
        cmocka_unit_test(news_waits_behind_a_running_run),
        cmocka_unit_test(no_news_joins_a_running_run),
        cmocka_unit_test(a_stranger_waits_only_with_a_comment),
        cmocka_unit_test(without_an_issue_one_run_is_enough),
        cmocka_unit_test(mentions_and_recovery_turns_take_no_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

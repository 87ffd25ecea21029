/* issue_status: effects and guards over every pair of statuses. */
#include "unit.h"

#include "base/text.h"
#include "rules/issue_status.h"

static bool terminal(const char *s) { return text_is(s, "done") || text_is(s, "cancelled"); }

#define EACH_PAIR(from, to)                                       \
    for (const char *const *from = ISSUE_STATUSES; *from; from++) \
        for (const char *const *to = ISSUE_STATUSES; *to; to++)

static void test_effects_of_every_transition(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        for (int bits = 0; bits < 4; bits++) {
            bool moved = bits & 1, started = bits & 2, changed = !text_is(*from, *to);
            struct status_effects e = status_effects(&(struct status_change){*from, *to, moved, started});
            assert_int_equal(e.start, changed && text_is(*to, "in_progress") && !started);
            assert_int_equal(e.complete, changed && text_is(*to, "done"));
            assert_int_equal(e.cancel, changed && text_is(*to, "cancelled"));
            assert_int_equal(e.clear_completed, !text_is(*to, "done"));
            assert_int_equal(e.clear_cancelled, !text_is(*to, "cancelled"));
            assert_int_equal(e.clear_lock, moved || !text_is(*to, "in_progress"));
            assert_int_equal(e.enter_blocked, text_is(*to, "blocked") && !text_is(*from, "blocked"));
            assert_int_equal(e.leave_blocked, text_is(*from, "blocked") && !text_is(*to, "blocked"));
            assert_int_equal(e.closed, changed && terminal(*to));
            assert_int_equal(e.reopened, terminal(*from) && !terminal(*to));
        }
    }
}

static void test_effects_of_creation(void **state)
{
    (void)state;
    for (const char *const *to = ISSUE_STATUSES; *to; to++) {
        struct status_effects e = status_effects(&(struct status_change){NULL, *to, false, false});
        assert_int_equal(e.start, text_is(*to, "in_progress"));
        assert_int_equal(e.complete, text_is(*to, "done"));
        assert_int_equal(e.cancel, text_is(*to, "cancelled"));
        assert_int_equal(e.enter_blocked, text_is(*to, "blocked"));
        assert_false(e.reopened || e.leave_blocked);
    }
}

static void test_who_waits_for_a_dispatch(void **state)
{
    (void)state;
    for (const char *const *s = ISSUE_STATUSES; *s; s++)
        for (int bits = 0; bits < 4; bits++)
            assert_int_equal(status_expects_dispatch(*s, bits & 1, bits & 2), text_is(*s, "todo") && bits == 1);
}

static struct status_facts facts(const char *from, const char *to)
{
    return (struct status_facts){.from = from, .to = to, .agent_assigned = true, .policy_allows_close = true};
}

static void test_people_may_go_anywhere_that_is_possible(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        struct status_facts f = facts(*from, *to);
        enum status_verdict want =
            text_is(*to, "blocked") && !text_is(*from, "blocked") ? STATUS_NEEDS_PATH : STATUS_OK;
        assert_int_equal(status_guard(&f), want);
    }
}

static void test_one_assignee_and_some_assignee(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        struct status_facts f = facts(*from, *to);
        f.user_assigned = true;
        assert_int_equal(status_guard(&f), STATUS_TWO_ASSIGNEES);
        f.agent_assigned = f.user_assigned = false;
        if (text_is(*to, "in_progress")) assert_int_equal(status_guard(&f), STATUS_NEEDS_ASSIGNEE);
        else assert_int_not_equal(status_guard(&f), STATUS_NEEDS_ASSIGNEE);
    }
}

static void test_blocked_work_does_not_start(void **state)
{
    (void)state;
    for (const char *const *from = ISSUE_STATUSES; *from; from++) {
        struct status_facts f = facts(*from, "in_progress");
        f.blockers_open = 1; /* cancelled ones count: they stay unresolved */
        assert_int_equal(status_guard(&f), text_is(*from, "in_progress") ? STATUS_OK : STATUS_HAS_BLOCKERS);
    }
}

static void test_every_way_into_blocked(void **state)
{
    (void)state;
    struct status_facts f = facts("todo", "blocked");
    assert_int_equal(status_guard(&f), STATUS_NEEDS_PATH);
    f.blockers_open = 1;
    assert_int_equal(status_guard(&f), STATUS_OK);
    f.blockers_sent = true; /* a set being written must hold one that can be resolved */
    assert_int_equal(status_guard(&f), STATUS_NEEDS_PATH);
    f.blockers_waiting = 1;
    assert_int_equal(status_guard(&f), STATUS_OK);
    f = facts("todo", "blocked");
    f.has_descriptor = f.descriptor_sent = true;
    assert_int_equal(status_guard(&f), STATUS_OK);
    f = facts("todo", "blocked");
    f.pending_interaction = true;
    assert_int_equal(status_guard(&f), STATUS_OK);
    f = facts("todo", "blocked");
    f.pending_approval = true;
    assert_int_equal(status_guard(&f), STATUS_OK);
    f = facts(NULL, "blocked"); /* creation passes the same gate */
    assert_int_equal(status_guard(&f), STATUS_NEEDS_PATH);
    f = facts("todo", "done");
    f.descriptor_sent = true;
    assert_int_equal(status_guard(&f), STATUS_STRAY_DESCRIPTOR);
}

static void test_an_agent_hands_to_somebody(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 32; bits++) {
        struct status_facts f = facts("in_progress", "in_review");
        f.by_agent = true;
        f.agent_assigned = !(bits & 1);
        f.user_assigned = bits & 1;
        f.has_participant = bits & 2;
        f.has_monitor = bits & 4;
        f.pending_interaction = bits & 8;
        f.pending_approval = bits & 16;
        assert_int_equal(status_guard(&f), bits ? STATUS_OK : STATUS_NEEDS_REVIEW_PATH);
        f.by_agent = false;
        assert_int_equal(status_guard(&f), STATUS_OK);
    }
}

static void test_done_over_open_blockers(void **state)
{
    (void)state;
    struct status_facts f = facts("in_progress", "done");
    f.blockers_open = 2;
    assert_int_equal(status_guard(&f), STATUS_OK);
    f.by_agent = true;
    assert_int_equal(status_guard(&f), STATUS_DONE_TOO_EARLY);
    f.blockers_sent = true;
    assert_int_equal(status_guard(&f), STATUS_OK);
}

static void test_agents_need_a_title_to_follow_up(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        struct status_facts f = facts(*from, *to);
        bool leaves = (text_is(*from, "blocked") && !text_is(*to, "blocked")) || (terminal(*from) && !terminal(*to));
        f.by_agent = true;
        f.has_descriptor = text_is(*to, "blocked");
        f.has_monitor = true;
        enum status_verdict v = status_guard(&f);
        assert_int_equal(v, leaves && text_is(*from, "cancelled") ? FOLLOWUP_CANCELLED : STATUS_OK);
        f.resume = true;
        assert_int_equal(status_guard(&f), STATUS_OK);
        f.agent_assigned = false;
        f.user_assigned = true;
        assert_int_equal(status_guard(&f), leaves ? FOLLOWUP_UNASSIGNED : STATUS_OK);
    }
}

static void test_follow_up_of_blocked_and_reviewed_work(void **state)
{
    (void)state;
    struct status_facts f = facts("blocked", "todo");
    f.by_agent = true;
    f.blockers_open = 1;
    assert_int_equal(status_guard(&f), FOLLOWUP_BLOCKED);
    f = facts("in_review", "in_review");
    f.by_agent = f.reopen = true;
    assert_int_equal(status_guard(&f), FOLLOWUP_STATUS);
    f.by_agent = false;
    assert_int_equal(status_guard(&f), STATUS_OK);
}

static void test_review_policy(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        struct status_facts f = facts(*from, *to);
        f.policy_allows_close = false;
        f.has_descriptor = true;
        bool closes = text_is(*from, "in_review") && terminal(*to);
        assert_int_equal(status_guard(&f), closes ? STATUS_REVIEW_POLICY : STATUS_OK);
        f.policy_changed = true;
        assert_int_equal(status_guard(&f), STATUS_REVIEW_POLICY);
    }
}

static void test_small_facts(void **state)
{
    (void)state;
    assert_string_equal(status_default(true), "todo");
    assert_string_equal(status_default(false), "backlog");
    assert_int_equal(priority_rank("critical"), 0);
    assert_int_equal(priority_rank("low"), 3);
    assert_int_equal(priority_rank("whatever"), 2);
}

UNIT_MAIN(NULL, cmocka_unit_test(test_effects_of_every_transition), cmocka_unit_test(test_effects_of_creation),
          cmocka_unit_test(test_who_waits_for_a_dispatch),
          cmocka_unit_test(test_people_may_go_anywhere_that_is_possible),
          cmocka_unit_test(test_one_assignee_and_some_assignee), cmocka_unit_test(test_blocked_work_does_not_start),
          cmocka_unit_test(test_every_way_into_blocked), cmocka_unit_test(test_an_agent_hands_to_somebody),
          cmocka_unit_test(test_done_over_open_blockers), cmocka_unit_test(test_agents_need_a_title_to_follow_up),
          cmocka_unit_test(test_follow_up_of_blocked_and_reviewed_work), cmocka_unit_test(test_review_policy),
          cmocka_unit_test(test_small_facts))

/* The judgements about recovery actions: kinds, upserts, turns, folds. */
#include "unit.h"

#include "rules/recovery.h"

#define NOW (INT64_C(1000) * DAY_MS)

static void test_the_switch_has_three_positions(void **state)
{
    (void)state;
    assert_int_equal(recovery_mode("full"), RECOVERY_FULL);
    assert_int_equal(recovery_mode("surface_only"), RECOVERY_SURFACE_ONLY);
    assert_int_equal(recovery_mode("off"), RECOVERY_OFF);
    assert_int_equal(recovery_mode("sometimes"), RECOVERY_MODES);
    assert_int_equal(recovery_mode(NULL), RECOVERY_MODES);
}

static void test_a_cause_has_a_kind_and_something_to_do(void **state)
{
    (void)state;
    assert_string_equal(recovery_kind("successful_run_missing_state"), "missing_disposition");
    assert_string_equal(recovery_kind("adapter_heartbeat_stale"), "active_run_watchdog");
    assert_string_equal(recovery_kind("never heard of"), "stranded_assigned_issue");
    assert_true(*recovery_next_action("never heard of") != 0);
    assert_true(recovery_by_same_agent("process_lost"));
    assert_false(recovery_by_same_agent("stalled_at_dispatch"));
    assert_true(recovery_by_hand(recovery_kind("configuration_incomplete")));
    assert_false(recovery_by_hand(recovery_kind("process_lost")));
}

static void test_the_graver_finding_stays(void **state)
{
    static const char *const order[] = {"configuration_validation", "workspace_validation", "missing_disposition",
                                        "stranded_assigned_issue",  "active_run_watchdog",  "issue_graph_liveness"};
    (void)state;
    for (int open = 0; open < 6; open++)
        for (int found = 0; found < 6; found++)
            assert_int_equal(recovery_merge(order[open], order[found]), found > open ? MERGE_APPEND : MERGE_UPDATE);
}

static struct recovery_turn_facts turn(int64_t attempts, int64_t minutes_ago)
{
    return (struct recovery_turn_facts){.agent_owned = true,
                                        .owner_can = true,
                                        .wakes = true,
                                        .attempts = attempts,
                                        .attempts_max = 3,
                                        .last_attempt_at = NOW - minutes_ago * MINUTE_MS,
                                        .timeout_at = NOW + HOUR_MS};
}

static void check_turn(struct recovery_turn_facts f, enum recovery_turn expected)
{
    assert_int_equal(recovery_turn(&f, NOW), expected);
}

static void test_an_owner_is_woken_again_after_5_then_30_minutes_then_the_board(void **state)
{
    (void)state;
    check_turn(turn(1, 4), TURN_REST);
    check_turn(turn(1, 5), TURN_WAKE);
    check_turn(turn(2, 29), TURN_REST);
    check_turn(turn(2, 30), TURN_WAKE);
    check_turn(turn(3, 0), TURN_ESCALATE);
}

static void test_while_the_owner_is_at_work_only_time_counts(void **state)
{
    (void)state;
    struct recovery_turn_facts f = turn(3, 60);
    f.owner_at_work = true;
    check_turn(f, TURN_REST);
    f.timeout_at = NOW;
    check_turn(f, TURN_ESCALATE);
}

static void test_an_owner_that_cannot_is_replaced(void **state)
{
    (void)state;
    struct recovery_turn_facts f = turn(1, 0);
    f.owner_can = false;
    check_turn(f, TURN_NEW_OWNER);
}

static void test_the_board_has_all_the_time(void **state)
{
    (void)state;
    struct recovery_turn_facts f = turn(1, 100);
    f.agent_owned = f.wakes = f.owner_can = false;
    check_turn(f, TURN_REST);
    f.timeout_at = NOW;
    check_turn(f, TURN_ESCALATE);
    f.escalated = true;
    check_turn(f, TURN_REST);
}

static const struct recovery_claim blocking = {
    .kind = "stranded_assigned_issue", .cause = "stranded_assigned_issue", .blocks_source = true};
static const struct recovery_claim watching = {.kind = "active_run_watchdog", .cause = "adapter_heartbeat_stale"};

static void check_fold(const struct recovery_claim *c, struct recovery_source s, const char *reason)
{
    const char *got = recovery_fold(c, &s);
    if (reason == NULL) assert_null(got);
    else assert_string_equal(got, reason);
}

static void test_what_folds_without_a_fresh_write(void **state)
{
    (void)state;
    check_fold(&blocking, (struct recovery_source){.status = "blocked", .agent_owned = true}, NULL);
    check_fold(&blocking, (struct recovery_source){.status = "blocked", .agent_owned = true, .blockers_open = true},
               NULL);
    check_fold(&blocking, (struct recovery_source){.status = "done", .agent_owned = true}, "source_terminal");
    check_fold(&watching, (struct recovery_source){.status = "cancelled"}, "source_terminal");
    check_fold(&blocking, (struct recovery_source){.status = "blocked", .user_owned = true}, "source_user_owned");
    check_fold(&blocking, (struct recovery_source){.status = "todo", .agent_owned = true}, "source_restarted");
    check_fold(&blocking, (struct recovery_source){.status = "todo"}, NULL);
    check_fold(&watching, (struct recovery_source){.status = "todo", .agent_owned = true}, NULL);
    check_fold(&watching, (struct recovery_source){.status = "todo", .agent_owned = true, .reassigned = true},
               "source_reassigned");
    check_fold(&watching, (struct recovery_source){.status = "in_progress", .agent_owned = true, .monitored = true},
               NULL);
}

static void test_what_a_write_folds(void **state)
{
    (void)state;
    check_fold(&blocking, (struct recovery_source){.status = "blocked", .agent_owned = true, .changed = true}, NULL);
    check_fold(&blocking, (struct recovery_source){.status = "blocked", .changed = true, .blockers_open = true},
               "source_blocked");
    check_fold(&blocking, (struct recovery_source){.status = "in_review", .changed = true}, NULL);
    check_fold(&blocking, (struct recovery_source){.status = "in_review", .changed = true, .review_path = true},
               "source_in_review");
    check_fold(&watching, (struct recovery_source){.status = "in_progress", .agent_owned = true, .changed = true},
               "source_restarted");
    check_fold(&watching,
               (struct recovery_source){.status = "in_review", .agent_owned = true, .changed = true, .monitored = true},
               "source_monitored");
}

static void test_only_a_plain_restart_keeps_the_count(void **state)
{
    (void)state;
    assert_true(recovery_fold_keeps_count("source_restarted"));
    assert_false(recovery_fold_keeps_count("source_terminal"));
    assert_false(recovery_fold_keeps_count("source_reassigned"));
    assert_false(recovery_fold_keeps_count(NULL));
    assert_string_not_equal(recovery_fold_note("source_blocked"), "source_blocked");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_switch_has_three_positions),
        cmocka_unit_test(test_a_cause_has_a_kind_and_something_to_do),
        cmocka_unit_test(test_the_graver_finding_stays),
        cmocka_unit_test(test_an_owner_is_woken_again_after_5_then_30_minutes_then_the_board),
        cmocka_unit_test(test_while_the_owner_is_at_work_only_time_counts),
        cmocka_unit_test(test_an_owner_that_cannot_is_replaced),
        cmocka_unit_test(test_the_board_has_all_the_time),
        cmocka_unit_test(test_what_folds_without_a_fresh_write),
        cmocka_unit_test(test_what_a_write_folds),
        cmocka_unit_test(test_only_a_plain_restart_keeps_the_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

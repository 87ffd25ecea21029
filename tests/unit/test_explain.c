/* Every verdict of rules/explain, and what outranks what. */
#include "unit.h"

#include "rules/explain.h"

#include <string.h>

#define NOW (INT64_C(1000) * DAY_MS)

static struct arena arena;

static struct explain_node node(const char *status)
{
    return (struct explain_node){.status = status,
                                 .agent_owned = true,
                                 .complete = true,
                                 .entered_at = NOW - HOUR_MS,
                                 .gate_since = INSTANT_NONE,
                                 .run_since = INSTANT_NONE,
                                 .retry_at = INSTANT_NONE,
                                 .wake_since = INSTANT_NONE,
                                 .expected_since = INSTANT_NONE,
                                 .throttled_until = INSTANT_NONE,
                                 .last_finished = INSTANT_NONE};
}

static struct explain_verdict judged(const struct explain_node *nodes, int n, const struct blocker_edge *edges)
{
    const struct explain_graph g = {.nodes = nodes, .edges = edges, .count = n};
    return explain_judge(&arena, &g, NOW)[0];
}

static void check(struct explain_node n, enum explain_state state, const char *reason, const char *path)
{
    struct explain_verdict v = judged(&n, 1, NULL);
    if (v.state != state)
        print_error("%s: %s, not %s\n", reason, explain_state_name(v.state), explain_state_name(state));
    assert_string_equal(v.reason, reason);
    assert_int_equal(v.state, state);
    if (path) assert_string_equal(v.path, path);
    else assert_null(v.path);
    assert_true(v.state != EXPLAIN_DEAD || v.path == NULL);
}

static const char *const STATUSES[] = {"backlog", "todo", "in_progress", "in_review", "blocked", "done", "cancelled"};
#define EACH_STATUS(s) for (const char *const *s = STATUSES; s < STATUSES + 7; s++)
static bool closed(const char *s) { return !strcmp(s, "done") || !strcmp(s, "cancelled"); }
static bool open_work(const char *s) { return !strcmp(s, "todo") || !strcmp(s, "in_progress"); }

static void test_a_closed_issue_is_terminal_whatever_else_there_is(void **state)
{
    (void)state;
    for (int bits = 0; bits < 16; bits++) {
        struct explain_node n = node("done");
        n.run_status = bits & 1 ? "running" : NULL;
        n.wake_queued = bits & 2;
        n.user_owned = bits & 4;
        n.gate = bits & 8 ? "agent_paused" : NULL;
        check(n, EXPLAIN_TERMINAL, "done", NULL);
        n.status = "cancelled";
        check(n, EXPLAIN_TERMINAL, "cancelled", NULL);
    }
}

static void test_a_running_run_makes_every_open_issue_live(void **state)
{
    (void)state;
    EACH_STATUS(s)
    for (int bits = 0; bits < 16 && !closed(*s); bits++) {
        struct explain_node n = node(*s);
        n.run_status = "running";
        n.gate = bits & 1 ? "agent_paused" : NULL;
        n.user_owned = bits & 2;
        n.wake_deferred = bits & 4;
        n.unblock_named = bits & 8;
        check(n, EXPLAIN_LIVE, "run_running", "P1");
    }
}

static void test_a_run_or_wake_on_its_way(void **state)
{
    (void)state;
    struct explain_node n = node("todo");
    n.run_status = "queued";
    check(n, EXPLAIN_LIVE, "run_queued", "P1");
    n.gate = "wake_on_demand_off"; /* keeps new wakes out, not this run */
    check(n, EXPLAIN_LIVE, "run_queued", "P1");
    n.gate = "agent_paused";
    check(n, EXPLAIN_WAITING, "agent_paused", "EX-107");
    n.run_foreign = true; /* the run is of an agent that is not paused */
    check(n, EXPLAIN_LIVE, "run_queued", "P1");
    n = node("in_progress");
    n.run_status = "scheduled_retry";
    check(n, EXPLAIN_WAITING, "retry_scheduled", "P1");
    assert_int_equal(judged(&n, 1, NULL).mover, MOVER_TIME);
    n = node("blocked");
    n.wake_queued = true;
    check(n, EXPLAIN_LIVE, "wake_queued", "P2");
}

static void test_a_deferred_wake_counts_only_behind_a_live_run(void **state)
{
    (void)state;
    struct explain_node n = node("todo");
    n.wake_deferred = true;
    check(n, EXPLAIN_DEAD, "stalled_at_dispatch", NULL); /* the strict P2 */
    n.run_status = "running";
    n.run_foreign = true;
    check(n, EXPLAIN_WAITING, "wake_deferred", "P2");
    assert_int_equal(judged(&n, 1, NULL).mover, MOVER_RUN);
    n.run_foreign = false;
    check(n, EXPLAIN_LIVE, "run_running", "P1");
}

static void test_people_and_parked_issues(void **state)
{
    (void)state;
    EACH_STATUS(s)
    {
        struct explain_node n = node(*s);
        if (closed(*s)) continue;
        n.agent_owned = false;
        if (!strcmp(*s, "backlog")) {
            check(n, EXPLAIN_PARKED, "backlog", "P12");
            continue;
        }
        check(n, EXPLAIN_WAITING, "unassigned", NULL);
        n.user_owned = true;
        check(n, EXPLAIN_WAITING, "human_owner", "P7");
        n.hidden = true;
        check(n, EXPLAIN_PARKED, "hidden", "P12");
    }
    struct explain_node n = node("blocked");
    n.unblock_named = true;
    check(n, EXPLAIN_WAITING, "unblock_requested", "P10");
    n.status = "todo"; /* a descriptor left behind means nothing elsewhere */
    check(n, EXPLAIN_DEAD, "stalled_at_dispatch", NULL);
}

static void test_each_gate_has_a_name_and_is_a_path_not_a_stall(void **state)
{
    (void)state;
    const struct explain_agent fine = {
        .company_status = "active", .status = "idle", .chain_healthy = true, .wake_on_demand = true};
    assert_null(explain_gate(&fine));
#define GATE(change, name)                             \
    do {                                               \
        struct explain_agent g = fine;                 \
        g.change;                                      \
        assert_string_equal(explain_gate(&g), name);   \
        struct explain_node n = node("todo");          \
        n.gate = explain_gate(&g);                     \
        check(n, EXPLAIN_WAITING, name, "EX-107");     \
        n.status = "in_progress";                      \
        check(n, EXPLAIN_WAITING, name, "EX-107");     \
        assert_false(judged(&n, 1, NULL).recoverable); \
    } while (0)
    GATE(suppressed = "worktree_instance", "instance_suppressed");
    GATE(suppressed = "operator_paused", "operator_paused");
    GATE(company_status = "paused", "company_paused");
    GATE(company_status = "archived", "company_archived");
    GATE(status = NULL, "agent_missing");
    GATE(status = "paused", "agent_paused");
    GATE(status = "paused"; g.pause_reason = "budget", "agent_paused_by_budget");
    GATE(status = "terminated", "agent_terminated");
    GATE(status = "pending_approval", "agent_pending_approval");
    GATE(chain_healthy = false, "invalid_org_chain");
    GATE(wake_on_demand = false, "wake_on_demand_off");
    GATE(daily_runs_reached = true, "daily_run_limit");
    GATE(daily_cost_reached = true, "daily_cost_limit");
    struct explain_node n = node("todo");
    n.gate = "daily_run_limit";
    assert_int_equal(judged(&n, 1, NULL).mover, MOVER_TIME);
    assert_false(judged(&n, 1, NULL).attention);
    n.gate = "agent_paused";
    assert_int_equal(judged(&n, 1, NULL).mover, MOVER_BOARD);
    n.status = "blocked"; /* resuming the agent would not free it */
    check(n, EXPLAIN_DEAD, "blocked_without_path", NULL);
}

static void test_the_last_run_has_a_say(void **state)
{
    (void)state;
    struct explain_node n = node("todo");
    n.last_status = "succeeded";
    n.last_finished = NOW - MINUTE_MS;
    check(n, EXPLAIN_WAITING, "rests_after_success", "EX-100");
    n.expected_since = NOW - 2 * MINUTE_MS; /* its own run put it back */
    check(n, EXPLAIN_WAITING, "rests_after_success", "EX-100");
    n.expected_since = NOW - 1; /* given out anew after it */
    check(n, EXPLAIN_DEAD, "todo_without_path", NULL);
    assert_int_equal(judged(&n, 1, NULL).since, NOW - 1);
    n.expected_since = INSTANT_NONE;
    n.last_status = "cancelled";
    check(n, EXPLAIN_WAITING, "run_cancelled", "EX-104");
    n.status = "in_progress";
    check(n, EXPLAIN_WAITING, "run_cancelled", "EX-104");
    n.last_status = "succeeded";
    check(n, EXPLAIN_DEAD, "in_progress_without_path", NULL);
    assert_int_equal(judged(&n, 1, NULL).since, NOW - MINUTE_MS);
    n.throttled_until = NOW + 1;
    check(n, EXPLAIN_WAITING, "rewake_throttled", "EX-37");
    n.throttled_until = NOW;
    check(n, EXPLAIN_DEAD, "in_progress_without_path", NULL);
}

static void test_only_what_a_wake_can_mend_is_recoverable(void **state)
{
    (void)state;
    EACH_STATUS(s)
    {
        struct explain_node n = node(*s);
        struct explain_verdict v = judged(&n, 1, NULL);
        bool dead = !closed(*s) && strcmp(*s, "backlog") != 0;
        assert_int_equal(v.state == EXPLAIN_DEAD, dead);
        assert_int_equal(v.recoverable, open_work(*s));
        assert_int_equal(v.attention, dead && !open_work(*s));
    }
    check(node("in_review"), EXPLAIN_DEAD, "review_without_path", NULL);
    check(node("blocked"), EXPLAIN_DEAD, "blocked_without_path", NULL);
    struct explain_node n = node("todo");
    n.expected_since = NOW - 5 * MINUTE_MS;
    assert_int_equal(judged(&n, 1, NULL).since, NOW - 5 * MINUTE_MS);
}

/* ---- below ---- */

/* Node 0 blocked by node 1 blocked by … the last. */
static struct explain_verdict chained(struct explain_node *nodes, int n, bool child)
{
    struct blocker_edge edges[16];
    for (int i = 0; i < n - 1; i++) {
        edges[i] = (struct blocker_edge){i + 1, child};
        nodes[i].first = i;
        nodes[i].count = 1;
    }
    return judged(nodes, n, edges);
}

static void behind(const char *leaf_status, bool owned, enum explain_state state, const char *reason, bool attention)
{
    EACH_STATUS(s)
    {
        if (closed(*s) || !strcmp(*s, "backlog")) continue;
        struct explain_node nodes[] = {node(*s), node(leaf_status)};
        nodes[1].agent_owned = owned;
        if (state == EXPLAIN_WAITING && !attention) nodes[1].run_status = "running";
        struct explain_verdict v = chained(nodes, 2, false);
        assert_string_equal(v.reason, reason);
        assert_int_equal(v.state, state);
        assert_int_equal(v.attention, attention);
        assert_int_equal(v.next, 1);
        assert_false(v.recoverable); /* the leaf is what a wake can mend */
    }
}

static void test_a_blocked_issue_is_as_well_as_its_leaves(void **state)
{
    (void)state;
    behind("in_progress", true, EXPLAIN_WAITING, "blocked_by_issue", false);
    behind("backlog", true, EXPLAIN_WAITING, "blocked_by_parked_issue", true);
    behind("cancelled", true, EXPLAIN_WAITING, "blocked_by_cancelled_issue", true);
    behind("todo", false, EXPLAIN_WAITING, "blocked_by_unassigned_issue", true);
    behind("todo", true, EXPLAIN_DEAD, "blocked_by_dead_issue", true);
    behind("blocked", true, EXPLAIN_DEAD, "blocked_by_dead_issue", true);
}

static void test_chains_are_followed_to_the_end(void **state)
{
    (void)state;
    struct explain_node nodes[9];
    for (int i = 0; i < 9; i++) nodes[i] = node("blocked");
    nodes[8] = node("todo");
    assert_int_equal(chained(nodes, 9, false).state, EXPLAIN_DEAD);
    nodes[8].run_status = "queued";
    assert_string_equal(chained(nodes, 9, false).reason, "blocked_by_issue");
    nodes[8] = node("blocked");
    nodes[8].complete = false; /* nobody looked further: no claim is made */
    struct explain_verdict v = chained(nodes, 9, false);
    assert_int_equal(v.state, EXPLAIN_WAITING);
    assert_false(v.attention);
}

static void test_the_worst_blocker_decides(void **state)
{
    (void)state;
    struct explain_node nodes[] = {node("blocked"), node("todo"), node("backlog"), node("todo")};
    const struct blocker_edge edges[] = {{1, false}, {2, false}, {3, false}};
    nodes[1].run_status = "running";
    nodes[3].user_owned = true;
    nodes[0].count = 1;
    assert_int_equal(judged(nodes, 4, edges).next, 1);
    nodes[0].count = 2;
    assert_int_equal(judged(nodes, 4, edges).next, 2);
    nodes[2] = node("todo");
    assert_string_equal(judged(nodes, 4, edges).reason, "blocked_by_dead_issue");
    nodes[0].unblock_named = true; /* somebody was named all the same */
    assert_string_equal(judged(nodes, 4, edges).reason, "unblock_requested");
}

static void test_circles_end_and_are_dead(void **state)
{
    (void)state;
    struct explain_node nodes[] = {node("blocked"), node("blocked"), node("blocked")};
    const struct blocker_edge edges[] = {{1, false}, {2, false}, {0, false}};
    for (int i = 0; i < 3; i++) {
        nodes[i].first = i;
        nodes[i].count = 1;
    }
    assert_int_equal(judged(nodes, 3, edges).state, EXPLAIN_DEAD);
    const struct blocker_edge self[] = {{0, false}};
    nodes[0].first = 0;
    assert_string_equal(judged(nodes, 1, self).reason, "blockers_in_a_circle");
    nodes[1].run_status = "running"; /* the circle has a way out */
    assert_string_equal(judged(nodes, 3, edges).reason, "blocked_by_issue");
}

static void test_a_parent_waits_for_live_children_once_it_has_run(void **state)
{
    (void)state;
    struct explain_node nodes[] = {node("in_progress"), node("todo")};
    nodes[1].run_status = "running";
    assert_string_equal(chained(nodes, 2, true).reason, "in_progress_without_path"); /* never ran: EX-101 */
    nodes[0].last_status = "succeeded";
    nodes[0].last_finished = NOW - MINUTE_MS;
    assert_string_equal(chained(nodes, 2, true).reason, "children_open");
    nodes[1] = node("backlog"); /* parentage is no dependency (EX-1): a parked child never wakes it */
    assert_string_equal(chained(nodes, 2, true).reason, "in_progress_without_path");
    nodes[1] = node("todo");
    assert_string_equal(chained(nodes, 2, true).reason, "in_progress_without_path");
    nodes[0].gate = "agent_paused";
    assert_string_equal(chained(nodes, 2, true).reason, "agent_paused");
}

/* Every named path in every status, against all that outranks it (P3 … P6, P9, P11). */
static void test_named_paths_and_what_outranks_them(void **state)
{
    static const struct {
        const char *reason, *path;
        enum explain_state state;
    } want[NAMED_COUNT] = {
        [NAMED_HOLD] = {"pause_hold", "P11", EXPLAIN_HELD},
        [NAMED_ACTION] = {"recovery_action", "P9", EXPLAIN_RECOVERING},
        [NAMED_INTERACTION] = {"interaction_pending", "P4", EXPLAIN_WAITING},
        [NAMED_APPROVAL] = {"approval_pending", "P5", EXPLAIN_WAITING},
        [NAMED_PARTICIPANT] = {"review_participant", "P3", EXPLAIN_WAITING},
        [NAMED_MONITOR] = {"monitor_scheduled", "P6", EXPLAIN_WAITING},
    };
    (void)state;
    for (int i = 0; i < NAMED_COUNT; i++) EACH_STATUS(s)
        {
            struct explain_node n = node(*s);
            bool strong = i == NAMED_HOLD || i == NAMED_ACTION;
            n.named[i] = (struct explain_path){true, MOVER_BOARD, NOW - MINUTE_MS, INSTANT_NONE};
            if (closed(*s)) check(n, EXPLAIN_TERMINAL, *s, NULL);
            else if (!strcmp(*s, "backlog") && !strong) check(n, EXPLAIN_PARKED, "backlog", "P12");
            else check(n, want[i].state, want[i].reason, want[i].path);
            if (closed(*s)) continue;
            n.run_status = "queued"; /* a hold and an action outrank what has not started, and nothing that runs */
            if (strong) check(n, want[i].state, want[i].reason, want[i].path);
            else check(n, EXPLAIN_LIVE, "run_queued", "P1");
            n.run_status = "running";
            check(n, EXPLAIN_LIVE, "run_running", "P1");
        }
    struct explain_node all = node("in_review");
    for (int i = NAMED_COUNT - 1; i >= 0; i--) {
        all.named[i] = (struct explain_path){true, MOVER_USER, NOW, INSTANT_NONE};
        assert_int_equal(judged(&all, 1, NULL).named, i);
    }
}

static void test_a_named_path_asks_for_attention_only_of_people(void **state)
{
    (void)state;
    for (enum explain_mover m = MOVER_AGENT; m <= MOVER_TIME; m++) {
        struct explain_node n = node("blocked");
        n.named[NAMED_ACTION] = (struct explain_path){true, m, NOW, NOW + HOUR_MS};
        struct explain_verdict v = judged(&n, 1, NULL);
        assert_int_equal(v.mover, m);
        assert_int_equal(v.attention, m == MOVER_USER || m == MOVER_BOARD);
        struct explain_node nodes[] = {node("blocked"), n};
        assert_int_equal(chained(nodes, 2, false).attention, v.attention);
    }
}

static void test_a_circle_can_be_walked_back(void **state)
{
    (void)state;
    struct explain_node nodes[] = {node("blocked"), node("blocked"), node("blocked")};
    static const struct blocker_edge edges[] = {{1, false}, {2, false}, {1, false}};
    for (int i = 0; i < 3; i++) {
        nodes[i].first = i;
        nodes[i].count = 1;
    }
    const struct explain_graph g = {.nodes = nodes, .edges = edges, .count = 3};
    const struct explain_verdict *v = explain_judge(&arena, &g, NOW);
    assert_int_equal(v[2].circle, 1);
    assert_int_equal(v[2].from, 1);
    assert_int_equal(v[1].from, 0);
    assert_int_equal(v[0].from, -1);
    assert_string_equal(v[0].reason, "blocked_by_dead_issue");
}

static void test_what_a_hold_cancelled_goes_on_after_it(void **state)
{
    (void)state;
    struct explain_node n = node("in_progress");
    n.last_status = "cancelled";
    n.last_finished = NOW - MINUTE_MS;
    check(n, EXPLAIN_WAITING, "run_cancelled", "EX-104");
    n.last_held = true;
    check(n, EXPLAIN_DEAD, "in_progress_without_path", NULL);
    assert_true(judged(&n, 1, NULL).recoverable);
}

static int release(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_closed_issue_is_terminal_whatever_else_there_is),
        cmocka_unit_test(test_a_running_run_makes_every_open_issue_live),
        cmocka_unit_test(test_a_run_or_wake_on_its_way),
        cmocka_unit_test(test_a_deferred_wake_counts_only_behind_a_live_run),
        cmocka_unit_test(test_people_and_parked_issues),
        cmocka_unit_test(test_each_gate_has_a_name_and_is_a_path_not_a_stall),
        cmocka_unit_test(test_the_last_run_has_a_say),
        cmocka_unit_test(test_only_what_a_wake_can_mend_is_recoverable),
        cmocka_unit_test(test_a_blocked_issue_is_as_well_as_its_leaves),
        cmocka_unit_test(test_chains_are_followed_to_the_end),
        cmocka_unit_test(test_the_worst_blocker_decides),
        cmocka_unit_test(test_circles_end_and_are_dead),
        cmocka_unit_test(test_a_parent_waits_for_live_children_once_it_has_run),
        cmocka_unit_test(test_named_paths_and_what_outranks_them),
        cmocka_unit_test(test_a_named_path_asks_for_attention_only_of_people),
        cmocka_unit_test(test_a_circle_can_be_walked_back),
        cmocka_unit_test(test_what_a_hold_cancelled_goes_on_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}

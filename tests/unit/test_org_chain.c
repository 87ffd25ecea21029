/* org_chain: reporting lines with gaps, circles and people who left (AR-7, AR-13, AR-29). */
#include "unit.h"

#include "base/arena.h"
#include "rules/agent_status.h"
#include "rules/org_chain.h"

#include <stdio.h>
#include <string.h>

static struct arena arena;
static struct org org;

static struct org_node node(const char *id, const char *status, const char *manager)
{
    return (struct org_node){.id = id, .name = id, .role = "general", .status = status, .reports_to = manager};
}

static struct org_health health_of(const struct org_node *nodes, int n, const char *id)
{
    org_init(&arena, &org, nodes, n);
    return org_health(&arena, &org, org_find(&org, id));
}

static void is_healthy_up_to_the_top(void **state)
{
    (void)state;
    const struct org_node nodes[] = {node("c", "idle", "b"), node("a", "idle", NULL), node("b", "running", "a")};
    struct org_health h = health_of(nodes, 3, "c");
    assert_int_equal(h.verdict, ORG_HEALTHY);
    assert_int_equal(h.length, 3);
    assert_string_equal(h.chain[0]->id, "c");
    assert_string_equal(h.chain[1]->id, "b");
    assert_string_equal(h.chain[2]->id, "a");
    assert_int_equal(h.invalid_count, 0);
    assert_null(h.repair_guidance);
    assert_null(h.escalation_warning);
}

static void names_a_missing_manager_and_stops_there(void **state)
{
    (void)state;
    const struct org_node nodes[] = {node("b", "idle", "gone"), node("c", "idle", "b")};
    struct org_health h = health_of(nodes, 2, "c");
    assert_string_equal(org_verdict_name(h.verdict), "missing_manager");
    assert_int_equal(h.length, 2);
    assert_string_equal(h.invalid[0].id, "gone");
    assert_string_equal(h.invalid[0].name, "gone");
    assert_string_equal(h.invalid[0].status, "missing");
    assert_non_null(strstr(h.repair_guidance, "gone"));
}

static void walks_on_past_a_terminated_ancestor(void **state)
{
    (void)state;
    const struct org_node nodes[] = {node("a", "terminated", NULL), node("b", "terminated", "a"),
                                     node("c", "idle", "b")};
    struct org_health h = health_of(nodes, 3, "c");
    assert_string_equal(org_verdict_name(h.verdict), "terminated_ancestor");
    assert_int_equal(h.invalid_count, 2);
    assert_string_equal(h.invalid[0].id, "b");
    assert_string_equal(h.invalid[1].id, "a");
    assert_int_equal(h.length, 3);
}

static void the_first_invalid_ancestor_decides(void **state)
{
    (void)state;
    const struct org_node nodes[] = {node("b", "terminated", "gone"), node("c", "idle", "b")};
    struct org_health h = health_of(nodes, 2, "c");
    assert_int_equal(h.verdict, ORG_TERMINATED_ANCESTOR);
    assert_int_equal(h.invalid_count, 2);
    assert_string_equal(h.invalid[1].status, "missing");
}

static void ends_in_a_circle_once(void **state)
{
    (void)state;
    const struct org_node nodes[] = {node("a", "idle", "b"), node("b", "idle", "a"), node("c", "idle", "b"),
                                     node("s", "idle", "s")};
    struct org_health h = health_of(nodes, 4, "c");
    assert_int_equal(h.verdict, ORG_CYCLE);
    assert_int_equal(h.length, 3);
    assert_int_equal(h.invalid_count, 1);
    assert_string_equal(h.invalid[0].id, "b");
    assert_string_equal(h.invalid[0].status, "cycle");
    h = health_of(nodes, 4, "s");
    assert_int_equal(h.verdict, ORG_CYCLE);
    assert_int_equal(h.length, 1);
}

static void warns_of_a_paused_manager_only_whom_it_concerns(void **state)
{
    (void)state;
    const struct org_node nodes[] = {node("a", "paused", NULL), node("b", "error", "a"), node("c", "paused", "b")};
    struct org_health h = health_of(nodes, 3, "b");
    assert_int_equal(h.verdict, ORG_HEALTHY);
    assert_int_equal(h.paused_count, 1);
    assert_string_equal(h.paused[0].id, "a");
    assert_non_null(h.escalation_warning);
    h = health_of(nodes, 3, "c"); /* it cannot run itself */
    assert_null(h.escalation_warning);
    h = health_of(nodes, 3, "a"); /* oneself is no ancestor */
    assert_int_equal(h.paused_count, 0);
}

static void sees_a_circle_before_it_is_closed(void **state)
{
    (void)state;
    const struct org_node nodes[] = {node("a", "idle", NULL), node("b", "idle", "a"), node("c", "idle", "b"),
                                     node("x", "idle", "y"), node("y", "idle", "x")};
    org_init(&arena, &org, nodes, 5);
    assert_true(org_would_cycle(&org, 0, 2));
    assert_true(org_would_cycle(&org, 0, 0));
    assert_false(org_would_cycle(&org, 2, 0));
    assert_false(org_would_cycle(&org, 0, 3)); /* a circle elsewhere ends the walk, and is not ours */
}

static void every_agent_has_its_place_in_the_forest(void **state)
{
    (void)state;
    const struct org_node nodes[] = {node("p", "idle", "r"), node("q", "idle", "p"),    node("r", "idle", "q"),
                                     node("s", "idle", "r"), node("t", "idle", "gone"), node("u", "idle", "t")};
    org_init(&arena, &org, nodes, 6);
    const int *parent = org_forest(&arena, &org);
    assert_int_equal(parent[0], -1); /* the oldest of the circle p → r → q → p */
    assert_int_equal(parent[1], 0);
    assert_int_equal(parent[2], 1);
    assert_int_equal(parent[3], 2);
    assert_int_equal(parent[4], -1);
    assert_int_equal(parent[5], 4);
}

static void a_very_deep_branch_becomes_a_tree_of_its_own(void **state)
{
    (void)state;
    enum { N = 1000 };
    struct org_node *nodes = arena_array(&arena, struct org_node, N);
    for (int i = 0; i < N; i++) nodes[i] = node(arena_printf(&arena, "%04d", i), "idle", i ? nodes[i - 1].id : NULL);
    org_init(&arena, &org, nodes, N);
    const int *parent = org_forest(&arena, &org);
    int deepest = 0, roots = 0;
    for (int i = 0; i < N; i++) {
        int depth = 1;
        for (int at = i; parent[at] >= 0; at = parent[at]) depth++;
        deepest = depth > deepest ? depth : deepest;
        roots += parent[i] < 0;
    }
    assert_int_equal(deepest, ORG_DEPTH_MAX);
    assert_int_equal(roots, (N + ORG_DEPTH_MAX - 1) / ORG_DEPTH_MAX);
    assert_int_equal(org_health(&arena, &org, N - 1).length, N);
}

static void status_decides_who_runs_and_who_is_given_work(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        int invokable, assignable;
    } cases[] = {{"active", 1, 1},           {"idle", 1, 1},      {"running", 1, 1}, {"error", 1, 1}, {"paused", 0, 1},
                 {"pending_approval", 0, 0}, {"terminated", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(agent_status_invokable(cases[i].status), cases[i].invokable);
        assert_int_equal(agent_status_assignable(cases[i].status), cases[i].assignable);
    }
}

static void moves_by_the_table(void **state)
{
    (void)state;
    const char *why;
    assert_string_equal(agent_transition(AGENT_PAUSE, "running", &why), "paused");
    assert_null(agent_transition(AGENT_PAUSE, "terminated", &why));
    assert_string_equal(why, "Cannot pause terminated agent");
    assert_string_equal(agent_transition(AGENT_RESUME, "paused", &why), "idle");
    assert_string_equal(agent_transition(AGENT_RESUME, "running", &why), "running");
    assert_null(agent_transition(AGENT_RESUME, "pending_approval", &why));
    assert_string_equal(agent_transition(AGENT_CLEAR_ERROR, "error", &why), "idle");
    assert_null(agent_transition(AGENT_CLEAR_ERROR, "idle", &why));
    assert_null(agent_transition(AGENT_APPROVE, "idle", &why));
    assert_string_equal(agent_transition(AGENT_TERMINATE, "pending_approval", &why), "terminated");
    assert_null(agent_status_write_refusal("idle", "error"));
    assert_null(agent_status_write_refusal("pending_approval", "terminated"));
    assert_non_null(agent_status_write_refusal("pending_approval", "idle"));
    assert_non_null(agent_status_write_refusal("terminated", "idle"));
    assert_null(agent_status_write_refusal("terminated", "terminated"));
}

UNIT_MAIN(NULL, cmocka_unit_test(is_healthy_up_to_the_top), cmocka_unit_test(names_a_missing_manager_and_stops_there),
          cmocka_unit_test(walks_on_past_a_terminated_ancestor), cmocka_unit_test(the_first_invalid_ancestor_decides),
          cmocka_unit_test(ends_in_a_circle_once), cmocka_unit_test(warns_of_a_paused_manager_only_whom_it_concerns),
          cmocka_unit_test(sees_a_circle_before_it_is_closed),
          cmocka_unit_test(every_agent_has_its_place_in_the_forest),
          cmocka_unit_test(a_very_deep_branch_becomes_a_tree_of_its_own),
          cmocka_unit_test(status_decides_who_runs_and_who_is_given_work), cmocka_unit_test(moves_by_the_table))

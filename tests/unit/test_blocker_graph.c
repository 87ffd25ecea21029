/* blocker_graph: what a blocked issue waits for. */
#include "unit.h"

#include "rules/blocker_graph.h"

#include <string.h>

/* Node 0 is the blocked issue; its edges are the first ones. */
static struct blocker_verdict judge(struct blocker_node *nodes, int n, const struct blocker_edge *edges)
{
    struct blocker_graph g = {.nodes = nodes, .edges = edges, .node_count = n};
    return blocker_judge(&g, 0);
}

static void one_blocker(struct blocker_node leaf, const char *state, const char *reason)
{
    struct blocker_node nodes[] = {{.status = "blocked", .first = 0, .count = 1}, leaf};
    const struct blocker_edge edges[] = {{1, false}};
    struct blocker_verdict v = judge(nodes, 2, edges);
    assert_string_equal(v.state, state);
    assert_string_equal(v.reason, reason);
    assert_int_equal(v.unresolved, 1);
    assert_int_equal(v.covered + v.stalled + v.attention, 1);
    assert_int_equal(v.direct, 1);
    assert_int_equal(v.terminal, 1);
    assert_int_equal(v.live, leaf.live);
}

static void test_leaves(void **state)
{
    (void)state;
    one_blocker((struct blocker_node){.status = "backlog"}, "needs_attention", "attention_required");
    one_blocker((struct blocker_node){.status = "backlog", .live = true}, "needs_attention", "attention_required");
    one_blocker((struct blocker_node){.status = "cancelled"}, "needs_attention", "attention_required");
    one_blocker((struct blocker_node){.status = "todo"}, "needs_attention", "attention_required");
    one_blocker((struct blocker_node){.status = "todo", .agent_owned = true}, "needs_attention", "attention_required");
    one_blocker((struct blocker_node){.status = "todo", .agent_owned = true, .live = true}, "covered",
                "active_dependency");
    one_blocker((struct blocker_node){.status = "in_progress", .user_owned = true}, "covered", "active_dependency");
    one_blocker((struct blocker_node){.status = "in_review", .agent_owned = true}, "stalled", "stalled_review");
    one_blocker((struct blocker_node){.status = "in_review", .user_owned = true}, "covered", "active_dependency");
    one_blocker((struct blocker_node){.status = "blocked"}, "needs_attention", "attention_required");
}

static void test_nothing_in_the_way(void **state)
{
    (void)state;
    struct blocker_node nodes[] = {{.status = "blocked"}};
    struct blocker_verdict v = judge(nodes, 1, NULL);
    assert_string_equal(v.state, "none");
    assert_null(v.reason);
    assert_int_equal(v.direct, -1);
}

static void test_the_worst_leaf_decides(void **state)
{
    (void)state;
    /* 0 ← 1 (running), 0 ← 2 ← 3 (parked), 0 ← 4 (stalled review) */
    struct blocker_node nodes[] = {
        {.status = "blocked", .first = 0, .count = 3}, {.status = "in_progress", .live = true, .agent_owned = true},
        {.status = "blocked", .first = 3, .count = 1}, {.status = "backlog"},
        {.status = "in_review", .agent_owned = true},
    };
    const struct blocker_edge edges[] = {{1, false}, {2, false}, {4, true}, {3, false}};
    struct blocker_verdict v = judge(nodes, 5, edges);
    assert_string_equal(v.state, "needs_attention");
    assert_int_equal(v.direct, 2);
    assert_int_equal(v.terminal, 3);
    assert_int_equal(v.covered, 1);
    assert_int_equal(v.stalled, 1);
    assert_int_equal(v.attention, 1);
    assert_int_equal(v.stalled_sample, 4);
    assert_true(v.live);
}

static void test_only_children_at_work(void **state)
{
    (void)state;
    struct blocker_node nodes[] = {{.status = "blocked", .first = 0, .count = 1},
                                   {.status = "in_progress", .live = true}};
    const struct blocker_edge edges[] = {{1, true}};
    assert_string_equal(judge(nodes, 2, edges).reason, "active_child");
}

static void test_loops_end(void **state)
{
    (void)state;
    /* 0 ← 1 ← 2 ← 1: nobody moves it */
    struct blocker_node nodes[] = {
        {.status = "blocked", .first = 0, .count = 1},
        {.status = "blocked", .first = 1, .count = 1},
        {.status = "blocked", .first = 2, .count = 1},
    };
    const struct blocker_edge edges[] = {{1, false}, {2, false}, {1, false}};
    assert_string_equal(judge(nodes, 3, edges).state, "needs_attention");
    int out[4];
    struct blocker_graph g = {.nodes = nodes, .edges = edges, .node_count = 3};
    assert_int_equal(blocker_leaves(&g, 0, out, 4), 0);
}

static void test_a_dense_graph_is_judged_in_bounded_time(void **state)
{
    (void)state;
    /* 7 layers of 12, each blocked by the whole next layer: 12^7 paths */
    enum { LAYERS = 7, WIDTH = 12 };
    static struct blocker_node nodes[1 + LAYERS * WIDTH];
    static struct blocker_edge edges[WIDTH + (LAYERS - 1) * WIDTH * WIDTH];
    int e = 0;
    nodes[0] = (struct blocker_node){.status = "blocked", .first = 0, .count = WIDTH};
    for (int i = 0; i < WIDTH; i++) edges[e++] = (struct blocker_edge){1 + i, false};
    for (int l = 0; l < LAYERS; l++)
        for (int i = 0; i < WIDTH; i++) {
            struct blocker_node *n = &nodes[1 + l * WIDTH + i];
            *n = (struct blocker_node){
                .status = l + 1 < LAYERS ? "blocked" : "backlog", .first = e, .count = l + 1 < LAYERS ? WIDTH : 0};
            for (int k = 0; l + 1 < LAYERS && k < WIDTH; k++)
                edges[e++] = (struct blocker_edge){1 + (l + 1) * WIDTH + k, false};
        }
    struct blocker_verdict v = judge(nodes, 1 + LAYERS * WIDTH, edges);
    assert_string_equal(v.state, "needs_attention");
    assert_int_equal(v.unresolved, WIDTH);
}

static void test_ends_of_the_chains(void **state)
{
    (void)state;
    /* 0 ← 1 ← 3, 0 ← 2 ← 3, and 0's child 4, which is no blocker */
    struct blocker_node nodes[] = {
        {.status = "blocked", .first = 0, .count = 3},
        {.status = "blocked", .first = 3, .count = 1},
        {.status = "blocked", .first = 4, .count = 1},
        {.status = "todo"},
        {.status = "todo"},
    };
    const struct blocker_edge edges[] = {{1, false}, {2, false}, {4, true}, {3, false}, {3, false}};
    struct blocker_graph g = {.nodes = nodes, .edges = edges, .node_count = 5};
    int out[4];
    assert_int_equal(blocker_leaves(&g, 0, out, 4), 1);
    assert_int_equal(out[0], 3);
}

UNIT_MAIN(NULL, cmocka_unit_test(test_leaves), cmocka_unit_test(test_nothing_in_the_way),
          cmocka_unit_test(test_the_worst_leaf_decides), cmocka_unit_test(test_only_children_at_work),
          cmocka_unit_test(test_loops_end), cmocka_unit_test(test_a_dense_graph_is_judged_in_bounded_time),
          cmocka_unit_test(test_ends_of_the_chains))

/* Findings at the ends of chains of blockers (rules/graph_liveness, EX-111). */
#include "unit.h"

#include "rules/graph_liveness.h"

#include <string.h>

#define NOW (INT64_C(1000) * DAY_MS)
static struct arena arena;

static struct explain_node node(const char *status, bool agent)
{
    return (struct explain_node){.status = status,
                                 .agent_owned = agent,
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

/* nodes[0] is blocked by nodes[1], that by nodes[2] … */
static struct graph_verdict chain(struct explain_node *nodes, int n, const bool *participants)
{
    struct blocker_edge edges[4];
    for (int i = 0; i + 1 < n; i++) {
        nodes[i].first = i;
        nodes[i].count = 1;
        edges[i] = (struct blocker_edge){i + 1, false};
    }
    const struct explain_graph g = {.nodes = nodes, .edges = edges, .count = n};
    return graph_liveness_judge(&arena, &g, explain_judge(&arena, &g, NOW), participants, 0);
}

static void test_every_finding_at_the_end_of_a_chain(void **state)
{
    (void)state;
    struct explain_node terminated = node("todo", true);
    terminated.gate = "agent_terminated";
    struct explain_node paused = node("todo", true);
    paused.gate = "agent_paused";
    struct explain_node mine = node("backlog", false);
    mine.user_owned = true;
    struct explain_node live = node("in_progress", true);
    live.run_status = "running";
    const struct {
        struct explain_node leaf;
        enum graph_finding want;
    } cases[] = {
        {node("cancelled", true), GRAPH_BLOCKED_BY_CANCELLED},
        {node("backlog", true), GRAPH_BLOCKED_BY_BACKLOG},
        {node("backlog", false), GRAPH_BLOCKED_BY_UNASSIGNED},
        {node("todo", false), GRAPH_BLOCKED_BY_UNASSIGNED},
        {terminated, GRAPH_BLOCKED_BY_UNINVOKABLE},
        {node("in_review", true), GRAPH_REVIEW_WITHOUT_PATH},
        {paused, GRAPH_HEALTHY}, /* a pause is a decision (EX-107) */
        {mine, GRAPH_HEALTHY},   /* a person's own plan (P7) */
        {live, GRAPH_HEALTHY},
        {node("todo", true), GRAPH_HEALTHY}, /* dead, and the stranded pass's to mend */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct explain_node direct[] = {node("blocked", true), cases[i].leaf};
        struct graph_verdict v = chain(direct, 2, NULL);
        if (v.finding != cases[i].want) print_error("case %zu: %s\n", i, graph_finding_name(v.finding));
        assert_int_equal(v.finding, cases[i].want);
        assert_int_equal(v.leaf, v.finding == GRAPH_HEALTHY ? -1 : 1);
        struct explain_node deep[] = {node("blocked", true), node("blocked", true), cases[i].leaf};
        v = chain(deep, 3, NULL);
        assert_int_equal(v.finding, cases[i].want);
        assert_int_equal(v.leaf, v.finding == GRAPH_HEALTHY ? -1 : 2);
    }
}

/* One blocker is dead, one works, one is parked: the parked one is told. */
static void test_a_worse_blocker_does_not_hide_a_stalled_one(void **state)
{
    (void)state;
    struct explain_node nodes[] = {node("blocked", true), node("in_progress", true), node("in_progress", true),
                                   node("backlog", true)};
    static const struct blocker_edge edges[] = {{1, false}, {2, false}, {3, false}};
    nodes[0].count = 3;
    nodes[2].run_status = "running";
    const struct explain_graph g = {.nodes = nodes, .edges = edges, .count = 4};
    const struct explain_verdict *verdicts = explain_judge(&arena, &g, NOW);
    assert_int_equal(verdicts[1].state, EXPLAIN_DEAD);
    struct graph_verdict v = graph_liveness_judge(&arena, &g, verdicts, NULL, 0);
    assert_int_equal(v.finding, GRAPH_BLOCKED_BY_BACKLOG);
    assert_int_equal(v.leaf, 3);
    assert_int_equal(v.path_length, 2);
    nodes[0].run_status = "running";
    verdicts = explain_judge(&arena, &g, NOW);
    assert_int_equal(graph_liveness_judge(&arena, &g, verdicts, NULL, 0).finding, GRAPH_HEALTHY);
}

static void test_reviews_are_judged_by_themselves(void **state)
{
    (void)state;
    struct explain_node n[] = {node("in_review", true)};
    const bool participant[] = {true};
    assert_int_equal(chain(n, 1, NULL).finding, GRAPH_REVIEW_WITHOUT_PATH);
    assert_int_equal(chain(n, 1, NULL).leaf, 0);
    assert_int_equal(chain(n, 1, participant).finding, GRAPH_INVALID_REVIEW_PARTICIPANT);
    n[0].named[NAMED_PARTICIPANT] = (struct explain_path){true, MOVER_AGENT, NOW, INSTANT_NONE};
    assert_int_equal(chain(n, 1, participant).finding, GRAPH_HEALTHY);
    n[0] = node("in_review", false);
    n[0].user_owned = true;
    assert_int_equal(chain(n, 1, NULL).finding, GRAPH_HEALTHY);
}

static void test_only_blocked_and_reviewed_issues_have_findings(void **state)
{
    static const char *const others[] = {"backlog", "todo", "in_progress", "done", "cancelled"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct explain_node n[] = {node(others[i], true), node("cancelled", true)};
        assert_int_equal(chain(n, 2, NULL).finding, GRAPH_HEALTHY);
    }
    struct explain_node bare[] = {node("blocked", true)};
    assert_int_equal(chain(bare, 1, NULL).finding, GRAPH_HEALTHY);
    for (int f = GRAPH_BLOCKED_BY_CANCELLED; f < GRAPH_FINDINGS; f++)
        assert_non_null(graph_finding_action((enum graph_finding)f));
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
        cmocka_unit_test(test_every_finding_at_the_end_of_a_chain),
        cmocka_unit_test(test_a_worse_blocker_does_not_hide_a_stalled_one),
        cmocka_unit_test(test_reviews_are_judged_by_themselves),
        cmocka_unit_test(test_only_blocked_and_reviewed_issues_have_findings),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}

/* environment_choice: the whole truth table of WS §6. */
#include "rules/environment_choice.h"

#include "unit.h"

#include <string.h>

#define ABSENT   \
    {            \
        false, 0 \
    }
#define NUL     \
    {           \
        true, 0 \
    }
#define ID(x)   \
    {           \
        true, x \
    }

struct row {
    int n;
    struct environment_ref issue;
    bool inherited;
    struct environment_ref project;
    const char *agent;
    struct environment_ref workspace;
    const char *environment, *source;
    bool conflict;
};

static const struct row rows[] = {
    {1, ABSENT, false, ABSENT, NULL, ABSENT, "D", "default", false},
    {2, ABSENT, false, NUL, NULL, ABSENT, "D", "default", false},
    {3, ABSENT, false, ID("E2"), NULL, ABSENT, "D", "default", false},
    {4, ABSENT, false, ABSENT, "E1", ABSENT, "E1", "agent", false},
    {5, ABSENT, false, NUL, "E1", ABSENT, "D", "project", false},
    {6, ABSENT, false, ID("E2"), "E1", ABSENT, "E2", "project", false},
    {7, ID("E1"), false, ID("E2"), NULL, ABSENT, "E1", "issue", false},
    {8, ID("E1"), false, ID("E2"), "E2", ABSENT, "E1", "issue", false},
    {9, NUL, false, ID("E2"), "E1", ABSENT, "D", "issue", false},
    {10, ID("E1"), false, ABSENT, "E1", ID("E1"), "E1", "workspace", false},
    {10, ID("E1"), true, ID("E2"), "E1", ID("E1"), "E1", "workspace", false},
    {11, ABSENT, false, ABSENT, "E1", ID("D"), "E1", "agent", true},
    {12, ID("E1"), false, ID("E2"), "E1", ID("D"), "E1", "issue", true},
    {13, ID("E1"), true, ABSENT, NULL, ID("E1"), "D", "default", true},
    {13, ID("E1"), true, ID("E2"), NULL, ID("E1"), "D", "default", true},
    {14, ID("E1"), false, ID("E2"), NULL, ID("E1"), "E1", "workspace", false},
    {15, ID("E1"), false, ABSENT, NULL, ID("D"), "E1", "issue", true},
    {16, ABSENT, false, ABSENT, NULL, NUL, "D", "workspace", false},
    {16, ABSENT, false, ABSENT, NULL, ID("D"), "D", "workspace", false},
    {17, ABSENT, false, ABSENT, NULL, ID("E1"), "D", "default", true},
    {18, ABSENT, false, ABSENT, "E1", NUL, "E1", "agent", true},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        struct environment_verdict v = environment_choose(&(struct environment_facts){.issue = r->issue,
                                                                                      .issue_inherited = r->inherited,
                                                                                      .project = r->project,
                                                                                      .agent = r->agent,
                                                                                      .fallback = "D",
                                                                                      .workspace = r->workspace});
        if (strcmp(v.environment_id, r->environment) || strcmp(v.source, r->source) || v.conflict != r->conflict)
            fail_msg("row %d: %s by %s, conflict %d", r->n, v.environment_id, v.source, v.conflict);
    }
}

/* A conflict names both sides: the run must say why it does not go where the work lies. */
static void test_conflict_names_both(void **state)
{
    (void)state;
    struct environment_verdict v =
        environment_choose(&(struct environment_facts){.agent = "E1", .fallback = "D", .workspace = NUL});
    assert_true(v.conflict);
    assert_string_equal(v.workspace_environment_id, "D");
    assert_string_equal(v.environment_id, "E1");
    assert_string_equal(v.intended_source, "agent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_conflict_names_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* issue_access: every case of who may write an issue. */
#include "unit.h"

#include "rules/issue_access.h"

#include <string.h>

static enum access decide(enum access_class c, struct access_facts f) { return access_decide(c, &f); }

static void test_the_board_may_always(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 32; bits++) {
        struct access_facts f = {.board = true,
                                 .has_run = bits & 1,
                                 .agent_owned = bits & 2,
                                 .own = bits & 4,
                                 .in_progress = bits & 8,
                                 .manages = bits & 16};
        assert_int_equal(decide(ACCESS_MUTATE, f), ACCESS_ALLOWED);
        assert_int_equal(decide(ACCESS_OPEN, f), ACCESS_ALLOWED);
    }
}

static void test_agents_case_by_case(void **state)
{
    (void)state;
    static const struct {
        struct access_facts f;
        enum access mutate, open;
    } cases[] = {
        {{.agent_owned = false}, ACCESS_ALLOWED, ACCESS_ALLOWED},
        {{.agent_owned = false, .in_progress = true}, ACCESS_ALLOWED, ACCESS_ALLOWED}, /* a person's work */
        {{.agent_owned = true, .own = true}, ACCESS_ALLOWED, ACCESS_ALLOWED},
        {{.agent_owned = true, .own = true, .in_progress = true}, ACCESS_NO_RUN, ACCESS_NO_RUN},
        {{.agent_owned = true, .own = true, .in_progress = true, .has_run = true}, ACCESS_CHECKOUT, ACCESS_CHECKOUT},
        {{.agent_owned = true}, ACCESS_NOT_OWNER, ACCESS_ALLOWED},
        {{.agent_owned = true, .in_progress = true}, ACCESS_RUN_LOCK, ACCESS_RUN_LOCK},
        {{.agent_owned = true, .in_progress = true, .manages = true}, ACCESS_ALLOWED, ACCESS_ALLOWED},
        {{.agent_owned = true, .manages = true}, ACCESS_ALLOWED, ACCESS_ALLOWED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decide(ACCESS_MUTATE, cases[i].f), cases[i].mutate);
        assert_int_equal(decide(ACCESS_OPEN, cases[i].f), cases[i].open);
    }
}

static void test_open_never_allows_less_than_mutate(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 64; bits++) {
        struct access_facts f = {.board = bits & 1,
                                 .has_run = bits & 2,
                                 .agent_owned = bits & 4,
                                 .own = bits & 8,
                                 .in_progress = bits & 16,
                                 .manages = bits & 32};
        if (decide(ACCESS_MUTATE, f) == ACCESS_ALLOWED) assert_int_equal(decide(ACCESS_OPEN, f), ACCESS_ALLOWED);
        /* nobody writes work in progress that is not theirs without a title to it */
        bool stranger = !f.board && f.agent_owned && !f.own && f.in_progress && !f.manages;
        if (stranger) assert_int_equal(decide(ACCESS_OPEN, f), ACCESS_RUN_LOCK);
    }
}

static void test_a_refusal_has_four_parts(void **state)
{
    (void)state;
    const enum access refusals[] = {ACCESS_RUN_LOCK, ACCESS_NOT_OWNER};
    for (int i = 0; i < 2; i++) {
        const struct access_denial *d = access_denial(refusals[i]);
        assert_true(strlen(d->title) && strlen(d->boundary) && strlen(d->who_can_act) && strlen(d->sanctioned_path));
    }
    assert_null(access_denial(ACCESS_ALLOWED));
    assert_string_equal(access_denial(ACCESS_RUN_LOCK)->code, "issue_write_assignee_run_lock");
}

static void test_reasons(void **state)
{
    (void)state;
    assert_string_equal(access_reason(&(struct access_facts){.board = true, .own = true}), "allow_board");
    assert_string_equal(access_reason(&(struct access_facts){.own = true}), "allow_self");
    assert_string_equal(access_reason(&(struct access_facts){.agent_owned = true}), "allow_visible_issue_write");
}

UNIT_MAIN(NULL, cmocka_unit_test(test_the_board_may_always), cmocka_unit_test(test_agents_case_by_case),
          cmocka_unit_test(test_open_never_allows_less_than_mutate), cmocka_unit_test(test_a_refusal_has_four_parts),
          cmocka_unit_test(test_reasons))

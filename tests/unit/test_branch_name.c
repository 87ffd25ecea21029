/* branch_name: templates become names git takes (WS-57). */
#include "rules/branch_name.h"

#include "unit.h"

#include <string.h>

static struct arena a;
static const struct branch_vars login = {.issue_id = "I1",
                                         .issue_identifier = "WSP-1",
                                         .issue_title = "Fix the Login, page!",
                                         .agent_name = "Ada Lovelace",
                                         .repo_ref = "main"};

static const char *titled(const char *title)
{
    struct branch_vars v = login;
    v.issue_title = title;
    return branch_render(&a, NULL, &v);
}

static void test_default_template(void **state)
{
    (void)state;
    assert_string_equal(branch_render(&a, NULL, &login), "WSP-1-fix-the-login-page");
    assert_string_equal(branch_render(&a, "  ", &login), "WSP-1-fix-the-login-page");
}

static void test_variables(void **state)
{
    (void)state;
    assert_string_equal(branch_render(&a, "{{ agent.name }}/{{issue.identifier}}", &login), "Ada-Lovelace/WSP-1");
    assert_string_equal(branch_render(&a, "from-{{workspace.repoRef}}-{{nonsense}}x", &login), "from-main-x");
    assert_string_equal(branch_render(&a, "{{broken", &login), "broken");
}

/* Titles are written by anybody. */
static void test_odd_titles(void **state)
{
    (void)state;
    assert_string_equal(titled("Grüße — an alle"), "WSP-1-gr-e-an-alle");
    assert_string_equal(titled("日本語"), "WSP-1-wsp-1");
    assert_string_equal(titled("--force; rm -rf /"), "WSP-1-force-rm-rf");
    assert_string_equal(titled("../../etc/passwd"), "WSP-1-etc-passwd");
    assert_string_equal(titled("x.lock"), "WSP-1-x-lock");
}

static void test_length(void **state)
{
    (void)state;
    char title[400];
    memset(title, 'a', sizeof title - 1);
    title[sizeof title - 1] = 0;
    title[113] = '-'; /* where the cut comes */
    const char *name = titled(title);
    assert_true(strlen(name) <= 120);
    assert_true(branch_valid(name));
    const char *longer = branch_with_suffix(&a, name, "WSP-1234");
    assert_true(strlen(longer) <= 120);
    assert_non_null(strstr(longer, "-WSP-1234"));
}

/* What git itself refuses must not reach it. */
static void test_invalid(void **state)
{
    (void)state;
    static const char *const bad[] = {"a..b", "x.lock", "x.lock/y", "a/.b", "HEAD", "a//b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(branch_valid(bad[i]));
        assert_null(branch_render(&a, bad[i], &login));
    }
    assert_string_equal(branch_render(&a, "...", &login), "paperclip-work");
    assert_string_equal(branch_render(&a, "a@{b", &login), "a-b");
    assert_string_equal(branch_render(&a, "-x.", &login), "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_template), cmocka_unit_test(test_variables), cmocka_unit_test(test_odd_titles),
        cmocka_unit_test(test_length),           cmocka_unit_test(test_invalid),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&a);
    return rc;
}

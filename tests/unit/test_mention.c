/* mention: agents and issues named in markdown. */
#include "unit.h"

#include "rules/mention.h"

#include <stdio.h>
#include <string.h>

static struct arena a;
#define ID_A "00000000-0000-7000-8000-00000000000a"
#define ID_B "00000000-0000-7000-8000-00000000000b"
#define ID_C "00000000-0000-7000-8000-00000000000c"
static const struct mention_agent agents[] = {
    {ID_A, "Ada", "ada"},
    {ID_B, "Ada Lovelace", "ada-lovelace"},
    {ID_C, "Grace", "grace"},
};

/* Which of the three are named: "A", "BC" … */
static const char *named(const char *text)
{
    static char out[4];
    bool hit[3] = {false};
    size_t n = 0;
    mention_scan(&a, text, agents, 3, hit);
    for (int i = 0; i < 3; i++)
        if (hit[i]) out[n++] = (char)('A' + i);
    out[n] = 0;
    return out;
}

static void test_agents(void **state)
{
    (void)state;
    assert_string_equal(named("[x](agent://" ID_A ")"), "A");
    assert_string_equal(named("[x](agent://" ID_B "?i=crown) and @grace!"), "BC");
    assert_string_equal(named("[x](agent://" ID_A "0)"), "");
    assert_string_equal(named("agent://" ID_A), "");
    assert_string_equal(named("@ada"), "A");
    assert_string_equal(named("(@ADA, please)"), "A");
    assert_string_equal(named("@Ada Lovelace: see"), "B");
    assert_string_equal(named("@ada-lovelace"), "B");
    assert_string_equal(named("@ada-l"), "");
    assert_string_equal(named("@adam"), "");
    assert_string_equal(named("mail@ada.org, x@grace"), "");
    assert_string_equal(named("`@ada` and ``x ` @grace``"), "");
    assert_string_equal(named("```\n@ada\n```\n@grace"), "C");
    assert_string_equal(named("~~~sh\n@ada\n```\n@grace\n~~~"), "");
    assert_string_equal(named("```\n@ada, never closed"), "");
    assert_string_equal(named("a ` alone @ada"), "A");
    assert_string_equal(named(""), "");
    assert_string_equal(named("@"), "");
}

static void test_one_name_for_two_names_nobody(void **state)
{
    (void)state;
    static const struct mention_agent twins[] = {{ID_A, "Sam", "sam"}, {ID_B, "Sam", "sam-2"}};
    bool hit[2] = {false};
    mention_scan(&a, "@Sam and @sam-2", twins, 2, hit);
    assert_false(hit[0]);
    assert_true(hit[1]);
}

static void issues_are(const char *text, const char *want)
{
    struct issue_mention found[ISSUE_MENTIONS_MAX];
    char got[512] = "";
    int n = mention_issues(&a, text, found);
    for (int i = 0; i < n; i++) {
        strcat(got, i ? " " : "");
        strcat(got, found[i].identifier);
        if (found[i].count > 1) strcat(got, "*");
    }
    assert_string_equal(got, want);
}

static void test_issues(void **state)
{
    (void)state;
    issues_are("see ISS-1, iss-2 and (Iss-1)", "ISS-1* ISS-2");
    issues_are("/ISS/issues/ISS-7 http://h/issues/iss-8?x", "ISS-7 ISS-8");
    issues_are("xISS-1x ISS-1x ISS-1-2 A-1-b", "");
    issues_are("`ISS-1`\n```\nISS-2\n```\nISS-3.", "ISS-3");
    issues_are("ISS-123456789012 utf-8", "UTF-8");
    issues_are("ünISS-4 ISS-5ü", "");
    issues_are("no dash", "");
    issues_are("-1 --2 A-", "");
    assert_int_equal(mention_issues(&a, NULL, (struct issue_mention[ISSUE_MENTIONS_MAX]){{0}}), 0);
}

static void test_many_issues_stop_at_the_limit(void **state)
{
    (void)state;
    char text[4096] = "";
    struct issue_mention found[ISSUE_MENTIONS_MAX];
    for (int i = 0; i < 200; i++) sprintf(text + strlen(text), "A-%d ", i);
    assert_int_equal(mention_issues(&a, text, found), ISSUE_MENTIONS_MAX);
}

static void test_code_is_blanked_in_place(void **state)
{
    (void)state;
    assert_string_equal(markdown_outside_code(&a, "a `b` c\n```\nd\n```\ne"), "a     c\n   \n \n   \ne");
}

static void test_title_keys(void **state)
{
    (void)state;
    assert_string_equal(title_key(&a, "  Write \t the\nReport "), "write the report");
    assert_string_equal(title_key(&a, ""), "");
    assert_string_equal(title_key(&a, " "), "");
}

UNIT_MAIN(NULL, cmocka_unit_test(test_agents), cmocka_unit_test(test_one_name_for_two_names_nobody),
          cmocka_unit_test(test_issues), cmocka_unit_test(test_many_issues_stop_at_the_limit),
          cmocka_unit_test(test_code_is_blanked_in_place), cmocka_unit_test(test_title_keys))

/* shortname: url keys (AR-6). */
#include "unit.h"

#include "rules/shortname.h"

static void makes_url_keys(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    static const char *const cases[][2] = {
        {"Rex", "rex"},
        {"  Two Words  ", "two-words"},
        {"CEO/Founder (acting)", "ceo-founder-acting"},
        {"a--b__c", "a-b-c"},
        {"-x-", "x"},
        {"Agent 007", "agent-007"},
        {"na\xc3\xafve", "na-ve"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(shortname(&a, cases[i][0]), cases[i][1]);
    assert_null(shortname(&a, ""));
    assert_null(shortname(&a, " -- "));
    assert_null(shortname(&a, "\xe7\x8a\xac"));
}

UNIT_MAIN(NULL, cmocka_unit_test(makes_url_keys))

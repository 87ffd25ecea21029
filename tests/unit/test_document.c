/* document: keys and writes (IS-102, IS-104). */
#include "rules/document.h"
#include "unit.h"

#include <string.h>

static void keys(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    char longest[DOCUMENT_KEY_MAX + 2];
    assert_string_equal(document_key(&a, "  Plan \n"), "plan");
    assert_string_equal(document_key(&a, "9-a_b"), "9-a_b");
    static const char *const bad[] = {"", " ", "-a", "_a", "a b", "a.b", "a/b", "\xc3\xa4", "a\x01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_null(document_key(&a, bad[i]));
    memset(longest, 'x', sizeof longest);
    longest[DOCUMENT_KEY_MAX] = 0;
    assert_non_null(document_key(&a, longest));
    longest[DOCUMENT_KEY_MAX] = 'x';
    longest[DOCUMENT_KEY_MAX + 1] = 0;
    assert_null(document_key(&a, longest));
    assert_true(document_key_system("continuation-summary"));
    assert_false(document_key_system("plan"));
}

static void writes(void **state)
{
    (void)state;
    assert_int_equal(document_judge(&(struct document_facts){0}), DOCUMENT_CREATE);
    assert_int_equal(document_judge(&(struct document_facts){.base_revision_id = "r"}), DOCUMENT_MISSING);
    struct document_facts f = {.exists = true, .latest_revision_id = "r"};
    assert_int_equal(document_judge(&f), DOCUMENT_NEEDS_BASE);
    f.base_revision_id = "q";
    assert_int_equal(document_judge(&f), DOCUMENT_STALE);
    f.base_revision_id = "r";
    assert_int_equal(document_judge(&f), DOCUMENT_UPDATE);
    f.locked = true;
    assert_int_equal(document_judge(&f), DOCUMENT_LOCKED);
    f.by_agent = true;
    assert_int_equal(document_judge(&f), DOCUMENT_REDIRECT);
    f.base_revision_id = NULL;
    assert_int_equal(document_judge(&f), DOCUMENT_REDIRECT);
}

UNIT_MAIN(NULL, cmocka_unit_test(keys), cmocka_unit_test(writes))

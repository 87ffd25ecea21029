/* project_key: url keys, repository names, folder names (WS-12, WS-15, WS-25). */
#include "unit.h"

#include "rules/project_key.h"

static struct arena arena;
static const char id[] = "0192f0c1-2345-7abc-8def-0123456789ab";

static void keys_of_plain_names_are_shortnames(void **state)
{
    (void)state;
    assert_string_equal(project_url_key(&arena, "Proj One", id), "proj-one");
    assert_string_equal(project_url_key(&arena, " A--b! ", id), "a-b");
}

static void other_letters_bring_a_piece_of_the_id(void **state)
{
    (void)state;
    assert_string_equal(project_url_key(&arena,
                                        "Gr\xc3\xb6\xc3\x9f"
                                        "e",
                                        id),
                        "gr-e-456789ab");
    assert_string_equal(project_url_key(&arena, "\xe6\xbc\xa2", id), "456789ab");
    assert_string_equal(project_url_key(&arena, "!!!", id), "456789ab");
}

static void repositories_are_called_by_their_last_segment(void **state)
{
    (void)state;
    assert_string_equal(repo_name(&arena, "https://example.org/team/tool.git"), "tool");
    assert_string_equal(repo_name(&arena, "https://example.org/team/tool/"), "tool");
    assert_string_equal(repo_name(&arena, "https://example.org/team/tool.git?x=/y#z"), "tool");
    assert_string_equal(repo_name(&arena, "git@example.org:tool.git"), "tool");
    assert_string_equal(repo_name(&arena, "file:///srv/git/a"), "a");
    assert_null(repo_name(&arena, "https://example.org"));
    assert_null(repo_name(&arena, NULL));
    assert_null(repo_name(&arena, ""));
}

static void folders_too(void **state)
{
    (void)state;
    assert_string_equal(folder_name(&arena, "/srv/repo//"), "repo");
    assert_null(folder_name(&arena, "/"));
    assert_null(folder_name(&arena, NULL));
}

UNIT_MAIN(NULL, cmocka_unit_test(keys_of_plain_names_are_shortnames),
          cmocka_unit_test(other_letters_bring_a_piece_of_the_id),
          cmocka_unit_test(repositories_are_called_by_their_last_segment), cmocka_unit_test(folders_too))

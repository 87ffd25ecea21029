/* tree_hold: what each mode does to each issue (EX-131…133, IS-126), and who passes a pause (EX-134). */
#include "unit.h"

#include "rules/tree_hold.h"

#include <string.h>

static const char *const STATUSES[] = {"backlog", "todo", "in_progress", "in_review", "blocked", "done", "cancelled"};
static bool closed(const char *s) { return !strcmp(s, "done") || !strcmp(s, "cancelled"); }

static void is_reason(const char *got, const char *want)
{
    if (want) assert_string_equal(got, want);
    else assert_null(got);
}

/* Every mode over every combination of facts, against the table of EX-133 written down anew. */
static void test_every_mode_over_every_fact(void **state)
{
    (void)state;
    for (int s = 0; s < 7; s++)
        for (int bits = 0; bits < 16; bits++) {
            const struct tree_member_facts f = {.status = STATUSES[s],
                                                .held = bits & 1,
                                                .held_inside = bits & 2,
                                                .cancelled_here = bits & 4,
                                                .touched_since = bits & 8};
            bool cancelled = !strcmp(f.status, "cancelled");
            is_reason(tree_skip_reason(TREE_PAUSE, &f), closed(f.status) ? "terminal_status"
                                                        : f.held         ? "already_held"
                                                                         : NULL);
            is_reason(tree_skip_reason(TREE_CANCEL, &f), closed(f.status) ? "terminal_status" : NULL);
            is_reason(tree_skip_reason(TREE_RESUME, &f), f.held_inside ? NULL : "not_held");
            is_reason(tree_skip_reason(TREE_RESTORE, &f),
                      !f.cancelled_here               ? (cancelled ? "not_cancelled_by_tree_control" : "not_cancelled")
                      : !cancelled || f.touched_since ? "changed_after_cancel"
                                                      : NULL);
        }
}

static void test_work_in_progress_is_restored_as_todo(void **state)
{
    (void)state;
    for (int s = 0; s < 7; s++)
        assert_string_equal(tree_restored_status(STATUSES[s]),
                            strcmp(STATUSES[s], "in_progress") ? STATUSES[s] : "todo");
}

static void test_modes_have_names(void **state)
{
    (void)state;
    for (int m = 0; TREE_MODES[m]; m++) assert_int_equal(tree_mode_of(TREE_MODES[m]), m);
    assert_int_equal(tree_mode_of("restore"), TREE_RESTORE);
    assert_true(tree_mode_stays(TREE_PAUSE) && tree_mode_stays(TREE_CANCEL));
    assert_false(tree_mode_stays(TREE_RESUME) || tree_mode_stays(TREE_RESTORE));
    assert_true(tree_mode_stops(TREE_PAUSE) && !tree_mode_stops(TREE_RESUME));
}

static void test_only_words_pass_a_pause(void **state)
{
    (void)state;
    static const char *const reasons[] = {"issue_commented", "issue_reopened_via_comment", "issue_comment_mentioned",
                                          "issue_assigned", "heartbeat_timer"};
    static const char *const sources[] = {"issue.comment", "issue.comment.reopen", "comment.mention", "issue.update",
                                          "manual"};
    for (int r = 0; r < 5; r++)
        for (int s = 0; s < 5; s++) assert_int_equal(tree_interaction_wake(reasons[r], sources[s]), r == s && r < 3);
    assert_false(tree_interaction_wake(NULL, "issue.comment"));
    assert_false(tree_interaction_wake("issue_commented", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_mode_over_every_fact),
        cmocka_unit_test(test_work_in_progress_is_restored_as_todo),
        cmocka_unit_test(test_modes_have_names),
        cmocka_unit_test(test_only_words_pass_a_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

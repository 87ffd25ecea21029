/* endings: what a finished run amounted to, what it owes, and when it is tried again (EX-61…75). */
#include "unit.h"

#include "base/arena.h"
#include "base/json.h"
#include "rules/disposition.h"
#include "rules/liveness.h"
#include "rules/phrases.h"
#include "rules/recovery_class.h"
#include "rules/retry_policy.h"

#include <string.h>

static struct arena arena;

/* ---- words ---- */

static void phrases_are_whole_words(void **state)
{
    (void)state;
    assert_true(phrase_in("Now I'll look", PHRASE_PLANNING));
    assert_true(phrase_in("we are BLOCKED ON the vendor.", PHRASE_BLOCKED));
    assert_false(phrase_in("unblocked once", PHRASE_BLOCKED));
    assert_false(phrase_in("planetary orbits", PHRASE_PLAN_TASK));
    assert_true(phrase_in("Write a plan", PHRASE_PLAN_TASK));
    assert_false(phrase_in(NULL, PHRASE_PLAN_TASK));
    assert_true(phrase_begins("  ** Let me see", PHRASE_NARRATION));
    assert_false(phrase_begins("Done. Let me know", PHRASE_NARRATION));
}

static void a_next_action_is_one_line_of_whole_characters(void **state)
{
    char text[1200] = "Next action: ";
    (void)state;
    assert_string_equal(phrase_next_action(&arena, "Did it.\nNext step: run the tests \nbye"), "run the tests");
    assert_string_equal(phrase_next_action(&arena, "Next steps:\n- fix the parser\n- rest"), "fix the parser");
    assert_string_equal(phrase_next_action(&arena, "I will add the index."), "I will add the index.");
    assert_null(phrase_next_action(&arena, "All done."));
    assert_null(phrase_next_action(&arena, "Next:"));
    for (int i = 0; i < 300; i++) strcat(text, "\xc3\xa4"); /* ä: two bytes */
    const char *next = phrase_next_action(&arena, text);
    assert_true(strlen(next) <= NEXT_ACTION_MAX && strlen(next) % 2 == 0);
}

static void words_count_only_without_traces(void **state)
{
    static const struct {
        struct liveness_facts f;
        const char *want;
    } cases[] = {
        {{.succeeded = true, .issue_status = "todo", .output = true, .text = "I will write the parser."}, "plan_only"},
        {{.succeeded = true, .issue_status = "todo", .output = true, .text = "Next: ask for approval"},
         "needs_followup"},
        {{.succeeded = true, .issue_status = "todo", .output = true, .text = "Next: run it", .evidence = 1},
         "advanced"},
        {{.succeeded = true, .output = true, .text = "The findings are …", .planning_task = true}, "advanced"},
        {{.succeeded = true, .output = true, .text = "Waiting for your answer", .evidence = 2}, "blocked"},
        {{.succeeded = true, .output = true, .text = "hello"}, "needs_followup"},
        {{.succeeded = true, .issue_status = "done", .output = true, .text = "I will rest"}, "completed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(liveness_classify(&arena, &cases[i].f).state, cases[i].want);
    struct liveness_facts f = {.succeeded = true, .output = true, .text = "x", .next_action = "do y"};
    assert_string_equal(liveness_classify(&arena, &f).next_action, "do y");
}

/* ---- what is owed ---- */

static struct comment_facts owing(void)
{
    return (struct comment_facts){.wake_reason = "issue_assigned",
                                  .has_issue = true,
                                  .issue_open = true,
                                  .succeeded = true,
                                  .holds_lock = true,
                                  .can_act = true};
}

static void a_comment_is_asked_for_once(void **state)
{
    struct comment_facts f = owing();
    (void)state;
    assert_string_equal(comment_status(&f), "retry_queued");
    f.commented = true;
    assert_string_equal(comment_status(&f), "satisfied");
    f = owing(), f.is_reminder = true, f.wake_reason = "missing_issue_comment";
    assert_string_equal(comment_status(&f), "retry_exhausted");
    f = owing(), f.spent = true;
    assert_string_equal(comment_status(&f), "retry_exhausted");
    bool *off[] = {&f.has_issue, &f.issue_open, &f.succeeded, &f.holds_lock, &f.can_act};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        f = owing(), *off[i] = false;
        assert_string_equal(comment_status(&f), "not_applicable");
    }
    f = owing(), f.skip = true;
    assert_string_equal(comment_status(&f), "not_applicable");
    f = owing(), f.comment_waits = true;
    assert_string_equal(comment_status(&f), "not_applicable");
    f = owing(), f.wake_reason = "issue_commented";
    assert_string_equal(comment_status(&f), "not_applicable");
}

static struct handoff_facts undecided(void)
{
    return (struct handoff_facts){.issue_status = "in_progress",
                                  .liveness_state = "advanced",
                                  .comment_status = "satisfied",
                                  .succeeded = true,
                                  .own_issue = true,
                                  .can_act = true,
                                  .agent_ready = true};
}

static void a_disposition_is_asked_for_once_and_then_decided(void **state)
{
    struct handoff_facts f = undecided();
    (void)state;
    assert_int_equal(handoff_decide(&f), HANDOFF_REQUIRED);
    f.corrective = true;
    assert_int_equal(handoff_decide(&f), HANDOFF_ESCALATE);
    f = undecided(), f.can_act = false, f.liveness_state = "empty_response";
    assert_int_equal(handoff_decide(&f), HANDOFF_ESCALATE);
    f = undecided(), f.spent = true;
    assert_int_equal(handoff_decide(&f), HANDOFF_ESCALATE);
    bool *on[] = {&f.recovery, &f.monitor_run, &f.by_comment, &f.has_stage, &f.plugin_managed, &f.routine, &f.has_path};
    for (size_t i = 0; i < sizeof on / sizeof *on; i++) {
        f = undecided(), *on[i] = true;
        assert_int_equal(handoff_decide(&f), HANDOFF_NONE);
    }
    bool *off[] = {&f.succeeded, &f.own_issue, &f.agent_ready};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        f = undecided(), *off[i] = false;
        assert_int_equal(handoff_decide(&f), HANDOFF_NONE);
    }
    const char *const states[] = {"plan_only", "empty_response", "failed"};
    for (size_t i = 0; i < 3; i++) {
        f = undecided(), f.liveness_state = states[i];
        assert_int_equal(handoff_decide(&f), HANDOFF_NONE);
    }
    const char *const comments[] = {"retry_queued", "retry_exhausted"};
    for (size_t i = 0; i < 2; i++) {
        f = undecided(), f.comment_status = comments[i];
        assert_int_equal(handoff_decide(&f), HANDOFF_NONE);
    }
    f = undecided(), f.issue_status = "in_review";
    assert_int_equal(handoff_decide(&f), HANDOFF_NONE);
}

/* ---- retries ---- */

static void each_failure_has_its_retry(void **state)
{
    static const struct {
        struct retry_facts f;
        enum retry_kind want;
    } cases[] = {
        {{.failed = true, .process_lost = true, .error_code = "process_lost"}, RETRY_PROCESS_LOST},
        {{.interrupted = true}, RETRY_PROCESS_LOST},
        {{.failed = true, .error_code = "adapter_failed"}, RETRY_NONE},
        {{.failed = true, .error_code = "adapter_failed", .error_family = "transient_upstream"}, RETRY_TRANSIENT},
        {{.failed = true, .error_code = "claude_transient_upstream"}, RETRY_TRANSIENT},
        {{.failed = true, .error_family = "provider_quota"}, RETRY_QUOTA},
        {{.failed = true, .error_code = "max_turns_exhausted"}, RETRY_MAX_TURNS},
        {{.failed = true, .error_code = "turn_limit_exhausted"}, RETRY_MAX_TURNS},
        {{.failed = true, .process_lost = true, .answers_interaction = true}, RETRY_INTERACTION},
        {{.failed = true, .error_code = "setup_failed", .answers_interaction = true}, RETRY_INTERACTION},
        {{.error_code = "max_turns_exhausted"}, RETRY_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_int_equal(retry_kind(&cases[i].f), cases[i].want);
}

static void delays_stay_in_their_bounds(void **state)
{
    static const int64_t minutes[] = {2, 10, 30, 120, 120};
    (void)state;
    for (int64_t n = 1; n <= 5; n++)
        for (uint32_t r = 0; r < 1000; r += 37) {
            int64_t base = minutes[n - 1] * MINUTE_MS, d = retry_transient_delay_ms(n, r);
            assert_true(d >= base * 3 / 4 && d <= base * 5 / 4);
        }
    assert_int_equal(retry_rearm_ms(0), 30 * SECOND_MS);
    assert_int_equal(retry_rearm_ms(10 * MINUTE_MS), 5 * MINUTE_MS);
    assert_int_equal(retry_rearm_ms(DAY_MS), 30 * MINUTE_MS);
    struct turn_policy p = turn_policy(NULL);
    assert_true(p.enabled && p.attempts_max == 2 && p.delay_ms == 1000);
    p = turn_policy("{\"heartbeat\":{\"maxTurnContinuation\":{\"enabled\":false,\"maxAttempts\":99,\"delayMs\":-3}}}");
    assert_true(!p.enabled && p.attempts_max == 10 && p.delay_ms == 0);
}

static void times_are_found_in_words(void **state)
{
    instant_t now, at;
    (void)state;
    assert_true(instant_parse("2026-11-27T14:00:00Z", &now));
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"usage limit reached, try again at 15:04", "2026-11-27T15:04:00.000Z"},
        {"Try again at 3:30 PM.", "2026-11-27T15:30:00.000Z"},
        {"try again at 1 pm UTC", "2026-11-28T13:00:00.000Z"},
        {"Your limit resets at 8am PST", "2026-11-27T16:00:00.000Z"},
        {"resets at 12am", "2026-11-28T00:00:00.000Z"},
        {"will reset at 4pm (Europe/Berlin)", "2026-11-27T15:00:00.000Z"},
        {"try again in 20 minutes", "2026-11-27T14:20:00.000Z"},
        {"retry after 90 s", "2026-11-27T14:01:30.000Z"},
        {"try again at 3", NULL},
        {"try again at 25:00", NULL},
        {"try again at 13 pm", NULL},
        {"try again later", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool found = retry_time_in(cases[i].text, now, &at);
        assert_int_equal(found, cases[i].want != NULL);
        if (found) assert_string_equal(instant_text(&arena, at), cases[i].want);
    }
}

static void failures_are_read_only_when_their_code_says_little(void **state)
{
    (void)state;
    assert_int_equal(failure_text("adapter_failed", "You have hit your usage limit."), FAILURE_QUOTA);
    assert_int_equal(failure_text("adapter_failed", "model not found: x"), FAILURE_CONFIGURATION);
    assert_int_equal(failure_text("adapter_failed", "segfault"), FAILURE_PLAIN);
    assert_int_equal(failure_text("process_lost", "usage limit"), FAILURE_PLAIN);
    assert_int_equal(failure_text("provider_quota", NULL), FAILURE_QUOTA);
}

static struct promotion_facts due(void)
{
    return (struct promotion_facts){.agent_found = true,
                                    .agent_invokable = true,
                                    .issue_scoped = true,
                                    .issue_found = true,
                                    .issue_status = "in_progress",
                                    .own = true,
                                    .holds_lock = true,
                                    .dependencies_ready = true};
}

static void is_gate(struct promotion_facts f, const char *want, bool again)
{
    bool rearm;
    const char *why = promotion_gate(&f, &rearm);
    if (want) assert_string_equal(why, want);
    else assert_null(why);
    assert_int_equal(rearm, again);
}

static void a_due_retry_starts_waits_or_ends(void **state)
{
    struct promotion_facts f = due();
    (void)state;
    is_gate(f, NULL, false);
    f.agent_invokable = false;
    is_gate(f, "agent_not_invokable", false);
    f.agent_paused = true;
    is_gate(f, "agent_paused", true);
    f.own = false;
    is_gate(f, "issue_reassigned", false);
    f = due(), f.budget_blocked = true;
    is_gate(f, "budget_blocked", true);
    f = due(), f.held = true;
    is_gate(f, "issue_paused", true);
    f = due(), f.dependencies_ready = false;
    is_gate(f, "issue_dependencies_blocked", true);
    f = due(), f.issue_status = "done";
    is_gate(f, "issue_terminal_status", false);
    f = due(), f.issue_status = "cancelled";
    is_gate(f, "issue_cancelled", false);
    f = due(), f.own = false, f.by_comment = true;
    is_gate(f, NULL, false);
    f = due(), f.max_turns = true, f.holds_lock = false;
    is_gate(f, "issue_execution_lock_changed", false);
    f = due(), f.max_turns = true, f.issue_status = "in_review";
    is_gate(f, "issue_not_in_progress", false);
    f = due(), f.stage_elsewhere = true;
    is_gate(f, "issue_review_participant_changed", false);
    f = due(), f.issue_found = false;
    is_gate(f, "issue_not_found", false);
    f = (struct promotion_facts){0};
    is_gate(f, "agent_not_found", false);
}

/* ---- the guard ---- */

static void the_guard_comes_and_goes_with_the_reason(void **state)
{
    (void)state;
    json_t *c = json_pack("{s:s}", "issueId", "i");
    assert_false(recovery_class_status_only(c));
    recovery_class_apply(c, "missing_issue_comment");
    assert_true(recovery_class_status_only(c));
    assert_string_equal(json_str(c, "modelProfile"), "cheap");
    recovery_class_apply(c, "process_lost_retry");
    assert_false(recovery_class_status_only(c));
    assert_int_equal(json_object_size(c), 1);
    json_object_set_new(c, "modelProfile", json_string("cheap")); /* somebody's own wish */
    recovery_class_apply(c, "process_lost_retry");
    assert_string_equal(json_str(c, "modelProfile"), "cheap");
}

static int set_up(void **state)
{
    (void)state;
    json_setup();
    json_arena(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phrases_are_whole_words),
        cmocka_unit_test(a_next_action_is_one_line_of_whole_characters),
        cmocka_unit_test(words_count_only_without_traces),
        cmocka_unit_test(a_comment_is_asked_for_once),
        cmocka_unit_test(a_disposition_is_asked_for_once_and_then_decided),
        cmocka_unit_test(each_failure_has_its_retry),
        cmocka_unit_test(delays_stay_in_their_bounds),
        cmocka_unit_test(times_are_found_in_words),
        cmocka_unit_test(failures_are_read_only_when_their_code_says_little),
        cmocka_unit_test(a_due_retry_starts_waits_or_ends),
        cmocka_unit_test(the_guard_comes_and_goes_with_the_reason),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

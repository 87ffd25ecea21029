/* issue_reopen and issue_wake: what a comment or a change sets going. */
#include "unit.h"

#include "base/text.h"
#include "rules/issue_reopen.h"
#include "rules/issue_status.h"
#include "rules/issue_wake.h"

static void test_reopening_over_all_facts(void **state)
{
    (void)state;
    for (const char *const *s = ISSUE_STATUSES; *s; s++)
        for (unsigned bits = 0; bits < 512; bits++) {
            struct reopen_facts f = {.status = *s,
                                     .by_user = bits & 1,
                                     .by_assignee = bits & 2,
                                     .reopen = bits & 4,
                                     .resume = bits & 8,
                                     .agent_assigned = bits & 16,
                                     .by_lock_run = bits & 32,
                                     .adds_blockers = bits & 64,
                                     .blockers_open = (bits & 128) ? 1 : 0,
                                     .retry_scheduled = bits & 256};
            enum reopen v = reopen_decide(&f);
            bool closed = status_terminal(*s), blocked = text_is(*s, "blocked");
            /* nothing but closed, blocked or retrying work is ever moved */
            if (!closed && !blocked && v != REOPEN_NO)
                assert_true(v == REOPEN_RETRY && text_is(*s, "in_progress") && f.by_user && f.retry_scheduled);
            /* open blockers are never stepped over */
            if (blocked && f.blockers_open) assert_int_not_equal(v, REOPEN_TODO);
            /* nobody who did not ask, and is no person, reopens anything */
            if (!f.by_user && !f.reopen && !f.resume) assert_int_equal(v, REOPEN_NO);
            /* an agent's own words reopen its closed work only with resume (no self-wake loops) */
            if (closed && f.by_assignee && !f.resume) assert_int_equal(v, REOPEN_NO);
            if (v == REOPEN_REFUSED) assert_true(f.resume && blocked && f.blockers_open);
            /* a person's word on closed work of an agent counts */
            bool plain = f.by_user && !f.by_assignee && f.agent_assigned && !f.by_lock_run && !f.adds_blockers;
            if (closed && plain) assert_int_equal(v, REOPEN_TODO);
            if (blocked && plain && !f.blockers_open) assert_int_equal(v, REOPEN_TODO);
        }
}

static const char *wake(struct issue_wake_facts f) { return issue_wake_reason(&f); }

static void test_the_patch_table(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        bool by_user;
        const char *reason;
    } rows[] = {
        {"backlog", "todo", false, "issue_status_changed"},
        {"backlog", "in_progress", false, "issue_status_changed"},
        {"backlog", "done", false, NULL},
        {"blocked", "todo", false, "issue_status_changed"},
        {"blocked", "in_progress", true, NULL},
        {"done", "todo", false, "issue_status_changed"},
        {"cancelled", "todo", true, "issue_status_changed"},
        {"in_review", "todo", true, "issue_status_changed"},
        {"in_review", "todo", false, NULL},
        {"todo", "in_progress", true, NULL},
        {"todo", "todo", true, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct issue_wake_facts f = {.from = rows[i].from,
                                     .to = rows[i].to,
                                     .status_sent = true,
                                     .agent_assigned = true,
                                     .by_user = rows[i].by_user};
        const char *got = wake(f);
        assert_true(text_same(got, rows[i].reason));
        f.status_sent = false;
        assert_null(wake(f));
    }
}

static void test_assignment(void **state)
{
    (void)state;
    for (const char *const *s = ISSUE_STATUSES; *s; s++) {
        const char *got = wake((struct issue_wake_facts){.to = *s, .agent_assigned = true, .assignee_changed = true});
        bool quiet = text_is(*s, "backlog") || status_terminal(*s);
        assert_true(text_same(got, quiet ? NULL : "issue_assigned"));
        assert_null(wake((struct issue_wake_facts){.to = *s, .assignee_changed = true}));
    }
}

static void test_comments(void **state)
{
    (void)state;
    struct issue_wake_facts f = {.from = "todo", .to = "todo", .agent_assigned = true, .commented = true};
    assert_string_equal(wake(f), "issue_commented");
    f.by_assignee = true;
    assert_null(wake(f));
    f = (struct issue_wake_facts){
        .from = "done", .to = "todo", .agent_assigned = true, .commented = true, .reopened = true, .by_user = true};
    assert_string_equal(wake(f), "issue_reopened_via_comment");
    f = (struct issue_wake_facts){.from = "done", .to = "done", .agent_assigned = true, .commented = true};
    assert_null(wake(f));
    f = (struct issue_wake_facts){.from = "backlog", .to = "backlog", .agent_assigned = true, .commented = true};
    assert_null(wake(f));
    f.by_user = true;
    assert_string_equal(wake(f), "issue_commented");
    f.agent_assigned = false;
    assert_null(wake(f));
}

UNIT_MAIN(NULL, cmocka_unit_test(test_reopening_over_all_facts), cmocka_unit_test(test_the_patch_table),
          cmocka_unit_test(test_assignment), cmocka_unit_test(test_comments))

/* workspace_close: nothing unmerged or uncommitted goes by itself (WS-115…118, WS-124, WS-125). */
#include "rules/workspace_close.h"

#include "unit.h"

#include <string.h>

static struct arena a;
static const struct close_facts clean = {.readable = true, .base_ref = "main", .tree = {.git = true}};

static void test_ready(void **state)
{
    (void)state;
    struct close_verdict v = close_judge(&a, &clean);
    assert_string_equal(v.state, "ready");
    struct close_facts f = clean;
    f.tree.ahead = 1;
    v = close_judge(&a, &f);
    assert_string_equal(v.state, "ready_with_warnings");
    assert_string_equal(json_string_value(json_array_get(v.warnings, 0)),
                        "This workspace is 1 commit ahead of main and is not merged.");
    f.merged_via_pr = true;
    assert_string_equal(close_judge(&a, &f).state, "ready");
}

static void test_blocked(void **state)
{
    (void)state;
    struct close_facts f = clean;
    f.open_issues = 2;
    struct close_verdict v = close_judge(&a, &f);
    assert_string_equal(v.state, "blocked");
    assert_string_equal(json_string_value(json_array_get(v.blocking, 0)),
                        "This workspace is still linked to 2 open issues.");
    f = clean;
    f.tree.untracked = 1;
    assert_string_equal(close_judge(&a, &f).state, "blocked");
    f.force = true;
    assert_string_equal(close_judge(&a, &f).state, "ready_with_warnings");
    f.live_run = true; /* no force goes over a working agent */
    assert_string_equal(close_judge(&a, &f).state, "blocked");
}

static void test_shared(void **state)
{
    (void)state;
    struct close_facts f = clean;
    f.shared = true;
    f.open_issues = 1;
    f.tree.dirty = 5; /* the checkout is not ours */
    assert_string_equal(close_judge(&a, &f).state, "ready_with_warnings");
}

static const struct tree_facts merged = {.git = true};
static const struct retire_facts old = {.subtree_closed = true,
                                        .terminal_at = 0,
                                        .hold_until = INSTANT_NONE,
                                        .now = HOUR_MS,
                                        .retain_ms = HOUR_MS,
                                        .worktree = true,
                                        .tree = &merged};

static const char *waits(void (*change)(struct retire_facts *f, struct tree_facts *t))
{
    struct retire_facts f = old;
    struct tree_facts t = merged;
    f.tree = &t;
    change(&f, &t);
    return retire_waits_for(&f);
}
static void open_child(struct retire_facts *f, struct tree_facts *t) { f->subtree_closed = false, (void)t; }
static void too_soon(struct retire_facts *f, struct tree_facts *t) { f->now--, (void)t; }
static void held(struct retire_facts *f, struct tree_facts *t) { f->hold_until = f->now + 1, (void)t; }
static void gated(struct retire_facts *f, struct tree_facts *t) { f->pending_finalize = true, (void)t; }
static void dirty(struct retire_facts *f, struct tree_facts *t) { t->untracked = 1, (void)f; }
static void ahead(struct retire_facts *f, struct tree_facts *t) { t->ahead = 1, (void)f; }
static void unknown(struct retire_facts *f, struct tree_facts *t) { t->ahead = -1, (void)f; }

static void test_retire(void **state)
{
    (void)state;
    assert_null(retire_waits_for(&old));
    assert_string_equal(waits(open_child), "open_issues");
    assert_string_equal(waits(too_soon), "retention");
    assert_string_equal(waits(held), "held");
    assert_string_equal(waits(gated), "pending_finalize");
    assert_string_equal(waits(dirty), "uncommitted_work");
    assert_string_equal(waits(ahead), "unmerged_commits");
    assert_string_equal(waits(unknown), "unmerged_commits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ready), cmocka_unit_test(test_blocked),
                                       cmocka_unit_test(test_shared), cmocka_unit_test(test_retire)};
    json_setup();
    json_arena(&a);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    json_arena(NULL);
    arena_free(&a);
    return rc;
}

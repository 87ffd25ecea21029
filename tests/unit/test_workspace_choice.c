/* workspace_choice: who decides the mode, and the strategy (WS-30, WS-34, WS-35). */
#include "rules/workspace_choice.h"

#include "unit.h"

#include <string.h>

static struct arena a;

static struct workspace_choice choose(const char *policy, const char *settings, const char *agent)
{
    return workspace_choose(&(struct workspace_wish){.policy = policy ? json_read(policy) : NULL,
                                                     .settings = settings ? json_read(settings) : NULL,
                                                     .agent_strategy = agent ? json_read(agent) : NULL,
                                                     .isolated = true,
                                                     .default_mode = "isolated_workspace"});
}

static void test_default(void **state)
{
    (void)state;
    struct workspace_choice c = choose(NULL, NULL, NULL);
    assert_int_equal(c.mode, MODE_ISOLATED);
    assert_true(c.worktree && c.if_git); /* nobody asked: a plain folder stays usable */
    c = choose("{\"enabled\":false}", NULL, NULL);
    assert_int_equal(c.mode, MODE_SHARED);
    assert_false(c.worktree);
}

static void test_policy_and_issue(void **state)
{
    (void)state;
    const char *policy =
        "{\"enabled\":true,\"defaultMode\":\"isolated_workspace\",\"workspaceStrategy\":{\"type\":\"git_worktree\","
        "\"baseRef\":\"main\",\"branchTemplate\":\" \"}}";
    struct workspace_choice c = choose(policy, NULL, NULL);
    assert_int_equal(c.mode, MODE_ISOLATED);
    assert_true(c.worktree && !c.if_git);
    assert_string_equal(c.base_ref, "main");
    assert_null(c.branch_template);
    c = choose(policy, "{\"mode\":\"shared_workspace\"}", NULL);
    assert_int_equal(c.mode, MODE_SHARED);
    assert_false(c.worktree);
    c = choose(policy, "{\"mode\":\"inherit\",\"workspaceStrategy\":{\"type\":\"git_worktree\",\"baseRef\":\"dev\"}}",
               NULL);
    assert_string_equal(c.base_ref, "dev");
    c = choose("{\"enabled\":true}", NULL, "{\"type\":\"git_worktree\"}");
    assert_int_equal(c.mode, MODE_SHARED); /* missing mode; and a policy rules, so the agent's strategy does not */
    assert_false(c.worktree);
}

static void test_legacy_words(void **state)
{
    (void)state;
    assert_int_equal(choose("{\"enabled\":true,\"defaultMode\":\"isolated\"}", NULL, NULL).mode, MODE_ISOLATED);
    assert_int_equal(choose("{\"enabled\":true,\"defaultMode\":\"project_primary\"}", NULL, NULL).mode, MODE_SHARED);
    struct workspace_choice c = choose("{\"enabled\":true,\"defaultMode\":\"adapter_default\"}", NULL, NULL);
    assert_string_equal(workspace_mode_stored(c.mode), "adapter_managed");
}

/* WS §4.1 BETTER: a project that forbids overrides is obeyed, and the run says what it ignores. */
static void test_no_override(void **state)
{
    (void)state;
    struct workspace_choice c =
        choose("{\"enabled\":true,\"defaultMode\":\"isolated_workspace\",\"allowIssueOverride\":false}",
               "{\"mode\":\"shared_workspace\"}", NULL);
    assert_int_equal(c.mode, MODE_ISOLATED);
    assert_true(c.ignored);
}

static void test_agent_strategy(void **state)
{
    (void)state;
    struct workspace_choice c = choose("{\"enabled\":false}", NULL, "{\"type\":\"git_worktree\",\"baseRef\":\"x\"}");
    assert_true(c.worktree);
    assert_string_equal(c.base_ref, "x");
    assert_string_equal(c.why, "agent");
}

static void test_operator_branch(void **state)
{
    (void)state;
    struct workspace_choice c = choose(
        NULL,
        "{\"mode\":\"operator_branch\",\"workspaceStrategy\":{\"type\":\"project_primary\",\"branchTemplate\":\"rel\"}}",
        NULL);
    assert_true(c.worktree);
    assert_string_equal(c.branch_template, "rel");
}

static void test_switched_off(void **state)
{
    (void)state;
    struct workspace_choice c = workspace_choose(&(struct workspace_wish){
        .policy = json_read("{\"enabled\":true,\"defaultMode\":\"isolated_workspace\"}"), .isolated = false});
    assert_int_equal(c.mode, MODE_SHARED);
    assert_true(c.ignored && !c.worktree);
}

static void test_retain(void **state)
{
    (void)state;
    assert_int_equal(workspace_retain_minutes(json_read("{\"cleanupPolicy\":{\"retainMinutes\":5}}"), 60), 5);
    assert_int_equal(workspace_retain_minutes(NULL, 60), 60);
    assert_int_equal(workspace_retain_minutes(json_read("{\"cleanupPolicy\":{\"retainMinutes\":-1}}"), 60), 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),        cmocka_unit_test(test_policy_and_issue),
        cmocka_unit_test(test_legacy_words),   cmocka_unit_test(test_no_override),
        cmocka_unit_test(test_agent_strategy), cmocka_unit_test(test_operator_branch),
        cmocka_unit_test(test_switched_off),   cmocka_unit_test(test_retain),
    };
    json_setup();
    json_arena(&a);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    json_arena(NULL);
    arena_free(&a);
    return rc;
}

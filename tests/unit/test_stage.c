/* stage: every way through review and approval (EX-135…138, IS-87, IS-94…97). */
#include "unit.h"

#include "rules/stage.h"

#include <string.h>

static struct arena arena;
static int made;
static const char *make_id(struct arena *a) { return arena_printf(a, "id-%d", ++made); }

static const struct principal ME = {PRINCIPAL_AGENT, "worker"}, ADA = {PRINCIPAL_AGENT, "ada"},
                              BOB = {PRINCIPAL_AGENT, "bob"}, EVE = {PRINCIPAL_USER, "eve"},
                              BOSS = {PRINCIPAL_USER, "boss"}, NONE = {PRINCIPAL_NONE, NULL};

static struct execution_policy policy;

/* "review ada|bob, approval eve" */
static void given(const char *json)
{
    json_t *sent = NULL;
    assert_null(json_parse(&arena, json, strlen(json), &sent));
    execution_policy_read(&arena, execution_policy_normalise(&arena, sent, make_id), &policy);
}
#define REVIEW \
    "{\"id\":\"s1\",\"type\":\"review\",\"participants\":[{\"type\":\"agent\",\"agentId\":\"ada\"},{\"type\":\"agent\",\"agentId\":\"bob\"}]}"
#define APPROVAL "{\"id\":\"s2\",\"type\":\"approval\",\"participants\":[{\"type\":\"user\",\"userId\":\"eve\"}]}"
#define OWN "{\"id\":\"s3\",\"type\":\"review\",\"participants\":[{\"type\":\"agent\",\"agentId\":\"worker\"}]}"
#define TWO "{\"stages\":[" REVIEW "," APPROVAL "]}"

static struct stage_facts facts(const char *from, const char *to, struct principal actor)
{
    return (struct stage_facts){.policy = &policy,
                                .from = from,
                                .to = to,
                                .status_sent = strcmp(from, to) != 0,
                                .assignee = ME,
                                .asked = ME,
                                .actor = actor,
                                .board = actor.kind == PRINCIPAL_USER,
                                .has_comment = true,
                                .person = BOSS,
                                .decision_id = "d1"};
}

static struct stage_outcome decide(const struct stage_facts *f)
{
    struct stage_outcome out;
    stage_decide(f, &out);
    return out;
}

static void is_at(const struct stage_outcome *o, const char *status, struct principal who, const char *state,
                  const char *stage)
{
    assert_int_equal(o->verdict, STAGE_OK);
    assert_string_equal(o->status, status);
    assert_true(principal_same(o->assignee, who));
    if (state == NULL) assert_null(o->state);
    else assert_string_equal(json_str(o->state, "status"), state);
    if (stage) assert_string_equal(json_str(o->state, "currentStageId"), stage);
}

/* The state after the worker asked for `to`. */
static json_t *pending(const char *to)
{
    struct stage_facts f = facts("in_progress", to, ME);
    struct stage_outcome o = decide(&f);
    assert_int_equal(o.verdict, STAGE_OK);
    return o.state;
}

static struct stage_facts reviewing(json_t *state, const char *to, struct principal actor)
{
    struct stage_facts f = facts("in_review", to, actor);
    f.state = state;
    f.assignee = f.asked = principal_read(json_object_get(state, "currentParticipant"));
    return f;
}

static void test_policies_are_normalised(void **state)
{
    (void)state;
    json_t *sent = json_pack("{s:[{s:s, s:[{s:s, s:s}, {s:s, s:s}, {s:s}]}, {s:s, s:[]}], s:i}", "stages", "type",
                             "review", "participants", "type", "agent", "agentId", "a", "type", "agent", "agentId", "a",
                             "type", "user", "type", "approval", "participants", "maxReviewRounds", 5);
    made = 0;
    json_t *p = execution_policy_normalise(&arena, sent, make_id);
    assert_string_equal(
        json_text(&arena, p),
        "{\"mode\":\"normal\",\"commentRequired\":true,\"stages\":[{\"id\":\"id-2\",\"type\":\"review\",\"approvalsNeeded\":1,"
        "\"participants\":[{\"id\":\"id-1\",\"type\":\"agent\",\"agentId\":\"a\",\"userId\":null}]}],\"maxReviewRounds\":5}");
    assert_true(json_equal(p, execution_policy_normalise(&arena, p, make_id))); /* sent back, nothing is new */
    assert_null(execution_policy_normalise(
        &arena, json_pack("{s:s, s:[], s:i}", "mode", "auto", "stages", "maxReviewRounds", 4), make_id));
    assert_null(execution_policy_normalise(&arena, json_null(), make_id));
    p = execution_policy_normalise(&arena, json_pack("{s:{s:s}}", "monitor", "nextCheckAt", "t"), make_id);
    assert_string_equal(json_str(json_object_get(p, "monitor"), "nextCheckAt"), "t");
}

static void test_done_and_in_review_start_the_first_stage(void **state)
{
    (void)state;
    given(TWO);
    static const char *const asks[] = {"done", "in_review"};
    for (int i = 0; i < 2; i++) {
        struct stage_facts f = facts("in_progress", asks[i], ME);
        struct stage_outcome o = decide(&f);
        is_at(&o, "in_review", ADA, "pending", "s1");
        assert_int_equal(o.wake, STAGE_WAKE_PARTICIPANT);
        assert_null(o.decision);
        assert_true(principal_same(principal_read(json_object_get(o.state, "returnAssignee")), ME));
        assert_int_equal(json_int(o.state, "currentStageIndex", -1), 0);
    }
    struct stage_facts f = facts("in_progress", "todo", ME); /* anything else is left alone */
    struct stage_outcome o = decide(&f);
    is_at(&o, "todo", ME, NULL, NULL);
    f = facts("in_progress", "done", BOSS); /* the board, too, passes the stages */
    o = decide(&f);
    is_at(&o, "in_review", ADA, "pending", "s1");
    f = facts("done", "done", ME);
    f.status_sent = true;
    o = decide(&f);
    is_at(&o, "done", ME, NULL, NULL);
}

static void test_a_policy_without_stages_leaves_the_state_alone(void **state)
{
    (void)state;
    given("{\"monitor\":{\"nextCheckAt\":\"t\"}}");
    struct stage_facts f = facts("in_progress", "done", ME);
    struct stage_outcome o = decide(&f);
    is_at(&o, "done", ME, NULL, NULL);
    json_t *s = json_pack("{s:s, s:{s:s}}", "status", "idle", "monitor", "status", "scheduled");
    f.state = s;
    o = decide(&f);
    assert_ptr_equal(o.state, s);
}

static void test_an_explicit_assignee_is_preferred_and_the_worker_never_chosen(void **state)
{
    (void)state;
    given("{\"stages\":[" REVIEW "]}");
    struct stage_facts f = facts("in_progress", "in_review", ME);
    f.assignee_sent = true;
    f.asked = BOB;
    struct stage_outcome o = decide(&f);
    is_at(&o, "in_review", BOB, "pending", "s1");
    f.asked = EVE; /* not named by the stage */
    o = decide(&f);
    is_at(&o, "in_review", ADA, "pending", "s1");
    f.assignee = f.asked = ADA; /* the worker is one of the reviewers */
    o = decide(&f);
    is_at(&o, "in_review", BOB, "pending", "s1");
    policy.stages[0].participants[0].reach = REACH_LATER; /* who can act now goes first */
    f = facts("in_progress", "done", ME);
    o = decide(&f);
    is_at(&o, "in_review", BOB, "pending", "s1");
    policy.stages[0].participants[1].reach = REACH_NEVER;
    o = decide(&f);
    is_at(&o, "in_review", ADA, "pending", "s1");
    policy.stages[0].participants[0].reach = REACH_NEVER; /* all are gone: a person, not a trap */
    o = decide(&f);
    is_at(&o, "in_review", BOSS, "pending", "s1");
}

static void test_ones_own_review_is_skipped_on_done_only(void **state)
{
    (void)state;
    given("{\"stages\":[" OWN "]}");
    struct stage_facts f = facts("in_progress", "done", ME);
    struct stage_outcome o = decide(&f);
    is_at(&o, "done", ME, "completed", NULL);
    f = facts("in_progress", "in_review", ME);
    o = decide(&f);
    assert_int_equal(o.verdict, STAGE_NOBODY);
    assert_string_equal(stage_type(o.stage), "review");
    given("{\"stages\":[" OWN "," APPROVAL "]}");
    f = facts("in_progress", "done", ME);
    o = decide(&f);
    is_at(&o, "in_review", EVE, "pending", "s2");
    given("{\"stages\":[{\"type\":\"approval\",\"participants\":[{\"type\":\"agent\",\"agentId\":\"worker\"}]}]}");
    o = decide(&f);
    assert_int_equal(o.verdict, STAGE_NOBODY);
}

static void test_approvals_lead_through_the_stages_to_done(void **state)
{
    (void)state;
    given(TWO);
    struct stage_facts f = reviewing(pending("done"), "done", ADA);
    f.has_comment = false;
    struct stage_outcome o = decide(&f);
    assert_int_equal(o.verdict, STAGE_NEEDS_COMMENT);
    f.has_comment = true;
    o = decide(&f);
    is_at(&o, "in_review", EVE, "pending", "s2");
    assert_string_equal(o.decision, "approved");
    assert_string_equal(o.decided->id, "s1");
    assert_string_equal(json_str(o.state, "lastDecisionId"), "d1");
    assert_true(principal_same(principal_read(json_object_get(o.state, "returnAssignee")), ME));
    f = reviewing(o.state, "done", EVE);
    o = decide(&f);
    is_at(&o, "done", EVE, "completed", NULL);
    assert_int_equal(json_array_size(json_object_get(o.state, "completedStageIds")), 2);
    assert_true(json_is_null(json_object_get(o.state, "currentStageId")));
    struct stage_facts again = facts("in_progress", "done", ME); /* a completed policy never begins again */
    again.state = o.state;
    o = decide(&again);
    is_at(&o, "done", ME, "completed", NULL);
    again.from = "done"; /* but work that was closed and comes back does */
    again.to = "in_review";
    o = decide(&again);
    is_at(&o, "in_review", ADA, "pending", "s1");
}

static void test_changes_go_back_to_the_worker_and_come_again(void **state)
{
    (void)state;
    given(TWO);
    static const char *const others[] = {"todo", "in_progress", "blocked", "backlog", "cancelled"};
    for (int i = 0; i < 5; i++) {
        struct stage_facts f = reviewing(pending("done"), others[i], ADA);
        struct stage_outcome o = decide(&f);
        is_at(&o, "in_progress", ME, "changes_requested", "s1");
        assert_string_equal(o.decision, "changes_requested");
        assert_int_equal(o.wake, STAGE_WAKE_EXECUTOR);
        assert_int_equal(json_int(o.state, "changesRequestedCount", 0), 1);
        f.blockers_open = 1; /* what waits for others does not start */
        o = decide(&f);
        is_at(&o, "blocked", ME, "changes_requested", "s1");
        f.has_comment = false;
        o = decide(&f);
        assert_int_equal(o.verdict, STAGE_NEEDS_COMMENT);
    }
    struct stage_facts f = reviewing(pending("done"), "in_progress", ADA);
    f.assignee_sent = true;
    struct stage_outcome o = decide(&f);
    f = facts("in_progress", "done", ME);
    f.state = o.state;
    o = decide(&f);
    is_at(&o, "in_review", ADA, "pending", "s1"); /* the same reviewer looks again */
    assert_int_equal(json_int(o.state, "changesRequestedCount", 0), 1);
}

static void test_agents_that_do_not_agree_leave_it_to_a_person(void **state)
{
    (void)state;
    for (int max = 1; max <= 4; max++) {
        given(TWO);
        policy.max_rounds = max;
        json_t *s = pending("done");
        struct stage_outcome o = {0};
        for (int round = 1; round <= max; round++) {
            struct stage_facts f = reviewing(s, "in_progress", ADA);
            o = decide(&f);
            assert_int_equal(json_int(o.state, "changesRequestedCount", 0), round);
            assert_int_equal(o.escalated, round == max);
            if (round == max) break;
            struct stage_facts again = facts("in_progress", "done", ME);
            again.state = o.state;
            o = decide(&again);
            s = o.state;
        }
        is_at(&o, "in_review", BOSS, "pending", "s1");
        assert_int_equal(o.wake, STAGE_WAKE_NONE);
        struct stage_facts f = reviewing(o.state, "done", ADA); /* only that person, or the board */
        assert_int_equal(decide(&f).verdict, STAGE_NOT_THE_PERSON);
        f = reviewing(o.state, "todo", BOSS);
        o = decide(&f);
        is_at(&o, "in_progress", ME, "changes_requested", "s1");
        assert_int_equal(json_int(o.state, "changesRequestedCount", -1), 0);
    }
}

static void test_strangers_do_not_advance_a_stage_and_drift_is_put_right(void **state)
{
    (void)state;
    given(TWO);
    json_t *s = pending("done");
    static const char *const asks[] = {"done", "todo", "in_progress", "blocked", "cancelled", "backlog"};
    for (int i = 0; i < 6; i++) {
        struct stage_facts f = reviewing(s, asks[i], BOB);
        assert_int_equal(decide(&f).verdict, STAGE_NOT_YOURS);
        f = reviewing(s, asks[i], ME); /* nor does the worker itself */
        assert_int_equal(decide(&f).verdict, STAGE_NOT_YOURS);
    }
    struct stage_facts f = facts("in_progress", "in_progress", BOB); /* it went astray */
    f.state = s;
    struct stage_outcome o = decide(&f);
    is_at(&o, "in_review", ADA, "pending", "s1");
    assert_ptr_equal(o.state, s);
    f = reviewing(s, "in_review", ME);
    f.assignee_sent = true;
    f.asked = ME; /* an agent takes it */
    o = decide(&f);
    is_at(&o, "in_review", ADA, "pending", "s1");
}

static void test_the_board_overrides(void **state)
{
    (void)state;
    given(TWO);
    json_t *s = pending("done");
    static const char *const asks[] = {"done", "todo", "in_progress", "blocked", "cancelled", "backlog"};
    for (int i = 0; i < 6; i++) {
        struct stage_facts f = reviewing(s, asks[i], BOSS);
        struct stage_outcome o = decide(&f);
        bool closes = !strcmp(asks[i], "done") || !strcmp(asks[i], "cancelled");
        is_at(&o, asks[i], closes ? ADA : ME, NULL, NULL);
        assert_null(o.decision);
    }
    struct stage_facts f = reviewing(s, "in_review", BOSS);
    f.assignee_sent = true;
    f.asked = BOB; /* another reviewer of the stage */
    struct stage_outcome o = decide(&f);
    is_at(&o, "in_review", BOB, "pending", "s1");
    assert_int_equal(o.wake, STAGE_WAKE_PARTICIPANT);
    f.asked = EVE; /* somebody else: the stage is off */
    o = decide(&f);
    is_at(&o, "in_progress", EVE, NULL, NULL);
    f.asked = NONE;
    o = decide(&f);
    is_at(&o, "todo", NONE, NULL, NULL);
    f = reviewing(s, "cancelled", ADA); /* a hold on the tree asks nobody */
    f.override = true;
    o = decide(&f);
    is_at(&o, "cancelled", ADA, NULL, NULL);
    given("{\"stages\":[" APPROVAL "]}"); /* a reviewer who is of the board may drop it without a word */
    f = reviewing(pending("done"), "cancelled", EVE);
    f.has_comment = false;
    o = decide(&f);
    is_at(&o, "cancelled", EVE, NULL, NULL);
}

static void test_a_policy_taken_away_gives_the_work_back(void **state)
{
    (void)state;
    given(TWO);
    json_t *s = pending("done");
    given("{\"stages\":[" APPROVAL "]}");
    struct stage_facts f = reviewing(s, "in_review", BOSS);
    struct stage_outcome o = decide(&f);
    is_at(&o, "in_progress", ME, NULL, NULL);
    execution_policy_read(&arena, NULL, &policy);
    o = decide(&f);
    is_at(&o, "in_progress", ME, NULL, NULL);
    json_object_set_new(s, "monitor", json_pack("{s:s}", "status", "scheduled")); /* which is not the stages' */
    o = decide(&f);
    is_at(&o, "in_progress", ME, "idle", NULL);
    assert_string_equal(json_str(json_object_get(o.state, "monitor"), "status"), "scheduled");
}

static void test_review_requests_need_a_stage(void **state)
{
    (void)state;
    given(TWO);
    json_t *request = json_pack("{s:s}", "instructions", "look at the edges");
    struct stage_facts f = facts("in_progress", "in_progress", ME);
    f.request_sent = true;
    f.request = request;
    assert_int_equal(decide(&f).verdict, STAGE_NO_REQUEST);
    f.request = json_null();
    assert_int_equal(decide(&f).verdict, STAGE_OK);
    f = facts("in_progress", "done", ME);
    f.request_sent = true;
    f.request = request;
    struct stage_outcome o = decide(&f);
    assert_true(json_equal(json_object_get(o.state, "reviewRequest"), request));
    f = reviewing(o.state, "done", ADA);
    o = decide(&f);
    assert_true(json_is_null(json_object_get(o.state, "reviewRequest"))); /* it was for the stage that is over */
}

static void test_a_participant_who_is_gone_is_replaced(void **state)
{
    (void)state;
    given(TWO);
    json_t *s = pending("done");
    struct principal who;
    policy.stages[0].participants[0].reach = REACH_NEVER;
    json_t *next = stage_move_on(&policy, s, BOSS, &who);
    assert_true(principal_same(who, BOB));
    assert_true(principal_same(principal_read(json_object_get(next, "currentParticipant")), BOB));
    policy.stages[0].participants[1].reach = REACH_NEVER;
    stage_move_on(&policy, s, BOSS, &who);
    assert_true(principal_same(who, BOSS));
}

static void test_comments_that_approve(void **state)
{
    (void)state;
    static const char *const yes[] = {"## Review: APPROVED", "text\n## Review: SEC-1 approved\nmore",
                                      "##  review: all APPROVED.", "kind: review\ndecision: approved",
                                      "a\n  Kind: review \n Decision: Approved\nb"};
    static const char *const no[] = {"",
                                     "APPROVED",
                                     "# Review: APPROVED",
                                     "## Review: NOT APPROVED",
                                     "## Review: APPROVED, changes requested",
                                     "## Review: REJECTED, not APPROVED",
                                     "## Review: UNAPPROVED",
                                     "kind: review\n\ndecision: approved",
                                     "decision: approved",
                                     "kind: review\ndecision: rejected"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) assert_true(stage_comment_approves(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(stage_comment_approves(no[i]));
    assert_false(stage_comment_approves(NULL));
    given(TWO);
    struct stage_facts f = reviewing(pending("done"), "in_review", ADA);
    f.comment_approves = true;
    struct stage_outcome o = decide(&f);
    is_at(&o, "in_review", EVE, "pending", "s2");
    f.actor = BOB;
    o = decide(&f);
    is_at(&o, "in_review", ADA, "pending", "s1");
}

static void test_who_is_woken_is_told_its_part(void **state)
{
    (void)state;
    given(TWO);
    json_t *s = pending("done"), *c = stage_context(s, false);
    assert_string_equal(stage_wake_reason(s, false), "execution_review_requested");
    assert_string_equal(json_str(c, "wakeRole"), "reviewer");
    assert_int_equal(json_array_size(json_object_get(c, "allowedActions")), 2);
    assert_string_equal(stage_wake_reason(s, true), "execution_changes_requested");
    assert_string_equal(json_str(stage_context(s, true), "wakeRole"), "executor");
    struct stage_facts f = reviewing(s, "done", ADA);
    s = decide(&f).state;
    assert_string_equal(stage_wake_reason(s, false), "execution_approval_requested");
    assert_string_equal(json_str(stage_context(s, false), "wakeRole"), "approver");
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
    json_arena(NULL);
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies_are_normalised),
        cmocka_unit_test(test_done_and_in_review_start_the_first_stage),
        cmocka_unit_test(test_a_policy_without_stages_leaves_the_state_alone),
        cmocka_unit_test(test_an_explicit_assignee_is_preferred_and_the_worker_never_chosen),
        cmocka_unit_test(test_ones_own_review_is_skipped_on_done_only),
        cmocka_unit_test(test_approvals_lead_through_the_stages_to_done),
        cmocka_unit_test(test_changes_go_back_to_the_worker_and_come_again),
        cmocka_unit_test(test_agents_that_do_not_agree_leave_it_to_a_person),
        cmocka_unit_test(test_strangers_do_not_advance_a_stage_and_drift_is_put_right),
        cmocka_unit_test(test_the_board_overrides),
        cmocka_unit_test(test_a_policy_taken_away_gives_the_work_back),
        cmocka_unit_test(test_review_requests_need_a_stage),
        cmocka_unit_test(test_a_participant_who_is_gone_is_replaced),
        cmocka_unit_test(test_comments_that_approve),
        cmocka_unit_test(test_who_is_woken_is_told_its_part),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

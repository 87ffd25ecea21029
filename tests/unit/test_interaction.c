/* interaction: payloads, audience, states, answers (IS-114…120, IS-145). */
#include "rules/interaction.h"
#include "unit.h"

#include <string.h>

static struct arena arena;

static int begin(void **state)
{
    (void)state;
    json_setup();
    json_arena(&arena);
    return 0;
}

static int end(void **state)
{
    (void)state;
    json_arena(NULL);
    arena_free(&arena);
    return 0;
}

/* JSON with ' for ". */
static json_t *J(const char *text)
{
    char *s = arena_strdup(&arena, text);
    for (char *p = s; *p; p++)
        if (*p == '\'') *p = '"';
    json_t *v = json_loads(s, JSON_DECODE_ANY, NULL);
    assert_non_null(v);
    return v;
}

static void same(const json_t *got, const char *expected)
{
    if (json_equal(got, J(expected))) return;
    fail_msg("got %s", json_text(&arena, got));
}

/* ---- payloads ---- */

static void payload_is_shaped(void **state)
{
    (void)state;
    same(
        interaction_payload(INTERACTION_CONFIRMATION,
                            J("{'version':1,'prompt':'Go?','stray':1,'target':{'type':'custom','key':'k','x':1}}")),
        "{'version':1,'prompt':'Go?','allowDeclineReason':true,'supersedeOnUserComment':true,'target':{'type':'custom','key':'k'}}");
    same(
        interaction_payload(
            INTERACTION_CHECKBOX,
            J("{'version':1,'prompt':'p','options':[{'id':'a','label':'A','z':0}],'supersedeOnUserComment':false}")),
        "{'version':1,'prompt':'p','allowDeclineReason':true,'supersedeOnUserComment':false,'options':[{'id':'a','label':'A'}],"
        "'defaultSelectedOptionIds':[],'minSelected':0}");
    same(
        interaction_payload(INTERACTION_VERDICTS, J("{'version':1,'prompt':'p','items':[{'id':'1','label':'One'}]}")),
        "{'version':1,'prompt':'p','items':[{'id':'1','label':'One'}],'verdicts':['approve','reject'],'requireReasonOn':['reject'],"
        "'allowBulkApprove':true,'supersedeOnUserComment':true}");
    same(interaction_payload(INTERACTION_TASKS, J("{'version':1,'tasks':[{'clientKey':'a','title':'A'}]}")),
         "{'version':1,'tasks':[{'clientKey':'a','title':'A'}]}");
}

static void parts_must_fit(void **state)
{
    (void)state;
    static const struct {
        enum interaction_kind kind;
        const char *payload;
        int problems;
    } cases[] = {
        {INTERACTION_TASKS, "{'tasks':[{'clientKey':'a'},{'clientKey':'b','parentClientKey':'a'}]}", 0},
        {INTERACTION_TASKS, "{'tasks':[{'clientKey':'a'},{'clientKey':'a'}]}", 1},
        {INTERACTION_TASKS, "{'tasks':[{'clientKey':'a','parentClientKey':'z'}]}", 1},
        {INTERACTION_TASKS, "{'tasks':[{'clientKey':'a','parentClientKey':'a'}]}", 1},
        {INTERACTION_TASKS,
         "{'tasks':[{'clientKey':'a','parentClientKey':'b'},{'clientKey':'b','parentClientKey':'a'}]}", 2},
        {INTERACTION_TASKS, "{'tasks':[{'clientKey':'a','assigneeAgentId':'x','assigneeUserId':'y'}]}", 1},
        {INTERACTION_QUESTIONS,
         "{'questions':[{'id':'q','options':[{'id':'1','freeText':true},{'id':'2','freeText':true}]}]}", 1},
        {INTERACTION_QUESTIONS, "{'questions':[{'id':'q','options':[{'id':'1'},{'id':'1'}]},{'id':'q','options':[]}]}",
         2},
        {INTERACTION_CHECKBOX,
         "{'options':[{'id':'a'}],'defaultSelectedOptionIds':['b'],'minSelected':2,'maxSelected':1}", 3},
        {INTERACTION_VERDICTS, "{'items':[{'id':'a'}],'verdicts':['approve'],'requireReasonOn':['reject']}", 1},
        {INTERACTION_VERDICTS,
         "{'items':[{'id':'a','href':'javascript:x'},{'id':'b','href':'//evil'},{'id':'c','href':'/in'}]}", 2},
        {INTERACTION_CONFIRMATION, "{'target':{'type':'custom','href':'https://x.test'}}", 0},
        {INTERACTION_CONFIRMATION, "{'target':{'type':'custom','href':'file:///x'}}", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *problems = json_array();
        interaction_payload_check(cases[i].kind, J(cases[i].payload), problems);
        if ((int)json_array_size(problems) != cases[i].problems)
            fail_msg("case %zu: %s", i, json_text(&arena, problems));
    }
}

/* ---- policies ---- */

static void the_stricter_policy_counts(void **state)
{
    (void)state;
    struct resolver_choice c = resolver_choose(NULL, NULL);
    assert_string_equal(c.requested, "anyone");
    assert_string_equal(c.provenance, "inherited");
    assert_string_equal(c.source, "requested");
    c = resolver_choose("board_only", NULL);
    assert_string_equal(c.effective, "human_only");
    assert_string_equal(c.provenance, "explicit");
    c = resolver_choose("anyone", J("{'cap':'human_only'}"));
    assert_string_equal(c.requested, "anyone");
    assert_string_equal(c.effective, "human_only");
    assert_string_equal(c.source, "company_cap");
    c = resolver_choose("human_only", J("{'cap':'not_creator'}"));
    assert_string_equal(c.effective, "human_only");
    assert_string_equal(c.source, "requested");
    c = resolver_choose(NULL, J("{'defaultPolicy':'not_creator'}"));
    assert_string_equal(c.requested, "not_creator");
    assert_null(resolver_alias("not_creator"));
    assert_string_equal(resolver_alias("anyone"), "board_or_agents");
}

static void audience(void **state)
{
    (void)state;
    const struct audience person = {.user_id = "u", .policy = "anyone", .creator_agent_id = "a"};
    assert_null(interaction_audience(&person));
    assert_string_equal(
        interaction_audience(&(struct audience){.user_id = "u", .creator_user_id = "u", .policy = "not_creator"}),
        "interaction_creator_excluded");
    assert_null(
        interaction_audience(&(struct audience){.user_id = "v", .creator_user_id = "u", .policy = "not_creator"}));
    assert_string_equal(interaction_audience(&(struct audience){.agent_id = "a", .policy = "human_only"}),
                        "interaction_human_only");
    assert_string_equal(
        interaction_audience(&(struct audience){.agent_id = "a", .addressee_agent_id = "b", .policy = "anyone"}),
        "interaction_addressee_mismatch");
    assert_null(
        interaction_audience(&(struct audience){.user_id = "u", .addressee_agent_id = "b", .policy = "human_only"}));
    assert_null(interaction_audience(&(struct audience){.agent_id = "a", .creator_agent_id = "a", .policy = "anyone"}));
    assert_string_equal(interaction_audience(&(struct audience){
                            .agent_id = "b", .run_id = "r", .source_run_id = "r", .policy = "not_creator"}),
                        "interaction_creator_excluded");
}

static void states(void **state)
{
    (void)state;
    const char *s;
    assert_null(interaction_state_refusal("pending", NULL, false, &s));
    assert_string_equal(interaction_state_refusal("pending", NULL, true, &s), "interaction_issue_closed");
    assert_string_equal(interaction_state_refusal("accepted", NULL, false, &s), "interaction_already_resolved");
    assert_string_equal(s, "Interaction has already been resolved");
    static const char *const outcomes[][2] = {{"superseded_by_comment", "interaction_superseded"},
                                              {"superseded_by_newer_request", "interaction_superseded"},
                                              {"stale_target", "interaction_stale_target"},
                                              {"issue_closed", "interaction_issue_closed"}};
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        for (int k = 0; k < INTERACTION_KINDS; k++) {
            json_t *result = interaction_expiry((enum interaction_kind)k, NULL, outcomes[i][0], NULL);
            assert_string_equal(interaction_state_refusal("expired", result, false, &s), outcomes[i][1]);
        }
}

/* ---- answers ---- */

static void tasks_come_parents_first(void **state)
{
    (void)state;
    json_t *payload = J("{'tasks':[{'clientKey':'b','parentClientKey':'a'},{'clientKey':'a'},{'clientKey':'c'}]}");
    struct interaction_answer x =
        interaction_accept(&arena, INTERACTION_TASKS, payload, J("{'selectedClientKeys':['a','b']}"));
    assert_null(x.error);
    assert_string_equal(json_str(json_array_get(x.tasks, 0), "clientKey"), "a");
    assert_string_equal(json_str(json_array_get(x.tasks, 1), "clientKey"), "b");
    same(x.result, "{'version':1,'createdTasks':[],'skippedClientKeys':['c']}");
    x = interaction_accept(&arena, INTERACTION_TASKS, payload, J("{}"));
    assert_int_equal(json_array_size(x.tasks), 3);
    same(x.result, "{'version':1,'createdTasks':[]}");
    assert_non_null(interaction_accept(&arena, INTERACTION_TASKS, payload, J("{'selectedClientKeys':['b']}")).error);
    assert_non_null(interaction_accept(&arena, INTERACTION_TASKS, payload, J("{'selectedClientKeys':['z']}")).error);
}

static void confirmations(void **state)
{
    (void)state;
    same(interaction_accept(&arena, INTERACTION_CONFIRMATION, J("{}"), J("{'reason':'fine'}")).result,
         "{'version':1,'outcome':'accepted','reason':'fine'}");
    same(interaction_reject(&arena, INTERACTION_CONFIRMATION, J("{}"), NULL).result,
         "{'version':1,'outcome':'rejected'}");
    assert_non_null(
        interaction_reject(&arena, INTERACTION_CONFIRMATION, J("{'rejectRequiresReason':true}"), "  ").error);
    json_t *boxes =
        J("{'options':[{'id':'a'},{'id':'b'}],'defaultSelectedOptionIds':['b'],'minSelected':1,'maxSelected':1}");
    same(interaction_accept(&arena, INTERACTION_CHECKBOX, boxes, J("{}")).result,
         "{'version':1,'outcome':'accepted','selectedOptionIds':['b']}");
    static const char *const bad[] = {"{'selectedOptionIds':[]}", "{'selectedOptionIds':['a','b']}",
                                      "{'selectedOptionIds':['z']}"};
    for (size_t i = 0; i < 3; i++)
        assert_non_null(interaction_accept(&arena, INTERACTION_CHECKBOX, boxes, J(bad[i])).error);
    assert_string_equal(interaction_accept(&arena, INTERACTION_QUESTIONS, J("{}"), J("{}")).error,
                        "Interactions of kind ask_user_questions cannot be accepted");
    assert_string_equal(interaction_reject(&arena, INTERACTION_VERDICTS, J("{}"), NULL).error,
                        "Interactions of kind request_item_verdicts cannot be rejected");
    assert_string_equal(interaction_cancel(INTERACTION_CONFIRMATION, NULL).error,
                        "Only ask_user_questions interactions can be cancelled");
}

static void answers_to_questions(void **state)
{
    (void)state;
    json_t *payload =
        J("{'questions':[{'id':'q','selectionMode':'single','required':true,'options':[{'id':'1'},{'id':'2'}]},"
          "{'id':'r','selectionMode':'multi','options':[{'id':'1'}]}]}");
    struct interaction_answer x =
        interaction_respond(&arena, payload, J("{'answers':[{'questionId':'q','optionIds':['1']}]}"));
    same(x.result, "{'version':1,'answers':[{'questionId':'q','optionIds':['1']}],'summaryMarkdown':null}");
    assert_int_equal(x.answered, 1);
    assert_null(
        interaction_respond(&arena, payload, J("{'answers':[{'questionId':'q','optionIds':[],'otherText':'else'}]}"))
            .error);
    static const char *const bad[] = {
        "{'answers':[]}",
        "{'answers':[{'questionId':'q','optionIds':['1','2']}]}",
        "{'answers':[{'questionId':'q','optionIds':['9']}]}",
        "{'answers':[{'questionId':'q','optionIds':[]}]}",
        "{'answers':[{'questionId':'q','optionIds':['1']},{'questionId':'q','optionIds':['2']}]}",
        "{'answers':[{'questionId':'q','optionIds':['1']},{'questionId':'z','optionIds':['1']}]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (interaction_respond(&arena, payload, J(bad[i])).error == NULL) fail_msg("accepted %s", bad[i]);
}

static void verdicts_add_up(void **state)
{
    (void)state;
    json_t *payload =
        J("{'items':[{'id':'a'},{'id':'b'}],'verdicts':['approve','reject'],'requireReasonOn':['reject']}");
    const struct interaction_verdict_by by = {.user_id = "u", .at = "T"};
    struct interaction_answer x = interaction_decide(&arena, payload, NULL, J("[{'id':'a','verdict':'approve'}]"), &by);
    assert_string_equal(x.status, "pending");
    same(
        x.result,
        "{'version':1,'outcome':'resolved','complete':false,'items':[{'id':'a','verdict':'approve','resolvedByUserId':'u','resolvedAt':'T'}]}");
    x = interaction_decide(
        &arena, payload, x.result,
        J("[{'id':'a','verdict':'reject','reason':'x'},{'id':'b','verdict':'reject','reason':'no'}]"), &by);
    assert_string_equal(x.status, "answered");
    same(x.newly_resolved, "['b']");
    assert_string_equal(json_str(json_array_get(json_object_get(x.result, "items"), 0), "verdict"), "approve");
    assert_non_null(interaction_decide(&arena, payload, NULL, J("[{'id':'b','verdict':'reject'}]"), &by).error);
    assert_non_null(interaction_decide(&arena, payload, NULL, J("[{'id':'z','verdict':'approve'}]"), &by).error);
    assert_non_null(interaction_decide(&arena, payload, NULL, J("[{'id':'a','verdict':'defer'}]"), &by).error);
}

static void taken_back(void **state)
{
    (void)state;
    same(interaction_withdraw(INTERACTION_CONFIRMATION, NULL, "why").result,
         "{'version':1,'outcome':'withdrawn','reason':'why'}");
    same(interaction_cancel(INTERACTION_QUESTIONS, NULL).result,
         "{'version':1,'answers':[],'summaryMarkdown':null,'cancelled':true,'cancellationReason':null}");
}

static void a_dead_run_settles_its_workspace(void **state)
{
    (void)state;
    assert_true(finalize_settled(&(struct finalize_facts){.run_live = true}));
    assert_false(finalize_settled(&(struct finalize_facts){.has_operations = true, .run_live = true}));
    assert_false(
        finalize_settled(&(struct finalize_facts){.has_operations = true, .run_live = true, .status = "running"}));
    assert_true(
        finalize_settled(&(struct finalize_facts){.has_operations = true, .run_live = true, .status = "failed"}));
    assert_true(finalize_settled(&(struct finalize_facts){.has_operations = true, .status = "running"}));
    assert_true(finalize_settled(&(struct finalize_facts){.has_operations = true}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payload_is_shaped),
        cmocka_unit_test(parts_must_fit),
        cmocka_unit_test(the_stricter_policy_counts),
        cmocka_unit_test(audience),
        cmocka_unit_test(states),
        cmocka_unit_test(tasks_come_parents_first),
        cmocka_unit_test(confirmations),
        cmocka_unit_test(answers_to_questions),
        cmocka_unit_test(verdicts_add_up),
        cmocka_unit_test(taken_back),
        cmocka_unit_test(a_dead_run_settles_its_workspace),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

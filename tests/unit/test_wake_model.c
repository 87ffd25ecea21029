/* Repeated skips (EX-33), under a clock of the test's own. */
#include "unit.h"

#include "model_kit.h"

#include "base/json.h"
#include "base/text.h"
#include "model/issue.h"
#include "model/issue_create.h"
#include "model/issue_update.h"
#include "model/relation.h"
#include "model/wake.h"

static instant_t now;
static instant_t virtual_clock(void) { return now; }
static const struct actor system_actor = {.type = ACTOR_SYSTEM, .source = "test"};

static int open_kit(void **state)
{
    entity_setup();
    now = INT64_C(1800000000000);
    clock_set_source(virtual_clock);
    return kit_open(state);
}

static int close_kit(void **state)
{
    clock_set_source(NULL);
    return kit_close(state);
}

static struct issue issue_of(const struct company *c, const struct agent *a, const char *status,
                             const struct id_list *blockers)
{
    struct issue_new in = {.allow_duplicate = true};
    struct issue_created made;
    entity_init(&ENTITY_issue, &in.row);
    in.row.company_id = c->id;
    in.row.title = "Work";
    in.row.status = status;
    in.row.assignee_agent_id = a ? a->id : NULL;
    if (blockers) in.blockers = *blockers;
    must(db_begin(kit_db, c->id));
    must(issue_create(kit_db, &kit_board, &in, &made));
    must(db_commit(kit_db));
    return made.row;
}

static void set(const struct company *c, const char *sql, const struct dbv *v, int n)
{
    int64_t rows;
    must(db_begin(kit_db, c->id));
    must(db_exec(kit_db, &rows, sql, v, n));
    must(db_commit(kit_db));
}

static struct wake_result ask(const struct agent *a, const struct issue *i, const struct actor *by)
{
    struct wake_result out;
    const struct wake_request w = {.agent_id = a->id,
                                   .source = i ? "automation" : "timer",
                                   .reason = i ? "issue_continuation_needed" : "heartbeat_timer",
                                   .payload = i ? json_pack("{s:s}", "issueId", i->id) : NULL};
    now += MINUTE_MS;
    must(db_begin(kit_db, a->company_id));
    must(wake_enqueue(kit_db, by, &w, &out));
    must(db_commit(kit_db));
    return out;
}

static int64_t skipped(const struct agent *a)
{
    int64_t n;
    must(db_int(kit_db, &n, 0, "SELECT count(*) FROM agent_wakeup_requests WHERE agent_id = $1 AND status = 'skipped'",
                P(V_ID(a->id))));
    return n;
}

static void test_the_same_gate_is_one_row_that_counts(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent a = kit_agent(&c, "idle");
    struct issue i = issue_of(&c, &a, "backlog", NULL);
    set(&c, "UPDATE agents SET runtime_config = $2 WHERE id = $1",
        P(V_ID(a.id), V_JSON("{\"heartbeat\":{\"wakeOnDemand\":false}}")));
    struct wake_result first = ask(&a, &i, &system_actor);
    assert_int_equal(first.outcome, WAKE_SKIPPED);
    for (int n = 0; n < 5; n++) assert_string_equal(ask(&a, &i, &system_actor).wake_id, first.wake_id);
    assert_int_equal(skipped(&a), 1);
    int64_t count;
    must(db_int(kit_db, &count, 0, "SELECT coalesced_count FROM agent_wakeup_requests WHERE id = $1",
                P(V_ID(first.wake_id))));
    assert_int_equal(count, 5);
    /* a person's request is answered by a row of its own */
    assert_string_not_equal(ask(&a, &i, &kit_board).wake_id, first.wake_id);
    /* the same without an issue: the agent's timer */
    struct wake_result timer = ask(&a, NULL, &system_actor);
    assert_string_equal(timer.reason, "heartbeat.disabled");
    for (int n = 0; n < 5; n++) assert_string_equal(ask(&a, NULL, &system_actor).wake_id, timer.wake_id);
    assert_int_equal(skipped(&a), 3);
}

static void test_another_condition_is_another_row(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent a = kit_agent(&c, "waits");
    struct issue one = issue_of(&c, NULL, "todo", NULL), two = issue_of(&c, NULL, "todo", NULL);
    const struct id_list blockers = {.ids = (const char *[]){one.id, two.id}, .count = 2};
    struct issue i = issue_of(&c, &a, "blocked", &blockers);
    struct wake_result first = ask(&a, &i, &system_actor);
    assert_string_equal(first.reason, "issue_dependencies_blocked");
    assert_string_equal(ask(&a, &i, &system_actor).wake_id, first.wake_id);
    set(&c, "UPDATE issues SET status = 'done' WHERE id = $1", P(V_ID(one.id)));
    struct wake_result second = ask(&a, &i, &system_actor); /* fewer blockers */
    assert_string_equal(second.reason, "issue_dependencies_blocked");
    assert_string_not_equal(second.wake_id, first.wake_id);
    assert_string_equal(ask(&a, &i, &system_actor).wake_id, second.wake_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_gate_is_one_row_that_counts),
        cmocka_unit_test(test_another_condition_is_another_row),
    };
    return cmocka_run_group_tests(tests, open_kit, close_kit);
}

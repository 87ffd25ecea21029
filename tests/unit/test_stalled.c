/* The pass over work that nothing moves, under a clock of the test's own. */
#include "unit.h"

#include "model_kit.h"

#include "base/id.h"
#include "base/settings.h"
#include "base/text.h"
#include "model/explain.h"
#include "model/issue.h"
#include "model/relation.h"
#include "model/stalled.h"

#include <string.h>

#define TIMEOUT (300 * SECOND_MS)

static instant_t now;
static instant_t virtual_clock(void) { return now; }

static int open_kit(void **state)
{
    entity_setup();
    settings.dispatch_timeout_sec = TIMEOUT / SECOND_MS;
    settings.incident_run_budget = 6;
    now = INT64_C(1800000000000);
    clock_set_source(virtual_clock);
    return kit_open(state);
}

/* An issue as a lost wake leaves it: rows, and nothing on its way. */
static struct issue lost(const struct company *c, const struct agent *owner, const char *status)
{
    static int64_t number = 1000;
    struct issue i;
    entity_init(&ENTITY_issue, &i);
    i.id = id_new(&kit_arena);
    i.company_id = c->id;
    i.title = "lost";
    i.title_key = "lost";
    i.status = status;
    i.work_mode = "standard";
    i.priority = "medium";
    i.origin_kind = "manual";
    i.origin_fingerprint = "default";
    i.issue_number = ++number;
    i.identifier = arena_printf(&kit_arena, "KIT-%d", (int)number);
    i.assignee_agent_id = owner ? owner->id : NULL;
    i.created_at = i.updated_at = i.last_activity_at = now;
    if (text_is(status, "todo")) i.dispatch_expected_since = now;
    if (text_is(status, "in_progress")) i.started_at = now;
    must(db_begin(kit_db, c->id));
    must(entity_insert(kit_db, &ENTITY_issue, &i));
    must(db_commit(kit_db));
    return i;
}

static struct issue reload(const struct issue *i)
{
    struct issue row;
    bool found;
    must(issue_get(kit_db, i->id, &row, &found));
    assert_true(found);
    return row;
}

static struct explained explain(const struct issue *i)
{
    struct issue row = reload(i);
    const struct issue *root = &row;
    struct explained x;
    must(explain_load(kit_db, row.company_id, &root, 1, &x));
    return x;
}

/* Pages of one, so that the cursor is tested too. Gives what was done to the issue. */
static enum stalled_step pass(const struct issue *about)
{
    struct stalled after = {0}, *found, last;
    enum stalled_step step, done = STALLED_NOTHING;
    int n;
    for (;;) {
        must(stalled_page(kit_db, &after, 1, &found, &n, &last));
        for (int i = 0; i < n; i++) {
            must(db_begin(kit_db, found[i].company_id));
            must(stalled_treat(kit_db, found[i].issue_id, &step));
            must(db_commit(kit_db));
            if (text_is(found[i].issue_id, about->id)) done = step;
        }
        if (last.issue_id == NULL) return done;
        after = last;
    }
}

static int64_t count(const char *sql, const struct issue *i)
{
    int64_t n;
    must(db_int(kit_db, &n, -1, sql, P(V_ID(i->id))));
    return n;
}
#define WAKES "SELECT count(*) FROM agent_wakeup_requests WHERE issue_id = $1"
#define RUNS "SELECT count(*) FROM heartbeat_runs WHERE issue_id = $1"

static void write_rows(const struct issue *i, const char *sql)
{
    int64_t n;
    must(db_begin(kit_db, i->company_id));
    must(db_exec(kit_db, &n, sql, P(V_ID(i->id), V_TIME(now))));
    must(db_commit(kit_db));
    assert_true(n > 0);
}

static void test_a_lost_todo_is_woken_once_after_the_timeout(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent a = kit_agent(&c, "rex");
    struct issue i = lost(&c, &a, "todo");
    now += TIMEOUT - 1;
    assert_int_equal(explain(&i).verdicts[0].state, EXPLAIN_DEAD);
    assert_int_equal(pass(&i), STALLED_NOTHING);
    now += 1;
    assert_int_equal(pass(&i), STALLED_WOKEN);
    const char *key, *context;
    must(db_text(
        kit_db, &key,
        "SELECT idempotency_key FROM agent_wakeup_requests WHERE issue_id = $1 AND reason = 'issue_assignment_recovery'"
        " AND source = 'automation' AND trigger_detail = 'system'",
        P(V_ID(i.id))));
    const char *since = instant_text(&kit_arena, i.dispatch_expected_since);
    assert_string_equal(key, arena_printf(&kit_arena, "stalled_at_dispatch:%s:%s", i.id, since));
    must(db_text(
        kit_db, &context,
        "SELECT d.context_snapshot FROM heartbeat_run_data d JOIN heartbeat_runs r ON r.id = d.run_id WHERE r.issue_id = $1",
        P(V_ID(i.id))));
    json_t *j = json_read(context);
    assert_string_equal(json_str(j, "issueId"), i.id);
    assert_string_equal(json_str(j, "taskId"), i.id);
    assert_string_equal(json_str(j, "wakeReason"), "issue_assignment_recovery");
    assert_string_equal(json_str(j, "retryReason"), "assignment_recovery");
    assert_string_equal(json_str(j, "source"), "issue.assignment_recovery");
    assert_true(json_bool(j, "stalledAtDispatch", false));
    assert_string_equal(json_str(j, "dispatchExpectedSince"), since);
    assert_int_equal(explain(&i).verdicts[0].state, EXPLAIN_LIVE);
    now += 10 * TIMEOUT; /* the queued run is a path, however long it waits for a slot */
    assert_int_equal(pass(&i), STALLED_NOTHING);
    assert_int_equal(count(WAKES, &i), 1);
    assert_int_equal(count(RUNS, &i), 1);
}

static void test_a_second_timeout_without_a_run_goes_to_the_board(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent a = kit_agent(&c, "rex");
    struct issue i = lost(&c, &a, "todo");
    now += TIMEOUT;
    assert_int_equal(pass(&i), STALLED_WOKEN);
    write_rows(
        &i,
        "DELETE FROM heartbeat_run_data WHERE run_id IN (SELECT id FROM heartbeat_runs WHERE issue_id = $1 AND created_at <= $2)");
    write_rows(&i, "DELETE FROM heartbeat_runs WHERE issue_id = $1 AND created_at <= $2");
    write_rows(
        &i, "UPDATE agent_wakeup_requests SET status = 'failed', run_id = NULL, updated_at = $2 WHERE issue_id = $1");
    now += TIMEOUT - 1;
    assert_int_equal(pass(&i), STALLED_NOTHING);
    now += 1;
    assert_int_equal(pass(&i), STALLED_ESCALATED);
    struct issue after = reload(&i);
    assert_string_equal(after.status, "blocked");
    assert_string_equal(after.assignee_agent_id, a.id); /* EX-14 */
    assert_string_equal(json_str(json_read(after.unblock_descriptor), "owner"), "board");
    assert_string_equal(explain(&i).verdicts[0].reason, "recovery_action");
    const char *details;
    must(db_text(kit_db, &details, "SELECT details FROM activity_log WHERE entity_id = $1 AND action = 'issue.updated'",
                 P(V_TEXT(i.id))));
    const json_t *evidence = json_object_get(json_read(details), "evidence");
    assert_int_equal(json_int(evidence, "priorRunCount", -1), 0);
    assert_string_equal(json_str(evidence, "dispatchExpectedSince"),
                        instant_text(&kit_arena, i.dispatch_expected_since));
    assert_string_equal(json_str(evidence, "wakeStatus"), "failed");
    assert_string_equal(json_str(evidence, "wakeReason"), "issue_assignment_recovery");
    now += 10 * TIMEOUT;
    assert_int_equal(pass(&i), STALLED_NOTHING); /* its end: no storm */
    assert_int_equal(count(WAKES, &i), 1);
}

static void test_work_created_in_progress_is_continued(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent a = kit_agent(&c, "rex");
    struct issue i = lost(&c, &a, "in_progress");
    now += TIMEOUT;
    assert_int_equal(pass(&i), STALLED_WOKEN);
    assert_int_equal(count(WAKES " AND reason = 'issue_continuation_needed' AND status = 'queued'", &i), 1);
    /* the continuation changes nothing: the board, not the same again */
    write_rows(&i,
               "UPDATE heartbeat_runs SET status = 'succeeded', started_at = $2, finished_at = $2 WHERE issue_id = $1");
    write_rows(&i, "UPDATE agent_wakeup_requests SET status = 'completed', updated_at = $2 WHERE issue_id = $1");
    now += TIMEOUT;
    assert_int_equal(pass(&i), STALLED_ESCALATED);
    assert_string_equal(reload(&i).status, "blocked");
}

static void test_a_gate_is_a_path_and_never_escalated(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent a = kit_agent(&c, "rex");
    struct issue i = lost(&c, &a, "todo");
    static const struct {
        const char *set, *name;
    } gates[] = {
        {"status = 'paused', pause_reason = 'manual'", "agent_paused"},
        {"status = 'paused', pause_reason = 'budget'", "agent_paused_by_budget"},
        {"status = 'idle', pause_reason = NULL, runtime_config = '{\"heartbeat\":{\"wakeOnDemand\":false}}'",
         "wake_on_demand_off"},
        {"runtime_config = '{\"heartbeat\":{\"maxDailyRuns\":0}}'", "daily_run_limit"},
    };
    for (size_t k = 0; k < sizeof gates / sizeof *gates; k++) {
        write_rows(
            &i,
            arena_printf(
                &kit_arena,
                "UPDATE agents SET updated_at = $2, %s WHERE id = (SELECT assignee_agent_id FROM issues WHERE id = $1)",
                gates[k].set));
        now += 3 * TIMEOUT;
        assert_int_equal(pass(&i), STALLED_NOTHING);
        struct explained x = explain(&i);
        assert_string_equal(x.verdicts[0].reason, gates[k].name);
        assert_int_equal(x.verdicts[0].state, EXPLAIN_WAITING);
        assert_true(strncmp(explain_sentence(&kit_arena, &x, 0), "Not started: rex ", 17) == 0);
    }
    assert_int_equal(count(WAKES, &i), 0);
    assert_string_equal(reload(&i).status, "todo");
    write_rows(
        &i,
        "UPDATE agents SET updated_at = $2, runtime_config = '{}' WHERE id = (SELECT assignee_agent_id FROM issues WHERE id = $1)");
    assert_int_equal(pass(&i), STALLED_WOKEN); /* the gate opened and nobody woke it: overdue long since */
}

/* An ended run that changed nothing. */
static void failed_run(const struct issue *i)
{
    struct run r;
    entity_init(&ENTITY_run, &r);
    r.id = id_new(&kit_arena);
    r.company_id = i->company_id;
    r.agent_id = i->assignee_agent_id;
    r.issue_id = i->id;
    r.invocation_source = "assignment";
    r.status = "failed";
    r.issue_comment_status = "not_applicable";
    r.created_at = r.updated_at = r.started_at = r.finished_at = now;
    must(db_begin(kit_db, i->company_id));
    must(entity_insert(kit_db, &ENTITY_run, &r));
    must(db_commit(kit_db));
}

static void test_a_throttled_wake_is_tried_again_before_the_board_is_asked(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent a = kit_agent(&c, "rex");
    struct issue i = lost(&c, &a, "in_progress");
    for (int k = 0; k < 5; k++) failed_run(&i);
    now += TIMEOUT;
    assert_int_equal(pass(&i), STALLED_WOKEN); /* refused by the throttle: five runs in vain */
    assert_int_equal(count(RUNS, &i), 5);
    assert_string_equal(explain(&i).verdicts[0].reason, "rewake_throttled");
    assert_int_equal(explain(&i).nodes[0].throttled_until, now - TIMEOUT + 16 * MINUTE_MS);
    now += TIMEOUT;
    assert_int_equal(pass(&i), STALLED_NOTHING);
    now += 2 * TIMEOUT;
    assert_int_equal(pass(&i), STALLED_WOKEN);
    assert_int_equal(count(RUNS, &i), 6);
    assert_int_equal(explain(&i).verdicts[0].state, EXPLAIN_LIVE);
}

static void test_what_waits_or_belongs_to_nobody_is_left_alone(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent a = kit_agent(&c, "rex");
    struct issue blocker = lost(&c, NULL, "todo"), blocked = lost(&c, &a, "todo"), hidden = lost(&c, &a, "todo");
    struct issue parked = lost(&c, &a, "backlog"), review = lost(&c, &a, "in_review");
    must(db_begin(kit_db, c.id));
    must(relation_add(kit_db, c.id, blocker.id, blocked.id));
    must(db_commit(kit_db));
    write_rows(&hidden, "UPDATE issues SET hidden_at = $2 WHERE id = $1");
    now += 10 * TIMEOUT;
    assert_int_equal(pass(&blocker), STALLED_NOTHING);
    assert_int_equal(pass(&blocked), STALLED_NOTHING);
    assert_int_equal(pass(&hidden), STALLED_NOTHING);
    assert_int_equal(pass(&parked), STALLED_NOTHING);
    assert_int_equal(pass(&review), STALLED_NOTHING);
    struct explained x = explain(&blocked);
    assert_string_equal(x.verdicts[0].reason, "blocked_by_unassigned_issue");
    assert_non_null(strstr(explain_sentence(&kit_arena, &x, 0), "Nobody is assigned"));
}

static void test_explaining_costs_the_same_for_one_and_for_many(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent a = kit_agent(&c, "rex");
    struct issue rows[60];
    const struct issue *roots[60];
    struct explained x;
    for (int i = 0; i < 60; i++) {
        rows[i] = lost(&c, &a, i % 2 ? "todo" : "in_progress");
        roots[i] = &rows[i];
    }
    kit_statements();
    must(explain_load(kit_db, c.id, roots, 1, &x));
    int one = kit_statements();
    must(explain_load(kit_db, c.id, roots, 60, &x));
    assert_int_equal(kit_statements(), one);
    assert_true(one <= 24); /* a few for each kind of fact */
    for (int i = 0; i < 60; i++) assert_true(x.verdicts[i].recoverable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lost_todo_is_woken_once_after_the_timeout),
        cmocka_unit_test(test_a_second_timeout_without_a_run_goes_to_the_board),
        cmocka_unit_test(test_work_created_in_progress_is_continued),
        cmocka_unit_test(test_a_gate_is_a_path_and_never_escalated),
        cmocka_unit_test(test_a_throttled_wake_is_tried_again_before_the_board_is_asked),
        cmocka_unit_test(test_what_waits_or_belongs_to_nobody_is_left_alone),
        cmocka_unit_test(test_explaining_costs_the_same_for_one_and_for_many),
    };
    return cmocka_run_group_tests(tests, open_kit, kit_close);
}

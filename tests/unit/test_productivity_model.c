/* Reviews of busy agents, filed and refreshed, under a clock of the test's own (EX-152, EX-153). */
#include "unit.h"

#include "model_kit.h"

#include "base/id.h"
#include "base/text.h"
#include "model/comment.h"
#include "model/issue.h"
#include "model/issue_create.h"
#include "model/issue_update.h"
#include "model/productivity.h"

static instant_t now;
static instant_t virtual_clock(void) { return now; }

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

static struct issue issue_of(const struct company *c, const struct agent *a, const char *status)
{
    struct issue_new in = {.allow_duplicate = true};
    struct issue_created made;
    entity_init(&ENTITY_issue, &in.row);
    in.row.company_id = c->id;
    in.row.title = "Busy";
    in.row.status = status;
    in.row.assignee_agent_id = a->id;
    must(db_begin(kit_db, c->id));
    must(issue_create(kit_db, &kit_board, &in, &made));
    must(db_commit(kit_db));
    return made.row;
}

/* A run that ended without a word, two hours ago. */
static void silent_run(const struct issue *i)
{
    struct run r;
    entity_init(&ENTITY_run, &r);
    r.id = id_new(&kit_arena);
    r.company_id = i->company_id;
    r.agent_id = i->assignee_agent_id;
    r.issue_id = i->id;
    r.status = "succeeded";
    r.invocation_source = "automation";
    r.created_at = r.updated_at = r.started_at = r.finished_at = now - 2 * HOUR_MS;
    r.issue_comment_status = "not_applicable";
    must(db_begin(kit_db, i->company_id));
    must(entity_insert(kit_db, &ENTITY_run, &r));
    must(db_commit(kit_db));
}

static bool candidate(const struct issue *i)
{
    struct productivity_item *items;
    int n;
    bool found = false;
    must(productivity_candidates(kit_db, 250, &items, &n));
    for (int k = 0; k < n; k++) found |= text_is(items[k].issue_id, i->id);
    return found;
}

static enum productivity_act treat(const struct issue *i)
{
    enum productivity_act act;
    must(db_begin(kit_db, i->company_id));
    must(productivity_treat(kit_db, i->id, &act));
    must(db_commit(kit_db));
    return act;
}

static struct productivity_review review_of(const struct issue *i)
{
    struct productivity_review r;
    bool found;
    must(productivity_review_of(kit_db, i->id, &r, &found));
    return found ? r : (struct productivity_review){0};
}

static bool held(const struct issue *i)
{
    bool yes;
    must(productivity_held(kit_db, i->id, i->assignee_agent_id, &yes));
    return yes;
}

static void test_ten_silent_runs_are_reviewed_once(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent a = kit_agent(&c, "busy");
    struct issue i = issue_of(&c, &a, "todo");
    for (int n = 0; n < 9; n++) silent_run(&i);
    assert_int_equal(treat(&i), PRODUCTIVITY_REST);
    assert_false(held(&i));
    silent_run(&i);
    assert_true(candidate(&i));
    assert_int_equal(treat(&i), PRODUCTIVITY_ASK);
    struct productivity_review r = review_of(&i);
    assert_string_equal(r.trigger, "no_comment_streak");
    assert_string_equal(r.priority, "high");
    assert_int_equal(r.no_comment_streak, 10);
    assert_true(held(&i));
    assert_false(candidate(&i)); /* at rest for an hour */
    assert_int_equal(treat(&i), PRODUCTIVITY_REST);
    struct issue row;
    bool found;
    must(issue_get(kit_db, r.id, &row, &found));
    assert_string_equal(row.parent_id, i.id);
    assert_string_equal(row.origin_kind, PRODUCTIVITY_ORIGIN);
    assert_string_equal(row.assignee_user_id, kit_board.user_id); /* no other agent: the person who made it */
    /* an hour later, if it goes on, a word on the review; three at most */
    for (int n = 1; n <= 4; n++) {
        now += HOUR_MS;
        silent_run(&i);
        assert_true(candidate(&i));
        assert_int_equal(treat(&i), n <= 3 ? PRODUCTIVITY_REFRESH : PRODUCTIVITY_REST);
    }
    /* closed: not asked again the same day */
    struct issue_change change = {.after = row, .status_sent = true};
    struct issue_changed out;
    change.after.status = "done";
    must(db_begin(kit_db, c.id));
    must(issue_update(kit_db, &kit_board, &row, &change, &out));
    must(db_commit(kit_db));
    assert_false(held(&i));
    assert_int_equal(treat(&i), PRODUCTIVITY_REST);
    now += DAY_MS;
    assert_int_equal(treat(&i), PRODUCTIVITY_ASK);
}

static void test_the_manager_is_asked_about_long_work(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent boss = kit_agent(&c, "boss"), a = kit_agent(&c, "slow");
    must(db_begin(kit_db, c.id));
    must(db_exec_one(kit_db, "UPDATE agents SET reports_to = $2 WHERE id = $1", P(V_ID(a.id), V_ID(boss.id))));
    must(db_commit(kit_db));
    struct issue i = issue_of(&c, &a, "in_progress");
    now += 6 * HOUR_MS - 1;
    assert_false(candidate(&i));
    now += 1;
    assert_true(candidate(&i));
    assert_int_equal(treat(&i), PRODUCTIVITY_ASK);
    struct productivity_review r = review_of(&i);
    assert_string_equal(r.trigger, "long_active_duration");
    assert_string_equal(r.priority, "medium");
    assert_false(held(&i));
    struct issue row;
    bool found;
    must(issue_get(kit_db, r.id, &row, &found));
    assert_string_equal(row.assignee_agent_id, boss.id);
    /* what is below a review is not reviewed itself */
    struct issue below = issue_of(&c, &a, "in_progress");
    must(db_begin(kit_db, c.id));
    must(db_exec_one(kit_db, "UPDATE issues SET parent_id = $2 WHERE id = $1", P(V_ID(below.id), V_ID(row.id))));
    must(db_commit(kit_db));
    now += 7 * HOUR_MS;
    assert_int_equal(treat(&below), PRODUCTIVITY_REST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_silent_runs_are_reviewed_once),
        cmocka_unit_test(test_the_manager_is_asked_about_long_work),
    };
    return cmocka_run_group_tests(tests, open_kit, close_kit);
}

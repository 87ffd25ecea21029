/* The issue rooms over a real database: lists of fixed cost, changes all or nothing. */
#include "unit.h"

#include "model_kit.h"

#include "base/text.h"
#include "model/assignee.h"
#include "model/issue.h"
#include "model/issue_card.h"
#include "model/issue_create.h"
#include "model/issue_list.h"
#include "model/issue_update.h"

static struct issue create(const struct company *c, const char *title, const char *status,
                           const struct id_list *blockers)
{
    struct issue_new in = {0};
    struct issue_created out;
    entity_init(&ENTITY_issue, &in.row);
    in.row.company_id = c->id;
    in.row.title = title;
    in.row.status = status;
    if (blockers) in.blockers = *blockers;
    must(db_begin(kit_db, c->id));
    must(issue_create(kit_db, &kit_board, &in, &out));
    must(db_commit(kit_db));
    return out.row;
}

static void list(const struct company *c, int limit, struct issue_cards *cards)
{
    struct issue *rows;
    int n;
    const struct issue_filter f = {.company_id = c->id, .updated_since = INSTANT_NONE, .limit = limit};
    must(issue_list(kit_db, &f, &rows, &n));
    must(issue_cards_load(kit_db, rows, n, CARD_LABELS | CARD_RUNS | CARD_ATTENTION | CARD_BLOCKED_BY, cards));
}

static void test_a_list_costs_a_handful_whatever_its_length(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct issue_cards cards;
    struct issue first = create(&c, "leaf", NULL, NULL);
    const struct id_list leaf = {.ids = (const char *[]){first.id}, .count = 1};
    for (int i = 0; i < 100; i++) {
        const char *title = arena_printf(&kit_arena, "task %d", i);
        create(&c, title, i % 4 ? "todo" : "blocked", i % 4 ? NULL : &leaf);
    }
    kit_statements();
    list(&c, 10, &cards);
    int few = kit_statements();
    list(&c, 100, &cards);
    int many = kit_statements();
    assert_int_equal(cards.count, 100);
    assert_int_equal(few, many);
    assert_true(many <= 7);
    int blocked = 0;
    for (int i = 0; i < cards.count; i++) {
        const struct issue_card *card = &cards.items[i];
        if (!text_is(card->row.status, "blocked")) continue;
        blocked++;
        assert_int_equal(card->blocked_by_count, 1);
        assert_string_equal(card->blocked_by[0].id, first.id);
        assert_string_equal(blocker_judge(&cards.map.graph, card->graph_root).state, "needs_attention");
    }
    assert_true(blocked >= 20);
}

static struct issue reload(const char *id)
{
    struct issue row;
    bool found;
    must(issue_get(kit_db, id, &row, &found));
    assert_true(found);
    return row;
}

static void test_a_refused_change_leaves_no_trace(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct issue i = create(&c, "x", NULL, NULL), row;
    int64_t before, after;
    const struct comment_new comment = {.body = "said"};
    struct issue_change change = {.after = i, .status_sent = true, .comment = &comment};
    struct issue_changed out;
    change.after.title = "y";
    change.after.status = "blocked"; /* nothing says who unblocks it */
    must(db_int(kit_db, &before, 0, "SELECT count(*) FROM activity_log", P()));
    must(db_begin(kit_db, c.id));
    err_t e = issue_update(kit_db, &kit_board, &i, &change, &out);
    assert_non_null(e);
    assert_int_equal(err_status(e), 422);
    db_rollback(kit_db);
    row = reload(i.id);
    assert_string_equal(row.title, "x");
    assert_string_equal(row.status, "backlog");
    must(db_int(kit_db, &after, 0, "SELECT count(*) FROM activity_log", P()));
    assert_int_equal(before, after);
    must(db_int(kit_db, &after, 0, "SELECT count(*) FROM issue_comments WHERE issue_id = $1", P(V_ID(i.id))));
    assert_int_equal(after, 0);
}

static void test_the_wait_for_a_dispatch_is_kept(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent a = kit_agent(&c, "ada");
    struct issue i = create(&c, "x", NULL, NULL);
    struct issue_changed out;
    struct issue_change change = {.after = i, .status_sent = true};
    assert_true(i.dispatch_expected_since == INSTANT_NONE);
    change.after.status = "todo";
    change.after.assignee_agent_id = a.id;
    must(db_begin(kit_db, c.id));
    must(issue_update(kit_db, &kit_board, &i, &change, &out));
    must(db_commit(kit_db));
    assert_true(out.row.dispatch_expected_since != INSTANT_NONE);
    instant_t since = out.row.dispatch_expected_since;
    const struct issue waiting = out.row;
    change = (struct issue_change){.after = waiting};
    change.after.title = "still waiting";
    must(db_begin(kit_db, c.id));
    must(issue_update(kit_db, &kit_board, &waiting, &change, &out));
    must(db_commit(kit_db));
    assert_true(out.row.dispatch_expected_since == since);
}

static void test_assigning_needs_the_permission(void **state)
{
    (void)state;
    struct company c = kit_company();
    struct agent a = kit_agent(&c, "outsider"); /* no membership, no grant */
    const struct actor actor = {.type = ACTOR_AGENT, .agent_id = a.id, .company_id = c.id};
    const struct issue before = {.assignee_agent_id = a.id, .created_by_user_id = "boss"};
    const struct issue to_agent = {.assignee_agent_id = "somebody"}, back = {.assignee_user_id = "boss"};
    const struct issue to_user = {.assignee_user_id = "another"}, nobody = {0};
    err_t e = assignee_check_permission(kit_db, &actor, &a, NULL, &to_agent);
    assert_int_equal(err_status(e), 403);
    e = assignee_check_permission(kit_db, &actor, &a, &before, &to_user);
    assert_int_equal(err_status(e), 403);
    must(assignee_check_permission(kit_db, &actor, &a, &before, &back)); /* to the person who created it */
    must(assignee_check_permission(kit_db, &actor, &a, &before, &nobody));
    must(assignee_check_permission(kit_db, &actor, &a, &before, &before));
    must(assignee_check_permission(kit_db, &kit_board, &a, NULL, &to_agent));
    a.role = "ceo";
    must(assignee_check_permission(kit_db, &actor, &a, NULL, &to_agent));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_list_costs_a_handful_whatever_its_length),
        cmocka_unit_test(test_a_refused_change_leaves_no_trace),
        cmocka_unit_test(test_the_wait_for_a_dispatch_is_kept),
        cmocka_unit_test(test_assigning_needs_the_permission),
    };
    return cmocka_run_group_tests(tests, kit_open, kit_close);
}

/*
 * store: the same promises on both engines. Runs on a fresh SQLite file, or on
 * the empty PostgreSQL database of DATABASE_URL (tools/with-postgres).
 */
#include "store_kit.h"

#include "base/id.h"
#include "store/entity.h"
#include "store/migrate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A company that breaks no constraint; its prefix is as unique as its id. */
static struct company a_company(void)
{
    struct company c;
    entity_init(&ENTITY_company, &c);
    c.id = id_new(&arena);
    c.name = "Kennel \"d'Or\" \xf0\x9f\x90\xb6";
    c.status = "active";
    c.issue_prefix = arena_printf(&arena, "P%s", random_hex(&arena, 6));
    c.interaction_resolver_governance = "{}";
    c.created_at = c.updated_at = 1234567890123;
    return c;
}

static struct company an_inserted_company(void)
{
    struct company c = a_company();
    must(db_begin(db, c.id));
    must(entity_insert(db, &ENTITY_company, &c));
    must(db_commit(db));
    return c;
}

static bool read_company(const char *id, struct company *out)
{
    bool found = false;
    must(entity_one(db, &ENTITY_company, out, &found, "WHERE id = $1", P(V_ID(id))));
    return found;
}

static int64_t count_companies(const char *id)
{
    int64_t n = -1;
    must(db_int(db, &n, -1, "SELECT count(*) FROM companies WHERE id = $1", P(V_ID(id))));
    return n;
}

static void migrations_apply_once_and_guard_the_schema(void **state)
{
    (void)state;
    int applied = -1;
    must(migrate_up(db, &applied));
    assert_int_equal(applied, 0);
    must(db_exec(db, NULL, "INSERT INTO schema_migrations (name, checksum, applied_at) VALUES ('9999_future', 'x', $1)",
                 P(V_TIME(1))));
    err_t e = migrate_up(db, &applied);
    assert_non_null(e);
    assert_non_null(strstr(e->message, "9999_future"));
    must(db_exec_one(db, "DELETE FROM schema_migrations WHERE name = '9999_future'", P()));
    const char *was = NULL;
    must(db_text(db, &was, "SELECT checksum FROM schema_migrations WHERE name LIKE '0001%'", P()));
    must(db_exec_one(db, "UPDATE schema_migrations SET checksum = 'changed' WHERE name LIKE '0001%'", P()));
    e = migrate_up(db, &applied);
    assert_non_null(e);
    assert_non_null(strstr(e->message, "0001"));
    must(db_exec_one(db, "UPDATE schema_migrations SET checksum = $1 WHERE name LIKE '0001%'", P(V_TEXT(was))));
    must(migrate_up(db, &applied));
}

static void a_row_comes_back_as_it_went(void **state)
{
    (void)state;
    struct company full = a_company(), bare = a_company(), got;
    full.description = "lines\nand \\ quotes ' \" and a long tail";
    full.issue_counter = INT64_C(9007199254740993);
    full.budget_monthly_cents = -5;
    full.require_board_approval_for_new_agents = true;
    full.interaction_resolver_governance = "{\"a\":[1,2,{\"b\":null}],\"c\":\"\\u00e9\"}";
    full.feedback_data_sharing_consent_at = INT64_C(951782400001);
    full.logo_asset_id = id_new(&arena);
    full.paused_at = 0; /* the epoch is a time, not a null */
    struct company *const both[] = {&full, &bare};
    for (int i = 0; i < 2; i++) {
        must(db_begin(db, both[i]->id));
        must(entity_insert(db, &ENTITY_company, both[i]));
        must(db_commit(db));
        assert_true(read_company(both[i]->id, &got));
        for (int k = 0; k < ENTITY_company.count; k++) {
            const struct field *f = &ENTITY_company.fields[k];
            if ((f->flags & FF_CALC) || f->kind == K_JSON) continue;
            if (!entity_same(f, both[i], &got)) fail_msg("%s changed on the way", f->name);
        }
        assert_true(json_equal(json_read(got.interaction_resolver_governance),
                               json_read(both[i]->interaction_resolver_governance)));
    }
    assert_false(read_company(id_new(&arena), &got));
}

static void parameters_go_by_their_number(void **state)
{
    (void)state;
    const char *got = NULL;
    must(db_text(db, &got,
                 "SELECT CAST($3 AS text) || '$1' || CAST($1 AS text) || CAST($3 AS text) || CAST($2 AS text)",
                 P(V_TEXT("a"), V_TEXT("b"), V_TEXT("c"))));
    assert_string_equal(got, "c$1acb");
}

/* Lists of ids go in as parameters: a page of 1000 rows asks for 1024 of them. */
static void a_statement_takes_many_parameters(void **state)
{
    (void)state;
    enum { MANY = 4096 };
    struct buf sql = {0};
    struct dbv *v = arena_array(&arena, struct dbv, MANY);
    int64_t sum = -1;
    for (int i = 0; i < MANY; i++) {
        v[i] = V_INT(i % 2);
        buf_printf(&sql, "%s$%d", i ? "," : "SELECT count(*) FROM (SELECT 1 AS one) n WHERE n.one IN (", i + 1);
    }
    buf_puts(&sql, ")");
    must(db_int(db, &sum, -1, buf_finish(&sql, &arena), v, MANY));
    assert_int_equal(sum, 1);
}

static void update_writes_what_differs_and_misses_nothing(void **state)
{
    (void)state;
    struct company before = an_inserted_company(), after = before, got;
    after.name = "Pound";
    after.paused_at = 77;
    must(db_begin(db, before.id));
    must(db_exec_one(db, "UPDATE companies SET issue_counter = 41 WHERE id = $1", P(V_ID(before.id))));
    must(entity_update(db, &ENTITY_company, &before, &after)); /* does not put the old counter back */
    must(entity_update(db, &ENTITY_company, &after, &after));
    must(db_commit(db));
    assert_true(read_company(before.id, &got));
    assert_string_equal(got.name, "Pound");
    assert_int_equal(got.paused_at, 77);
    assert_int_equal(got.issue_counter, 41);
    struct company gone = a_company(), changed = gone;
    changed.name = "x";
    must(db_begin(db, gone.id));
    err_t e = entity_update(db, &ENTITY_company, &gone, &changed);
    db_rollback(db);
    assert_non_null(e);
    assert_int_equal(err_status(e), 409);
}

static void constraints_are_told_apart(void **state)
{
    (void)state;
    struct company c = an_inserted_company(), twin = a_company();
    twin.issue_prefix = c.issue_prefix;
    must(db_begin(db, twin.id));
    err_t e = entity_insert(db, &ENTITY_company, &twin);
    db_rollback(db);
    assert_true(db_is_unique(e) && !db_is_foreign(e) && !e->retry);
    struct label l = {.id = id_new(&arena),
                      .company_id = id_new(&arena),
                      .name = "n",
                      .color = "red",
                      .created_at = 1,
                      .updated_at = 1};
    must(db_begin(db, NULL));
    e = entity_insert(db, &ENTITY_label, &l);
    if (e == OK) e = db_commit(db); /* an engine may look at the end */
    db_rollback(db);
    assert_true(db_is_foreign(e) && !db_is_unique(e));
    assert_int_equal(count_companies(twin.id), 0);
    assert_int_equal(count_companies(c.id), 1);
}

static void a_transaction_is_all_or_nothing(void **state)
{
    (void)state;
    struct company a = a_company(), b = a_company(), c = a_company();
    must(db_begin(db, a.id));
    must(entity_insert(db, &ENTITY_company, &a));
    assert_int_equal(count_companies(a.id), 1); /* it sees its own rows */
    db_rollback(db);
    assert_int_equal(count_companies(a.id), 0);
    must(db_begin(db, b.id));
    must(entity_insert(db, &ENTITY_company, &b));
    must(db_savepoint(db));
    must(entity_insert(db, &ENTITY_company, &c));
    err_t e = entity_insert(db, &ENTITY_company, &c);
    assert_true(db_is_unique(e));
    db_rollback_to(db);
    must(db_savepoint(db));
    must(entity_insert(db, &ENTITY_company, &a));
    must(db_release(db));
    must(db_commit(db));
    assert_int_equal(count_companies(a.id), 1);
    assert_int_equal(count_companies(b.id), 1);
    assert_int_equal(count_companies(c.id), 0);
}

static char heard[256];
static int pokes;

static void hear(void *ctx, const struct db_event *events)
{
    (void)ctx;
    for (const struct db_event *e = events; e; e = e->next) {
        size_t n = strlen(heard);
        snprintf(heard + n, sizeof heard - n, "%s ", e->type);
    }
}

static void count_poke(void *ctx)
{
    (void)ctx;
    pokes++;
}

static void events_leave_after_the_commit_and_in_order(void **state)
{
    (void)state;
    store_set_hooks(store, &(struct store_hooks){.publish = hear, .poke = count_poke});
    must(db_begin(db, NULL));
    db_event(db, &(struct db_event){.type = "lost"});
    db_poke(db);
    db_rollback(db);
    must(db_begin(db, NULL));
    db_event(db, &(struct db_event){.type = "one"});
    db_event(db, &(struct db_event){.type = "two"});
    db_poke(db);
    assert_string_equal(heard, "");
    must(db_commit(db));
    assert_string_equal(heard, "one two ");
    assert_int_equal(pokes, 1);
    store_set_hooks(store, &(struct store_hooks){0});
}

enum { WRITERS = 8, ROUNDS = 50 };

/* Read, think, write: what is lost when two do it at once. */
static err_t raise_counter(struct db *mine, const char *id)
{
    int64_t n;
    TRY(db_begin(mine, id));
    TRY(db_int(mine, &n, -1, "SELECT issue_counter FROM companies WHERE id = $1", P(V_ID(id))));
    TRY(db_exec_one(mine, "UPDATE companies SET issue_counter = $2 WHERE id = $1", P(V_ID(id), V_INT(n + 1))));
    return db_commit(mine);
}

static void *writer(void *arg)
{
    struct arena a ARENA_AUTO = {0};
    struct db *mine = NULL;
    intptr_t done = 0;
    err_t opened = db_open(&a, store, &mine);
    if (opened) {
        print_error("writer: %s\n", opened->message);
        return NULL;
    }
    db_use(mine, &a);
    for (int i = 0; i < ROUNDS; i++) {
        err_t e = raise_counter(mine, arg);
        for (int k = 0; e && e->retry && k < DB_RETRY_MAX; k++) {
            db_rollback(mine);
            e = raise_counter(mine, arg);
        }
        db_rollback(mine);
        if (e) print_error("writer: %s\n", e->message);
        done += e == OK;
    }
    db_close(mine);
    return (void *)done; /* NOLINT(performance-no-int-to-ptr) */
}

static void no_update_is_lost_among_writers(void **state)
{
    (void)state;
    struct company c = an_inserted_company(), got;
    pthread_t t[WRITERS];
    for (int i = 0; i < WRITERS; i++) assert_int_equal(pthread_create(&t[i], NULL, writer, (void *)(uintptr_t)c.id), 0);
    intptr_t all = 0;
    for (int i = 0; i < WRITERS; i++) {
        void *done;
        pthread_join(t[i], &done);
        all += (intptr_t)done;
    }
    assert_int_equal(all, WRITERS * ROUNDS);
    assert_true(read_company(c.id, &got));
    assert_int_equal(got.issue_counter, WRITERS * ROUNDS);
}

static void a_read_transaction_is_one_snapshot(void **state)
{
    (void)state;
    struct company c = an_inserted_company(), got;
    struct db *other = NULL;
    must(db_open(&arena, store, &other));
    db_use(other, &arena);
    must(db_begin_read(db));
    assert_true(read_company(c.id, &got));
    must(db_begin(other, c.id));
    must(db_exec_one(other, "UPDATE companies SET issue_counter = 99 WHERE id = $1", P(V_ID(c.id))));
    must(db_commit(other)); /* a reader does not hold a writer up */
    assert_true(read_company(c.id, &got));
    assert_int_equal(got.issue_counter, 0);
    must(db_commit(db));
    assert_true(read_company(c.id, &got));
    assert_int_equal(got.issue_counter, 99);
    db_close(other);
}

static err_t refuse_updates(void *ctx, struct arena *a, const char *sql)
{
    (void)ctx;
    return strncmp(sql, "UPDATE", 6) == 0 ? err_new(a, ERR_UNAVAILABLE, "killed here") : OK;
}

static void a_hook_can_fail_any_statement(void **state)
{
    (void)state;
    struct company c = an_inserted_company();
    store_set_statement_hook(store, refuse_updates, NULL);
    must(db_begin(db, c.id));
    err_t e = db_exec_one(db, "UPDATE companies SET name = 'x' WHERE id = $1", P(V_ID(c.id)));
    db_rollback(db);
    store_set_statement_hook(store, NULL, NULL);
    assert_non_null(e);
    assert_string_equal(e->message, "killed here");
}

static void bad_sql_is_an_error_and_the_handle_goes_on(void **state)
{
    (void)state;
    struct rows r ROWS_AUTO = {0};
    err_t e = db_query(db, &r, "SELECT no_such_column FROM companies", P());
    assert_non_null(e);
    assert_int_equal(err_status(e), 500);
    assert_true(count_companies(id_new(&arena)) == 0);
}

static void is_written_as_camel_case_json(void **state)
{
    (void)state;
    struct company c = a_company();
    struct buf b BUF_AUTO = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    entity_write(&w, &ENTITY_company, &c, VIEW_FULL);
    jw_obj_end(&w);
    json_t *j = json_read(b.data);
    assert_string_equal(json_str(j, "issuePrefix"), c.issue_prefix);
    assert_string_equal(json_str(j, "name"), c.name);
    assert_string_equal(json_str(j, "createdAt"), "2009-02-13T23:31:30.123Z");
    assert_true(json_is_null(json_object_get(j, "pausedAt")));
    assert_true(json_is_object(json_object_get(j, "interactionResolverGovernance")));
    assert_true(json_is_false(json_object_get(j, "requireBoardApprovalForNewAgents")));
    const struct field *f = entity_field(&ENTITY_company, "budgetMonthlyCents");
    assert_non_null(f);
    entity_set(&arena, f, &c, json_integer(250));
    assert_int_equal(c.budget_monthly_cents, 250);
    assert_null(entity_field(&ENTITY_company, "budget_monthly_cents"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(migrations_apply_once_and_guard_the_schema),
        cmocka_unit_test(a_row_comes_back_as_it_went),
        cmocka_unit_test(parameters_go_by_their_number),
        cmocka_unit_test(a_statement_takes_many_parameters),
        cmocka_unit_test(update_writes_what_differs_and_misses_nothing),
        cmocka_unit_test(constraints_are_told_apart),
        cmocka_unit_test(a_transaction_is_all_or_nothing),
        cmocka_unit_test(events_leave_after_the_commit_and_in_order),
        cmocka_unit_test(no_update_is_lost_among_writers),
        cmocka_unit_test(a_read_transaction_is_one_snapshot),
        cmocka_unit_test(a_hook_can_fail_any_statement),
        cmocka_unit_test(bad_sql_is_an_error_and_the_handle_goes_on),
        cmocka_unit_test(is_written_as_camel_case_json),
    };
    return cmocka_run_group_tests(tests, open_store, close_store);
}

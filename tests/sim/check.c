/*
 * check: asks the rules of check_rules.c. The checks have a store of their own
 * on the same database, which outlives every crash of the server: they are not
 * part of the world.
 */
#include "check.h"

#include "base/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct store *store;
static struct db *eyes;
static struct arena arena, life;
static int64_t seen_version;

/* ---- asking ---- */

void check_apart(err_t (*fn)(struct db *db, const char *arg), const char *arg)
{
    arena_reset(&arena);
    db_use(eyes, &arena);
    bool plain = sim.plain;
    sim.plain = true;
    err_t e = fn(eyes, arg);
    sim.plain = plain;
    if (e) broken("the simulator itself", "check: %s", e->message);
}

err_t check_ask(struct db *db, const struct check_rule *r, const char *after)
{
    struct rows rows ROWS_AUTO = {0};
    const int64_t limits[] = {0, settings.runs_max, settings.incident_run_budget};
    const struct dbv limit = V_INT(limits[r->limit]);
    TRY(db_query(db, &rows, r->sql, &limit, r->limit != NO_LIMIT));
    if (rows_next(&rows)) broken(r->name, "after %s: %s", after, row_text(&rows, 0));
    return rows_err(&rows);
}

static err_t ask_triggers(struct db *db, const char *after)
{
    struct rows rows ROWS_AUTO = {0};
    TRY(db_query(db, &rows, "SELECT rule, what FROM sim_broken", P()));
    if (rows_next(&rows)) broken(row_text(&rows, 0), "after %s: %s", after, row_text(&rows, 1));
    return rows_err(&rows);
}

/* Changes with every commit of another connection: the server's. */
static err_t unchanged(struct db *db, bool *yes)
{
    int64_t v = seen_version + 1;
    if (db_engine(db) == DB_SQLITE) TRY(db_int(db, &v, 0, "PRAGMA data_version", P()));
    *yes = v == seen_version;
    seen_version = v;
    return OK;
}

static err_t read_touched(struct db *db, int *touched)
{
    struct rows r ROWS_AUTO = {0};
    TRY(db_query(
        db, &r,
        "SELECT EXISTS (SELECT 1 FROM sim_issues), EXISTS (SELECT 1 FROM sim_runs), EXISTS (SELECT 1 FROM sim_wakes)",
        P()));
    *touched = 0;
    if (rows_next(&r))
        *touched = row_bool(&r, 0) * ISSUE_TOUCHED + row_bool(&r, 1) * RUN_TOUCHED + row_bool(&r, 2) * WAKE_TOUCHED;
    while (rows_next(&r)) {}
    return rows_err(&r);
}

static err_t forget_step(struct db *db)
{
    TRY(db_begin(db, NULL));
    err_t e =
        db_script(db, "DELETE FROM sim_blocked; DELETE FROM sim_ended; DELETE FROM sim_issues; DELETE FROM sim_runs;"
                      "DELETE FROM sim_wakes; DELETE FROM sim_agents;");
    if (e == OK) return db_commit(db);
    db_rollback(db);
    return e;
}

static err_t check_all(struct db *db, const char *after)
{
    bool same;
    int touched;
    TRY(unchanged(db, &same));
    if (same) return OK;
    TRY(ask_triggers(db, after));
    TRY(read_touched(db, &touched));
    if (touched == 0) return OK;
    for (int i = 0; i < check_always_count; i++)
        if (check_always_rules[i].touched & touched) TRY(check_ask(db, &check_always_rules[i], after));
    TRY(forget_step(db));
    return unchanged(db, &same);
}

void check_always(const char *after) { check_apart(check_all, after); }

/* ---- the eyes ---- */

/* The engine's types in place of {id} and {time}. */
static const char *with_types(struct db *db, const char *sql)
{
    bool sqlite = db_engine(db) == DB_SQLITE;
    struct buf b = {0};
    for (const char *at; (at = strchr(sql, '{')); sql = strchr(at, '}') + 1) {
        buf_append(&b, sql, (size_t)(at - sql));
        if (at[1] == 'i') buf_puts(&b, sqlite ? "TEXT" : "uuid");
        else buf_puts(&b, sqlite ? "INTEGER" : "timestamptz");
    }
    buf_puts(&b, sql);
    return buf_finish(&b, &arena);
}

static err_t install_trigger(struct db *db, const struct check_trigger *t)
{
    const char *when = t->when ? t->when : "1 = 1";
    if (db_engine(db) == DB_SQLITE)
        return db_script(db, arena_printf(&arena, "CREATE TRIGGER %s AFTER %s WHEN %s BEGIN %s; END;", t->name,
                                          t->event, when, t->body));
    return db_script(
        db, arena_printf(&arena,
                         "CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN IF %s THEN %s; END IF;"
                         " RETURN NULL; END $body$; CREATE TRIGGER %s AFTER %s FOR EACH ROW EXECUTE FUNCTION %s();",
                         t->name, when, t->body, t->name, t->event, t->name));
}

static err_t install(struct db *db, const char *arg)
{
    (void)arg;
    TRY(db_begin(db, NULL));
    err_t e = db_script(db, with_types(db, check_tables));
    for (int i = 0; i < check_trigger_count && e == OK; i++) e = install_trigger(db, &check_triggers[i]);
    if (e == OK) return db_commit(db);
    db_rollback(db);
    return e;
}

void check_install(void) { check_apart(install, NULL); }

bool check_own(const struct db *db) { return db == eyes; }

void check_open(const char *url)
{
    err_t e = store_open(&life, url, &store);
    if (e == OK) e = db_open(&life, store, &eyes);
    if (e) broken("the simulator itself", "eyes: %s", e->message);
}

void check_keep(const char *path)
{
    struct arena a ARENA_AUTO = {0};
    struct store *other; /* for the eyes may be in the middle of a look */
    struct db *db;
    err_t e = store_open(&a, sim.url, &other);
    if (e == OK) e = db_open(&a, other, &db);
    if (e == OK) e = db_script(db, arena_printf(&a, "VACUUM INTO 'file:%s?vfs=unix'", path));
    if (e) fprintf(stderr, "no copy of the database: %s\n", e->message);
}

void check_close(void)
{
    db_close(eyes);
    store_close(store);
    arena_free(&arena);
    arena_free(&life);
}

void check_sql(err_t (*fn)(struct db *db, const char *sql), const char *sql) { check_apart(fn, sql); }

/* ---- how much there is ---- */

static int64_t volume;

static err_t count_rows(struct db *db, const char *arg)
{
    (void)arg;
    return db_int(
        db, &volume, 0,
        "SELECT (SELECT count(*) FROM heartbeat_runs) + (SELECT count(*) FROM issue_comments) + (SELECT count(*) FROM activity_log)"
        " + (SELECT count(*) FROM issues) + (SELECT coalesce(count(*) + sum(CASE WHEN status = 'skipped' THEN 0 ELSE coalesced_count END), 0)"
        "   FROM agent_wakeup_requests)" /* a gate that is asked again counts on its row (EX-33), and may */
        " + (SELECT count(*) FROM heartbeat_run_events)",
        P());
}

int64_t check_volume(void)
{
    check_apart(count_rows, NULL);
    return volume;
}

static uint64_t digest;

static err_t digest_rows(struct db *db, const char *arg)
{
    struct rows r ROWS_AUTO = {0};
    (void)arg;
    digest = 14695981039346656037u;
    TRY(db_query(
        db, &r,
        "SELECT CAST(id AS text) || status || coalesce(CAST(execution_run_id AS text), '') FROM issues"
        " UNION ALL SELECT CAST(id AS text) || status FROM heartbeat_runs"
        " UNION ALL SELECT CAST(id AS text) || status || CAST(coalesced_count AS text) || coalesce(reason, '') FROM agent_wakeup_requests ORDER BY 1",
        P()));
    while (rows_next(&r))
        for (const char *s = row_text(&r, 0); *s; s++) digest = (digest ^ (unsigned char)*s) * 1099511628211u;
    return rows_err(&r);
}

uint64_t check_digest(void)
{
    check_apart(digest_rows, NULL);
    return digest;
}

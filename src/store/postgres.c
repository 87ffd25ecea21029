/*
 * postgres: the scale-out engine. One connection per handle, each statement
 * prepared once per text. A write transaction takes an advisory lock on its
 * scope, which lasts until commit and works through transaction poolers.
 */
#include "store/db_internal.h"

#include "base/log.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARAMS_MAX 65535 /* of the protocol: a list of ids may be long */

struct pg_db {
    PGconn *pg;
    struct stmt_cache cache; /* stmt: the prepared statement's name */
    int64_t next_name;
};

static struct pg_db *impl_of(struct db *db) { return db->impl; }

static err_t fail(struct db *db, const PGresult *res, const char *sql)
{
    const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    const char *msg = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : PQerrorMessage(impl_of(db)->pg);
    if (state == NULL) state = "";
    if (strcmp(state, "23505") == 0)
        return err_with(db->arena, ERR_CONFLICT, db_code_unique, NULL, "A record with this value already exists");
    if (strcmp(state, "23503") == 0)
        return err_with(db->arena, ERR_UNPROCESSABLE, db_code_foreign, NULL, "A referenced record does not exist");
    if (strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0) {
        struct err *e = arena_new(db->arena, struct err);
        *e = (struct err){.kind = ERR_UNAVAILABLE, .message = "The database asks to try again", .retry = true};
        return e;
    }
    log_error("db.postgres", "state=%s error=\"%s\" sql=\"%.300s\"", state, msg ? msg : "?", sql);
    if (PQstatus(impl_of(db)->pg) != CONNECTION_OK)
        return err_new(db->arena, ERR_UNAVAILABLE, "The database is not reachable");
    return err_new(db->arena, ERR_INTERNAL, "Internal server error");
}

/* A lost connection is made anew; its prepared statements went with it. */
static err_t ensure(struct db *db)
{
    struct pg_db *d = impl_of(db);
    if (PQstatus(d->pg) == CONNECTION_OK) return OK;
    if (db->tx == TX_NONE) {
        stmt_cache_clear(&d->cache, free);
        PQreset(d->pg);
    }
    if (PQstatus(d->pg) == CONNECTION_OK) return OK;
    return err_new(db->arena, ERR_UNAVAILABLE, "The database is not reachable");
}

static Oid oid_of(enum db_kind k)
{
    switch (k) {
    case K_ID: return 2950;
    case K_TEXT: return 25;
    case K_INT: return 20;
    case K_REAL: return 701;
    case K_BOOL: return 16;
    case K_TIME: return 1184;
    case K_JSON: return 3802;
    }
    abort();
}

static void deallocate_all(struct pg_db *d)
{
    PQclear(PQexec(d->pg, "DEALLOCATE ALL"));
    stmt_cache_clear(&d->cache, free);
}

/* The name of the prepared statement for sql. */
static err_t statement(struct db *db, const char *sql, const struct dbv *v, int n, const char **name)
{
    struct pg_db *d = impl_of(db);
    uint64_t hash;
    struct stmt_slot *slot = stmt_cache_find(&d->cache, sql, &hash);
    if (slot->sql) {
        *name = slot->stmt;
        return OK;
    }
    if (d->cache.used >= STMT_CACHE_MAX) {
        deallocate_all(d);
        slot = stmt_cache_find(&d->cache, sql, &hash);
    }
    Oid *oids = arena_array(db->arena, Oid, n + 1);
    for (int i = 0; i < n; i++) oids[i] = oid_of(v[i].kind);
    char text[32];
    snprintf(text, sizeof text, "s%" PRId64, d->next_name++);
    PGresult *res = PQprepare(d->pg, text, sql, n, oids);
    err_t e = PQresultStatus(res) == PGRES_COMMAND_OK ? OK : fail(db, res, sql);
    PQclear(res);
    if (e) return e;
    char *kept = strdup(text);
    if (kept == NULL) abort();
    stmt_cache_fill(&d->cache, slot, sql, hash, kept);
    *name = kept;
    return OK;
}

static const char *value_text(struct db *db, const struct dbv *v)
{
    if (v->null) return NULL;
    switch (v->kind) {
    case K_ID:
    case K_TEXT:
    case K_JSON: return v->v.s;
    case K_INT: return arena_printf(db->arena, "%" PRId64, v->v.i);
    case K_BOOL: return v->v.i ? "t" : "f";
    case K_REAL: return arena_printf(db->arena, "%.17g", v->v.r);
    case K_TIME: return instant_text(db->arena, v->v.i);
    }
    abort();
}

static err_t run(struct db *db, PGresult **out, const char *sql, const struct dbv *v, int n)
{
    assert(n <= PARAMS_MAX);
    const char *name, **values = arena_array(db->arena, const char *, n + 1);
    TRY(ensure(db));
    TRY(statement(db, sql, v, n, &name));
    for (int i = 0; i < n; i++) values[i] = value_text(db, &v[i]);
    PGresult *res = PQexecPrepared(impl_of(db)->pg, name, n, values, NULL, NULL, 0);
    ExecStatusType s = PQresultStatus(res);
    if (s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK) {
        *out = res;
        return OK;
    }
    err_t e = fail(db, res, sql);
    PQclear(res);
    return e;
}

static err_t pg_exec(struct db *db, int64_t *affected, const char *sql, const struct dbv *v, int n)
{
    PGresult *res = NULL;
    TRY(run(db, &res, sql, v, n));
    if (affected) *affected = strtoll(PQcmdTuples(res), NULL, 10);
    PQclear(res);
    return OK;
}

static err_t pg_insert_id(struct db *db, int64_t *id, const char *sql, const struct dbv *v, int n)
{
    PGresult *res = NULL;
    TRY(run(db, &res, arena_printf(db->arena, "%s RETURNING id", sql), v, n));
    *id = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
    PQclear(res);
    return OK;
}

static err_t pg_script(struct db *db, const char *sql)
{
    TRY(ensure(db));
    PGresult *res = PQexec(impl_of(db)->pg, sql);
    ExecStatusType s = PQresultStatus(res);
    bool ok = s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK || s == PGRES_EMPTY_QUERY;
    err_t e = ok ? OK : fail(db, res, sql);
    PQclear(res);
    return e;
}

static err_t pg_query(struct db *db, struct rows *r, const char *sql, const struct dbv *v, int n)
{
    PGresult *res = NULL;
    TRY(run(db, &res, sql, v, n));
    r->stmt = res;
    r->count = PQntuples(res);
    return OK;
}

static bool pg_next(struct rows *r)
{
    if (++r->row < r->count) return true;
    rows_close(r);
    return false;
}

static void pg_close_rows(struct rows *r) { PQclear(r->stmt); }
static bool pg_null(const struct rows *r, int c) { return PQgetisnull(r->stmt, r->row, c); }
static const char *cell(const struct rows *r, int c) { return PQgetvalue(r->stmt, r->row, c); }

static const char *pg_text(const struct rows *r, int c)
{
    return pg_null(r, c) ? NULL : arena_strndup(r->db->arena, cell(r, c), (size_t)PQgetlength(r->stmt, r->row, c));
}

static int64_t pg_int(const struct rows *r, int c) { return pg_null(r, c) ? 0 : strtoll(cell(r, c), NULL, 10); }
static double pg_real(const struct rows *r, int c) { return pg_null(r, c) ? 0 : strtod(cell(r, c), NULL); }
static bool pg_bool(const struct rows *r, int c) { return !pg_null(r, c) && *cell(r, c) == 't'; }

static instant_t pg_time(const struct rows *r, int c)
{
    instant_t t;
    return pg_null(r, c) || !instant_parse(cell(r, c), &t) ? INSTANT_NONE : t;
}

/* ---- connections and transactions ---- */

static void notice(void *arg, const char *msg)
{
    (void)arg;
    log_debug("db.notice", "%s", msg);
}

static err_t connect_url(struct arena *a, const char *url, PGconn **out)
{
    PGconn *pg = PQconnectdb(url);
    if (PQstatus(pg) != CONNECTION_OK) {
        err_t e = err_new(a, ERR_UNAVAILABLE, "cannot connect to PostgreSQL: %s", PQerrorMessage(pg));
        PQfinish(pg);
        return e;
    }
    PQsetNoticeProcessor(pg, notice, NULL);
    static const char setup[] =
        "SET TimeZone='UTC'; SET DateStyle='ISO'; SET statement_timeout='30s'; SET client_encoding='UTF8'";
    PQclear(PQexec(pg, setup));
    *out = pg;
    return OK;
}

static err_t pg_store_open(struct arena *a, struct store *s, const char *url)
{
    PGconn *probe;
    TRY(connect_url(a, url, &probe));
    PQfinish(probe);
    s->impl = arena_strdup(&s->arena, url);
    return OK;
}

static void pg_store_close(struct store *s) { (void)s; }

static uint64_t pg_version(struct store *s)
{
    (void)s;
    return 0;
}

static err_t pg_open(struct arena *a, struct db *db)
{
    struct pg_db *d = calloc(1, sizeof *d);
    if (d == NULL) abort();
    err_t e = connect_url(a, db->store->impl, &d->pg);
    if (e) {
        free(d);
        return e;
    }
    db->impl = d;
    return OK;
}

static void pg_close(struct db *db)
{
    stmt_cache_clear(&impl_of(db)->cache, free);
    PQfinish(impl_of(db)->pg);
    free(impl_of(db));
}

static void pg_rollback(struct db *db) { PQclear(PQexec(impl_of(db)->pg, "ROLLBACK")); }

static err_t pg_begin(struct db *db, const char *scope)
{
    int64_t n;
    TRY(pg_script(db, "BEGIN"));
    err_t e =
        pg_exec(db, &n, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", P(V_TEXT(scope ? scope : "instance")));
    if (e) pg_rollback(db);
    return e;
}

static err_t pg_begin_read(struct db *db) { return pg_script(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); }

static err_t pg_relax(struct db *db) { return pg_script(db, "SET LOCAL synchronous_commit TO OFF"); }

static err_t pg_commit(struct db *db)
{
    PGresult *res = PQexec(impl_of(db)->pg, "COMMIT");
    /* a COMMIT of a failed transaction answers ROLLBACK without an error */
    bool done = PQresultStatus(res) == PGRES_COMMAND_OK;
    bool ok = done && strcmp(PQcmdStatus(res), "COMMIT") == 0;
    err_t e = OK;
    if (!ok) e = done ? err_new(db->arena, ERR_INTERNAL, "Internal server error") : fail(db, res, "COMMIT");
    PQclear(res);
    if (ok && db->tx == TX_WRITE) db_published(db);
    return e;
}

const struct engine_ops postgres_ops = {
    .store_open = pg_store_open,
    .store_close = pg_store_close,
    .version = pg_version,
    .open = pg_open,
    .close = pg_close,
    .begin = pg_begin,
    .begin_read = pg_begin_read,
    .commit = pg_commit,
    .relax = pg_relax,
    .rollback = pg_rollback,
    .query = pg_query,
    .exec = pg_exec,
    .insert_id = pg_insert_id,
    .script = pg_script,
    .next = pg_next,
    .close_rows = pg_close_rows,
    .null = pg_null,
    .text = pg_text,
    .integer = pg_int,
    .real = pg_real,
    .boolean = pg_bool,
    .time = pg_time,
};

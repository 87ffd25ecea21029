/*
 * db: one interface over SQLite and PostgreSQL.
 *
 * A struct store is an opened database; a struct db is one thread's handle on
 * it. SQL is one text for both engines: $1…$n parameters and the common subset;
 * times are computed in C and passed in (INSTANT_NONE binds NULL).
 *
 * Reads run outside a transaction or inside db_begin_read (one snapshot).
 * Writes run between db_begin and db_commit:
 *  - SQLite: all writers share one connection in turn; each transaction is a
 *    savepoint, and transactions that arrive while another is being written
 *    are committed together, so one fsync serves many (group commit).
 *  - PostgreSQL: a transaction with an advisory lock on its scope (a company
 *    id), so that both engines give the same "one writer per company" rule,
 *    also across several servers.
 * db_commit may answer an error with retry set: the caller runs the whole
 * transaction again (bounded, DB_RETRY_MAX).
 *
 * Events queued with db_event are published, in commit order, only after the
 * commit succeeded.
 */
#ifndef BULLDOG_STORE_DB_H
#define BULLDOG_STORE_DB_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define DB_RETRY_MAX 8

enum db_engine { DB_SQLITE, DB_POSTGRES };

/* Kinds of columns and parameters. PostgreSQL: uuid, text, bigint, double
 * precision, boolean, timestamptz, jsonb; SQLite: TEXT, INTEGER, REAL. */
enum db_kind { K_ID, K_TEXT, K_INT, K_REAL, K_BOOL, K_TIME, K_JSON };

struct dbv {
    enum db_kind kind;
    bool null;
    union {
        const char *s;
        int64_t i;
        double r;
    } v;
};

static inline struct dbv V_ID(const char *s) {
    return (struct dbv){K_ID, s == NULL, {.s = s}};
} static inline struct dbv V_TEXT(const char *s) {
    return (struct dbv){K_TEXT, s == NULL, {.s = s}};
} static inline struct dbv V_JSON(const char *s) {
    return (struct dbv){K_JSON, s == NULL, {.s = s}};
} static inline struct dbv V_INT(int64_t i) {
    return (struct dbv){K_INT, false, {.i = i}};
} static inline struct dbv V_BOOL(bool b) {
    return (struct dbv){K_BOOL, false, {.i = b}};
} static inline struct dbv V_REAL(double r) {
    return (struct dbv){K_REAL, false, {.r = r}};
} static inline struct dbv V_TIME(instant_t t) {
    return (struct dbv){K_TIME, t == INSTANT_NONE, {.i = t}};
}

/* Parameter list: db_exec(db, &n, "… $1 …", P(V_ID(id))); P() for none. */
#define P(...)                                  \
    (const struct dbv[]){{0}, __VA_ARGS__} + 1, \
        (int)(sizeof((const struct dbv[]){{0}, __VA_ARGS__}) / sizeof(struct dbv) - 1)

struct store;
struct db;

/* A thing that happened, for the live hub; strings live as long as the unit of work. */
struct db_event {
    struct db_event *next;
    int64_t id; /* durable id; 0 for an event that is not kept */
    const char *company_id, *type, *payload;
    instant_t created_at;
};

/* publish: after a commit, with its events in order. poke: after a commit that
 * asked for it. Neither may block or use the database. */
struct store_hooks {
    void (*publish)(void *ctx, const struct db_event *events);
    void (*poke)(void *ctx);
    void *ctx;
};

/* url: "postgres://…" or "postgresql://…", else a SQLite file path. */
err_t store_open(struct arena *a, const char *url, struct store **out) MUST_CHECK;
void store_close(struct store *s);
enum db_engine store_engine(const struct store *s);
void store_set_hooks(struct store *s, const struct store_hooks *hooks);
/* Called before every statement of every handle; the simulator kills here. NULL: none. */
void store_set_statement_hook(struct store *s, err_t (*hook)(void *ctx, struct arena *a, const char *sql), void *ctx);

/* Another number after each commit, so that equal ones mean equal data. 0: cannot tell, because a commit is
 * under way or because other servers write to the database (PostgreSQL). */
uint64_t store_version(struct store *s);

/* A handle for one thread. */
err_t db_open(struct arena *a, struct store *s, struct db **out) MUST_CHECK;
void db_close(struct db *db);
struct store *db_store(struct db *db);
/* The arena of the unit of work: all results and errors live there. */
void db_use(struct db *db, struct arena *a);
struct arena *db_arena(struct db *db);
enum db_engine db_engine(const struct db *db);

err_t db_begin(struct db *db, const char *scope) MUST_CHECK; /* scope: company id or NULL (instance) */
err_t db_begin_read(struct db *db) MUST_CHECK;
err_t db_commit(struct db *db) MUST_CHECK; /* of a write or a read transaction */
void db_rollback(struct db *db);           /* harmless without a transaction */
bool db_in_tx(const struct db *db);

/* For the write transaction that is open: its commit need not wait for the disk, which has it with the next commit
 * that does. All that may be lost is lost together with the processes it tells of, to a power failure. */
err_t db_relax(struct db *db) MUST_CHECK;

void db_event(struct db *db, const struct db_event *e); /* copied shallowly; published after commit */
void db_poke(struct db *db);                            /* wake the engine after commit */

/* A nested all-or-nothing part inside a write transaction. */
err_t db_savepoint(struct db *db) MUST_CHECK;
err_t db_release(struct db *db) MUST_CHECK;
void db_rollback_to(struct db *db);

/* Runs a statement; *affected gets the row count (NULL only where it cannot matter). */
err_t db_exec(struct db *db, int64_t *affected, const char *sql, const struct dbv *v, int n) MUST_CHECK;
/* Runs a statement that must change exactly one row, else ERR_CONFLICT code "stale". */
err_t db_exec_one(struct db *db, const char *sql, const struct dbv *v, int n) MUST_CHECK;
/* Runs an INSERT of one row into a table whose column id the database numbers; gives the number. */
err_t db_insert_id(struct db *db, int64_t *id, const char *sql, const struct dbv *v, int n) MUST_CHECK;
/* Several statements separated by ';', no parameters (migrations). */
err_t db_script(struct db *db, const char *sql) MUST_CHECK;

/* Cursor over a result. Text is copied into the arena of the unit of work.
 *   struct rows r ROWS_AUTO = {0};
 *   TRY(db_query(db, &r, "…", P(…)));
 *   while (rows_next(&r)) …
 *   TRY(rows_err(&r)); */
struct rows {
    struct db *db;
    void *stmt; /* engine's */
    int row;    /* PostgreSQL: current row */
    int count;  /* PostgreSQL: rows in all */
    bool owned; /* SQLite: an uncached statement */
    err_t err;
};
#define ROWS_AUTO __attribute__((cleanup(rows_close)))
err_t db_query(struct db *db, struct rows *r, const char *sql, const struct dbv *v, int n) MUST_CHECK;
bool rows_next(struct rows *r);
err_t rows_err(const struct rows *r) MUST_CHECK;
void rows_close(struct rows *r);
bool row_null(const struct rows *r, int col);
const char *row_text(const struct rows *r, int col); /* id, text, json; NULL for null */
int64_t row_int(const struct rows *r, int col);      /* 0 for null */
double row_real(const struct rows *r, int col);
bool row_bool(const struct rows *r, int col);
instant_t row_time(const struct rows *r, int col); /* INSTANT_NONE for null */

/* One value of the first row; no row or null gives dflt / NULL. */
err_t db_int(struct db *db, int64_t *out, int64_t dflt, const char *sql, const struct dbv *v, int n) MUST_CHECK;
err_t db_text(struct db *db, const char **out, const char *sql, const struct dbv *v, int n) MUST_CHECK;

/* Did this error come from a unique / foreign key constraint? */
bool db_is_unique(err_t e);
bool db_is_foreign(err_t e);

#endif

/* db: the engine-neutral half of the store. */
#include "store/db_internal.h"

#include "base/log.h"
#include "base/rare.h"

#include <stdlib.h>
#include <string.h>

const char db_code_unique[] = "unique_violation", db_code_foreign[] = "foreign_key_violation";

err_t store_open(struct arena *a, const char *url, struct store **out)
{
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL) abort();
    bool pg = strncmp(url, "postgres://", 11) == 0 || strncmp(url, "postgresql://", 13) == 0;
    s->engine = pg ? DB_POSTGRES : DB_SQLITE;
    s->ops = pg ? &postgres_ops : &sqlite_ops;
    err_t e = s->ops->store_open(a, s, url);
    if (e) {
        arena_free(&s->arena);
        free(s);
        return e;
    }
    *out = s;
    return OK;
}

void store_close(struct store *s)
{
    if (s == NULL) return;
    s->ops->store_close(s);
    arena_free(&s->arena);
    free(s);
}

enum db_engine store_engine(const struct store *s) { return s->engine; }
void store_set_hooks(struct store *s, const struct store_hooks *hooks) { s->hooks = *hooks; }

void store_set_statement_hook(struct store *s, err_t (*hook)(void *ctx, struct arena *a, const char *sql), void *ctx)
{
    s->hook = hook;
    s->hook_ctx = ctx;
}

uint64_t store_version(struct store *s) { return s->ops->version(s); }

err_t db_open(struct arena *a, struct store *s, struct db **out)
{
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL) abort();
    db->store = s;
    db->arena = a;
    db->events_tail = &db->events;
    err_t e = s->ops->open(a, db);
    if (e) {
        free(db);
        return e;
    }
    *out = db;
    return OK;
}

void db_close(struct db *db)
{
    if (db == NULL) return;
    db_rollback(db);
    db->store->ops->close(db);
    free(db);
}

struct store *db_store(struct db *db) { return db->store; }
void db_use(struct db *db, struct arena *a) { db->arena = a; }
struct arena *db_arena(struct db *db) { return db->arena; }
enum db_engine db_engine(const struct db *db) { return db->store->engine; }
bool db_in_tx(const struct db *db) { return db->tx != TX_NONE; }

static err_t hooked(struct db *db, const char *sql)
{
    return db->store->hook ? db->store->hook(db->store->hook_ctx, db->arena, sql) : OK;
}

static void forget_events(struct db *db)
{
    db->events = NULL;
    db->events_tail = &db->events;
    db->poke = false;
}

err_t db_begin(struct db *db, const char *scope)
{
    assert(db->tx == TX_NONE);
    TRY(hooked(db, "BEGIN"));
    TRY(db->store->ops->begin(db, scope));
    db->tx = TX_WRITE;
    db->savepoints = 0;
    db->relaxed = false;
    forget_events(db);
    return OK;
}

err_t db_relax(struct db *db)
{
    assert(db->tx == TX_WRITE);
    db->relaxed = true;
    return db->store->ops->relax ? db->store->ops->relax(db) : OK;
}

err_t db_begin_read(struct db *db)
{
    assert(db->tx == TX_NONE);
    TRY(db->store->ops->begin_read(db));
    db->tx = TX_READ;
    return OK;
}

/* As PostgreSQL may answer at any time. */
static err_t commit_refused(struct db *db)
{
    struct err *e = arena_new(db->arena, struct err);
    *e = (struct err){.kind = ERR_UNAVAILABLE, .message = "The database asks to try again", .retry = true};
    db->store->ops->rollback(db);
    return e;
}

err_t db_commit(struct db *db)
{
    assert(db->tx != TX_NONE && db->savepoints == 0);
    if (db->tx == TX_WRITE) TRY(hooked(db, "COMMIT"));
    err_t e = db->tx == TX_WRITE && rare("db.commit") ? commit_refused(db) : db->store->ops->commit(db);
    db->tx = TX_NONE;
    forget_events(db);
    return e;
}

void db_rollback(struct db *db)
{
    if (db->tx == TX_NONE) return;
    db->store->ops->rollback(db);
    db->tx = TX_NONE;
    db->savepoints = 0;
    forget_events(db);
}

void db_published(struct db *db)
{
    const struct store_hooks *h = &db->store->hooks;
    if (db->events && h->publish) h->publish(h->ctx, db->events);
    if (db->poke && h->poke) h->poke(h->ctx);
}

void db_event(struct db *db, const struct db_event *e)
{
    assert(db->tx == TX_WRITE);
    struct db_event *copy = arena_memdup(db->arena, e, sizeof *e);
    copy->next = NULL;
    *db->events_tail = copy;
    db->events_tail = &copy->next;
}

void db_poke(struct db *db) { db->poke = true; }

static const char *savepoint_sql(struct db *db, const char *verb, int n)
{
    return arena_printf(db->arena, "%s sp%d", verb, n);
}

err_t db_savepoint(struct db *db)
{
    assert(db->tx == TX_WRITE);
    TRY(db->store->ops->exec(db, NULL, savepoint_sql(db, "SAVEPOINT", db->savepoints + 1), NULL, 0));
    db->savepoints++;
    return OK;
}

err_t db_release(struct db *db)
{
    assert(db->savepoints > 0);
    return db->store->ops->exec(db, NULL, savepoint_sql(db, "RELEASE SAVEPOINT", db->savepoints--), NULL, 0);
}

void db_rollback_to(struct db *db)
{
    assert(db->savepoints > 0);
    int n = db->savepoints--;
    err_t e = db->store->ops->exec(db, NULL, savepoint_sql(db, "ROLLBACK TO SAVEPOINT", n), NULL, 0);
    if (e == OK) e = db->store->ops->exec(db, NULL, savepoint_sql(db, "RELEASE SAVEPOINT", n), NULL, 0);
    if (e) log_error("db.savepoint", "%s", e->message); /* the transaction itself will fail at commit */
}

err_t db_exec(struct db *db, int64_t *affected, const char *sql, const struct dbv *v, int n)
{
    TRY(hooked(db, sql));
    return db->store->ops->exec(db, affected, sql, v, n);
}

err_t db_exec_one(struct db *db, const char *sql, const struct dbv *v, int n)
{
    int64_t rows = 0;
    TRY(db_exec(db, &rows, sql, v, n));
    if (rows == 1) return OK;
    return err_with(db->arena, ERR_CONFLICT, "stale", NULL, "The record changed in the meantime");
}

err_t db_insert_id(struct db *db, int64_t *id, const char *sql, const struct dbv *v, int n)
{
    TRY(hooked(db, sql));
    return db->store->ops->insert_id(db, id, sql, v, n);
}

err_t db_script(struct db *db, const char *sql)
{
    TRY(hooked(db, sql));
    return db->store->ops->script(db, sql);
}

err_t db_query(struct db *db, struct rows *r, const char *sql, const struct dbv *v, int n)
{
    *r = (struct rows){.db = db, .row = -1};
    TRY(hooked(db, sql));
    return db->store->ops->query(db, r, sql, v, n);
}

bool rows_next(struct rows *r) { return r->stmt && r->err == OK && r->db->store->ops->next(r); }
err_t rows_err(const struct rows *r) { return r->err; }

void rows_close(struct rows *r)
{
    if (r->stmt) r->db->store->ops->close_rows(r);
    r->stmt = NULL;
}

bool row_null(const struct rows *r, int col) { return r->db->store->ops->null(r, col); }
const char *row_text(const struct rows *r, int col) { return r->db->store->ops->text(r, col); }
int64_t row_int(const struct rows *r, int col) { return r->db->store->ops->integer(r, col); }
double row_real(const struct rows *r, int col) { return r->db->store->ops->real(r, col); }
bool row_bool(const struct rows *r, int col) { return r->db->store->ops->boolean(r, col); }
instant_t row_time(const struct rows *r, int col) { return r->db->store->ops->time(r, col); }

err_t db_int(struct db *db, int64_t *out, int64_t dflt, const char *sql, const struct dbv *v, int n)
{
    struct rows r ROWS_AUTO = {0};
    *out = dflt;
    TRY(db_query(db, &r, sql, v, n));
    if (rows_next(&r) && !row_null(&r, 0)) *out = row_int(&r, 0);
    return rows_err(&r);
}

err_t db_text(struct db *db, const char **out, const char *sql, const struct dbv *v, int n)
{
    struct rows r ROWS_AUTO = {0};
    *out = NULL;
    TRY(db_query(db, &r, sql, v, n));
    if (rows_next(&r)) *out = row_text(&r, 0);
    return rows_err(&r);
}

bool db_is_unique(err_t e) { return e && e->code == db_code_unique; }
bool db_is_foreign(err_t e) { return e && e->code == db_code_foreign; }

/* ---- statement cache ---- */

struct stmt_slot *stmt_cache_find(struct stmt_cache *c, const char *sql, uint64_t *hash)
{
    uint64_t h = 14695981039346656037u, word = 0;
    size_t n = strlen(sql); /* texts are long: eight bytes at a time, folded, for the low bits pick the slot */
    for (size_t i = 0; i < n; i += 8, word = 0) {
        memcpy(&word, sql + i, n - i < 8 ? n - i : 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    *hash = h;
    for (size_t i = h % STMT_CACHE_SLOTS;; i = (i + 1) % STMT_CACHE_SLOTS) {
        struct stmt_slot *s = &c->slots[i];
        if (s->sql == NULL || (s->hash == h && strcmp(s->sql, sql) == 0)) return s;
    }
}

void stmt_cache_fill(struct stmt_cache *c, struct stmt_slot *slot, const char *sql, uint64_t hash, void *stmt)
{
    assert(c->used < STMT_CACHE_MAX);
    *slot = (struct stmt_slot){.sql = strdup(sql), .hash = hash, .stmt = stmt};
    if (slot->sql == NULL) abort();
    c->used++;
}

void stmt_cache_clear(struct stmt_cache *c, void (*drop)(void *stmt))
{
    for (size_t i = 0; i < STMT_CACHE_SLOTS; i++) {
        if (c->slots[i].sql == NULL) continue;
        drop(c->slots[i].stmt);
        free(c->slots[i].sql);
    }
    memset(c, 0, sizeof *c);
}

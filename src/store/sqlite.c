/*
 * sqlite: the embedded engine. One shared writer connection used in turn with
 * group commit, and one read connection per handle (WAL, durable commits).
 *
 * A write transaction is a savepoint in the writer's open batch. Its commit
 * leaves the batch to a writer who is already waiting for the turn; else one
 * member leads: it commits the batch, gives the turn away and brings the log to
 * disk, while others fill the next batch. Members sleep until theirs is on
 * disk; then one of those who wait for the next flush leads that.
 */
#include "store/db_internal.h"

#include "base/log.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH_MEMBERS_MAX 64
#define WRITER_CACHE_KIB 2048
#define READER_CACHE_KIB 128 /* one for each thread; the kernel has the pages too */

struct conn {
    sqlite3 *sq;
    struct stmt_cache cache;
};

/* A finished transaction waiting for its batch; lives on its thread's stack. */
struct member {
    struct member *next;
    struct db *db;
    bool failed;
    atomic_bool lead; /* told to lead the next flush */
    sem_t told;       /* once to lead, perhaps; and once, in the end, that it is over */
};

struct member_list {
    struct member *head, **tail;
    int count;
};

struct sqlite_store {
    char *path;
    struct conn writer;
    int wal_fd;                          /* -1 until the first flush */
    pthread_mutex_t turn;                /* held by the thread using the writer, and for all below */
    atomic_int waiting;                  /* threads that will take the turn */
    bool open;                           /* the writer is inside BEGIN IMMEDIATE */
    bool broken;                         /* the open batch cannot be committed */
    bool flushing;                       /* somebody leads, or is told to */
    bool logged;                         /* WAL; else SQLite itself syncs at each commit */
    atomic_ullong version;               /* odd while a batch is being committed */
    struct member_list batch, committed; /* in the open batch; committed, and not on disk yet */
};

struct sqlite_db {
    struct conn reader;
    struct conn *conn; /* reader, or the shared writer inside a write transaction */
};

static struct sqlite_store *store_of(struct db *db) { return db->store->impl; }
static struct sqlite_db *impl_of(struct db *db) { return db->impl; }

static err_t fail(struct db *db, struct conn *c, const char *sql)
{
    int rc = sqlite3_extended_errcode(c->sq);
    const char *msg = sqlite3_errmsg(c->sq);
    if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
        return err_with(db->arena, ERR_CONFLICT, db_code_unique, NULL, "A record with this value already exists");
    if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
        return err_with(db->arena, ERR_UNPROCESSABLE, db_code_foreign, NULL, "A referenced record does not exist");
    if (c == &store_of(db)->writer && sqlite3_get_autocommit(c->sq)) store_of(db)->broken = true;
    log_error("db.sqlite", "code=%d error=\"%s\" sql=\"%.300s\"", rc, msg, sql);
    if ((rc & 0xff) == SQLITE_FULL || (rc & 0xff) == SQLITE_IOERR)
        return err_new(db->arena, ERR_UNAVAILABLE, "The database cannot be written: %s", msg);
    return err_new(db->arena, ERR_INTERNAL, "Internal server error");
}

/* $1 is a name to SQLite, numbered by its first appearance; ?1 is the position
 * that PostgreSQL means by $1. Quoted text ('$.path') stays as it is. */
static const char *positional(struct arena *a, const char *sql)
{
    char *out = arena_strdup(a, sql), quote = 0;
    for (char *p = out; *p; p++) {
        if (quote) quote = *p == quote ? 0 : quote;
        else if (*p == '\'' || *p == '"') quote = *p;
        else if (*p == '$' && p[1] >= '0' && p[1] <= '9') *p = '?';
    }
    return out;
}

static void drop_stmt(void *stmt) { sqlite3_finalize(stmt); }

/* A statement ready to bind; *owned when it is not from the cache. */
static err_t prepare(struct db *db, struct conn *c, const char *sql, sqlite3_stmt **out, bool *owned)
{
    uint64_t hash;
    struct stmt_slot *slot = stmt_cache_find(&c->cache, sql, &hash);
    *owned = false;
    if (slot->sql && !sqlite3_stmt_busy(slot->stmt)) {
        *out = slot->stmt;
        return OK;
    }
    bool keep = slot->sql == NULL && c->cache.used < STMT_CACHE_MAX;
    if (sqlite3_prepare_v3(c->sq, positional(db->arena, sql), -1, keep ? SQLITE_PREPARE_PERSISTENT : 0, out, NULL) !=
        SQLITE_OK)
        return fail(db, c, sql);
    if (keep) stmt_cache_fill(&c->cache, slot, sql, hash, *out);
    else *owned = true;
    return OK;
}

/* An id in capitals is the same id, as PostgreSQL's uuid has it; ours are stored small. */
static void bind_id(sqlite3_stmt *s, int at, const char *id)
{
    char small[40];
    size_t len = strlen(id), i = 0;
    while (i < len && !isupper((unsigned char)id[i])) i++;
    if (i == len || len >= sizeof small) {
        sqlite3_bind_text(s, at, id, -1, SQLITE_STATIC);
        return;
    }
    for (i = 0; i <= len; i++) small[i] = (char)tolower((unsigned char)id[i]);
    sqlite3_bind_text(s, at, small, -1, SQLITE_TRANSIENT);
}

static void bind(sqlite3_stmt *s, const struct dbv *v, int n)
{
    for (int i = 0; i < n; i++) {
        int at = i + 1;
        if (v[i].null) {
            sqlite3_bind_null(s, at);
            continue;
        }
        switch (v[i].kind) {
        case K_ID: bind_id(s, at, v[i].v.s); break;
        case K_TEXT:
        case K_JSON: sqlite3_bind_text(s, at, v[i].v.s, -1, SQLITE_STATIC); break;
        case K_INT:
        case K_BOOL:
        case K_TIME: sqlite3_bind_int64(s, at, v[i].v.i); break;
        case K_REAL: sqlite3_bind_double(s, at, v[i].v.r); break;
        }
    }
}

static void release(sqlite3_stmt *s, bool owned)
{
    if (owned) {
        sqlite3_finalize(s);
        return;
    }
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
}

static err_t exec_on(struct db *db, struct conn *c, int64_t *affected, const char *sql, const struct dbv *v, int n)
{
    sqlite3_stmt *s;
    bool owned;
    TRY(prepare(db, c, sql, &s, &owned));
    bind(s, v, n);
    int rc;
    do rc = sqlite3_step(s);
    while (rc == SQLITE_ROW);
    err_t e = rc == SQLITE_DONE ? OK : fail(db, c, sql);
    if (affected) *affected = sqlite3_changes(c->sq);
    release(s, owned);
    return e;
}

static err_t sqlite_exec(struct db *db, int64_t *affected, const char *sql, const struct dbv *v, int n)
{
    return exec_on(db, impl_of(db)->conn, affected, sql, v, n);
}

/* Not by RETURNING, for which SQLite makes a temporary table. */
static err_t sqlite_insert_id(struct db *db, int64_t *id, const char *sql, const struct dbv *v, int n)
{
    struct conn *c = impl_of(db)->conn;
    TRY(exec_on(db, c, NULL, sql, v, n));
    *id = sqlite3_last_insert_rowid(c->sq);
    return OK;
}

static err_t sqlite_script(struct db *db, const char *sql)
{
    struct conn *c = impl_of(db)->conn;
    return sqlite3_exec(c->sq, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : fail(db, c, sql);
}

static err_t sqlite_query(struct db *db, struct rows *r, const char *sql, const struct dbv *v, int n)
{
    sqlite3_stmt *s;
    TRY(prepare(db, impl_of(db)->conn, sql, &s, &r->owned));
    bind(s, v, n);
    r->stmt = s;
    return OK;
}

static bool sqlite_next(struct rows *r)
{
    int rc = sqlite3_step(r->stmt);
    if (rc == SQLITE_ROW) return true;
    if (rc != SQLITE_DONE) r->err = fail(r->db, impl_of(r->db)->conn, sqlite3_sql(r->stmt));
    rows_close(r);
    return false;
}

static void sqlite_close_rows(struct rows *r) { release(r->stmt, r->owned); }

static bool sqlite_null(const struct rows *r, int c) { return sqlite3_column_type(r->stmt, c) == SQLITE_NULL; }

static const char *sqlite_text(const struct rows *r, int c)
{
    const char *s = (const char *)sqlite3_column_text(r->stmt, c);
    return s ? arena_strndup(r->db->arena, s, (size_t)sqlite3_column_bytes(r->stmt, c)) : NULL;
}

static int64_t sqlite_int(const struct rows *r, int c) { return sqlite3_column_int64(r->stmt, c); }
static double sqlite_real(const struct rows *r, int c) { return sqlite3_column_double(r->stmt, c); }
static bool sqlite_bool(const struct rows *r, int c) { return sqlite3_column_int(r->stmt, c) != 0; }
static instant_t sqlite_time(const struct rows *r, int c)
{
    return sqlite_null(r, c) ? INSTANT_NONE : sqlite3_column_int64(r->stmt, c);
}

/* ---- connections ---- */

static err_t connect_file(struct arena *a, struct conn *c, const char *path, int cache_kib)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    if (sqlite3_open_v2(path, &c->sq, flags, NULL) != SQLITE_OK) {
        err_t e = err_new(a, ERR_UNAVAILABLE, "cannot open the database %s: %s", path, sqlite3_errmsg(c->sq));
        sqlite3_close(c->sq);
        c->sq = NULL;
        return e;
    }
    sqlite3_extended_result_codes(c->sq, 1);
    sqlite3_busy_timeout(c->sq, 10000); /* for opening and checkpoints; writers queue on the turn */
    /* NORMAL: the log is brought to disk before a checkpoint, and by flush() for each batch */
    static const char pragmas[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
                                  "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;";
    const char *cache = arena_printf(a, "PRAGMA cache_size=-%d", cache_kib);
    if (sqlite3_exec(c->sq, pragmas, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(c->sq, cache, NULL, NULL, NULL) == SQLITE_OK)
        return OK;
    err_t e = err_new(a, ERR_UNAVAILABLE, "cannot use the database %s: %s", path, sqlite3_errmsg(c->sq));
    sqlite3_close(c->sq);
    c->sq = NULL;
    return e;
}

/* Is there a log in the file system that flush() can bring to disk? Not every one can hold a WAL, and a database in
 * memory has none. */
static bool is_logged(struct conn *c)
{
    sqlite3_stmt *s;
    char *vfs = NULL;
    bool yes = sqlite3_prepare_v2(c->sq, "PRAGMA journal_mode", -1, &s, NULL) == SQLITE_OK &&
               sqlite3_step(s) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(s, 0), "wal") == 0;
    sqlite3_finalize(s);
    sqlite3_file_control(c->sq, "main", SQLITE_FCNTL_VFSNAME, &vfs);
    yes = yes && vfs && strncmp(vfs, "unix", 4) == 0;
    sqlite3_free(vfs);
    if (!yes) sqlite3_exec(c->sq, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
    return yes;
}

static void disconnect(struct conn *c)
{
    stmt_cache_clear(&c->cache, drop_stmt);
    sqlite3_close(c->sq);
}

/* No tally of memory: it costs a global lock at each allocation, and nobody reads it. No twenty pages at once for
 * each new cache, for most are those of small temporary tables. */
static void configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 512, 40); /* 20 KiB for each connection, not 120 */
}

static err_t sqlite_store_open(struct arena *a, struct store *s, const char *url)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure);
    struct sqlite_store *q = calloc(1, sizeof *q);
    if (q == NULL || (q->path = strdup(url)) == NULL) abort();
    err_t e = connect_file(a, &q->writer, q->path, WRITER_CACHE_KIB);
    if (e) {
        free(q->path);
        free(q);
        return e;
    }
    pthread_mutex_init(&q->turn, NULL);
    q->logged = is_logged(&q->writer);
    q->batch.tail = &q->batch.head;
    q->committed.tail = &q->committed.head;
    q->wal_fd = -1;
    q->version = 2;
    s->impl = q;
    return OK;
}

static void sqlite_store_close(struct store *s)
{
    struct sqlite_store *q = s->impl;
    disconnect(&q->writer);
    if (q->wal_fd >= 0) close(q->wal_fd);
    pthread_mutex_destroy(&q->turn);
    free(q->path);
    free(q);
}

static uint64_t sqlite_version(struct store *s)
{
    uint64_t v = atomic_load(&((struct sqlite_store *)s->impl)->version);
    return v & 1 ? 0 : v;
}

static err_t sqlite_open(struct arena *a, struct db *db)
{
    struct sqlite_db *d = calloc(1, sizeof *d);
    if (d == NULL) abort();
    err_t e = connect_file(a, &d->reader, store_of(db)->path, READER_CACHE_KIB);
    if (e) {
        free(d);
        return e;
    }
    d->conn = &d->reader;
    db->impl = d;
    return OK;
}

static void sqlite_close(struct db *db)
{
    disconnect(&impl_of(db)->reader);
    free(impl_of(db));
}

/* ---- transactions ---- */

static err_t sqlite_begin(struct db *db, const char *scope)
{
    (void)scope; /* one writer for the whole database */
    struct sqlite_store *q = store_of(db);
    atomic_fetch_add(&q->waiting, 1);
    pthread_mutex_lock(&q->turn);
    atomic_fetch_sub(&q->waiting, 1);
    err_t e = OK;
    if (!q->open) {
        q->broken = false;
        e = exec_on(db, &q->writer, NULL, "BEGIN IMMEDIATE", NULL, 0);
        q->open = e == OK;
    }
    if (e == OK) e = exec_on(db, &q->writer, NULL, "SAVEPOINT tx", NULL, 0);
    if (e) {
        pthread_mutex_unlock(&q->turn);
        return e;
    }
    impl_of(db)->conn = &q->writer;
    return OK;
}

static void list_add(struct member_list *l, struct member *m)
{
    m->next = NULL;
    *l->tail = m;
    l->tail = &m->next;
    l->count++;
}

static struct member *list_take(struct member_list *l)
{
    struct member *head = l->head;
    *l = (struct member_list){.tail = &l->head};
    return head;
}

/* Publish what they did, in order, and wake them. A member is gone once it is told. */
static void tell(struct member *list, bool failed)
{
    for (struct member *m = list; m && !failed; m = m->next) db_published(m->db);
    for (struct member *m = list, *next; m; m = next) {
        next = m->next;
        m->failed = failed;
        sem_post(&m->told);
    }
}

/* To the log, which is not on disk yet. The turn is held, and nobody is inside a transaction. */
static bool commit_batch(struct db *db)
{
    struct sqlite_store *q = store_of(db);
    atomic_fetch_add(&q->version, 1);
    bool failed = q->broken || exec_on(db, &q->writer, NULL, "COMMIT", NULL, 0) != OK;
    if (failed && !sqlite3_get_autocommit(q->writer.sq)) sqlite3_exec(q->writer.sq, "ROLLBACK", NULL, NULL, NULL);
    atomic_fetch_add(&q->version, 1);
    q->open = false;
    struct member *list = list_take(&q->batch);
    if (failed) tell(list, true);
    for (struct member *m = list, *next; m && !failed; m = next) {
        next = m->next;
        list_add(&q->committed, m);
    }
    return !failed;
}

/* What was promised and cannot be known to be on disk: nothing may go on from here. A restart reads what is there. */
_Noreturn static void lose(const struct sqlite_store *q, const char *what)
{
    log_error("db.sqlite", "cannot %s the log of %s: %s", what, q->path, strerror(errno));
    abort();
}

static void sync_log(struct sqlite_store *q)
{
    if (!q->logged) return;
    if (q->wal_fd < 0) {
        const char *path = sqlite3_db_filename(q->writer.sq, "main");
        q->wal_fd = open(sqlite3_filename_wal(path), O_RDONLY | O_CLOEXEC);
        if (q->wal_fd < 0) lose(q, "open");
    }
    if (fdatasync(q->wal_fd) != 0) lose(q, "sync");
}

/* Somebody of those who wait for a flush leads it. The turn is held. */
static void hand_lead(struct sqlite_store *q)
{
    struct member *m = q->committed.head ? q->committed.head : q->batch.head;
    if (q->flushing || m == NULL) return;
    q->flushing = true;
    atomic_store(&m->lead, true);
    sem_post(&m->told);
}

/* The turn is held before and after; others have it meanwhile. */
static void flush(struct db *db)
{
    struct sqlite_store *q = store_of(db);
    q->flushing = true;
    if (q->open) commit_batch(db);
    struct member *list = list_take(&q->committed);
    if (list) {
        pthread_mutex_unlock(&q->turn);
        sync_log(q);
        pthread_mutex_lock(&q->turn);
        tell(list, false);
    }
    q->flushing = false;
    hand_lead(q);
}

/* Does the open batch go on without the one who gives the turn away? */
static bool carried(const struct sqlite_store *q)
{
    return !q->broken && q->batch.count < BATCH_MEMBERS_MAX && atomic_load(&q->waiting) > 0;
}

/* After a transaction that left nothing behind. */
static void pass_turn(struct db *db)
{
    struct sqlite_store *q = store_of(db);
    impl_of(db)->conn = &impl_of(db)->reader;
    if (q->broken || (q->batch.count == 0 && !carried(q))) commit_batch(db);
    if (!carried(q)) hand_lead(q);
    pthread_mutex_unlock(&q->turn);
}

/* Alone, and content with less than the disk (db_relaxed): committed, published, done. */
static bool commit_relaxed(struct db *db, bool *failed)
{
    struct sqlite_store *q = store_of(db);
    if (!db->relaxed || q->flushing || q->broken || q->batch.count || q->committed.count) return false;
    *failed = !commit_batch(db);
    if (!*failed) db_published(db);
    return true;
}

/* A finished transaction: sleeps until it is on disk, or brings it there. The turn is held. */
static void join_batch(struct db *db, struct member *me)
{
    struct sqlite_store *q = store_of(db);
    list_add(&q->batch, me);
    if (q->broken) commit_batch(db);
    else if (!q->flushing && !carried(q)) flush(db);
    impl_of(db)->conn = &impl_of(db)->reader;
    pthread_mutex_unlock(&q->turn);
    for (;;) {
        while (sem_wait(&me->told) != 0) assert(errno == EINTR);
        if (!atomic_exchange(&me->lead, false)) return;
        pthread_mutex_lock(&q->turn);
        flush(db); /* which tells also this one */
        pthread_mutex_unlock(&q->turn);
    }
}

static void break_batch(struct sqlite_store *q)
{
    q->broken = true; /* what is in it is not known any more: none of it may commit */
    if (!sqlite3_get_autocommit(q->writer.sq)) sqlite3_exec(q->writer.sq, "ROLLBACK", NULL, NULL, NULL);
}

static err_t sqlite_commit(struct db *db)
{
    if (db->tx == TX_READ) return exec_on(db, &impl_of(db)->reader, NULL, "COMMIT", NULL, 0);
    struct sqlite_store *q = store_of(db);
    if (exec_on(db, &q->writer, NULL, "RELEASE SAVEPOINT tx", NULL, 0) != OK) break_batch(q);
    struct member me = {.db = db};
    if (commit_relaxed(db, &me.failed)) {
        impl_of(db)->conn = &impl_of(db)->reader;
        pthread_mutex_unlock(&q->turn);
    } else {
        sem_init(&me.told, 0, 0);
        join_batch(db, &me);
        sem_destroy(&me.told);
    }
    return me.failed ? err_new(db->arena, ERR_UNAVAILABLE, "The database could not commit; nothing was written") : OK;
}

static void sqlite_rollback(struct db *db)
{
    if (db->tx == TX_READ) {
        sqlite3_exec(impl_of(db)->reader.sq, "ROLLBACK", NULL, NULL, NULL);
        return;
    }
    struct sqlite_store *q = store_of(db);
    static const char undo[] = "ROLLBACK TO SAVEPOINT tx; RELEASE SAVEPOINT tx";
    if (!q->broken && sqlite3_exec(q->writer.sq, undo, NULL, NULL, NULL) != SQLITE_OK) break_batch(q);
    pass_turn(db);
}

static err_t sqlite_begin_read(struct db *db) { return exec_on(db, &impl_of(db)->reader, NULL, "BEGIN", NULL, 0); }

const struct engine_ops sqlite_ops = {
    .store_open = sqlite_store_open,
    .store_close = sqlite_store_close,
    .version = sqlite_version,
    .open = sqlite_open,
    .close = sqlite_close,
    .begin = sqlite_begin,
    .begin_read = sqlite_begin_read,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .query = sqlite_query,
    .exec = sqlite_exec,
    .insert_id = sqlite_insert_id,
    .script = sqlite_script,
    .next = sqlite_next,
    .close_rows = sqlite_close_rows,
    .null = sqlite_null,
    .text = sqlite_text,
    .integer = sqlite_int,
    .real = sqlite_real,
    .boolean = sqlite_bool,
    .time = sqlite_time,
};

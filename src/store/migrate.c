/* migrate: brings a database to this binary's schema. */
#include "store/migrate.h"

#include "base/buf.h"
#include "base/id.h"
#include "base/log.h"

#include <string.h>

struct migration {
    const char *name, *sql;
};
extern const struct migration MIGRATIONS[]; /* made by tools/embed-sql, ends with NULL */

/* Kinds in braces: one text for both engines. */
static const struct {
    const char *kind, *sqlite, *postgres;
} kinds[] = {
    {"id", "text", "uuid"},
    {"int", "integer", "bigint"},
    {"bool", "integer", "boolean"},
    {"time", "integer", "timestamptz"},
    {"json", "text", "jsonb"},
    {"real", "real", "double precision"},
    {"strict", " STRICT", ""},
    {"serial", "integer PRIMARY KEY AUTOINCREMENT", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"},
};

static const char *render(struct arena *a, const char *sql, enum db_engine engine)
{
    struct buf b = {0};
    while (*sql) {
        const char *end = *sql == '{' ? strchr(sql, '}') : NULL;
        const char *put = NULL;
        for (size_t i = 0; end && i < sizeof kinds / sizeof *kinds; i++) {
            size_t n = strlen(kinds[i].kind);
            if ((size_t)(end - sql - 1) == n && strncmp(sql + 1, kinds[i].kind, n) == 0)
                put = engine == DB_SQLITE ? kinds[i].sqlite : kinds[i].postgres;
        }
        if (put) {
            buf_puts(&b, put);
            sql = end + 1;
        } else {
            buf_putc(&b, *sql++);
        }
    }
    return buf_finish(&b, a);
}

static err_t known(struct db *db, const char *name, bool *out)
{
    *out = false;
    for (const struct migration *m = MIGRATIONS; m->name; m++)
        if (strcmp(m->name, name) == 0) *out = true;
    return *out ? OK
                : err_new(db_arena(db), ERR_UNAVAILABLE,
                          "the database has the migration %s, which this version (%s) does not know: "
                          "start the newer version that wrote it",
                          name, BULLDOG_VERSION);
}

/* Every applied migration must be one of ours, unchanged. */
static err_t check_applied(struct db *db)
{
    struct rows r ROWS_AUTO = {0};
    TRY(db_query(db, &r, "SELECT name FROM schema_migrations ORDER BY name", P()));
    while (rows_next(&r)) {
        bool ok;
        TRY(known(db, row_text(&r, 0), &ok));
    }
    return rows_err(&r);
}

static err_t apply(struct db *db, const struct migration *m, int *applied)
{
    struct arena *a = db_arena(db);
    const char *sum = sha256_hex(a, m->sql, strlen(m->sql)), *have;
    TRY(db_text(db, &have, "SELECT checksum FROM schema_migrations WHERE name = $1", P(V_TEXT(m->name))));
    if (have && strcmp(have, sum) == 0) return OK;
    if (have)
        return err_new(
            a, ERR_UNAVAILABLE,
            "the migration %s was applied in another form; restore a backup or use the version that made this database",
            m->name);
    TRY(db_script(db, render(a, m->sql, db_engine(db))));
    TRY(db_exec_one(db, "INSERT INTO schema_migrations (name, checksum, applied_at) VALUES ($1, $2, $3)",
                    P(V_TEXT(m->name), V_TEXT(sum), V_TIME(clock_now()))));
    log_info("db.migrated", "name=%s", m->name);
    ++*applied;
    return OK;
}

static err_t in_tx(struct db *db, const struct migration *m, int *applied)
{
    TRY(db_begin(db, "migrations"));
    err_t e;
    if (m == NULL) {
        e = db_script(db, render(db_arena(db),
                                 "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY NOT NULL,"
                                 "checksum text NOT NULL, applied_at {time} NOT NULL){strict}",
                                 db_engine(db)));
        if (e == OK) e = check_applied(db);
    } else {
        e = apply(db, m, applied);
    }
    if (e == OK) return db_commit(db);
    db_rollback(db);
    return e;
}

err_t migrate_up(struct db *db, int *applied)
{
    *applied = 0;
    TRY(in_tx(db, NULL, applied));
    for (const struct migration *m = MIGRATIONS; m->name; m++) TRY(in_tx(db, m, applied));
    return OK;
}

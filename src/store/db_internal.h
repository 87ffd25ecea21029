/* db_internal: what db.c and the two engines share. Not for other floors. */
#ifndef BULLDOG_STORE_DB_INTERNAL_H
#define BULLDOG_STORE_DB_INTERNAL_H

#include "store/db.h"

struct store {
    enum db_engine engine;
    const struct engine_ops *ops;
    struct store_hooks hooks;
    err_t (*hook)(void *ctx, struct arena *a, const char *sql);
    void *hook_ctx;
    struct arena arena; /* lives as long as the store */
    void *impl;
};

enum tx_state { TX_NONE, TX_READ, TX_WRITE };

struct db {
    struct store *store;
    struct arena *arena;
    enum tx_state tx;
    struct db_event *events, **events_tail;
    bool poke, relaxed;
    int savepoints;
    void *impl;
};

struct engine_ops {
    err_t (*store_open)(struct arena *a, struct store *s, const char *url);
    void (*store_close)(struct store *s);
    uint64_t (*version)(struct store *s);
    err_t (*open)(struct arena *a, struct db *db);
    void (*close)(struct db *db);
    err_t (*begin)(struct db *db, const char *scope);
    err_t (*begin_read)(struct db *db);
    err_t (*commit)(struct db *db); /* calls db_published on success */
    void (*rollback)(struct db *db);
    err_t (*relax)(struct db *db); /* NULL: looks at db->relaxed at the commit */
    err_t (*query)(struct db *db, struct rows *r, const char *sql, const struct dbv *v, int n);
    err_t (*exec)(struct db *db, int64_t *affected, const char *sql, const struct dbv *v, int n);
    err_t (*insert_id)(struct db *db, int64_t *id, const char *sql, const struct dbv *v, int n);
    err_t (*script)(struct db *db, const char *sql);
    bool (*next)(struct rows *r);
    void (*close_rows)(struct rows *r);
    bool (*null)(const struct rows *r, int col);
    const char *(*text)(const struct rows *r, int col);
    int64_t (*integer)(const struct rows *r, int col);
    double (*real)(const struct rows *r, int col);
    bool (*boolean)(const struct rows *r, int col);
    instant_t (*time)(const struct rows *r, int col);
};

extern const struct engine_ops sqlite_ops, postgres_ops;
extern const char db_code_unique[], db_code_foreign[];

/* Hand a committed transaction's events to the hooks. */
void db_published(struct db *db);

/* Statement cache: SQL text → what the engine prepared. Open addressing, never
 * more than half full; the engine clears it when it is. */
#define STMT_CACHE_SLOTS 1024
#define STMT_CACHE_MAX (STMT_CACHE_SLOTS / 2)
struct stmt_slot {
    char *sql;
    uint64_t hash;
    void *stmt;
};
struct stmt_cache {
    struct stmt_slot slots[STMT_CACHE_SLOTS];
    int used;
};
/* The slot holding sql, or the free slot for it (slot->sql is NULL). */
struct stmt_slot *stmt_cache_find(struct stmt_cache *c, const char *sql, uint64_t *hash);
void stmt_cache_fill(struct stmt_cache *c, struct stmt_slot *slot, const char *sql, uint64_t hash, void *stmt);
void stmt_cache_clear(struct stmt_cache *c, void (*drop)(void *stmt));

#endif

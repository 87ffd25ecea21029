/*
 * store_kit: a fresh database for one test program: a SQLite file, or the empty
 * PostgreSQL database of DATABASE_URL (tools/with-postgres).
 */
#ifndef BULLDOG_TESTS_STORE_KIT_H
#define BULLDOG_TESTS_STORE_KIT_H

#include "unit.h"

#include "base/arena.h"
#include "base/err.h"
#include "store/db.h"

/* The program's one database, with all migrations, and a handle that uses the arena. */
extern struct arena arena;
extern struct store *store;
extern struct db *db;

/* Group setup and teardown. */
int open_store(void **state);
int close_store(void **state);

/* Fails the test with the error's message and line. */
#define must(e) must_at((e), __LINE__)
void must_at(err_t e, int line);

#endif

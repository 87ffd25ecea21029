/* model_kit: an empty, migrated database for tests of the model. */
#ifndef BULLDOG_TESTS_MODEL_KIT_H
#define BULLDOG_TESTS_MODEL_KIT_H

#include "model/actor.h"
#include "store/entity.h"

extern struct arena kit_arena;
extern struct db *kit_db;
extern const struct actor kit_board; /* the local board */

/* cmocka group setup and teardown. SQLite in a temporary folder, or the empty database of DATABASE_URL. */
int kit_open(void **state);
int kit_close(void **state);

/* Fails the test with the error's message. */
#define must(e) kit_must((e), __LINE__)
void kit_must(err_t e, int line);

struct company kit_company(void);
struct agent kit_agent(const struct company *c, const char *name);

/* Statements since the last call. */
int kit_statements(void);

#endif

/* environment: where agents' processes run, for the whole instance (WS §15). */
#ifndef BULLDOG_MODEL_ENVIRONMENT_H
#define BULLDOG_MODEL_ENVIRONMENT_H

#include "base/json.h"
#include "store/entity.h"

/* The Local one exists from the first start on. */
err_t environment_ensure(struct db *db) MUST_CHECK;
err_t environment_get(struct db *db, const char *id, struct environment *out, bool *found) MUST_CHECK;
err_t environment_list(struct db *db, struct environment **rows, int *n) MUST_CHECK;
/* The instance's default: Local. */
err_t environment_default(struct db *db, struct environment *out) MUST_CHECK;
/* WS-33: 422 unless id is NULL or names an active environment that runs may use. */
err_t environment_check(struct db *db, const char *id) MUST_CHECK;
void environment_write(struct jw *w, const struct environment *e);

#endif

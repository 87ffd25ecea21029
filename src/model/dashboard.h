/* dashboard: counts a board shows (GV-100, GV-101). */
#ifndef BULLDOG_MODEL_DASHBOARD_H
#define BULLDOG_MODEL_DASHBOARD_H

#include "base/json.h"
#include "store/entity.h"

/* As an object each. */
err_t dashboard_write(struct db *db, struct jw *w, const struct company *c) MUST_CHECK;
/* user: whose dismissals hide items (GV-101), or NULL. */
err_t badges_write(struct db *db, struct jw *w, const struct company *c, const char *user) MUST_CHECK;

#endif

/* goal: what a company is after (GV-25…28). */
#ifndef BULLDOG_MODEL_GOAL_H
#define BULLDOG_MODEL_GOAL_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

err_t goal_get(struct db *db, const char *id, struct goal *out, bool *found) MUST_CHECK;
/* Oldest first (GV-8). */
err_t goal_list(struct db *db, const char *company_id, struct goal **rows, int *n) MUST_CHECK;
/* The goal of an issue that names none (GV-28), or NULL. */
err_t goal_default(struct db *db, const char *company_id, const char **id) MUST_CHECK;

/* Given: company_id, title, level, status and the references, which must be of
 * the company and close no circle (ERR_UNPROCESSABLE). Activity goal.created. */
err_t goal_create(struct db *db, const struct actor *actor, struct goal *goal) MUST_CHECK;
/* details: the request body, for the activity goal.updated. */
err_t goal_update(struct db *db, const struct actor *actor, const struct goal *before, struct goal *after,
                  json_t *details) MUST_CHECK;
/* What named it, names nothing afterwards (GV-27). */
err_t goal_delete(struct db *db, const struct actor *actor, const struct goal *goal) MUST_CHECK;
void goal_write(struct jw *w, const struct goal *goal); /* an object */

#endif

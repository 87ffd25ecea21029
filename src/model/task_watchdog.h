/*
 * task_watchdog: an issue's watchdog (EX-149…151, IS-124): an agent that is asked
 * to look when the tree below the issue stands still. The rows, and the look.
 */
#ifndef BULLDOG_MODEL_TASK_WATCHDOG_H
#define BULLDOG_MODEL_TASK_WATCHDOG_H

#include "base/json.h"
#include "model/actor.h"
#include "rules/task_watchdog.h"
#include "store/entity.h"

#define WATCHDOG_ORIGIN "task_watchdog"

err_t watchdog_get(struct db *db, const char *issue_id, struct watchdog *out, bool *found) MUST_CHECK;
/* Sets or changes it; a change makes what was reviewed void. Activity issue.watchdog_created / _updated. */
err_t watchdog_put(struct db *db, const struct actor *actor, const struct issue *issue, const char *agent_id,
                   const char *instructions, struct watchdog *out) MUST_CHECK;
err_t watchdog_remove(struct db *db, const struct actor *actor, const struct issue *issue) MUST_CHECK;
void watchdog_write(struct jw *w, const struct watchdog *d); /* an object */

/* Looks at the tree and does what is due, in the caller's transaction. */
err_t watchdog_evaluate(struct db *db, const char *watchdog_id, enum watchdog_state *state) MUST_CHECK;
/* The next ones of active companies, by id; after: NULL from the start. */
err_t watchdog_page(struct db *db, const char *after, int limit, struct watchdog **rows, int *count) MUST_CHECK;

/* Did a watchdog start this run (NULL: no run)? */
err_t watchdog_started_run(struct db *db, const char *run_id, bool *yes) MUST_CHECK;

#endif

/*
 * lock: the execution lock of issues (EX §4) and what happens when it is given
 * up: deferred wakes are promoted in the same transaction (EX-25, EX-66).
 */
#ifndef BULLDOG_MODEL_LOCK_H
#define BULLDOG_MODEL_LOCK_H

#include "model/actor.h"
#include "store/entity.h"

/* Clears the lock columns of every issue this run holds, compare-and-clear, and
 * forgets its detachments. *issue_ids: the issues held, detached from, or named
 * by its context, each once. */
err_t lock_release(struct db *db, const struct run *run, const char ***issue_ids, int *count) MUST_CHECK;
/* For each issue: if nothing live holds it, turn its next deferred wake into a queued run. */
err_t lock_promote(struct db *db, const struct run *ended, const char *const *issue_ids, int count,
                   int *promoted) MUST_CHECK;
/* The same for one issue without an ended run (sweeps, force-release). */
err_t lock_promote_issue(struct db *db, const char *issue_id, int *promoted) MUST_CHECK;
/* EX-7 BETTER: an issue is about to lose its lock columns by a status or assignee
 * write while a live run holds them: remember it, so that the run's end still
 * promotes this issue's deferred wakes. */
err_t lock_detach(struct db *db, const struct issue *issue) MUST_CHECK;
/* EX-22, IS-64: clear lock columns whose run is terminal or missing. Updates *issue. */
err_t lock_heal(struct db *db, struct issue *issue) MUST_CHECK;

#endif

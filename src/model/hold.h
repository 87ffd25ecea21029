/*
 * hold: the gate of a paused tree (EX-131, EX-134). Every door asks here: wakes,
 * checkout, claim, retries, deferred wakes, recovery. An active pause on the
 * issue or on an ancestor keeps agents away, from issues filed later too; only a
 * wake that brings somebody's own words passes, to be answered. Setting and
 * lifting holds is hold_tree's part.
 */
#ifndef BULLDOG_MODEL_HOLD_H
#define BULLDOG_MODEL_HOLD_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

#define HOLD_LEVELS_MAX 100
#define HOLD_GATE "issue_tree_hold_active" /* reason of skipped wakes, errorCode of ended runs */

struct active_hold {
    const char *hold_id; /* NULL: none */
    const char *root_issue_id, *issue_id, *mode, *reason, *release_policy;
    instant_t since;
};
/* The nearest pause above issue_id. One indexed query, and next to nothing when the company has no pause at all. */
err_t hold_on(struct db *db, const char *issue_id, struct active_hold *out) MUST_CHECK;
/* Only whether there is one; issue_id NULL: no. */
err_t hold_keeps(struct db *db, const char *issue_id, bool *yes) MUST_CHECK;
/* The same for many issues of a company, in one query; out: in the order of ids. */
err_t hold_on_many(struct db *db, const char *company_id, const char *const *ids, int count,
                   struct active_hold *out) MUST_CHECK;

/* Does this wake pass (EX-134)? Its reason and source are those of a comment, the
 * comment is on this issue, and who asked for the wake wrote it. requester: kind
 * and id as they stand in the wake's row. */
struct hold_requester {
    const char *type, *id;
};
err_t hold_lets_pass(struct db *db, const char *issue_id, const json_t *context, const struct hold_requester *by,
                     bool *yes) MUST_CHECK;
/* Tells a run's context of the hold it passed, or takes that back: hold_id NULL. */
void hold_mark(json_t *context, const struct active_hold *h);

/* {holdId, rootIssueId, issueId, isRoot, mode, reason, releasePolicy} */
json_t *hold_json(const struct active_hold *h);
/* 409s of checkout (EX-18) and of an agent's follow-up (IS-56). */
err_t hold_checkout_error(struct arena *a, const struct active_hold *h) MUST_CHECK;
err_t hold_followup_error(struct arena *a, const struct active_hold *h) MUST_CHECK;
/* What was kept back, on the issue's record: issue.tree_hold_wakeup_deferred, issue.tree_hold_run_interrupted. */
err_t hold_record(struct db *db, const struct actor *actor, const struct issue *issue, const struct active_hold *h,
                  const char *action, json_t *details) MUST_CHECK;

#endif

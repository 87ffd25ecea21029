/*
 * approval: decisions that wait for the board (GV §3): their rows, their links
 * to issues, and what a decision sets going. Whoever asked is woken by every
 * answer, not only by a yes (GV-43).
 */
#ifndef BULLDOG_MODEL_APPROVAL_H
#define BULLDOG_MODEL_APPROVAL_H

#include "base/json.h"
#include "model/actor.h"
#include "model/relation.h"
#include "rules/approval.h"
#include "store/entity.h"

err_t approval_get(struct db *db, const char *id, struct approval *out, bool *found) MUST_CHECK;
/* Newest first; status NULL: all. */
err_t approval_list(struct db *db, const char *company_id, const char *status, struct approval **rows,
                    int *count) MUST_CHECK;
/* An object; the payload masked (GV-31). */
void approval_write(struct jw *w, struct arena *a, const struct approval *x);
/* How many wait: pending ones, or with those in revision. */
err_t approval_count(struct db *db, const char *company_id, bool with_revision, int64_t *count) MUST_CHECK;

/* Given: company_id, type, payload, requester. Row, links (issues of the company,
 * else 404 or 422), activity. extra: merged into the activity's details, or NULL. */
err_t approval_create(struct db *db, const struct actor *actor, struct approval *x, const struct id_list *issues,
                      json_t *extra) MUST_CHECK;
/* approve, reject, request revision: row, effects, activity and wakes. Decided so before: nothing. */
err_t approval_decide(struct db *db, const struct actor *actor, struct approval *x, enum approval_verb verb,
                      const char *note) MUST_CHECK;
/* payload: the new one, or NULL. */
err_t approval_resubmit(struct db *db, const struct actor *actor, struct approval *x, json_t *payload) MUST_CHECK;
/* AR-14b: the agent is made, waiting for approval when pending; then *approval asks for it. */
struct approval_hiring {
    struct agent *agent; /* as agent_insert takes it */
    bool pending;
    const struct id_list *issues;
    json_t *desired_skills;
};
err_t approval_hire(struct db *db, const struct actor *actor, const struct approval_hiring *h,
                    struct approval *approval) MUST_CHECK;
/* The open hire of this agent; AR-14c. */
err_t approval_of_hire(struct db *db, const struct agent *agent, struct approval *out, bool *found) MUST_CHECK;
/* The agent it would have hired was terminated: nothing is left to decide. */
err_t approval_cancel_hire(struct db *db, const struct actor *actor, const struct agent *agent) MUST_CHECK;

/* ---- comments ---- */

err_t approval_comment_list(struct db *db, const struct approval *x, struct approval_comment **rows,
                            int *count) MUST_CHECK;
err_t approval_comment_add(struct db *db, const struct actor *actor, const struct approval *x, const char *body,
                           struct approval_comment *out) MUST_CHECK;

/* ---- links ---- */

err_t approval_of_issue(struct db *db, const char *issue_id, struct approval **rows, int *count) MUST_CHECK;
err_t approval_issues(struct db *db, const char *approval_id, struct issue **rows, int *count) MUST_CHECK;
/* Linking twice, or unlinking what is not linked, changes nothing. */
err_t approval_link(struct db *db, const struct actor *actor, const struct issue *issue,
                    const struct approval *x) MUST_CHECK;
err_t approval_unlink(struct db *db, const struct actor *actor, const struct issue *issue,
                      const char *approval_id) MUST_CHECK;
/* P5: linked ones that are open. */
err_t approval_pending(struct db *db, const char *issue_id, int64_t *count) MUST_CHECK;

#endif

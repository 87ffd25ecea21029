/*
 * productivity: reviews of agents that are busy without getting anywhere
 * (EX-152, EX-153). Finds candidates, collects what rules/productivity asks, and
 * files, refreshes or leaves it.
 */
#ifndef BULLDOG_MODEL_PRODUCTIVITY_H
#define BULLDOG_MODEL_PRODUCTIVITY_H

#include "base/json.h"
#include "rules/productivity.h"
#include "store/entity.h"

#define PRODUCTIVITY_ORIGIN "issue_productivity_review"

struct productivity_item {
    const char *company_id, *issue_id;
};
/* Those that a cheap look cannot pass over, longest unchanged first. */
err_t productivity_candidates(struct db *db, int limit, struct productivity_item **items, int *count) MUST_CHECK;
/* Looks closer, and acts, in the caller's transaction. */
err_t productivity_treat(struct db *db, const char *issue_id, enum productivity_act *act) MUST_CHECK;

/* Is there an open review that holds the agent's liveness continuations on the issue (EX-153)? */
err_t productivity_held(struct db *db, const char *issue_id, const char *agent_id, bool *held) MUST_CHECK;

/* The open review of each of these issues, as the read models tell it (IS §2.2). */
struct productivity_review {
    const char *source_id, *id, *identifier, *status, *priority, *trigger;
    int64_t no_comment_streak;
    instant_t created_at, updated_at;
};
/* To be read with other columns: reviews p, their issues v. */
#define PRODUCTIVITY_COLUMNS \
    "v.id, v.identifier, v.status, v.priority, p.trigger_kind, p.no_comment_streak, p.created_at, v.updated_at"
#define PRODUCTIVITY_COLUMN_COUNT 8
/* The source's id stands in column `at`, these follow; false: there is no review. */
bool productivity_review_read(const struct rows *r, int at, struct productivity_review *out);
err_t productivity_review_of(struct db *db, const char *issue_id, struct productivity_review *out,
                             bool *found) MUST_CHECK;
void productivity_review_write(struct jw *w, const struct productivity_review *r); /* an object */

#endif

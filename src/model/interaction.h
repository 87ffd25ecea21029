/*
 * interaction: questions, confirmations and suggestions in an issue's thread
 * (IS §15): the rows, and how they end. What an answer means is rules/interaction's.
 */
#ifndef BULLDOG_MODEL_INTERACTION_H
#define BULLDOG_MODEL_INTERACTION_H

#include "base/json.h"
#include "model/actor.h"
#include "rules/interaction.h"
#include "store/entity.h"

struct interaction_new {
    const struct issue *issue;
    enum interaction_kind kind;
    json_t *payload; /* as validated */
    const char *title, *summary, *idempotency_key, *source_comment_id, *source_run_id;
    const char *continuation_policy, *resolver_policy; /* NULL: the kind's, the company's */
    const char *addressee_agent_id;
};
/* Row, activity, the addressee's wake; an agent's newer request expires its older
 * ones (IS-116). A known idempotency key with the same request: *out is the
 * earlier row, nothing written. 409 and 422 as IS-115 says. */
err_t interaction_create(struct db *db, const struct actor *actor, const struct interaction_new *in,
                         struct interaction *out) MUST_CHECK;

err_t interaction_get(struct db *db, const char *issue_id, const char *id, struct interaction *out,
                      bool *found) MUST_CHECK;
/* Oldest first. On a closed issue, what was never answered is shown expired. */
err_t interaction_list(struct db *db, const struct issue *issue, struct interaction **rows, int *count) MUST_CHECK;
void interaction_write(struct jw *w, const struct interaction *x); /* an object */
/* P4: how many wait for an answer. */
err_t interaction_pending(struct db *db, const char *issue_id, int64_t *count) MUST_CHECK;
/* IS-54: does this id name a pending confirmation that this actor asked for (an agent: in this very run)? */
err_t interaction_is_review(struct db *db, const struct actor *actor, const char *issue_id, const char *id,
                            bool *yes) MUST_CHECK;

/* ---- answers ---- */

enum interaction_verb {
    INTERACTION_ACCEPT,
    INTERACTION_REJECT,
    INTERACTION_RESPOND,
    INTERACTION_DECIDE,
    INTERACTION_WITHDRAW,
    INTERACTION_CANCEL
};
/* Everything an answer does, in the caller's transaction: its state and the
 * workspace gate are checked (409, 422), tasks created, the issue handed back,
 * the row, the activity and the wakes written. *x becomes the new row. */
err_t interaction_resolve(struct db *db, const struct actor *actor, const struct issue *issue, struct interaction *x,
                          enum interaction_verb verb, json_t *body) MUST_CHECK;

/* ---- ends without an answer ---- */

/* A person's comment overtakes what was asked before it (IS-88, EX-92). *count: how many. */
err_t interaction_expire_by_comment(struct db *db, const struct actor *actor, const struct issue *issue,
                                    const struct comment *comment, int *count) MUST_CHECK;
/* The issue was closed (EX-7). */
err_t interaction_expire_by_close(struct db *db, const struct actor *actor, const struct issue *issue) MUST_CHECK;

/* The agent it is addressed to is no more. */
err_t interaction_expire_by_addressee(struct db *db, const struct actor *actor, const char *agent_id) MUST_CHECK;
/* The document it asks about has another revision now, or is gone (IS-105). */
err_t interaction_expire_by_document(struct db *db, const struct actor *actor, const struct issue *issue,
                                     const struct document *document, bool deleted) MUST_CHECK;

#endif

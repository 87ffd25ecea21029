/*
 * comment: what people and agents say on an issue (IS §11). Adding one as part
 * of a change (status, wakes) is issue_update's; here are the rows.
 */
#ifndef BULLDOG_MODEL_COMMENT_H
#define BULLDOG_MODEL_COMMENT_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

/* Who really acts: a run's agent stands before the identity that was used (IS §23.4). */
struct author {
    const char *agent_id; /* NULL: a person, or the system */
    const char *run_id;   /* the actor's run, when it exists in the company */
    bool person;
};
err_t author_of(struct db *db, const struct actor *actor, const char *company_id, struct author *out) MUST_CHECK;

struct comment_new {
    const struct issue *issue;
    const char *body;
    const char *presentation, *metadata; /* JSON text or NULL; board only */
    const char *on_behalf_of_user_id;
    const char *reason; /* authorization reason of an agent (IS-84) */
};
/* Inserts the row and its references. *replayed: the same run said the same
 * within a minute; *out is that comment and nothing was written (IS §23.10). */
err_t comment_insert(struct db *db, const struct actor *actor, const struct author *author, const struct comment_new *c,
                     struct comment *out, bool *replayed) MUST_CHECK;

struct comment_page {
    const char *issue_id, *after; /* exclusive cursor in the direction of the order, or NULL */
    bool ascending;
    int limit;
};
/* An unknown cursor gives nothing (IS-83). *more: the limit cut it off. */
err_t comment_list(struct db *db, const struct comment_page *p, struct comment **rows, int *count,
                   bool *more) MUST_CHECK;
err_t comment_get(struct db *db, const char *issue_id, const char *id, struct comment *out, bool *found) MUST_CHECK;

/* IS-91. Tombstone: the text goes, the row stays; or, for a queued one, the row goes. */
err_t comment_tombstone(struct db *db, const struct actor *actor, const struct author *author,
                        struct comment *c) MUST_CHECK;
err_t comment_remove(struct db *db, const struct comment *c) MUST_CHECK;

void comment_write(struct jw *w, const struct comment *c); /* an object */
const char *comment_text(struct arena *a, const struct comment *c);
/* The first `max` bytes at most, never cutting a character. */
const char *snippet(struct arena *a, const char *s, size_t max);

#endif

/* interaction_internal: what the interaction rooms share. */
#ifndef BULLDOG_MODEL_INTERACTION_INTERNAL_H
#define BULLDOG_MODEL_INTERACTION_INTERNAL_H

#include "model/interaction.h"

/* One activity about the interaction, with `extra` (object or NULL) merged into
 * its details; the issue counts as touched. */
err_t interaction_log(struct db *db, const struct actor *actor, const struct issue *issue, const struct interaction *x,
                      const char *action, json_t *extra) MUST_CHECK;

/* pending → expired with this outcome; extra: see interaction_expiry. *x becomes the new row. */
err_t interaction_expire(struct db *db, const struct actor *actor, const struct issue *issue, struct interaction *x,
                         const char *outcome, const json_t *extra, const char *source) MUST_CHECK;
/* IS-116: older pending requests of the same agent and kind. */
err_t interaction_expire_older(struct db *db, const struct actor *actor, const struct issue *issue,
                               const struct interaction *newer) MUST_CHECK;

/* ---- effects of accepting ---- */

/* Creates the tasks, all or none; fills result.createdTasks. */
err_t interaction_create_tasks(struct db *db, const struct actor *actor, const struct issue *issue,
                               const struct interaction *x, const json_t *tasks, json_t *result) MUST_CHECK;
/* IS-120: the issue goes back to the agent that asked. *issue becomes the new row; *moved: it did. */
err_t interaction_hand_back(struct db *db, const struct actor *actor, const struct interaction *x, struct issue *issue,
                            bool *moved) MUST_CHECK;
/* IS-119: 409 while the asking run's workspace is not settled. */
err_t interaction_finalize_gate(struct db *db, const struct issue *issue, const struct interaction *x) MUST_CHECK;

/* ---- wakes ---- */

struct interaction_news {
    const struct issue *issue; /* after the answer */
    const struct interaction *x;
    enum interaction_verb verb;
    const char *reason;           /* what the one who answered said, or NULL */
    const json_t *newly_resolved; /* verdicts, or NULL */
    bool moved;                   /* the answer moved the issue */
};
/* IS-122: the assignee, and the asker when that is another agent. */
err_t interaction_wake_continue(struct db *db, const struct actor *actor, const struct interaction_news *n) MUST_CHECK;
err_t interaction_wake_addressee(struct db *db, const struct actor *actor, const struct interaction *x) MUST_CHECK;
/* What was asked is void: tells the asker, unless it is the assignee, whom the comment tells. */
err_t interaction_wake_asker_of_expired(struct db *db, const struct actor *actor, const struct issue *issue,
                                        const struct interaction *x) MUST_CHECK;
/* It is void and nobody said a word: the assignee learns of it, with a lost review path if it was one (IS-105),
 * and so does the asker. */
err_t interaction_wake_void(struct db *db, const struct actor *actor, const struct issue *issue,
                            const struct interaction *x) MUST_CHECK;

#endif

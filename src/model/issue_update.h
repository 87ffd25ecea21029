/*
 * issue_update: the one way an issue changes (IS §5, EX-6…16). Guards, column
 * effects, comment, blockers, labels, cancelled runs, activity and wakes are one
 * transaction (IS-57 BETTER). A comment alone is a change, too.
 */
#ifndef BULLDOG_MODEL_ISSUE_UPDATE_H
#define BULLDOG_MODEL_ISSUE_UPDATE_H

#include "base/json.h"
#include "model/actor.h"
#include "model/comment.h"
#include "model/relation.h"
#include "rules/issue_status.h"
#include "store/entity.h"

struct issue_change {
    struct issue after; /* the row as wanted; derived columns are filled here */
    bool status_sent, goal_sent, descriptor_sent, policy_sent;
    const struct id_list *blockers, *labels; /* NULL: unchanged */
    const struct comment_new *comment;       /* or NULL; its issue is filled here */
    bool request_sent;                       /* reviewRequest, of the pending stage (IS-97) */
    const json_t *request;
    bool reopen, resume, interrupt;
    bool comment_route; /* POST comments: shorter activity */
    bool tree_control;  /* a hold cancels or restores a whole tree: it says itself whom it wakes */
    json_t *requested;  /* the body, for the activity */
    json_t *wake_extra; /* more for the assignee's wake, which is then issue_status_changed; or NULL */
    const char *reason; /* authorization reason */
    const char *source; /* what else than a request caused it, for the activity; or NULL */
    bool assignee_told; /* the caller wakes the assignee itself */
};

struct issue_changed {
    struct issue row;
    const char *changes; /* JSON {field:{from,to}} (IS-61) */
    bool any;            /* something changed */
    struct comment comment;
    bool commented, replayed;
};

err_t issue_update(struct db *db, const struct actor *actor, const struct issue *before, struct issue_change *c,
                   struct issue_changed *out) MUST_CHECK;

/* IS-79. Children or other references: 409. Its dependents learn of it (IS §23.8). */
err_t issue_delete(struct db *db, const struct actor *actor, const struct issue *issue) MUST_CHECK;

/* Refuses for a verdict of rules/issue_status; blockers: those of the guard. */
err_t issue_guard_error(struct arena *a, enum status_verdict verdict, const struct open_blockers *b,
                        const struct issue *issue) MUST_CHECK;
/* EX-9: who may be named as the one who unblocks: 403, 422. */
err_t issue_check_descriptor(struct db *db, const struct actor *actor, const struct issue *issue) MUST_CHECK;
/* Applies what the status change does to the other columns (EX-7, EX-97). */
void issue_apply_effects(const struct issue *before, struct issue *after, instant_t now);
/* An issue's goal when none is given: its project's, else the company's (IS-32). */
err_t issue_goal_fallback(struct db *db, const char *company_id, const char *project_id,
                          const char **goal_id) MUST_CHECK;
/* requestDepth is bounded, not refused (IS §2.1). */
int64_t issue_depth_bounded(int64_t depth);
/* Labels of the company only, else 422 (IS-24); replaces the set. */
err_t issue_labels_replace(struct db *db, const struct issue *issue, const struct id_list *labels,
                           bool fresh) MUST_CHECK;

#endif

/*
 * issue_wakes: who is told of a change of an issue (the PATCH table of IS §5,
 * IS-27, IS-90, EX-38, EX-78, EX-80). One call per mutation, in its transaction:
 * the rows are written with the change, so that a crash loses none.
 */
#ifndef BULLDOG_MODEL_ISSUE_WAKES_H
#define BULLDOG_MODEL_ISSUE_WAKES_H

#include "base/json.h"
#include "model/actor.h"
#include "model/comment.h"
#include "model/wake.h"
#include "rules/stage.h"
#include "store/entity.h"

struct issue_happening {
    const struct issue *before; /* NULL: it was created */
    const struct issue *after;
    const char *mutation; /* create, child_create, update, comment … */
    bool status_sent;
    bool quiet; /* its assignee hears of it otherwise */
    const struct author *author;
    const struct comment *comment; /* NULL: none, or a replay */
    const struct stage_outcome *stage; /* what it meant for the stages, or NULL */
    const char *reopened_from;     /* the comment moved it to todo from here */
    bool resume;
    json_t *wake_extra; /* members for the payload and context of the assignee's wake, or NULL */
    const char *interrupted_run_id;
    bool assignee_told;    /* by the caller */
    bool asked_expired;    /* the comment overtook something that was asked in the thread */
    bool blockers_settled; /* a blocker set was written, or lost its last open one, and none is open now */
};
err_t issue_wakes_send(struct db *db, const struct actor *actor, const struct issue_happening *h) MUST_CHECK;
/* A blocker closed, or its workspace is settled: the dependents that are ready now (EX-78, WS-88). backstop NULL:
 * the blocker just closed. */
err_t issue_wakes_unblocked(struct db *db, const struct actor *actor, const struct issue *blocker, const char *backstop,
                            struct wake_batch *batch) MUST_CHECK;
/* The issue is gone or closed: its dependents and its parent's assignee (rules 6 and 8). */
err_t issue_wakes_closed(struct db *db, const struct actor *actor, const struct issue *issue,
                         struct wake_batch *batch) MUST_CHECK;

#endif

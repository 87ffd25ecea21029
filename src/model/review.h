/*
 * review: what keeps an issue in review alive (EX-88…91). An agent that holds it
 * is no path by itself: when the last path is used up its assignee is woken once,
 * then a person is asked.
 */
#ifndef BULLDOG_MODEL_REVIEW_H
#define BULLDOG_MODEL_REVIEW_H

#include "model/comment.h"
#include "model/follow_up.h"

/* After a run: a participant that did not decide is started once more (EX-90);
 * another issue in review may have lost its last path (EX-89). */
err_t review_settle(struct db *db, struct ended *e) MUST_CHECK;

/* A path of an issue in review was used up: `ref` names it (an interaction, an
 * approval, a monitor, a run). Nothing happens while another path is left. */
err_t review_path_consumed(struct db *db, const char *issue_id, const char *ref) MUST_CHECK;

/* No path is left and nobody is to be woken for it: the board has to name one (EX-89). run: the last one, or NULL. */
err_t review_ask_board(struct db *db, const struct issue *i, const struct run *run) MUST_CHECK;

/* ---- the board decides a stalled review (EX-91, IS-100) ---- */

struct review_decision {
    const char *action; /* approve, request_changes, send_back */
    const char *note;   /* or NULL */
};
struct review_decided {
    struct issue row;
    struct comment comment;
    bool commented, wake_queued;
};
err_t review_decide(struct db *db, const struct actor *actor, const struct issue *issue,
                    const struct review_decision *d, struct review_decided *out) MUST_CHECK;

#endif

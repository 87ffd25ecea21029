/*
 * tree_hold: what the board's hold on an issue and all below it means for each of
 * them (EX-131…133, IS-126), and which wakes pass an active pause (EX-134). Pure.
 */
#ifndef BULLDOG_RULES_TREE_HOLD_H
#define BULLDOG_RULES_TREE_HOLD_H

#include <stdbool.h>

enum tree_mode { TREE_PAUSE, TREE_RESUME, TREE_CANCEL, TREE_RESTORE };
extern const char *const TREE_MODES[];         /* NULL-terminated, in the order of the enum */
enum tree_mode tree_mode_of(const char *name); /* one of TREE_MODES */
/* Does the hold stay active, as a gate or as the memory of what was cancelled? */
bool tree_mode_stays(enum tree_mode m);
/* Does it stop the work it finds? */
bool tree_mode_stops(enum tree_mode m);

struct tree_member_facts {
    const char *status;
    bool held;           /* an active pause is on it, or on an ancestor */
    bool held_inside;    /* … one whose root is in this tree: what a resume lifts */
    bool cancelled_here; /* a cancel of this root that is still active took it */
    bool touched_since;  /* and it was cancelled again after that */
};
/* Why the mode leaves this issue alone; NULL: it is affected. */
const char *tree_skip_reason(enum tree_mode m, const struct tree_member_facts *f);
/* The status a restored issue gets: that of the snapshot, but work begins anew. */
const char *tree_restored_status(const char *snapshot);
/* Reason and context source of a wake that carries somebody's words. */
bool tree_interaction_wake(const char *reason, const char *source);

#endif

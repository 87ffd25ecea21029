/*
 * recovery: the judgements about recovery actions (EX §15). Pure: which kind a
 * cause is, what an upsert does to the action that is open already, whose turn
 * it is and when, and when the source has moved on so that the action folds.
 */
#ifndef BULLDOG_RULES_RECOVERY_H
#define BULLDOG_RULES_RECOVERY_H

#include "base/clock.h"

#include <stdbool.h>

/* execution.autoRecovery (EX-129). */
enum recovery_mode { RECOVERY_FULL, RECOVERY_SURFACE_ONLY, RECOVERY_OFF, RECOVERY_MODES };
/* RECOVERY_MODES: no such mode. */
enum recovery_mode recovery_mode(const char *setting);

const char *recovery_kind(const char *cause); /* of a cause, the open set of EX-120 */
/* What the owner has to do when the caller names nothing better. */
const char *recovery_next_action(const char *cause);
/* Repaired by hand: a run would meet the same wall (EX-110). */
bool recovery_by_hand(const char *kind);
/* The run's own agent is the first to be asked (EX-123). */
bool recovery_by_same_agent(const char *cause);

/* EX-122: a new finding meets an open action. */
enum recovery_merge {
    MERGE_UPDATE, /* it becomes the new finding, one attempt more */
    MERGE_APPEND, /* the open one is graver: the finding is noted in evidence.related */
};
enum recovery_merge recovery_merge(const char *open_kind, const char *new_kind);

/* EX-125: what is due for an open action. */
struct recovery_turn_facts {
    bool escalated;
    bool agent_owned;   /* its owner is an agent … */
    bool owner_can;     /* … that may run */
    bool wakes;         /* its policy wakes the owner */
    bool owner_at_work; /* a wake or run of the owner on it is under way */
    int64_t attempts, attempts_max;
    instant_t last_attempt_at, timeout_at;
};
enum recovery_turn { TURN_REST, TURN_WAKE, TURN_NEW_OWNER, TURN_ESCALATE };
enum recovery_turn recovery_turn(const struct recovery_turn_facts *f, instant_t now);
/* When the owner's wake number `attempts` + 1 is due, after the one at `last`. */
instant_t recovery_next_attempt(int64_t attempts, instant_t last);

/* EX-127: has the source moved on? */
struct recovery_source {
    const char *status;
    bool user_owned, agent_owned;
    bool reassigned;  /* no longer owned by the agent it was opened for */
    bool changed;     /* status, assignee, blockers, review or monitor were written just now */
    bool review_path; /* P3, P4, P5 */
    bool blockers_open;
    bool monitored; /* P6 */
};
struct recovery_claim {
    const char *kind, *cause;
    bool blocks_source; /* opening it set the source to blocked */
};
/* A reason code, or NULL: the action stays. */
const char *recovery_fold(const struct recovery_claim *c, const struct recovery_source *s);
const char *recovery_fold_note(const char *reason); /* for people */
/* The source is merely startable again: the attempts go on counting if the same comes back (EX-127 BETTER). */
bool recovery_fold_keeps_count(const char *reason);

#endif

/*
 * task_watchdog: does a watched tree stand still, and is its watchdog to be told
 * (EX-150, EX-151)? Pure: what is known of the tree and of what was told before
 * goes in, a state and what to do come out.
 */
#ifndef BULLDOG_RULES_TASK_WATCHDOG_H
#define BULLDOG_RULES_TASK_WATCHDOG_H

#include "base/clock.h"

#include <stdbool.h>

#define WATCHDOG_YOUNG_MS (15 * SECOND_MS)
#define WATCHDOG_ATTEMPTS_MAX 3 /* for one fingerprint; then the board */

enum watchdog_state {
    WATCHDOG_LIVE,
    WATCHDOG_PENDING_FIRST_RUN,
    WATCHDOG_ALREADY_REVIEWED,
    WATCHDOG_NOT_APPLICABLE,
    WATCHDOG_STOPPED,
    WATCHDOG_STATES
};
const char *watchdog_state_name(enum watchdog_state s);

enum watchdog_act {
    WATCHDOG_REST,
    WATCHDOG_NOTE_MOVED, /* remember that the tree moved after it was reported */
    WATCHDOG_FIRE,       /* wake the agent; attempt says for the how-manieth time */
    WATCHDOG_ESCALATE    /* it was told often enough: the board */
};

struct watchdog_facts {
    int live;           /* live runs and queued wakes in the tree */
    int open;           /* non-terminal issues */
    int young_unrun;    /* of these, without an ended run and younger than WATCHDOG_YOUNG_MS */
    bool agent_can;     /* the watchdog's agent can be started */
    bool report_open;   /* the issue that asks it to look is still open */
    bool same_as_fired; /* the stop has the fingerprint it was last told of */
    bool shrunk;        /* … or is a part of what it reviewed: nothing new stands still */
    bool moved_since_fired;
    int fired_attempt; /* how often it was told of that fingerprint */
};
struct watchdog_verdict {
    enum watchdog_state state;
    enum watchdog_act act;
    int attempt;
};
struct watchdog_verdict watchdog_judge(const struct watchdog_facts *f);

#endif

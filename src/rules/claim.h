/*
 * claim: may a queued run start now (EX-44, EX-45, AR-48)? Pure. The order of
 * the gates is normative.
 */
#ifndef BULLDOG_RULES_CLAIM_H
#define BULLDOG_RULES_CLAIM_H

#include <stdbool.h>

enum claim_action {
    CLAIM_START,
    CLAIM_WAIT,   /* stays queued; reason says for what */
    CLAIM_CANCEL, /* reason is the errorCode; the wake becomes skipped */
};

struct claim_facts {
    bool daily_runs_reached, daily_cost_reached;
    bool issue_scoped, issue_found;
    bool issue_terminal;
    bool issue_parked; /* in the backlog */
    bool by_hand;      /* somebody asked for this very run */
    bool agent_is_assignee;
    bool review_of_another; /* in review, and its stage waits for somebody else */
    bool held; /* under a paused tree, and not somebody's own words (EX-134) */
    bool dependencies_ready;
    bool interaction;    /* the wake carries a comment or an answered interaction */
    bool resume_intent;  /* an explicit request to go on */
    bool named_in_recovery; /* the run is the owner's turn on a recovery action */
    bool recovery_over;     /* … which has ended, or is somebody else's now */
    bool lock_wanted;    /* the run would take the issue's lock */
    bool lock_held;      /* another live run holds it */
    bool workspace_busy; /* another issue's run works in the same directory (WS §12) */
    bool old_tree_alive; /* processes of an earlier run on the issue are not proven gone */
};

struct claim_verdict {
    enum claim_action action;
    const char *reason;
};
struct claim_verdict claim_decide(const struct claim_facts *f);

#endif

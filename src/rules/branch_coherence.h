/*
 * branch_coherence: the recorded branch of a workspace and the one checked out
 * disagree; what is to be done (the table of WS §8)? Pure: evidence in, one
 * action out.
 */
#ifndef BULLDOG_RULES_BRANCH_COHERENCE_H
#define BULLDOG_RULES_BRANCH_COHERENCE_H

#include <stdbool.h>

enum ancestry { ANCESTRY_UNKNOWN, ANCESTRY_SAME, ANCESTRY_FORWARD, ANCESTRY_DIVERGED };

struct coherence_facts {
    bool same_branch;
    bool detached;
    bool clean;
    bool interrupted; /* a rebase, merge … is under way */
    bool registered;  /* git knows the worktree */
    bool recorded_exists;
    enum ancestry actual; /* what is checked out, seen from the recorded branch */
    bool contended;       /* another open workspace claims the path or the branch */
    bool forward_allowed, quarantine_allowed;
};

enum coherence_action {
    COHERENT,
    COHERENCE_ADOPT,        /* the checked-out branch becomes the recorded one */
    COHERENCE_CHECKOUT,     /* both at one commit: back to the recorded branch */
    COHERENCE_RESET_BRANCH, /* detached and forward: the recorded branch is moved here */
    COHERENCE_QUARANTINE,   /* dirt goes to a rescue branch, then back to the recorded one */
    COHERENCE_FAIL,
};
enum coherence_action coherence_judge(const struct coherence_facts *f);

#endif

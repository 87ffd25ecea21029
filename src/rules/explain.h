/*
 * explain: why an issue moves, or does not (EX-2, EX-3, EX-107). Pure: what is
 * known of the issues below it goes in; a state, a reason code, the primitive
 * that carries it, and whose move it is come out. The pass that recovers stalled
 * work asks the same function, so that explanation and behaviour cannot differ.
 */
#ifndef BULLDOG_RULES_EXPLAIN_H
#define BULLDOG_RULES_EXPLAIN_H

#include "base/arena.h"
#include "base/clock.h"
#include "rules/blocker_graph.h"

enum explain_state {
    EXPLAIN_LIVE,
    EXPLAIN_WAITING,
    EXPLAIN_RECOVERING,
    EXPLAIN_HELD,
    EXPLAIN_PARKED,
    EXPLAIN_TERMINAL,
    EXPLAIN_DEAD,
    EXPLAIN_STATES
};
const char *explain_state_name(enum explain_state s); /* live, waiting, recovering, held, parked, terminal, dead */

/* Whose move it is. */
enum explain_mover {
    MOVER_NONE,
    MOVER_AGENT,
    MOVER_USER,
    MOVER_BOARD,
    MOVER_OWNER,
    MOVER_ISSUE,
    MOVER_RUN,
    MOVER_TIME
};

/* What decides whether an issue's agent can be started by its wakes. */
struct explain_agent {
    const char *suppressed; /* the whole instance, and why; or NULL (EX-36) */
    const char *company_status;
    const char *status, *pause_reason; /* status NULL: there is no such agent */
    bool chain_healthy, wake_on_demand;
    bool daily_runs_reached, daily_cost_reached;
};
/* The name of the gate (EX-107), or NULL when it is open. */
const char *explain_gate(const struct explain_agent *a);
/* Does it also hold back a run that is queued already? */
bool explain_gate_holds_queued(const char *gate);

/* Paths that somebody opened by name. Whoever loads one leaves it out when it cannot
 * lead anywhere: a participant who cannot be started, a monitor whose bounds are used up. */
enum explain_named {
    NAMED_HOLD,        /* P11: an active pause hold on it or on an ancestor */
    NAMED_ACTION,      /* P9: an active or escalated recovery action */
    NAMED_INTERACTION, /* P4: a pending one */
    NAMED_APPROVAL,    /* P5: linked, pending or revision_requested */
    NAMED_PARTICIPANT, /* P3: of a pending stage */
    NAMED_MONITOR,     /* P6: its next check is in the future */
    NAMED_COUNT
};
const char *explain_named_key(enum explain_named n); /* as the evidence calls it: hold, recoveryAction, … */
struct explain_path {
    bool there;
    enum explain_mover mover; /* whose move it is; MOVER_TIME: nobody's before `due` */
    instant_t since, due;     /* due: a deadline, or the time of the next look */
};

/* One issue: INSTANT_NONE and NULL where there is nothing. */
struct explain_node {
    const char *status;
    bool hidden, agent_owned, user_owned;
    instant_t entered_at; /* since when it has this status, as far as known */
    bool staged; /* a pending stage waits for its agent */
    const char *gate;
    instant_t gate_since;
    const char *run_status; /* of its live run: running, queued, scheduled_retry */
    bool run_foreign;       /* that run is not its assignee's */
    instant_t run_since, retry_at;
    bool wake_queued, wake_deferred;
    instant_t wake_since;
    bool unblock_named;        /* an unblock descriptor names an owner */
    instant_t expected_since;  /* issues.dispatch_expected_since */
    instant_t throttled_until; /* its last wake was told to wait */
    const char *last_status;   /* of its latest ended run */
    bool last_held;            /* … which a hold ended, and nobody else */
    instant_t last_finished;
    struct explain_path named[NAMED_COUNT];
    int first, count; /* its open blockers and children among the edges */
    bool complete;    /* all of them are there */
    bool finalizing;  /* done, and its workspace not finalized (EX-83) */
    bool finalize_failed;
    bool workspace_busy; /* its queued run waits for another issue's run in the same workspace (WS §12) */
};
struct explain_graph {
    const struct explain_node *nodes;
    const struct blocker_edge *edges;
    int count;
};

struct explain_verdict {
    enum explain_state state;
    const char *reason;
    const char *path; /* P1 … P12 (EX-3) or EX-107, EX-100; NULL: none */
    instant_t since;
    enum explain_mover mover;
    int next;         /* the node that decides it: the next of the chain, or -1 */
    int named;        /* the explain_named that decides it, or -1 */
    int from, circle; /* the node we came from to judge it; the one where a circle closes; or -1 */
    bool children;    /* it waits for its children, not for blockers */
    bool attention;   /* nothing happens before a person acts */
    bool recoverable; /* dead, and the recovery pass starts it again */
};
/* A verdict per node, in the arena. */
struct explain_verdict *explain_judge(struct arena *a, const struct explain_graph *g, instant_t now);

#endif

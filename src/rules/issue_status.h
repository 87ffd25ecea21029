/*
 * issue_status: what a status write does to the row (EX-7, IS-51) and what it
 * needs to be allowed (EX-6, EX-9, EX-10, IS-52…56). Pure. Any status may
 * follow any other; the guards look at where it goes.
 */
#ifndef BULLDOG_RULES_ISSUE_STATUS_H
#define BULLDOG_RULES_ISSUE_STATUS_H

#include <stdbool.h>

extern const char *const ISSUE_STATUSES[];   /* NULL-terminated, in the order of validation messages */
extern const char *const ISSUE_PRIORITIES[]; /* critical … low */

bool status_terminal(const char *status); /* done, cancelled */
int priority_rank(const char *priority);  /* 0 critical … 3 low */
/* EX-5: assigned work is to be done, the rest waits to be planned. */
const char *status_default(bool assigned);

/* ---- effects ---- */

struct status_change {
    const char *from; /* NULL: the issue is being created */
    const char *to;
    bool assignee_changed;
    bool started; /* has a startedAt already, which is kept (IS-51 BETTER) */
};

struct status_effects {
    bool start, complete, cancel;          /* set the time */
    bool clear_completed, clear_cancelled; /* null the time */
    bool clear_lock;                       /* the four lock columns */
    bool enter_blocked, leave_blocked;     /* transition and notification times, descriptor */
    bool closed, reopened;                 /* crossed into, out of done / cancelled */
};
struct status_effects status_effects(const struct status_change *c);

/* EX-97: an issue in this state is waiting for a run to be dispatched. */
bool status_expects_dispatch(const char *status, bool agent_owned, bool hidden);

/* ---- guards ---- */

enum status_verdict {
    STATUS_OK,
    STATUS_TWO_ASSIGNEES,     /* 422 */
    STATUS_NEEDS_ASSIGNEE,    /* 422: in_progress without anybody */
    STATUS_HAS_BLOCKERS,      /* 422: starting blocked work */
    STATUS_NEEDS_PATH,        /* 422: nothing says who unblocks it (EX-9) */
    STATUS_STRAY_DESCRIPTOR,  /* 422: unblockDescriptor without blocked */
    STATUS_NEEDS_REVIEW_PATH, /* 422: an agent hands to nobody (EX-10) */
    STATUS_DONE_TOO_EARLY,    /* 422: an agent closes over its own open blockers */
    STATUS_REVIEW_POLICY,     /* 403 (IS-55) */
    FOLLOWUP_CANCELLED,       /* 409 (IS-56) */
    FOLLOWUP_STATUS,
    FOLLOWUP_HELD, /* the tree is paused (EX-131) */
    FOLLOWUP_BLOCKED,
    FOLLOWUP_UNASSIGNED,
};

struct status_facts {
    const char *from, *to; /* from NULL: creation */
    bool by_agent;
    bool agent_assigned, user_assigned; /* after the write */
    int blockers_open;                  /* not done, after the write */
    int blockers_waiting;               /* not done and not cancelled, after the write */
    bool blockers_sent;                 /* the same request sets them */
    bool descriptor_sent;               /* a non-null unblockDescriptor in the request */
    bool has_descriptor;                /* after the write */
    bool pending_interaction, pending_approval, has_monitor, has_participant;
    bool reopen, resume;      /* asked for by the request */
    bool held;                /* under an active pause */
    bool policy_allows_close; /* reviewPolicy lets this actor close or change it */
    bool policy_changed;
};
enum status_verdict status_guard(const struct status_facts *f);

#endif

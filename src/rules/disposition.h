/*
 * disposition: what a run that went well still owes (EX-71, EX-72): a comment on
 * its issue, and a status that says whose move it is. Pure.
 */
#ifndef BULLDOG_RULES_DISPOSITION_H
#define BULLDOG_RULES_DISPOSITION_H

#include <stdbool.h>

/* ---- the comment (EX-71) ---- */

struct comment_facts {
    const char *wake_reason;
    bool has_issue, issue_open;
    bool skip;          /* context.skipIssueComment */
    bool is_reminder;   /* the run is the reminder itself */
    bool succeeded;     /* EX-67 BETTER: a failed run is not reminded */
    bool commented;     /* the run, or its agent during it */
    bool comment_waits; /* a deferred wake brings somebody's comment next */
    bool holds_lock;    /* the issue is still its own */
    bool can_act;       /* weak point 19: a plain command cannot comment */
    bool spent;         /* EX-64 */
};
/* issueCommentStatus: not_applicable, satisfied, retry_queued, retry_exhausted. */
const char *comment_status(const struct comment_facts *f);

/* ---- the status (EX-72, EX-73) ---- */

enum handoff {
    HANDOFF_NONE,
    HANDOFF_REQUIRED, /* one corrective run */
    HANDOFF_ESCALATE, /* the corrective run was that, or none can be: somebody has to decide */
};
struct handoff_facts {
    const char *issue_status, *liveness_state, *comment_status;
    bool succeeded, own_issue; /* the run's agent is the assignee, no user is */
    bool can_act;
    bool corrective;            /* the run was the handoff's */
    bool recovery, monitor_run; /* the run was a recovery owner's, a monitor's */
    bool by_comment;            /* a comment woke it */
    bool has_stage, plugin_managed, routine;
    bool agent_ready; /* not paused, terminated, pending */
    bool has_path;    /* a live run, wake, interaction, approval, monitor, blocker, action, hold … */
    bool spent;
};
enum handoff handoff_decide(const struct handoff_facts *f);

#endif

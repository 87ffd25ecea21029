/*
 * admission: what becomes of a wake (EX §5.2, AR-44…46). Pure: the facts in, a
 * verdict with its reason code out; the order of the checks is normative.
 */
#ifndef BULLDOG_RULES_ADMISSION_H
#define BULLDOG_RULES_ADMISSION_H

#include <stdbool.h>

enum admission { ADMIT_QUEUE, ADMIT_COALESCE, ADMIT_DEFER, ADMIT_SKIP };

struct admission_facts {
    bool scheduling_suppressed;
    bool company_active;
    bool budget_blocked;
    bool agent_invokable;
    bool timer; /* source is timer */
    bool heartbeat_enabled, wake_on_demand;
    bool skip_idle_timer; /* the policy says so, and the wake is an unscoped timer */
    bool has_actionable_work;

    bool issue_scoped, issue_found;
    bool held; /* under a paused tree, and not somebody's own words (EX-134) */
    bool dependencies_ready;
    bool assignee_is_agent; /* the woken agent owns the issue */
    bool named_in_recovery; /* … or the recovery action the wake is about */
    bool has_active_run;    /* a live run on the issue, or with the same task key */
    bool active_running;    /* … in status running, else queued or scheduled_retry */
    bool active_same_agent;

    const char *reason; /* wake reason or NULL */
    bool has_comment;
    bool interaction; /* carries a comment, an answered interaction or a decided approval */
    bool force_fresh;
    bool throttled; /* EX-37 said to wait */
    bool daily_runs_reached, daily_cost_reached;
};

struct admission_verdict {
    enum admission action;
    const char *reason; /* NULL for ADMIT_QUEUE */
};

struct admission_verdict admission_decide(const struct admission_facts *f);
/* EX-32: does a wake of this reason carry nothing that a running agent would miss? */
bool admission_carries_nothing_new(const char *reason);
/* A comment wake proceeds although blockers are open (EX §5.2 step 12c). */
bool admission_is_comment_reason(const char *reason);
/* … and so does the news that an approval was decided. */
bool admission_is_talk(const char *reason);
/* Does the run of a wake with this reason take the issue's execution lock (EX-24, INV-2)? */
bool admission_takes_lock(const char *reason);
/* Is the issue checked out for it before its agent starts (EX-46)? */
bool admission_checks_out(const char *reason);

#endif

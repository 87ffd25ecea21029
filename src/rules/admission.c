/* admission: the decision of EX §5.2 as a function. */
#include "rules/admission.h"

#include <stddef.h>
#include <string.h>

static bool any(const char *reason, const char *const *set)
{
    for (; reason && *set; set++)
        if (strcmp(reason, *set) == 0) return true;
    return false;
}

bool admission_carries_nothing_new(const char *reason)
{
    static const char *const set[] = {"issue_assigned", "issue_continuation_needed", "heartbeat_timer",
                                      "issue_checked_out", NULL};
    return reason == NULL || any(reason, set);
}

bool admission_is_comment_reason(const char *reason)
{
    static const char *const set[] = {"issue_commented", "issue_reopened_via_comment", "issue_comment_mentioned", NULL};
    return any(reason, set);
}

bool admission_is_talk(const char *reason)
{
    return admission_is_comment_reason(reason) || (reason && strncmp(reason, "approval_", 9) == 0);
}

bool admission_takes_lock(const char *reason)
{
    static const char *const set[] = {"issue_comment_mentioned", "source_scoped_recovery_action", NULL};
    return !any(reason, set);
}

bool admission_checks_out(const char *reason)
{
    return reason && admission_takes_lock(reason) && strncmp(reason, "execution_", 10) != 0;
}

static struct admission_verdict verdict(enum admission action, const char *reason)
{
    return (struct admission_verdict){action, reason};
}

static struct admission_verdict caps(const struct admission_facts *f)
{
    if (f->throttled) return verdict(ADMIT_SKIP, "issue_rewake_throttled");
    if (f->daily_runs_reached) return verdict(ADMIT_SKIP, "heartbeat.daily_run_limit");
    if (f->daily_cost_reached) return verdict(ADMIT_SKIP, "heartbeat.daily_cost_limit");
    return verdict(ADMIT_QUEUE, NULL);
}

/* Somebody is at work on the issue already. */
static struct admission_verdict busy(const struct admission_facts *f)
{
    bool quiet = !f->has_comment && !f->force_fresh && admission_carries_nothing_new(f->reason);
    if (f->active_same_agent && (!f->active_running || quiet))
        return verdict(ADMIT_COALESCE, "issue_execution_same_name");
    /* AR-48 BETTER (1): what could not pass the claim gate later is not kept waiting */
    if (!f->assignee_is_agent && !f->named_in_recovery && !f->interaction)
        return verdict(ADMIT_SKIP, "issue_assignee_changed");
    return verdict(ADMIT_DEFER, "issue_execution_deferred");
}

struct admission_verdict admission_decide(const struct admission_facts *f)
{
    if (f->scheduling_suppressed) return verdict(ADMIT_SKIP, "heartbeat.scheduling_suppressed");
    if (!f->company_active) return verdict(ADMIT_SKIP, "company.inactive");
    if (f->budget_blocked) return verdict(ADMIT_SKIP, "budget.blocked");
    if (!f->agent_invokable) return verdict(ADMIT_SKIP, "agent.not_invokable");
    if (f->timer && !f->heartbeat_enabled) return verdict(ADMIT_SKIP, "heartbeat.disabled");
    if (!f->timer && !f->wake_on_demand) return verdict(ADMIT_SKIP, "heartbeat.wakeOnDemand.disabled");
    if (f->skip_idle_timer && !f->has_actionable_work) return verdict(ADMIT_SKIP, "heartbeat.timer.no_actionable_work");
    if (f->held) return verdict(ADMIT_SKIP, "issue_tree_hold_active");
    if (f->issue_scoped && !f->issue_found) return verdict(ADMIT_SKIP, "issue_execution_issue_not_found");
    bool bounded = f->interaction && admission_is_talk(f->reason);
    if (f->issue_scoped && !f->has_active_run && !f->dependencies_ready && !bounded)
        return verdict(ADMIT_SKIP, "issue_dependencies_blocked");
    if (!f->has_active_run) return caps(f);
    if (f->issue_scoped) return busy(f);
    /* without an issue one run per task key is enough (AR-46), unless the running one would miss something */
    bool follow_up = f->active_running && (f->interaction || f->has_comment || f->force_fresh);
    return follow_up ? caps(f) : verdict(ADMIT_COALESCE, "issue_execution_same_name");
}

/* claim: the gates between queued and running. */
#include "rules/claim.h"

#include <stddef.h>

static struct claim_verdict verdict(enum claim_action action, const char *reason)
{
    return (struct claim_verdict){action, reason};
}

/* EX-45: has the issue moved on since the wake was admitted? */
static const char *stale(const struct claim_facts *f)
{
    if (!f->issue_found) return "issue_not_found";
    if (f->recovery_over) return "recovery_action_resolved";
    if (!f->agent_is_assignee && !f->interaction && !f->named_in_recovery) return "issue_assignee_changed";
    if (f->issue_terminal && !f->interaction && !f->resume_intent) return "issue_terminal_status";
    if (f->review_of_another && !f->interaction) return "issue_review_participant_changed";
    if (f->issue_parked && !f->interaction && !f->resume_intent && !f->by_hand) return "issue_parked"; /* INV-19 */
    return NULL;
}

struct claim_verdict claim_decide(const struct claim_facts *f)
{
    if (f->daily_runs_reached) return verdict(CLAIM_CANCEL, "heartbeat.daily_run_limit");
    if (f->daily_cost_reached) return verdict(CLAIM_CANCEL, "heartbeat.daily_cost_limit");
    if (!f->issue_scoped) return verdict(CLAIM_START, NULL);
    if (f->held) return verdict(CLAIM_CANCEL, "issue_tree_hold_active");
    const char *why = stale(f);
    if (why) return verdict(CLAIM_CANCEL, why);
    if (!f->dependencies_ready && !f->interaction) return verdict(CLAIM_CANCEL, "issue_dependencies_blocked");
    if (f->workspace_busy) return verdict(CLAIM_WAIT, "workspace_busy");
    if (!f->lock_wanted) return verdict(CLAIM_START, NULL);
    if (f->lock_held) return verdict(CLAIM_WAIT, "issue_locked");
    if (f->old_tree_alive) return verdict(CLAIM_WAIT, "previous_run_processes_alive");
    return verdict(CLAIM_START, NULL);
}

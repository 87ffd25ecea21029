/* disposition: the comment and the status that a run owes. */
#include "rules/disposition.h"

#include "base/text.h"
#include "rules/liveness.h"

static bool asks_for_comment(const char *reason)
{
    return text_is(reason, "issue_assigned") || text_is(reason, "execution_review_requested") ||
           text_is(reason, "execution_approval_requested") || text_is(reason, "execution_changes_requested");
}

const char *comment_status(const struct comment_facts *f)
{
    if (!f->has_issue || f->skip) return "not_applicable";
    if (!asks_for_comment(f->wake_reason) && !f->is_reminder) return "not_applicable";
    if (f->commented) return "satisfied";
    if (!f->succeeded || f->comment_waits || !f->can_act) return "not_applicable";
    if (f->is_reminder) return "retry_exhausted";
    if (!f->issue_open || !f->holds_lock) return "not_applicable";
    return f->spent ? "retry_exhausted" : "retry_queued";
}

enum handoff handoff_decide(const struct handoff_facts *f)
{
    if (!f->succeeded || !text_is(f->issue_status, "in_progress") || !f->own_issue) return HANDOFF_NONE;
    if (f->has_path || f->has_stage || f->plugin_managed || f->routine || !f->agent_ready) return HANDOFF_NONE;
    if (f->recovery || f->monitor_run) return HANDOFF_NONE;
    if (f->corrective) return HANDOFF_ESCALATE;
    if (f->by_comment || text_is(f->comment_status, "retry_queued")) return HANDOFF_NONE;
    if (!f->can_act) return HANDOFF_ESCALATE;
    if (text_is(f->comment_status, "retry_exhausted")) return HANDOFF_NONE;
    if (!liveness_productive(f->liveness_state)) return HANDOFF_NONE;
    return f->spent ? HANDOFF_ESCALATE : HANDOFF_REQUIRED;
}

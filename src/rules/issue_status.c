/* issue_status: effects and guards of status writes. */
#include "rules/issue_status.h"

#include "base/text.h"

const char *const ISSUE_STATUSES[] = {"backlog", "todo",    "in_progress", "in_review",
                                      "done",    "blocked", "cancelled",   NULL};
const char *const ISSUE_PRIORITIES[] = {"critical", "high", "medium", "low", NULL};

bool status_terminal(const char *status) { return text_is(status, "done") || text_is(status, "cancelled"); }

int priority_rank(const char *priority)
{
    for (int i = 0; ISSUE_PRIORITIES[i]; i++)
        if (text_is(priority, ISSUE_PRIORITIES[i])) return i;
    return 2;
}

const char *status_default(bool assigned) { return assigned ? "todo" : "backlog"; }

struct status_effects status_effects(const struct status_change *c)
{
    bool changed = !text_is(c->from, c->to), open = !status_terminal(c->to);
    bool was_blocked = text_is(c->from, "blocked"), blocked = text_is(c->to, "blocked");
    return (struct status_effects){
        .start = changed && text_is(c->to, "in_progress") && !c->started,
        .complete = changed && text_is(c->to, "done"),
        .cancel = changed && text_is(c->to, "cancelled"),
        .clear_completed = !text_is(c->to, "done"),
        .clear_cancelled = !text_is(c->to, "cancelled"),
        .clear_lock = c->assignee_changed || !text_is(c->to, "in_progress"),
        .enter_blocked = blocked && !was_blocked,
        .leave_blocked = was_blocked && !blocked,
        .closed = changed && !open,
        .reopened = open && status_terminal(c->from),
    };
}

bool status_expects_dispatch(const char *status, bool agent_owned, bool hidden)
{
    return agent_owned && !hidden && text_is(status, "todo");
}

/* IS-56: what an agent needs to bring closed or blocked work back. */
static enum status_verdict followup(const struct status_facts *f)
{
    static const char *const resumable[] = {"done", "cancelled", "blocked", "todo", "in_progress"};
    bool leaves_blocked = text_is(f->from, "blocked") && !text_is(f->to, "blocked");
    bool reopens = status_terminal(f->from) && !status_terminal(f->to);
    bool known = false;
    if (!f->by_agent || f->from == NULL) return STATUS_OK;
    if (!leaves_blocked && !reopens && !f->reopen) return STATUS_OK;
    if (text_is(f->from, "cancelled") && !f->resume) return FOLLOWUP_CANCELLED;
    for (size_t i = 0; i < sizeof resumable / sizeof *resumable; i++) known |= text_is(f->from, resumable[i]);
    if (!known) return FOLLOWUP_STATUS;
    if (f->held) return FOLLOWUP_HELD;
    if (text_is(f->from, "blocked") && f->blockers_open > 0) return FOLLOWUP_BLOCKED;
    return f->agent_assigned ? STATUS_OK : FOLLOWUP_UNASSIGNED;
}

static bool review_path(const struct status_facts *f)
{
    return f->user_assigned || f->has_participant || f->has_monitor || f->pending_interaction || f->pending_approval;
}

static bool waiting_path(const struct status_facts *f)
{
    /* a set that is being written counts only blockers that can still be resolved */
    int open = f->blockers_sent ? f->blockers_waiting : f->blockers_open;
    return open > 0 || f->pending_interaction || f->pending_approval || f->has_descriptor;
}

enum status_verdict status_guard(const struct status_facts *f)
{
    bool changed = !text_is(f->from, f->to);
    bool closes_review = text_is(f->from, "in_review") && status_terminal(f->to);
    if (f->agent_assigned && f->user_assigned) return STATUS_TWO_ASSIGNEES;
    if (text_is(f->to, "in_progress") && !f->agent_assigned && !f->user_assigned) return STATUS_NEEDS_ASSIGNEE;
    if (f->descriptor_sent && !text_is(f->to, "blocked")) return STATUS_STRAY_DESCRIPTOR;
    enum status_verdict v = followup(f);
    if (v != STATUS_OK) return v;
    if ((closes_review || f->policy_changed) && !f->policy_allows_close) return STATUS_REVIEW_POLICY;
    if (!changed) return STATUS_OK;
    if (text_is(f->to, "in_progress") && f->blockers_open > 0) return STATUS_HAS_BLOCKERS;
    if (text_is(f->to, "blocked") && !waiting_path(f)) return STATUS_NEEDS_PATH;
    if (text_is(f->to, "in_review") && f->by_agent && !review_path(f)) return STATUS_NEEDS_REVIEW_PATH;
    if (text_is(f->to, "done") && f->by_agent && f->blockers_open > 0 && !f->blockers_sent)
        return STATUS_DONE_TOO_EARLY;
    return STATUS_OK;
}

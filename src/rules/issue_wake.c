/* issue_wake: what tells the assignee of a change. */
#include "rules/issue_wake.h"

#include "base/text.h"
#include "rules/issue_status.h"

/* Row 3: the issue came (back) to life by a status somebody set. */
static bool revived(const struct issue_wake_facts *f)
{
    bool to_todo = text_is(f->to, "todo");
    if (!f->status_sent || text_is(f->from, f->to)) return false;
    if (text_is(f->from, "backlog")) return true;
    if (text_is(f->from, "blocked") || status_terminal(f->from)) return to_todo;
    return text_is(f->from, "in_review") && to_todo && f->by_user;
}

const char *issue_wake_reason(const struct issue_wake_facts *f)
{
    bool parked = text_is(f->to, "backlog");
    if (!f->agent_assigned) return NULL;
    if (f->assignee_changed) return parked || status_terminal(f->to) ? NULL : "issue_assigned";
    if (f->commented && !f->by_assignee) {
        if (f->reopened) return "issue_reopened_via_comment";
        /* an agent's remark does not start work that somebody parked (IS-90 BETTER) */
        if (!status_terminal(f->to) && !(parked && !f->by_user)) return "issue_commented";
    }
    return revived(f) && !status_terminal(f->to) ? "issue_status_changed" : NULL;
}

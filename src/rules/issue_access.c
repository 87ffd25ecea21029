/* issue_access: who may write an issue. */
#include "rules/issue_access.h"

#include <stddef.h>

enum access access_decide(enum access_class c, const struct access_facts *f)
{
    if (f->board || !f->agent_owned) return ACCESS_ALLOWED;
    if (f->own && !f->in_progress) return ACCESS_ALLOWED;
    if (f->own) return f->has_run ? ACCESS_CHECKOUT : ACCESS_NO_RUN;
    if (f->manages) return ACCESS_ALLOWED;
    if (f->in_progress) return ACCESS_RUN_LOCK;
    return c == ACCESS_OPEN ? ACCESS_ALLOWED : ACCESS_NOT_OWNER;
}

const char *access_reason(const struct access_facts *f)
{
    if (f->board) return "allow_board";
    return f->own ? "allow_self" : "allow_visible_issue_write";
}

const struct access_denial *access_denial(enum access a)
{
    static const struct access_denial run_lock = {
        "issue_write_assignee_run_lock",
        "Another agent is working on this issue",
        "Run checkout lock",
        "the assignee, from the run that holds the checkout; the board; the assignee's managers",
        "comment on the issue instead, or wait until the run has ended",
    };
    static const struct access_denial not_owner = {
        "issue_write_not_assignee",
        "Agent cannot mutate another agent's issue",
        "Issue ownership",
        "the assignee; the board; the assignee's managers",
        "comment on the issue, or change it with PATCH",
    };
    return a == ACCESS_RUN_LOCK ? &run_lock : a == ACCESS_NOT_OWNER ? &not_owner : NULL;
}

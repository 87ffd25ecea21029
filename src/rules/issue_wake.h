/*
 * issue_wake: which wake, if any, a change of an issue sends to its assignee
 * (the PATCH table of IS §5, rows 2, 3 and 4; IS-90). Pure.
 */
#ifndef BULLDOG_RULES_ISSUE_WAKE_H
#define BULLDOG_RULES_ISSUE_WAKE_H

#include <stdbool.h>
#include <stddef.h>

struct issue_wake_facts {
    const char *from, *to; /* status before and after */
    bool status_sent;      /* explicitly asked for */
    bool agent_assigned;   /* after the change */
    bool assignee_changed;
    bool by_user;
    bool commented;
    bool reopened;    /* the comment moved it to todo */
    bool by_assignee; /* the comment is the assignee's own, on whatever identity */
};

/* "issue_assigned", "issue_status_changed", "issue_reopened_via_comment",
 * "issue_commented", or NULL. */
const char *issue_wake_reason(const struct issue_wake_facts *f);

#endif

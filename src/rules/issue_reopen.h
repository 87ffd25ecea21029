/*
 * issue_reopen: does a comment bring an issue back to work? (IS-85, EX-39.) Pure.
 */
#ifndef BULLDOG_RULES_ISSUE_REOPEN_H
#define BULLDOG_RULES_ISSUE_REOPEN_H

#include <stdbool.h>

enum reopen {
    REOPEN_NO,
    REOPEN_TODO,    /* status → todo */
    REOPEN_RETRY,   /* in progress, but only a scheduled retry holds it: cancel that, → todo */
    REOPEN_REFUSED, /* 409: resume was asked for and blockers are open */
};

struct reopen_facts {
    bool by_user;        /* a person, and the comment was not written by the assignee's run */
    bool by_assignee;    /* the assignee agent wrote it, whatever identity was used */
    bool reopen, resume; /* asked for */
    const char *status;
    bool agent_assigned;
    bool by_lock_run;   /* the request comes from the run that holds the issue */
    bool adds_blockers; /* the same request sets a non-empty blocker set */
    int blockers_open;
    bool retry_scheduled; /* a scheduled retry of the assignee exists */
};
enum reopen reopen_decide(const struct reopen_facts *f);

#endif

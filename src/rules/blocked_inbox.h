/*
 * blocked_inbox: which stuck work a person must look at, and why (IS-73). Pure:
 * it reads the verdicts of rules/explain, so that the inbox, the explanation and
 * the recovery pass say the same.
 */
#ifndef BULLDOG_RULES_BLOCKED_INBOX_H
#define BULLDOG_RULES_BLOCKED_INBOX_H

#include "rules/explain.h"

struct blocked_verdict {
    bool stuck;                            /* else it is not for the inbox */
    const char *state, *reason, *severity; /* the words of IS-73 */
    int leaf;                              /* the node that holds it up; the issue itself when nothing is below */
};
/* For node n of the judged graph. */
struct blocked_verdict blocked_judge(const struct explain_node *nodes, const struct explain_verdict *verdicts, int n);
/* critical 0, high 1, medium 2, low 3 */
int blocked_severity_rank(const char *severity);

#endif

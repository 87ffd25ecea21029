/*
 * stranded: agent-owned work that nothing moves: what is due now (EX-97…101).
 * Pure. rules/explain has said that no path is left; here is how often, and when,
 * the agent is started again before somebody has to look.
 */
#ifndef BULLDOG_RULES_STRANDED_H
#define BULLDOG_RULES_STRANDED_H

#include "base/clock.h"

#include <stdbool.h>

struct stranded_facts {
    bool in_progress; /* else todo */
    instant_t since;  /* since when it should have moved */
    int64_t timeout_ms;
    instant_t tried_at; /* the recovery wake of this stall; INSTANT_NONE: none */
    /* the latest ended run; NULL: it never ran */
    const char *status, *code, *wake_reason, *liveness;
    instant_t finished_at;
    int64_t continuations; /* its liveness continuations so far (EX-70) */
    int same_code;         /* continuation runs in a row that ended with its code, itself included */
    bool progress;         /* the assignee said or attached something lately */
    bool budget_spent;     /* EX-64 */
};
enum stranded_step { STRANDED_REST, STRANDED_WAKE, STRANDED_ESCALATE };
struct stranded_verdict {
    enum stranded_step step;
    const char *cause;  /* of an escalation */
    const char *reason; /* of a wake: issue_assignment_recovery, issue_continuation_needed */
    const char *source; /* of its context */
};
struct stranded_verdict stranded_decide(const struct stranded_facts *f, instant_t now);

#endif

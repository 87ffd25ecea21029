/*
 * liveness: what a finished run amounted to (EX-69, AR-60). Pure. Rows come
 * before words: only a run that left no trace is judged by what it said.
 */
#ifndef BULLDOG_RULES_LIVENESS_H
#define BULLDOG_RULES_LIVENESS_H

#include <stdbool.h>

struct liveness_facts {
    bool interrupted, succeeded;
    const char *status, *error_code; /* of the run, for the text */
    const char *issue_status;        /* NULL: no issue */
    int evidence;                    /* comments, documents, activity, events of the run: things that can be seen */
    bool output;
    const char *text;        /* what it said, in the order of EX-69; NULL: nothing */
    const char *next_action; /* what its adapter reported as such, or NULL */
    bool planning_task;      /* the issue asks for a text, not for a change */
};
struct liveness_verdict {
    const char *state; /* completed advanced plan_only empty_response blocked failed needs_followup */
    const char *reason;
    const char *next_action; /* or NULL */
};
struct arena;
struct liveness_verdict liveness_classify(struct arena *a, const struct liveness_facts *f);
/* Does the issue's title or description ask for a plan, a report or the like? */
bool liveness_planning_task(const char *title, const char *description);

/* Which of these a further run of the same agent may follow (EX-70), and which
 * count as work done, so that the issue now needs a disposition (EX-72). */
bool liveness_continues(const char *state);
bool liveness_productive(const char *state);

#endif

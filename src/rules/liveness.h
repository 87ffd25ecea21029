/* liveness: what a finished run amounted to (EX-69, AR-60). Pure. */
#ifndef BULLDOG_RULES_LIVENESS_H
#define BULLDOG_RULES_LIVENESS_H

#include <stdbool.h>

struct liveness_facts {
    bool interrupted, succeeded;
    const char *status, *error_code; /* of the run, for the text */
    const char *issue_status;        /* NULL: no issue */
    int evidence;                    /* comments, documents, activity of the run that changed something */
    bool output;
};
struct liveness_verdict {
    const char *state; /* completed advanced plan_only empty_response blocked failed needs_followup */
    const char *reason;
};
struct arena;
struct liveness_verdict liveness_classify(struct arena *a, const struct liveness_facts *f);

#endif

/*
 * graph_liveness: what is wrong at the end of a chain of blockers or with a
 * review (EX-111). Pure: the judged graph of rules/explain goes in; a finding
 * with its reason code and the issue that causes it come out.
 */
#ifndef BULLDOG_RULES_GRAPH_LIVENESS_H
#define BULLDOG_RULES_GRAPH_LIVENESS_H

#include "rules/explain.h"

enum graph_finding {
    GRAPH_HEALTHY,
    GRAPH_BLOCKED_BY_CANCELLED,
    GRAPH_BLOCKED_BY_BACKLOG,
    GRAPH_BLOCKED_BY_UNASSIGNED,
    GRAPH_BLOCKED_BY_UNINVOKABLE,
    GRAPH_INVALID_REVIEW_PARTICIPANT,
    GRAPH_REVIEW_WITHOUT_PATH,
    GRAPH_FINDINGS
};
const char *graph_finding_name(enum graph_finding f);   /* blocked_by_cancelled_issue … (EX-111) */
const char *graph_finding_action(enum graph_finding f); /* what to do about it, for people */

struct graph_verdict {
    enum graph_finding finding;
    int leaf; /* the first stalled node of the chain; the issue itself for a review; -1 */
    int path[BLOCKER_DEPTH_MAX + 2], path_length; /* from the issue to the leaf */
};
/* pending_participant, per node: an execution stage names a participant. */
struct graph_verdict graph_liveness_judge(struct arena *a, const struct explain_graph *g,
                                          const struct explain_verdict *verdicts, const bool *pending_participant,
                                          int root);

#endif

/* graph_liveness: findings. */
#include "rules/graph_liveness.h"

#include "base/text.h"

static const struct {
    const char *name, *action;
} FINDINGS[GRAPH_FINDINGS] = {
    [GRAPH_HEALTHY] = {"healthy", NULL},
    [GRAPH_BLOCKED_BY_CANCELLED] = {"blocked_by_cancelled_issue",
                                    "The blocker was cancelled and will never be done: remove or replace it."},
    [GRAPH_BLOCKED_BY_BACKLOG] = {"blocked_by_assigned_backlog_issue",
                                  "The blocker is parked in the backlog: move it to todo, or remove it."},
    [GRAPH_BLOCKED_BY_UNASSIGNED] = {"blocked_by_unassigned_issue",
                                     "Nobody owns the blocker: assign it, or remove it."},
    [GRAPH_BLOCKED_BY_UNINVOKABLE] = {"blocked_by_uninvokable_assignee",
                                      "The blocker's agent cannot be started: assign another, or repair the agent."},
    [GRAPH_INVALID_REVIEW_PARTICIPANT] = {"invalid_review_participant",
                                          "The review's participant cannot act: name another reviewer."},
    [GRAPH_REVIEW_WITHOUT_PATH] = {"in_review_without_action_path",
                                   "Nobody is asked to review it: name a reviewer, or move it on."},
};
const char *graph_finding_name(enum graph_finding f) { return FINDINGS[f].name; }
const char *graph_finding_action(enum graph_finding f) { return FINDINGS[f].action; }

/* Nothing but a change of the agent or the assignee helps; a pause is somebody's decision (EX-107). */
static bool never_starts(const char *reason)
{
    static const char *const set[] = {"agent_missing",       "agent_terminated",  "agent_pending_approval",
                                      "agent_not_invokable", "invalid_org_chain", NULL};
    for (const char *const *s = set; *s; s++)
        if (text_is(reason, *s)) return true;
    return false;
}

static enum graph_finding leaf_finding(const struct explain_node *n, const struct explain_verdict *v, bool participant)
{
    if (text_is(v->reason, "review_without_path"))
        return participant ? GRAPH_INVALID_REVIEW_PARTICIPANT : GRAPH_REVIEW_WITHOUT_PATH;
    if (v->state == EXPLAIN_TERMINAL && text_is(n->status, "cancelled")) return GRAPH_BLOCKED_BY_CANCELLED;
    if (text_is(v->reason, "unassigned")) return GRAPH_BLOCKED_BY_UNASSIGNED;
    if (v->state == EXPLAIN_PARKED && !n->user_owned)
        return n->agent_owned ? GRAPH_BLOCKED_BY_BACKLOG : GRAPH_BLOCKED_BY_UNASSIGNED;
    return never_starts(v->reason) ? GRAPH_BLOCKED_BY_UNINVOKABLE : GRAPH_HEALTHY;
}

struct graph_verdict graph_liveness_judge(const struct explain_graph *g, const struct explain_verdict *verdicts,
                                          const bool *pending_participant, int root)
{
    const struct graph_verdict healthy = {GRAPH_HEALTHY, -1};
    int at = root;
    bool review = text_is(g->nodes[root].status, "in_review");
    if (!review && !text_is(g->nodes[root].status, "blocked")) return healthy;
    /* a review is judged by itself; a blocked issue by the end of its chain */
    for (int i = 0; i < BLOCKER_DEPTH_MAX && verdicts[at].next >= 0; i++) at = verdicts[at].next;
    if (at == root && !review) return healthy; /* nothing below it: explain says what it lacks */
    enum graph_finding f = leaf_finding(&g->nodes[at], &verdicts[at], pending_participant && pending_participant[at]);
    return f == GRAPH_HEALTHY ? healthy : (struct graph_verdict){f, at};
}

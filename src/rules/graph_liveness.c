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

struct search {
    const struct explain_graph *g;
    const struct explain_verdict *verdicts;
    const bool *pending_participant;
    bool *seen;
    struct graph_verdict *out;
};

/* Depth first along the blockers of n: the first one that is stalled. What is live, or only waits for
 * such as are, is passed over; so is a dead one, which the stranded pass mends. */
static bool find_stalled(struct search *s, int n)
{
    const struct explain_node *node = &s->g->nodes[n];
    s->seen[n] = true;
    if (s->out->path_length > BLOCKER_DEPTH_MAX) return false;
    s->out->path[s->out->path_length++] = n;
    for (int i = 0; i < node->count; i++) {
        const struct blocker_edge *e = &s->g->edges[node->first + i];
        if (e->child || s->seen[e->to] || s->verdicts[e->to].state == EXPLAIN_LIVE) continue;
        s->out->finding = leaf_finding(&s->g->nodes[e->to], &s->verdicts[e->to],
                                       s->pending_participant && s->pending_participant[e->to]);
        if (s->out->finding != GRAPH_HEALTHY) {
            s->out->leaf = s->out->path[s->out->path_length++] = e->to;
            return true;
        }
        if (find_stalled(s, e->to)) return true;
    }
    s->out->path_length--;
    return false;
}

struct graph_verdict graph_liveness_judge(struct arena *a, const struct explain_graph *g,
                                          const struct explain_verdict *verdicts, const bool *pending_participant,
                                          int root)
{
    struct graph_verdict v = {.finding = GRAPH_HEALTHY, .leaf = -1};
    struct search s = {g, verdicts, pending_participant, arena_array(a, bool, g->count + 1), &v};
    if (verdicts[root].state == EXPLAIN_LIVE) return v;
    if (text_is(g->nodes[root].status, "in_review")) { /* a review is judged by itself */
        v.finding = leaf_finding(&g->nodes[root], &verdicts[root], pending_participant && pending_participant[root]);
        if (v.finding != GRAPH_HEALTHY) v.leaf = v.path[v.path_length++] = root;
        return v;
    }
    if (text_is(g->nodes[root].status, "blocked") && !find_stalled(&s, root))
        v = (struct graph_verdict){.finding = GRAPH_HEALTHY, .leaf = -1};
    return v;
}

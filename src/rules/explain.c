/* explain: the verdicts, in the order in which one looks. */
#include "rules/explain.h"

#include "base/text.h"
#include "rules/agent_status.h"

const char *explain_state_name(enum explain_state s)
{
    static const char *const names[EXPLAIN_STATES] = {"live",   "waiting",  "recovering", "held",
                                                      "parked", "terminal", "dead"};
    return names[s];
}

/* How a named path is called and judged, in the order in which they count. */
static const struct {
    const char *key, *reason, *path;
    enum explain_state state;
} NAMED[NAMED_COUNT] = {
    [NAMED_HOLD] = {"hold", "pause_hold", "P11", EXPLAIN_HELD},
    [NAMED_ACTION] = {"recoveryAction", "recovery_action", "P9", EXPLAIN_RECOVERING},
    [NAMED_INTERACTION] = {"interaction", "interaction_pending", "P4", EXPLAIN_WAITING},
    [NAMED_APPROVAL] = {"approval", "approval_pending", "P5", EXPLAIN_WAITING},
    [NAMED_PARTICIPANT] = {"participant", "review_participant", "P3", EXPLAIN_WAITING},
    [NAMED_MONITOR] = {"monitor", "monitor_scheduled", "P6", EXPLAIN_WAITING},
};

const char *explain_named_key(enum explain_named n) { return NAMED[n].key; }

const char *explain_gate(const struct explain_agent *a)
{
    if (a->suppressed) return text_is(a->suppressed, "operator_paused") ? a->suppressed : "instance_suppressed";
    if (text_is(a->company_status, "archived")) return "company_archived";
    if (!text_is(a->company_status, "active")) return "company_paused";
    if (a->status == NULL) return "agent_missing";
    if (text_is(a->status, "paused"))
        return text_is(a->pause_reason, "budget") ? "agent_paused_by_budget" : "agent_paused";
    if (text_is(a->status, "terminated")) return "agent_terminated";
    if (text_is(a->status, "pending_approval")) return "agent_pending_approval";
    if (!agent_status_invokable(a->status)) return "agent_not_invokable";
    if (!a->chain_healthy) return "invalid_org_chain";
    if (!a->wake_on_demand) return "wake_on_demand_off";
    if (a->daily_runs_reached) return "daily_run_limit";
    return a->daily_cost_reached ? "daily_cost_limit" : NULL;
}

bool explain_gate_holds_queued(const char *gate) { return gate && !text_is(gate, "wake_on_demand_off"); }

static bool passes_by_itself(const char *gate)
{
    return text_is(gate, "daily_run_limit") || text_is(gate, "daily_cost_limit");
}

/* ---- the walk ---- */

struct walk {
    const struct explain_graph *g;
    instant_t now;
    struct explain_verdict *verdicts;
    enum { UNSEEN, OPEN, JUDGED } * seen;
};
static struct explain_verdict judge(struct walk *w, int n, int from);

static instant_t later(instant_t a, instant_t b) { return a == INSTANT_NONE || (b != INSTANT_NONE && b > a) ? b : a; }

static struct explain_verdict simple(enum explain_state state, const char *reason, const char *path, instant_t since)
{
    return (struct explain_verdict){.state = state,
                                    .reason = reason,
                                    .path = path,
                                    .since = since,
                                    .next = -1,
                                    .named = -1,
                                    .from = -1,
                                    .circle = -1};
}

static struct explain_verdict waiting(const char *reason, const char *path, instant_t since, enum explain_mover mover)
{
    struct explain_verdict v = simple(EXPLAIN_WAITING, reason, path, since);
    v.mover = mover;
    return v;
}

static struct explain_verdict for_board(const char *reason, const char *path, instant_t since)
{
    struct explain_verdict v = waiting(reason, path, since, MOVER_BOARD);
    v.attention = true;
    return v;
}

static struct explain_verdict at_gate(const struct explain_node *n)
{
    if (passes_by_itself(n->gate)) return waiting(n->gate, "EX-107", n->gate_since, MOVER_TIME);
    return for_board(n->gate, "EX-107", n->gate_since);
}

/* One of the paths [first, last] that somebody opened by name. */
static bool named(const struct explain_node *n, enum explain_named first, enum explain_named last,
                  struct explain_verdict *v)
{
    for (int i = (int)first; i <= (int)last; i++) {
        const struct explain_path *p = &n->named[i];
        if (!p->there) continue;
        *v = waiting(NAMED[i].reason, NAMED[i].path, p->since, p->mover);
        v->state = NAMED[i].state;
        v->named = i;
        v->attention = p->mover == MOVER_BOARD || p->mover == MOVER_USER;
        return true;
    }
    return false;
}

/* A run or a wake (P1, P2). */
static bool moved(const struct explain_node *n, struct explain_verdict *v)
{
    bool held = explain_gate_holds_queued(n->gate) && !n->run_foreign;
    if (n->run_status && n->run_foreign && n->wake_deferred)
        *v = waiting("wake_deferred", "P2", n->wake_since, MOVER_RUN);
    else if (text_is(n->run_status, "running")) *v = simple(EXPLAIN_LIVE, "run_running", "P1", n->run_since);
    else if ((n->run_status || n->wake_queued) && held) *v = at_gate(n);
    else if (text_is(n->run_status, "scheduled_retry")) *v = waiting("retry_scheduled", "P1", n->run_since, MOVER_TIME);
    else if (n->run_status && n->workspace_busy) *v = waiting("workspace_busy", "P1", n->run_since, MOVER_ISSUE);
    else if (n->run_status) *v = simple(EXPLAIN_LIVE, "run_queued", "P1", n->run_since);
    else if (n->wake_queued) *v = simple(EXPLAIN_LIVE, "wake_queued", "P2", n->wake_since);
    else return false;
    return true;
}

/* How bad a thing below is for what stands above it. */
static int badness(const struct explain_verdict *v)
{
    if (v->state == EXPLAIN_DEAD) return 3;
    if (v->attention || v->state == EXPLAIN_PARKED || v->state == EXPLAIN_TERMINAL) return 2;
    return v->state == EXPLAIN_WAITING ? 1 : 0;
}

/* The worst of n's open blockers (or children); -1: there are none. *circle: the
 * node on the way here that is below again, or -1. */
static int worst_below(struct walk *w, const struct explain_node *n, bool children, int *circle, int *badness_out)
{
    int pick = -1, worst = -1, self = (int)(n - w->g->nodes);
    *circle = -1;
    for (int i = 0; i < n->count; i++) {
        const struct blocker_edge *e = &w->g->edges[n->first + i];
        if (e->child != children) continue;
        if (w->seen[e->to] == OPEN) { /* we came from there */
            *circle = e->to;
            continue;
        }
        struct explain_verdict below = judge(w, e->to, self);
        const struct explain_node *to = &w->g->nodes[e->to];
        int how = to->finalizing ? 1 + to->finalize_failed : badness(&below);
        if (how <= worst) continue;
        worst = how;
        pick = e->to;
    }
    *badness_out = worst;
    return pick;
}

/* What waits for node `to` (P8, healthy or not). */
static struct explain_verdict behind(struct walk *w, const struct explain_node *n, int to, int bad, bool children)
{
    const struct explain_verdict *below = &w->verdicts[to];
    const char *status = w->g->nodes[to].status;
    struct explain_verdict v =
        waiting(children ? "children_open" : "blocked_by_issue", "P8", n->entered_at, MOVER_ISSUE);
    v.next = to;
    v.children = children;
    v.attention = bad >= 2;
    if (bad == 3) {
        v.state = EXPLAIN_DEAD;
        v.reason = "blocked_by_dead_issue";
        v.path = NULL;
    } else if (w->g->nodes[to].finalizing) {
        v.reason = w->g->nodes[to].finalize_failed ? "blocker_finalize_failed" : "pending_finalize";
    } else if (text_is(status, "cancelled")) v.reason = "blocked_by_cancelled_issue";
    else if (below->state == EXPLAIN_PARKED) v.reason = "blocked_by_parked_issue";
    else if (text_is(below->reason, "unassigned")) v.reason = "blocked_by_unassigned_issue";
    return v;
}

/* The latest ended run has the last word, unless the issue was given out anew after it. */
static bool last_word(const struct explain_node *n, const char *status)
{
    return text_is(n->last_status, status) &&
           (n->expected_since == INSTANT_NONE || n->expected_since <= n->last_finished);
}

static struct explain_verdict dead(const struct explain_node *n)
{
    struct explain_verdict v = simple(EXPLAIN_DEAD, "blocked_without_path", NULL, n->entered_at);
    v.attention = true;
    if (text_is(n->status, "in_review")) v.reason = "review_without_path";
    if (text_is(n->status, "todo")) {
        v.reason = n->last_status ? "todo_without_path" : "stalled_at_dispatch";
        v.since = later(n->expected_since != INSTANT_NONE ? n->expected_since : n->entered_at, n->last_finished);
        v.recoverable = true;
    }
    if (text_is(n->status, "in_progress")) {
        v.reason = "in_progress_without_path";
        v.since = later(n->entered_at, n->last_finished);
        v.recoverable = true;
    }
    if (v.recoverable) v.attention = false;
    return v;
}

/* An agent owns it, and nothing is on its way. */
static struct explain_verdict agent_owned(struct walk *w, const struct explain_node *n)
{
    int circle;
    bool open = text_is(n->status, "todo") || text_is(n->status, "in_progress");
    int bad, child = n->last_status && !text_is(n->status, "in_review") ? worst_below(w, n, true, &circle, &bad) : -1;
    if ((open || n->staged) && n->gate) return at_gate(n);
    /* the last child to close wakes it; a parked or dead child never will */
    if (child >= 0 && bad < 2) return behind(w, n, child, bad, true);
    if (open && last_word(n, "cancelled") && !n->last_held)
        return for_board("run_cancelled", "EX-104", n->last_finished);
    if (text_is(n->status, "todo") && last_word(n, "succeeded"))
        return for_board("rests_after_success", "EX-100", n->last_finished);
    if (open && n->throttled_until != INSTANT_NONE && n->throttled_until > w->now)
        return waiting("rewake_throttled", "EX-37", n->last_finished, MOVER_TIME);
    return dead(n);
}

static struct explain_verdict decide(struct walk *w, const struct explain_node *n)
{
    struct explain_verdict v;
    int circle, bad;
    if (text_is(n->status, "done") || text_is(n->status, "cancelled"))
        return simple(EXPLAIN_TERMINAL, n->status, NULL, n->entered_at);
    if (!text_is(n->run_status, "running") && named(n, NAMED_HOLD, NAMED_ACTION, &v)) return v;
    if (moved(n, &v)) return v;
    if (text_is(n->status, "backlog") || n->hidden)
        return simple(EXPLAIN_PARKED, n->hidden ? "hidden" : "backlog", "P12", n->entered_at);
    if (named(n, NAMED_INTERACTION, NAMED_MONITOR, &v)) return v;
    int blocker = worst_below(w, n, false, &circle, &bad);
    if (blocker >= 0 && bad < 2 && circle < 0) return behind(w, n, blocker, bad, false);
    if (n->user_owned) return waiting("human_owner", "P7", n->entered_at, MOVER_USER);
    if (text_is(n->status, "blocked") && n->unblock_named)
        return waiting("unblock_requested", "P10", n->entered_at, MOVER_OWNER);
    if (blocker >= 0) return behind(w, n, blocker, bad, false);
    if (circle >= 0) {
        v = simple(EXPLAIN_DEAD, "blockers_in_a_circle", NULL, n->entered_at);
        v.circle = circle;
        v.attention = true;
        return v;
    }
    if (!n->complete) return waiting("blockers_too_many", "P8", n->entered_at, MOVER_ISSUE);
    if (!n->agent_owned) return for_board("unassigned", NULL, n->entered_at);
    return agent_owned(w, n);
}

static struct explain_verdict judge(struct walk *w, int n, int from)
{
    if (w->seen[n] == JUDGED) return w->verdicts[n];
    w->seen[n] = OPEN;
    w->verdicts[n] = decide(w, &w->g->nodes[n]);
    w->verdicts[n].from = from;
    w->seen[n] = JUDGED;
    return w->verdicts[n];
}

struct explain_verdict *explain_judge(struct arena *a, const struct explain_graph *g, instant_t now)
{
    struct walk w = {.g = g, .now = now, .verdicts = arena_array(a, struct explain_verdict, g->count + 1)};
    w.seen = arena_alloc(a, sizeof *w.seen * (size_t)(g->count + 1));
    for (int i = 0; i < g->count; i++) judge(&w, i, -1);
    return w.verdicts;
}

/* blocker_graph: judging what is in the way. */
#include "rules/blocker_graph.h"

#include "base/text.h"

/* A leaf: nothing unresolved below it. Does somebody or something move it? */
static enum blocker_class leaf_class(const struct blocker_node *n)
{
    bool parked = text_is(n->status, "backlog") || text_is(n->status, "cancelled");
    if (parked) return BLOCKER_ATTENTION;
    if (n->live) return BLOCKER_COVERED;
    if (text_is(n->status, "in_review")) return n->user_owned ? BLOCKER_COVERED : BLOCKER_STALLED;
    if (text_is(n->status, "blocked")) return BLOCKER_ATTENTION;
    return n->user_owned ? BLOCKER_COVERED : BLOCKER_ATTENTION;
}

struct walk {
    const struct blocker_graph *g;
    bool live;
    int steps;                       /* a dense graph has more paths than nodes */
    int path[BLOCKER_DEPTH_MAX + 1]; /* loop guard */
};
#define STEPS_MAX 20000

static bool on_path(const struct walk *w, int depth, int n)
{
    for (int i = 0; i < depth; i++)
        if (w->path[i] == n) return true;
    return false;
}

/* The worst class below n, and the leaf it comes from. */
static enum blocker_class worst(struct walk *w, int n, int depth, int *leaf)
{
    const struct blocker_node *node = &w->g->nodes[n];
    enum blocker_class found = BLOCKER_COVERED;
    *leaf = n;
    w->live |= node->live;
    if (++w->steps > STEPS_MAX || node->count == 0 || depth >= BLOCKER_DEPTH_MAX ||
        text_is(node->status, "cancelled") || node->live)
        return leaf_class(node);
    w->path[depth] = n;
    bool any = false;
    for (int i = 0; i < node->count; i++) {
        int to = w->g->edges[node->first + i].to, below;
        if (on_path(w, depth + 1, to)) continue;
        enum blocker_class c = worst(w, to, depth + 1, &below);
        if (!any || c > found) {
            found = c;
            *leaf = below;
        }
        any = true;
    }
    return any ? found : BLOCKER_ATTENTION; /* nothing but a loop: nobody moves it */
}

struct blocker_verdict blocker_judge(const struct blocker_graph *g, int root)
{
    const struct blocker_node *node = &g->nodes[root];
    struct blocker_verdict v = {.state = "none", .direct = -1, .terminal = -1, .stalled_sample = -1};
    struct walk w = {.g = g};
    bool only_children = true;
    enum blocker_class decided = BLOCKER_COVERED;
    w.path[0] = root;
    for (int i = 0; i < node->count; i++) {
        const struct blocker_edge *e = &g->edges[node->first + i];
        int leaf;
        if (e->to == root) continue;
        enum blocker_class c = worst(&w, e->to, 1, &leaf);
        v.unresolved++;
        v.covered += c == BLOCKER_COVERED;
        v.stalled += c == BLOCKER_STALLED;
        v.attention += c == BLOCKER_ATTENTION;
        only_children &= e->child;
        if (c == BLOCKER_STALLED && v.stalled_sample < 0) v.stalled_sample = e->to;
        if (v.direct < 0 || c > decided) {
            v.direct = e->to;
            v.terminal = leaf;
            decided = c;
        }
    }
    v.live = w.live;
    if (v.unresolved == 0) return v;
    v.state = decided == BLOCKER_ATTENTION ? "needs_attention" : decided == BLOCKER_STALLED ? "stalled" : "covered";
    v.reason = decided == BLOCKER_ATTENTION ? "attention_required"
               : decided == BLOCKER_STALLED ? "stalled_review"
               : only_children              ? "active_child"
                                            : "active_dependency";
    return v;
}

static int add_once(int *out, int count, int max, int n)
{
    for (int i = 0; i < count; i++)
        if (out[i] == n) return count;
    if (count < max) out[count++] = n;
    return count;
}

static int leaves(struct walk *w, int n, int depth, int *out, int count, int max)
{
    const struct blocker_node *node = &w->g->nodes[n];
    w->path[depth] = n;
    for (int i = 0; i < node->count && count < max && w->steps < STEPS_MAX; i++) {
        const struct blocker_edge *e = &w->g->edges[node->first + i];
        w->steps++;
        if (e->child || on_path(w, depth + 1, e->to)) continue;
        bool end = depth + 1 >= BLOCKER_DEPTH_MAX;
        int explicit_edges = 0;
        for (int k = 0; k < w->g->nodes[e->to].count; k++)
            explicit_edges += !w->g->edges[w->g->nodes[e->to].first + k].child;
        if (end || explicit_edges == 0) count = add_once(out, count, max, e->to);
        else count = leaves(w, e->to, depth + 1, out, count, max);
    }
    return count;
}

int blocker_leaves(const struct blocker_graph *g, int n, int *out, int max)
{
    struct walk w = {.g = g};
    return leaves(&w, n, 0, out, 0, max);
}

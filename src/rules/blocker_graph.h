/*
 * blocker_graph: what a blocked issue really waits for (IS-76, IS-77, EX-3 P8).
 * Pure: the unresolved part of the graph below it goes in, what the board shows
 * comes out.
 */
#ifndef BULLDOG_RULES_BLOCKER_GRAPH_H
#define BULLDOG_RULES_BLOCKER_GRAPH_H

#include <stdbool.h>

#define BLOCKER_DEPTH_MAX 8
#define BLOCKER_NODES_MAX 2000

struct blocker_node {
    const char *status;
    bool live; /* a live run works, or a wake is on its way */
    bool agent_owned, user_owned;
    int first, count; /* its outgoing edges in `edges` */
    bool expanded;    /* edges were looked up (depth and size limits) */
};
struct blocker_edge {
    int to;
    bool child; /* an open child, not an explicit blocker */
};
struct blocker_graph {
    const struct blocker_node *nodes;
    const struct blocker_edge *edges;
    int node_count;
};

enum blocker_class { BLOCKER_COVERED, BLOCKER_STALLED, BLOCKER_ATTENTION };

struct blocker_verdict {
    const char *state, *reason; /* none, covered, stalled, needs_attention; reason NULL for none */
    int unresolved, covered, stalled, attention;
    bool live;            /* something below it runs */
    int direct, terminal; /* node indexes of the edge and the leaf that decide, or -1 */
    int stalled_sample;   /* a stalled direct blocker, or -1 */
};

/* The verdict for node `root`, whose edges are its open blockers and children. */
struct blocker_verdict blocker_judge(const struct blocker_graph *g, int root);
/* Ends of the chains below node n, without n itself; at most max, each once. */
int blocker_leaves(const struct blocker_graph *g, int n, int *out, int max);

#endif

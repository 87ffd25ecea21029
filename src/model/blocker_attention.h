/*
 * blocker_attention: loads what lies below blocked issues, level by level for
 * all of them at once, and judges it (rules/blocker_graph). Also the plain
 * relation entries of detail and lists (IS-76).
 */
#ifndef BULLDOG_MODEL_BLOCKER_ATTENTION_H
#define BULLDOG_MODEL_BLOCKER_ATTENTION_H

#include "base/json.h"
#include "rules/blocker_graph.h"
#include "store/entity.h"

/* The few fields by which one issue names another. */
struct issue_ref {
    const char *id, *identifier, *title, *status, *priority, *assignee_agent_id, *assignee_user_id;
};
void issue_ref_write(struct jw *w, const struct issue_ref *r); /* key-value pairs into an open object */

struct blocker_map {
    struct blocker_graph graph;
    struct blocker_node *nodes;
    struct blocker_edge *edges;
    struct issue_ref *refs; /* beside nodes */
    int edge_count, node_cap, edge_cap;
};
/* The unresolved graph below these issues. The first `count` nodes are they. */
err_t blocker_map_load(struct db *db, const struct issue *const *roots, int count, struct blocker_map *out) MUST_CHECK;
/* "blockerAttention": … of root i; i < 0: an issue that is not blocked (IS-77). */
void blocker_attention_write(struct jw *w, const struct blocker_map *m, int i);
/* "terminalBlockers": […] of the node with this id; nothing when it has none. */
void terminal_blockers_write(struct jw *w, const struct blocker_map *m, const char *id);

#endif

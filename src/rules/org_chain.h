/*
 * org_chain: an agent's reporting line, judged (AR-7), and the company's
 * tree of agents (AR-29). Pure: works on the company's (id, name, status,
 * reportsTo) rows, however they were loaded.
 */
#ifndef BULLDOG_RULES_ORG_CHAIN_H
#define BULLDOG_RULES_ORG_CHAIN_H

#include "base/arena.h"

#include <stdbool.h>

struct org_node {
    const char *id, *name, *role, *title, *status, *reports_to; /* reports_to: NULL at the top */
};

/* The rows, findable by id. A manager that is not among them counts as missing. */
struct org {
    const struct org_node *nodes; /* as given */
    int count;
    int *by_id; /* indexes in the order of ids */
    int *seen;  /* per node: the walk that last came by */
    int walk;
};
void org_init(struct arena *a, struct org *o, const struct org_node *nodes, int count);
int org_find(const struct org *o, const char *id); /* index, or -1 (also for NULL) */

enum org_verdict { ORG_HEALTHY, ORG_MISSING_MANAGER, ORG_CYCLE, ORG_TERMINATED_ANCESTOR };
const char *org_verdict_name(enum org_verdict v); /* the wire's reason */

struct org_ancestor {
    const char *id, *name, *status; /* status: terminated, missing, cycle or paused */
};
struct org_health {
    enum org_verdict verdict;      /* of the first invalid ancestor */
    const struct org_node **chain; /* the agent itself, its manager, … */
    int length;
    struct org_ancestor *invalid, *paused;
    int invalid_count, paused_count;
    const char *repair_guidance;    /* a sentence, or NULL */
    const char *escalation_warning; /* a sentence when an invokable agent has a paused manager, or NULL */
};
struct org_health org_health(struct arena *a, struct org *o, int self);

/* Would `self` reporting to `manager` close a circle (AR-13)? */
bool org_would_cycle(struct org *o, int self, int manager);

/* The forest (AR-29): parent[i] is the index of i's parent, or -1 for a root.
 * Circles are cut at the member that comes first in the rows; below
 * ORG_DEPTH_MAX levels a branch becomes a tree of its own. */
#define ORG_DEPTH_MAX 24
int *org_forest(struct arena *a, struct org *o);

#endif

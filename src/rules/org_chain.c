/* org_chain: reporting lines and trees of agents. */
#include "rules/org_chain.h"

#include "rules/agent_status.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local const struct org_node *sorting; /* qsort hands no context */

static int by_id(const void *x, const void *y)
{
    return strcmp(sorting[*(const int *)x].id, sorting[*(const int *)y].id);
}

void org_init(struct arena *a, struct org *o, const struct org_node *nodes, int count)
{
    *o = (struct org){.nodes = nodes, .count = count};
    o->by_id = arena_array(a, int, count + 1);
    o->seen = arena_array(a, int, count + 1);
    for (int i = 0; i < count; i++) o->by_id[i] = i;
    sorting = nodes;
    qsort(o->by_id, (size_t)count, sizeof *o->by_id, by_id);
}

int org_find(const struct org *o, const char *id)
{
    int low = 0, high = o->count - 1;
    while (id && low <= high) {
        int mid = low + (high - low) / 2, order = strcmp(id, o->nodes[o->by_id[mid]].id);
        if (order == 0) return o->by_id[mid];
        if (order < 0) high = mid - 1;
        else low = mid + 1;
    }
    return -1;
}

const char *org_verdict_name(enum org_verdict v)
{
    static const char *const names[] = {
        [ORG_HEALTHY] = "healthy",
        [ORG_MISSING_MANAGER] = "missing_manager",
        [ORG_CYCLE] = "cycle",
        [ORG_TERMINATED_ANCESTOR] = "terminated_ancestor",
    };
    return names[v];
}

/* The indexes from self upward until the top, a gap or a repetition. *end: the id
 * that stopped the walk (missing or repeated), or NULL at the top. */
static int walk_up(struct org *o, int self, int *out, const char **end)
{
    int n = 0, at = self;
    o->walk++;
    *end = NULL;
    for (;;) {
        o->seen[at] = o->walk;
        out[n++] = at;
        const char *up = o->nodes[at].reports_to;
        if (up == NULL) return n;
        int next = org_find(o, up);
        if (next < 0 || o->seen[next] == o->walk) {
            *end = up;
            return n;
        }
        at = next;
    }
}

static enum org_verdict verdict_of(const char *status)
{
    if (strcmp(status, "missing") == 0) return ORG_MISSING_MANAGER;
    return strcmp(status, "cycle") == 0 ? ORG_CYCLE : ORG_TERMINATED_ANCESTOR;
}

static const char *guidance(struct arena *a, const struct org_health *h)
{
    const char *name = h->chain[0]->name, *bad = h->invalid[0].name;
    switch (h->verdict) {
    case ORG_HEALTHY: return NULL;
    case ORG_MISSING_MANAGER:
        return arena_printf(
            a,
            "%s reports, directly or not, to an agent that does not exist (%s). Give %s a manager of this company, or none.",
            name, bad, h->chain[h->length - 1]->name);
    case ORG_CYCLE:
        return arena_printf(
            a, "The reporting line of %s runs in a circle through %s. Give one of them another manager, or none.", name,
            bad);
    case ORG_TERMINATED_ANCESTOR:
        return arena_printf(
            a,
            "%s reports, directly or not, to %s, who is terminated. Give the agents below %s another manager, or none.",
            name, bad, bad);
    }
    abort();
}

struct org_health org_health(struct arena *a, struct org *o, int self)
{
    assert(self >= 0 && self < o->count);
    struct org_health h = {0};
    int *line = arena_array(a, int, o->count);
    const char *end;
    h.length = walk_up(o, self, line, &end);
    h.chain = arena_array(a, const struct org_node *, h.length);
    h.invalid = arena_array(a, struct org_ancestor, h.length + 1);
    h.paused = arena_array(a, struct org_ancestor, h.length);
    for (int i = 0; i < h.length; i++) {
        const struct org_node *n = h.chain[i] = &o->nodes[line[i]];
        if (i == 0) continue;
        if (strcmp(n->status, "terminated") == 0)
            h.invalid[h.invalid_count++] = (struct org_ancestor){n->id, n->name, n->status};
        if (strcmp(n->status, "paused") == 0)
            h.paused[h.paused_count++] = (struct org_ancestor){n->id, n->name, n->status};
    }
    if (end) {
        int again = org_find(o, end);
        h.invalid[h.invalid_count++] = again < 0 ? (struct org_ancestor){end, end, "missing"}
                                                 : (struct org_ancestor){end, o->nodes[again].name, "cycle"};
    }
    if (h.invalid_count > 0) h.verdict = verdict_of(h.invalid[0].status);
    h.repair_guidance = guidance(a, &h);
    if (h.paused_count > 0 && agent_status_invokable(h.chain[0]->status))
        h.escalation_warning = arena_printf(a, "%s can run, but %s above it is paused: what it escalates will wait.",
                                            h.chain[0]->name, h.paused[0].name);
    return h;
}

bool org_would_cycle(struct org *o, int self, int manager)
{
    o->walk++;
    for (int at = manager; at >= 0 && o->seen[at] != o->walk; at = org_find(o, o->nodes[at].reports_to)) {
        if (at == self) return true;
        o->seen[at] = o->walk;
    }
    return false;
}

int *org_forest(struct arena *a, struct org *o)
{
    int *parent = arena_array(a, int, o->count), *depth = arena_array(a, int, o->count);
    for (int i = 0; i < o->count; i++) parent[i] = org_find(o, o->nodes[i].reports_to);
    for (int i = 0; i < o->count; i++) { /* cut each circle at its first member */
        o->walk++;
        int at = i;
        while (at >= 0 && o->seen[at] != o->walk) {
            o->seen[at] = o->walk;
            at = parent[at];
        }
        if (at == i) parent[i] = -1;
    }
    /* depths from the top down: a node's depth is known once its parent's is */
    bool more = true;
    while (more) {
        more = false;
        for (int i = 0; i < o->count; i++) {
            if (depth[i] != 0) continue;
            if (parent[i] < 0) {
                depth[i] = 1;
                more = true;
            } else if (depth[parent[i]] != 0) {
                bool deep = depth[parent[i]] >= ORG_DEPTH_MAX;
                depth[i] = deep ? 1 : depth[parent[i]] + 1;
                if (deep) parent[i] = -1;
                more = true;
            }
        }
    }
    return parent;
}

/* blocker_attention: the graph below blocked issues. */
#include "model/blocker_attention.h"

#include "base/text.h"
#include "model/barrier.h"
#include "model/in_list.h"

#define REF_COLUMNS "b.id, b.identifier, b.title, b.status, b.priority, b.assignee_agent_id, b.assignee_user_id"
/* a run on its way, a wake that will become one, or a finalize that has not failed */
#define LIVE                                                                                                                     \
    "(EXISTS (SELECT 1 FROM heartbeat_runs h WHERE h.issue_id = b.id AND h.status IN ('queued','running','scheduled_retry')) OR" \
    " EXISTS (SELECT 1 FROM agent_wakeup_requests q WHERE q.issue_id = b.id AND q.status = 'queued') OR"    \
    " (b.status = 'done' AND NOT EXISTS (SELECT 1 FROM workspace_operations f WHERE f.issue_id = b.id"                           \
    " AND f.execution_workspace_id = b.execution_workspace_id AND f.phase = 'workspace_finalize' AND f.status = 'failed')))"

void issue_ref_write(struct jw *w, const struct issue_ref *r)
{
    jw_kstr(w, "id", r->id);
    jw_kstr(w, "identifier", r->identifier);
    jw_kstr(w, "title", r->title);
    jw_kstr(w, "status", r->status);
    jw_kstr(w, "priority", r->priority);
    jw_kstr(w, "assigneeAgentId", r->assignee_agent_id);
    jw_kstr(w, "assigneeUserId", r->assignee_user_id);
}

static int node_find(const struct blocker_map *m, const char *id)
{
    for (int i = 0; i < m->graph.node_count; i++)
        if (text_is(m->refs[i].id, id)) return i;
    return -1;
}

static int node_add(struct arena *a, struct blocker_map *m, const struct issue_ref *ref, bool live)
{
    int n = m->graph.node_count;
    if (n == m->node_cap) {
        int cap = m->node_cap ? m->node_cap * 2 : 32;
        struct blocker_node *nodes = arena_array(a, struct blocker_node, cap);
        struct issue_ref *refs = arena_array(a, struct issue_ref, cap);
        if (n) memcpy(nodes, m->nodes, sizeof *nodes * (size_t)n);
        if (n) memcpy(refs, m->refs, sizeof *refs * (size_t)n);
        m->nodes = nodes;
        m->refs = refs;
        m->node_cap = cap;
    }
    m->refs[n] = *ref;
    m->nodes[n] = (struct blocker_node){.status = ref->status,
                                        .live = live,
                                        .agent_owned = ref->assignee_agent_id != NULL,
                                        .user_owned = ref->assignee_user_id != NULL};
    m->graph.node_count++;
    m->graph.nodes = m->nodes;
    return n;
}

static void edge_add(struct arena *a, struct blocker_map *m, int from, int to, bool child)
{
    int n = m->edge_count;
    if (n == m->edge_cap) {
        int cap = m->edge_cap ? m->edge_cap * 2 : 64;
        struct blocker_edge *edges = arena_array(a, struct blocker_edge, cap);
        if (n) memcpy(edges, m->edges, sizeof *edges * (size_t)n);
        m->edges = edges;
        m->edge_cap = cap;
    }
    if (m->nodes[from].count == 0) m->nodes[from].first = n;
    m->nodes[from].count++;
    m->edges[m->edge_count++] = (struct blocker_edge){to, child};
    m->graph.edges = m->edges;
}

/* The edges of nodes [first, end), in one statement; rows come grouped by node. */
static err_t expand(struct db *db, struct blocker_map *m, int first, int end)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    const char **ids = arena_array(a, const char *, end - first);
    for (int i = first; i < end; i++) {
        ids[i - first] = m->refs[i].id;
        m->nodes[i].expanded = true;
    }
    struct in_list in = in_list_make(a, NULL, 0, ids, end - first);
    const char *sql = arena_printf(
        a,
        "SELECT x.related_issue_id AS of_id, 0 AS child, " REF_COLUMNS ", " LIVE
        " FROM issue_relations x JOIN issues b ON b.id = x.issue_id"
        " WHERE x.type = 'blocks' AND x.related_issue_id IN %s AND " UNRESOLVED("b")
        " UNION ALL SELECT b.parent_id AS of_id, 1 AS child, " REF_COLUMNS ", " LIVE " FROM issues b"
        " WHERE b.parent_id IN %s AND b.status NOT IN ('done','cancelled') AND b.hidden_at IS NULL ORDER BY 1, 2, 5, 3",
        in.sql, in.sql);
    TRY(db_query(db, &r, sql, in.v, in.n));
    while (rows_next(&r)) {
        struct issue_ref ref = {row_text(&r, 2), row_text(&r, 3), row_text(&r, 4), row_text(&r, 5),
                                row_text(&r, 6), row_text(&r, 7), row_text(&r, 8)};
        int from = node_find(m, row_text(&r, 0)), to = node_find(m, ref.id);
        if (to < 0 && m->graph.node_count >= BLOCKER_NODES_MAX) continue;
        if (to < 0) to = node_add(a, m, &ref, row_bool(&r, 9));
        edge_add(a, m, from, to, row_int(&r, 1) != 0);
    }
    return rows_err(&r);
}

err_t blocker_map_load(struct db *db, const struct issue *const *roots, int count, struct blocker_map *out)
{
    struct arena *a = db_arena(db);
    *out = (struct blocker_map){0};
    for (int i = 0; i < count; i++) {
        const struct issue *x = roots[i];
        const struct issue_ref ref = {x->id,       x->identifier,        x->title,           x->status,
                                      x->priority, x->assignee_agent_id, x->assignee_user_id};
        node_add(a, out, &ref, false);
    }
    int first = 0;
    for (int depth = 0; depth < BLOCKER_DEPTH_MAX && first < out->graph.node_count; depth++) {
        int end = out->graph.node_count;
        TRY(expand(db, out, first, end));
        first = end;
    }
    return OK;
}

static const char *ref_text(const struct blocker_map *m, int i, bool identifier)
{
    if (i < 0) return NULL;
    return identifier ? m->refs[i].identifier : m->refs[i].id;
}

/* What nearly every row of a list says; as written below for the state none. */
#define NOT_BLOCKED                                                                                                         \
    "{\"state\":\"none\",\"reason\":null,\"unresolvedBlockerCount\":0,\"coveredBlockerCount\":0,\"stalledBlockerCount\":0," \
    "\"attentionBlockerCount\":0,\"pendingFinalizeBlockerIssueIds\":[],\"sampleBlockerIdentifier\":null,"                   \
    "\"sampleStalledBlockerIdentifier\":null,\"blockingTreeLive\":false,\"directBlockerIssueId\":null,"                     \
    "\"terminalBlockerIssueId\":null,\"terminalBlocker\":null}"

void blocker_attention_write(struct jw *w, const struct blocker_map *m, int i)
{
    if (i < 0) {
        jw_kraw(w, "blockerAttention", NOT_BLOCKED);
        return;
    }
    struct blocker_verdict v = blocker_judge(&m->graph, i);
    jw_kobj(w, "blockerAttention");
    jw_kstr(w, "state", v.state);
    jw_kstr(w, "reason", v.reason);
    jw_kint(w, "unresolvedBlockerCount", v.unresolved);
    jw_kint(w, "coveredBlockerCount", v.covered);
    jw_kint(w, "stalledBlockerCount", v.stalled);
    jw_kint(w, "attentionBlockerCount", v.attention);
    jw_karr(w, "pendingFinalizeBlockerIssueIds");
    for (int e = 0; e < m->nodes[i].count; e++) { /* a blocker that is done stands here for nothing else */
        int to = m->edges[m->nodes[i].first + e].to;
        if (text_is(m->refs[to].status, "done")) jw_str(w, m->refs[to].id);
    }
    jw_arr_end(w);
    jw_kstr(w, "sampleBlockerIdentifier", ref_text(m, v.direct, true));
    jw_kstr(w, "sampleStalledBlockerIdentifier", ref_text(m, v.stalled_sample, true));
    jw_kbool(w, "blockingTreeLive", v.live);
    jw_kstr(w, "directBlockerIssueId", ref_text(m, v.direct, false));
    jw_kstr(w, "terminalBlockerIssueId", ref_text(m, v.terminal, false));
    if (v.terminal < 0) {
        jw_knull(w, "terminalBlocker");
    } else {
        jw_kobj(w, "terminalBlocker");
        jw_kstr(w, "id", m->refs[v.terminal].id);
        jw_kstr(w, "identifier", m->refs[v.terminal].identifier);
        jw_kstr(w, "title", m->refs[v.terminal].title);
        jw_obj_end(w);
    }
    jw_obj_end(w);
}

void terminal_blockers_write(struct jw *w, const struct blocker_map *m, const char *id)
{
    int found[50], node = node_find(m, id);
    int n = node < 0 ? 0 : blocker_leaves(&m->graph, node, found, 50);
    if (n == 0) return;
    jw_karr(w, "terminalBlockers");
    for (int i = 0; i < n; i++) {
        jw_obj(w);
        issue_ref_write(w, &m->refs[found[i]]);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

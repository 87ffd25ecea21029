/* diagnostics: two bounded reads. */
#include "model/diagnostics.h"

#include "base/text.h"
#include "model/blocker_attention.h"
#include "model/explain.h"
#include "model/in_list.h"

#define WAKES_MAX 50
#define ACTIVITIES_MAX 50
#define WINDOW_DAYS 14
#define DEPTH_MAX 8
#define NODES_MAX 100
#define NODE_BLOCKERS_MAX 20
#define NODE_WAKES_MAX 5
#define NODE_ACTIVITIES_MAX 5

static struct issue_ref ref_of(const struct issue *i)
{
    return (struct issue_ref){i->id,       i->identifier,        i->title,           i->status,
                              i->priority, i->assignee_agent_id, i->assignee_user_id};
}

static void write_issue(struct jw *w, const struct issue *i)
{
    const struct issue_ref ref = ref_of(i);
    jw_kobj(w, "issue");
    issue_ref_write(w, &ref);
    jw_obj_end(w);
}

/* ---- blockers ---- */

static void blocker_write(struct jw *w, const struct issue_ref *b)
{
    bool done = text_is(b->status, "done");
    jw_obj(w);
    issue_ref_write(w, b);
    jw_kbool(w, "isUnresolved", !done);
    jw_kbool(w, "isPendingFinalize", false);
    jw_kbool(w, "isDependencyReady", done);
    jw_karr(w, "flags");
    if (text_is(b->status, "cancelled")) jw_str(w, "cancelled_blocker_in_set");
    jw_arr_end(w);
    jw_obj_end(w);
}

/* ---- wakes and activities of some issues, the newest of each ---- */

struct reading {
    struct rows rows;
    bool has; /* the current row is still to be written */
};
#define READING_AUTO __attribute__((cleanup(reading_close)))
static void reading_close(struct reading *r) { rows_close(&r->rows); }

static err_t read_wakes(struct db *db, struct reading *r, const char *const *ids, int n, int each)
{
    const struct dbv head[] = {V_TIME(clock_now() - WINDOW_DAYS * DAY_MS), V_INT(each)};
    struct in_list in = in_list_make(db_arena(db), head, 2, ids, n);
    TRY(db_query(
        db, &r->rows,
        arena_printf(
            db_arena(db),
            "SELECT issue_id, id, agent_id, source, trigger_detail, reason, status, coalesced_count, run_id,"
            " requested_at, claimed_at, finished_at, error FROM (SELECT *, row_number() OVER (PARTITION BY issue_id"
            " ORDER BY requested_at DESC, id DESC) AS nth FROM agent_wakeup_requests WHERE requested_at >= $1"
            " AND issue_id IN %s) w WHERE nth <= $2 ORDER BY issue_id, nth",
            in.sql),
        in.v, in.n));
    r->has = rows_next(&r->rows);
    return OK;
}

static void wake_write(struct jw *w, const struct rows *r)
{
    jw_obj(w);
    jw_kstr(w, "id", row_text(r, 1));
    jw_kstr(w, "agentId", row_text(r, 2));
    jw_kstr(w, "source", row_text(r, 3));
    jw_kstr(w, "triggerDetail", row_text(r, 4));
    jw_kstr(w, "reason", row_text(r, 5));
    jw_kstr(w, "status", row_text(r, 6));
    jw_kint(w, "coalescedCount", row_int(r, 7));
    jw_kstr(w, "runId", row_text(r, 8));
    jw_ktime(w, "requestedAt", row_time(r, 9));
    jw_ktime(w, "claimedAt", row_time(r, 10));
    jw_ktime(w, "finishedAt", row_time(r, 11));
    jw_kbool(w, "hasError", !row_null(r, 12));
    jw_obj_end(w);
}

static err_t read_activities(struct db *db, struct reading *r, const char *const *ids, int n, int each)
{
    const struct dbv head[] = {V_TIME(clock_now() - WINDOW_DAYS * DAY_MS), V_INT(each)};
    struct arena *a = db_arena(db);
    struct in_list in = in_list_make(a, head, 2, ids, n);
    for (int i = 2; i < in.n; i++) in.v[i] = V_TEXT(ids[i - 2 < n ? i - 2 : n - 1]); /* the column is text */
    TRY(db_query(
        db, &r->rows,
        arena_printf(
            a,
            "SELECT entity_id, id, action, actor_type, actor_id, agent_id, run_id, created_at FROM (SELECT *,"
            " row_number() OVER (PARTITION BY entity_id ORDER BY created_at DESC, id DESC) AS nth FROM activity_log"
            " WHERE entity_type = 'issue' AND created_at >= $1 AND entity_id IN %s) v WHERE nth <= $2"
            " ORDER BY entity_id, nth",
            in.sql),
        in.v, in.n));
    r->has = rows_next(&r->rows);
    return OK;
}

static void activity_row_write(struct jw *w, const struct rows *r)
{
    jw_obj(w);
    jw_kstr(w, "id", row_text(r, 1));
    jw_kstr(w, "action", row_text(r, 2));
    jw_kstr(w, "actorType", row_text(r, 3));
    jw_kstr(w, "actorId", row_text(r, 4));
    jw_kstr(w, "agentId", row_text(r, 5));
    jw_kstr(w, "runId", row_text(r, 6));
    jw_ktime(w, "createdAt", row_time(r, 7));
    jw_obj_end(w);
}

/* Writes the rows of this issue, which come next, or none. */
static int write_group(struct jw *w, const char *key, struct reading *r, const char *issue_id,
                       void (*write)(struct jw *w, const struct rows *r))
{
    int n = 0;
    jw_karr(w, key);
    for (; r->has && text_is(row_text(&r->rows, 0), issue_id); r->has = rows_next(&r->rows)) {
        write(w, &r->rows);
        n++;
    }
    jw_arr_end(w);
    return n;
}

err_t diagnose_wakes(struct db *db, struct jw *w, const struct issue *issue)
{
    struct reading wakes READING_AUTO = {0}, activities READING_AUTO = {0};
    int64_t total, skipped;
    const char *since = "SELECT count(*) FROM agent_wakeup_requests WHERE issue_id = $1 AND requested_at >= $2";
    const instant_t start = clock_now() - WINDOW_DAYS * DAY_MS;
    TRY(db_int(db, &total, 0, since, P(V_ID(issue->id), V_TIME(start))));
    TRY(db_int(db, &skipped, 0, arena_printf(db_arena(db), "%s AND status = 'skipped'", since),
               P(V_ID(issue->id), V_TIME(start))));
    TRY(read_wakes(db, &wakes, &issue->id, 1, WAKES_MAX));
    jw_obj(w);
    write_issue(w, issue);
    jw_kstr(w, "diagnosis",
            total == 0
                ? arena_printf(db_arena(db), "No agent was woken for %s in %d days.", issue->identifier, WINDOW_DAYS)
                : arena_printf(db_arena(db), "%lld wakes in %d days, of which %lld were skipped.", (long long)total,
                               WINDOW_DAYS, (long long)skipped));
    int n = write_group(w, "wakes", &wakes, issue->id, wake_write);
    TRY(rows_err(&wakes.rows));
    TRY(read_activities(db, &activities, &issue->id, 1, ACTIVITIES_MAX));
    int m = write_group(w, "activities", &activities, issue->id, activity_row_write);
    TRY(rows_err(&activities.rows));
    jw_kbool(w, "truncated", total > n || m == ACTIVITIES_MAX);
    jw_kobj(w, "caps");
    jw_kint(w, "maxWakes", WAKES_MAX);
    jw_kint(w, "maxActivities", ACTIVITIES_MAX);
    jw_kint(w, "windowDays", WINDOW_DAYS);
    jw_obj_end(w);
    jw_obj_end(w);
    return OK;
}

/* ---- the tree below ---- */

struct tree_node {
    const char *parent_id;
    int depth;
};

static err_t read_tree(struct db *db, const struct issue *root, struct issue **rows, struct tree_node **nodes,
                       int *count, bool *more)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    const char **ids = arena_array(a, const char *, NODES_MAX + 1);
    *nodes = arena_array(a, struct tree_node, NODES_MAX + 1);
    *rows = arena_array(a, struct issue, NODES_MAX + 1);
    int n = 0;
    TRY(db_query(
        db, &r,
        "WITH RECURSIVE tree(id, depth) AS (SELECT id, 0 FROM issues WHERE id = $1 UNION SELECT i.id, tree.depth + 1"
        " FROM issues i JOIN tree ON i.parent_id = tree.id WHERE i.hidden_at IS NULL AND tree.depth < $2)"
        " SELECT i.id, i.parent_id, min(t.depth) FROM tree t JOIN issues i ON i.id = t.id GROUP BY i.id, i.parent_id"
        " ORDER BY 3, 1 LIMIT $3",
        P(V_ID(root->id), V_INT(DEPTH_MAX), V_INT(NODES_MAX + 1))));
    while (rows_next(&r) && n <= NODES_MAX) {
        ids[n] = row_text(&r, 0);
        (*nodes)[n++] = (struct tree_node){row_text(&r, 1), (int)row_int(&r, 2)};
    }
    TRY(rows_err(&r));
    *more = n > NODES_MAX;
    *count = n > NODES_MAX ? NODES_MAX : n;
    struct issue *loaded;
    int got;
    struct in_list in = in_list_make(a, NULL, 0, ids, *count);
    TRY(entity_many(db, &ENTITY_issue, &loaded, &got, arena_printf(a, "WHERE id IN %s", in.sql), in.v, in.n));
    for (int i = 0; i < *count; i++)
        for (int k = 0; k < got; k++)
            if (text_is(loaded[k].id, ids[i])) (*rows)[i] = loaded[k];
    return OK;
}

static void node_blockers_write(struct jw *w, const struct explained *x, int n)
{
    int shown = 0;
    jw_karr(w, "blockers");
    for (int i = 0; i < x->nodes[n].count && shown < NODE_BLOCKERS_MAX; i++) {
        const struct blocker_edge *e = &x->map.edges[x->nodes[n].first + i];
        if (e->child) continue;
        blocker_write(w, &x->map.refs[e->to]);
        shown++;
    }
    jw_arr_end(w);
}

struct feeds {
    struct reading wakes, activities;
};
#define FEEDS_AUTO __attribute__((cleanup(feeds_close)))
static void feeds_close(struct feeds *f)
{
    reading_close(&f->wakes);
    reading_close(&f->activities);
}

/* Rows come in the order of ids, nodes in that of depth: each node reads its own. */
static err_t node_write(struct db *db, struct jw *w, const struct explained *x, int n, const struct tree_node *node)
{
    struct feeds f FEEDS_AUTO = {0};
    const char *id = x->map.refs[n].id;
    TRY(read_wakes(db, &f.wakes, &id, 1, NODE_WAKES_MAX));
    TRY(read_activities(db, &f.activities, &id, 1, NODE_ACTIVITIES_MAX));
    jw_obj(w);
    issue_ref_write(w, &x->map.refs[n]);
    jw_kstr(w, "parentId", node->parent_id);
    jw_kint(w, "depth", node->depth);
    jw_kstr(w, "state", explain_state_name(x->verdicts[n].state));
    jw_kstr(w, "reason", x->verdicts[n].reason);
    jw_kstr(w, "diagnosis", explain_sentence(db_arena(db), x, n));
    node_blockers_write(w, x, n);
    write_group(w, "wakes", &f.wakes, id, wake_write);
    write_group(w, "activities", &f.activities, id, activity_row_write);
    jw_obj_end(w);
    TRY(rows_err(&f.wakes.rows));
    return rows_err(&f.activities.rows);
}

static void caps_write(struct jw *w)
{
    jw_kobj(w, "caps");
    jw_kint(w, "maxDepth", DEPTH_MAX);
    jw_kint(w, "maxNodes", NODES_MAX);
    jw_kint(w, "maxBlockersPerNode", NODE_BLOCKERS_MAX);
    jw_kint(w, "maxWakesPerNode", NODE_WAKES_MAX);
    jw_kint(w, "maxActivitiesPerNode", NODE_ACTIVITIES_MAX);
    jw_obj_end(w);
}

err_t diagnose_subtree(struct db *db, struct jw *w, const struct issue *issue)
{
    struct issue *rows;
    struct tree_node *nodes;
    struct explained x;
    int n;
    bool more;
    TRY(read_tree(db, issue, &rows, &nodes, &n, &more));
    const struct issue **roots = arena_array(db_arena(db), const struct issue *, n + 1);
    for (int i = 0; i < n; i++) roots[i] = &rows[i];
    TRY(explain_load(db, issue->company_id, roots, n, &x));
    jw_obj(w);
    write_issue(w, issue);
    jw_kstr(w, "diagnosis", explain_sentence(db_arena(db), &x, 0));
    jw_karr(w, "nodes");
    for (int i = 0; i < n; i++) TRY(node_write(db, w, &x, i, &nodes[i]));
    jw_arr_end(w);
    jw_kbool(w, "truncated", more);
    caps_write(w);
    jw_obj_end(w);
    return OK;
}

/* issue_list: finding issues. */
#include "model/issue_list.h"

#include "base/text.h"
#include "model/in_list.h"

#define PARAMS_MAX 64

struct query_text {
    struct arena *a;
    struct buf where;
    struct dbv v[PARAMS_MAX];
    int n;
    const char *like; /* "$7" of the escaped substring, for ranking */
    const char *prefix;
};

/* %, _ and \ stand for themselves */
static const char *escaped(struct arena *a, const char *q, const char *before)
{
    struct buf b = {0};
    buf_puts(&b, before);
    for (; *q; q++) {
        if (strchr("%_\\", *q)) buf_putc(&b, '\\');
        buf_putc(&b, *q);
    }
    buf_putc(&b, '%');
    return buf_finish(&b, a);
}

/* Adds " AND <before> $n<after>" for one parameter. */
static void cond(struct query_text *t, const char *before, struct dbv value, const char *after)
{
    assert(t->n < PARAMS_MAX);
    t->v[t->n++] = value;
    buf_printf(&t->where, " AND %s $%d%s", before, t->n, after);
}

static void cond_statuses(struct query_text *t, const struct issue_filter *f)
{
    if (f->status_count == 0) return;
    for (int i = 0; i < f->status_count && t->n < PARAMS_MAX - 24; i++) {
        t->v[t->n++] = V_TEXT(f->statuses[i]);
        buf_printf(&t->where, "%s$%d", i ? ", " : " AND i.status IN (", t->n);
    }
    buf_puts(&t->where, ")");
}

static void cond_origin(struct query_text *t, const struct issue_filter *f)
{
    bool named = f->origin_kind || f->origin_kind_prefix || f->origin_id;
    if (f->origin_kind) cond(t, "i.origin_kind =", V_TEXT(f->origin_kind), "");
    if (f->origin_kind_prefix) { /* a range, so that no pattern needs escaping */
        cond(t, "substr(i.origin_kind, 1, length(", V_TEXT(f->origin_kind_prefix), "))");
        buf_printf(&t->where, " = $%d", t->n);
    }
    if (f->origin_id) cond(t, "i.origin_id =", V_TEXT(f->origin_id), "");
    if (f->exclude_routine_executions && !f->origin_kind && !f->origin_id)
        buf_puts(&t->where, " AND i.origin_kind <> 'routine_execution'");
    if (!f->include_plugin_operations && !named && !f->project_id)
        buf_puts(&t->where,
                 " AND (substr(i.origin_kind, 1, 7) <> 'plugin:' OR i.origin_kind NOT LIKE 'plugin:%:operation%')");
}

static void cond_people(struct query_text *t, const struct issue_filter *f)
{
    if (f->assignee_agent_id) cond(t, "i.assignee_agent_id =", V_ID(f->assignee_agent_id), "");
    if (f->unassigned) buf_puts(&t->where, " AND i.assignee_agent_id IS NULL");
    if (f->assignee_user_id) cond(t, "i.assignee_user_id =", V_TEXT(f->assignee_user_id), "");
    if (f->participant_agent_id) {
        cond(t, "(i.created_by_agent_id =", V_ID(f->participant_agent_id), "");
        buf_printf(
            &t->where,
            " OR i.assignee_agent_id = $%d OR EXISTS (SELECT 1 FROM issue_comments c WHERE c.issue_id = i.id AND c.author_agent_id = $%d)"
            " OR EXISTS (SELECT 1 FROM activity_log g WHERE g.entity_type = 'issue' AND g.entity_id = CAST(i.id AS text) AND g.agent_id = $%d))",
            t->n, t->n, t->n);
    }
    if (f->touched_by_user_id) { /* IS-72: mutations only; reads leave no rows here */
        cond(t, "(i.created_by_user_id =", V_TEXT(f->touched_by_user_id), "");
        buf_printf(
            &t->where,
            " OR i.assignee_user_id = $%d OR EXISTS (SELECT 1 FROM issue_comments c WHERE c.issue_id = i.id AND c.author_user_id = $%d)"
            " OR EXISTS (SELECT 1 FROM activity_log g WHERE g.entity_type = 'issue' AND g.entity_id = CAST(i.id AS text)"
            " AND g.actor_type = 'user' AND g.actor_id = $%d AND g.action NOT IN ('issue.read_marked','issue.read_unmarked',"
            "'issue.inbox_archived','issue.inbox_unarchived')))",
            t->n, t->n, t->n);
    }
}

/* A comment of somebody else, newer than all the person did about the issue (IS-72). */
static void cond_unread(struct query_text *t, const char *user)
{
    if (user == NULL) return;
    cond(t,
         "EXISTS (SELECT 1 FROM issue_comments c WHERE c.issue_id = i.id AND c.deleted_at IS NULL AND"
         " COALESCE(c.author_user_id, '') <>",
         V_TEXT(user), "");
    buf_printf(&t->where,
               " AND NOT EXISTS (SELECT 1 FROM issue_comments m WHERE m.issue_id = i.id AND m.author_user_id = $%d"
               " AND m.created_at >= c.created_at)"
               " AND NOT EXISTS (SELECT 1 FROM issue_read_states s WHERE s.issue_id = i.id AND s.user_id = $%d"
               " AND s.last_read_at >= c.created_at)"
               " AND NOT (COALESCE(i.created_by_user_id, '') = $%d AND i.created_at >= c.created_at)"
               " AND NOT (COALESCE(i.assignee_user_id, '') = $%d AND i.updated_at >= c.created_at))",
               t->n, t->n, t->n, t->n);
}

/* Not put away, or put away before something a person must see: a question, a change to
 * a state that waits for people, the words of another person, or a mention (IS-72). */
static void cond_inbox(struct query_text *t, const char *user)
{
    if (user == NULL) return;
    cond(t, "NOT EXISTS (SELECT 1 FROM issue_inbox_archives a WHERE a.issue_id = i.id AND a.user_id =", V_TEXT(user),
         "");
    buf_printf(&t->where,
               " AND NOT EXISTS (SELECT 1 FROM activity_log g WHERE g.entity_type = 'issue'"
               " AND g.entity_id = CAST(i.id AS text) AND g.action = 'issue.updated' AND g.created_at > a.archived_at"
               " AND g.details ->> 'status' IN ('in_review','blocked','done'))"
               " AND NOT EXISTS (SELECT 1 FROM issue_thread_interactions x WHERE x.issue_id = i.id"
               " AND x.created_at > a.archived_at"
               " AND x.kind IN ('suggest_tasks','ask_user_questions','request_confirmation'))"
               " AND NOT EXISTS (SELECT 1 FROM issue_comments c WHERE c.issue_id = i.id AND c.deleted_at IS NULL"
               " AND c.created_at > a.archived_at AND (COALESCE(c.author_user_id, $%d) <> $%d OR c.body LIKE",
               t->n, t->n);
    t->v[t->n++] = V_TEXT(escaped(t->a, user, "%](user://"));
    buf_printf(&t->where, " $%d ESCAPE '\\')))", t->n);
}

static void cond_place(struct query_text *t, const struct issue_filter *f)
{
    if (f->project_id) cond(t, "i.project_id =", V_ID(f->project_id), "");
    if (f->workspace_id) {
        cond(t, "(i.project_workspace_id =", V_ID(f->workspace_id), "");
        buf_printf(&t->where, " OR i.execution_workspace_id = $%d)", t->n);
    }
    if (f->execution_workspace_id) cond(t, "i.execution_workspace_id =", V_ID(f->execution_workspace_id), "");
    if (f->parent_id) cond(t, "i.parent_id =", V_ID(f->parent_id), "");
    if (f->descendant_of) {
        cond(t, "i.id IN (WITH RECURSIVE below(id) AS (SELECT id FROM issues WHERE parent_id =", V_ID(f->descendant_of),
             " UNION SELECT s.id FROM issues s JOIN below ON s.parent_id = below.id) SELECT id FROM below)");
        cond(t, "i.id <>", V_ID(f->descendant_of), ""); /* loops are tolerated */
    }
    if (f->label_id)
        cond(t, "EXISTS (SELECT 1 FROM issue_labels x WHERE x.issue_id = i.id AND x.label_id =", V_ID(f->label_id),
             ")");
}

static void cond_text(struct query_text *t, const char *q)
{
    if (q == NULL) return;
    cond(t, "(lower(i.title) LIKE lower(", V_TEXT(escaped(t->a, q, "%")), ") ESCAPE '\\'");
    t->like = arena_printf(t->a, "lower($%d) ESCAPE '\\'", t->n);
    buf_printf(&t->where, " OR lower(i.identifier) LIKE %s OR lower(i.description) LIKE %s", t->like, t->like);
    buf_printf(
        &t->where,
        " OR EXISTS (SELECT 1 FROM issue_comments c WHERE c.issue_id = i.id AND c.deleted_at IS NULL AND lower(c.body) LIKE %s))",
        t->like);
    t->v[t->n++] = V_TEXT(escaped(t->a, q, ""));
    t->prefix = arena_printf(t->a, "lower($%d) ESCAPE '\\'", t->n);
    buf_printf(&t->where, " AND $%d <> ''", t->n); /* named also where nothing is ranked */
}

static void build(struct query_text *t, const struct issue_filter *f)
{
    buf_puts(&t->where, "i.company_id = $1 AND i.hidden_at IS NULL AND i.harness_kind IS NULL");
    t->v[t->n++] = V_ID(f->company_id);
    cond_statuses(t, f);
    cond_people(t, f);
    cond_unread(t, f->unread_for_user_id);
    cond_inbox(t, f->inbox_of_user_id);
    cond_place(t, f);
    cond_origin(t, f);
    cond_text(t, f->q);
    if (f->with_plan || f->without_plan)
        buf_printf(&t->where, " AND %sEXISTS (SELECT 1 FROM documents d WHERE d.issue_id = i.id AND d.key = 'plan')",
                   f->with_plan ? "" : "NOT ");
    if (f->updated_since != INSTANT_NONE) cond(t, "i.updated_at >", V_TIME(f->updated_since), "");
    if (f->attention_blocked) /* who is stuck is judged over these (IS-73) */
        buf_puts(&t->where, " AND i.status IN ('todo','in_progress','in_review','blocked')");
}

static void order(struct query_text *t, const struct issue_filter *f, struct buf *out)
{
    const char *dir = f->ascending ? "ASC" : "DESC";
    buf_puts(out, " ORDER BY ");
    if (f->q)
        buf_printf(
            out,
            "CASE WHEN lower(i.title) LIKE %s THEN 0 WHEN lower(i.title) LIKE %s THEN 1 WHEN lower(i.identifier) LIKE %s THEN 2"
            " WHEN lower(i.identifier) LIKE %s THEN 3 WHEN EXISTS (SELECT 1 FROM issue_comments c WHERE c.issue_id = i.id"
            " AND c.deleted_at IS NULL AND lower(c.body) LIKE %s) THEN 4 ELSE 5 END, ",
            t->prefix, t->like, t->prefix, t->like, t->like);
    if (f->by_update) buf_printf(out, "i.last_activity_at %s, i.updated_at %s, i.id %s", dir, dir, dir);
    else buf_puts(out, "i.priority_rank, i.last_activity_at DESC, i.updated_at DESC, i.id DESC");
}

err_t issue_list(struct db *db, const struct issue_filter *f, struct issue **rows, int *count)
{
    struct arena *a = db_arena(db);
    struct query_text t = {.a = a};
    struct buf sql = {0};
    build(&t, f);
    buf_printf(&sql, "i WHERE %s", t.where.data);
    buf_free(&t.where);
    order(&t, f, &sql);
    t.v[t.n++] = V_INT(f->limit);
    t.v[t.n++] = V_INT(f->offset);
    buf_printf(&sql, " LIMIT $%d OFFSET $%d", t.n - 1, t.n);
    return entity_many(db, &ENTITY_issue, rows, count, buf_finish(&sql, a), t.v, t.n);
}

/* Counted in list order, so that the index of lists serves, and no further than the limit. */
err_t issue_count(struct db *db, const struct issue_filter *f, int64_t *total)
{
    struct query_text t = {.a = db_arena(db)};
    build(&t, f);
    t.v[t.n++] = V_INT(ISSUE_COUNT_MAX);
    const char *sql = arena_printf(
        t.a,
        "SELECT count(*) FROM (SELECT 1 FROM issues i WHERE %s"
        " ORDER BY i.priority_rank, i.last_activity_at DESC, i.updated_at DESC, i.id DESC LIMIT $%d) AS counted",
        t.where.data, t.n);
    buf_free(&t.where);
    return db_int(db, total, 0, sql, t.v, t.n);
}

err_t issue_live_below(struct db *db, const struct issue *rows, int count, int64_t **out)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    const char **ids = arena_array(a, const char *, count + 1);
    *out = arena_array(a, int64_t, count + 1);
    for (int i = 0; i < count; i++) {
        ids[i] = rows[i].id;
        (*out)[i] = 0;
    }
    if (count == 0) return OK;
    struct in_list in = in_list_make(a, NULL, 0, ids, count);
    TRY(db_query(
        db, &r,
        arena_printf(a,
                     "WITH RECURSIVE below(root, id) AS (SELECT parent_id, id FROM issues WHERE parent_id IN %s"
                     " UNION SELECT b.root, s.id FROM issues s JOIN below b ON s.parent_id = b.id)"
                     " SELECT root, count(DISTINCT id) FROM below WHERE EXISTS (SELECT 1 FROM heartbeat_runs h"
                     " WHERE h.issue_id = below.id AND h.status IN ('queued','running')) GROUP BY root",
                     in.sql),
        in.v, in.n));
    while (rows_next(&r))
        for (int i = 0; i < count; i++)
            if (text_is(ids[i], row_text(&r, 0))) (*out)[i] = row_int(&r, 1);
    return rows_err(&r);
}

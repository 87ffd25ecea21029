/* issue_detail: one issue with all around it. */
#include "model/issue_detail.h"

#include "base/text.h"
#include "model/comment.h"
#include "model/document.h"
#include "model/execution_workspace.h"
#include "model/goal.h"
#include "model/inbox_state.h"
#include "model/issue_card.h"
#include "model/project.h"
#include "model/reference.h"
#include "model/retry.h"
#include "model/work_product.h"

#define ANCESTORS_MAX 50

/* The issue with labels and attention, and the graph below it. */
struct detail {
    struct issue_cards cards;
    struct blocker_map below;
};

static err_t load(struct db *db, const struct issue *row, struct detail *d)
{
    TRY(issue_cards_load(db, row, 1, CARD_LABELS | CARD_ATTENTION, &d->cards));
    if (d->cards.items[0].graph_root >= 0) {
        d->below = d->cards.map;
        return OK;
    }
    return blocker_map_load(db, &row, 1, &d->below);
}

/* ---- neighbours ---- */

static void write_small_project(struct jw *w, const struct rows *r, int col)
{
    if (row_null(r, col)) {
        jw_knull(w, "project");
        return;
    }
    jw_kobj(w, "project");
    jw_kstr(w, "id", row_text(r, col));
    jw_kstr(w, "name", row_text(r, col + 1));
    jw_kstr(w, "status", row_text(r, col + 2));
    jw_obj_end(w);
}

static void write_small_goal(struct jw *w, const struct rows *r, int col)
{
    if (row_null(r, col)) {
        jw_knull(w, "goal");
        return;
    }
    jw_kobj(w, "goal");
    jw_kstr(w, "id", row_text(r, col));
    jw_kstr(w, "title", row_text(r, col + 1));
    jw_kstr(w, "status", row_text(r, col + 2));
    jw_kstr(w, "level", row_text(r, col + 3));
    jw_obj_end(w);
}

/* Nearest first; a loop of parents ends at the bound (IS-75). */
static err_t write_ancestors(struct db *db, struct jw *w, const struct issue *row, bool brief)
{
    struct rows r ROWS_AUTO = {0};
    const char *seen[ANCESTORS_MAX];
    int n = 0;
    jw_karr(w, "ancestors");
    if (row->parent_id == NULL) {
        jw_arr_end(w);
        return OK;
    }
    TRY(db_query(
        db, &r,
        "WITH RECURSIVE up(id, parent_id, depth) AS (SELECT id, parent_id, 1 FROM issues WHERE id = $1"
        " UNION ALL SELECT i.id, i.parent_id, up.depth + 1 FROM issues i JOIN up ON i.id = up.parent_id WHERE up.depth < $2)"
        " SELECT i.id, i.identifier, i.title, i.status, i.priority, i.description, i.assignee_agent_id, i.project_id, i.goal_id,"
        " p.id, p.name, p.status, g.id, g.title, g.status, g.level FROM up JOIN issues i ON i.id = up.id"
        " LEFT JOIN projects p ON p.id = i.project_id LEFT JOIN goals g ON g.id = i.goal_id ORDER BY up.depth",
        P(V_ID(row->parent_id), V_INT(ANCESTORS_MAX))));
    while (rows_next(&r) && n < ANCESTORS_MAX) {
        const char *id = row_text(&r, 0);
        bool again = text_is(id, row->id);
        for (int i = 0; i < n; i++) again |= text_is(seen[i], id);
        if (again) break;
        seen[n++] = id;
        jw_obj(w);
        jw_kstr(w, "id", id);
        jw_kstr(w, "identifier", row_text(&r, 1));
        jw_kstr(w, "title", row_text(&r, 2));
        jw_kstr(w, "status", row_text(&r, 3));
        jw_kstr(w, "priority", row_text(&r, 4));
        if (!brief) {
            jw_kstr(w, "description", row_text(&r, 5));
            jw_kstr(w, "assigneeAgentId", row_text(&r, 6));
            jw_kstr(w, "projectId", row_text(&r, 7));
            jw_kstr(w, "goalId", row_text(&r, 8));
            write_small_project(w, &r, 9);
            write_small_goal(w, &r, 12);
        }
        jw_obj_end(w);
    }
    jw_arr_end(w);
    return rows_err(&r);
}

static void write_workspace(struct jw *w, const struct project_workspace *ws)
{
    jw_obj(w);
    entity_write(w, &ENTITY_project_workspace, ws, VIEW_FULL);
    jw_obj_end(w);
}

static err_t write_project(struct db *db, struct jw *w, const char *project_id)
{
    struct project p;
    struct project_workspace *ws;
    int n;
    bool found = false;
    if (project_id) TRY(project_get(db, project_id, &p, &found));
    if (!found) {
        jw_knull(w, "project");
        return OK;
    }
    p.env = NULL; /* may hold secrets */
    TRY(entity_many(db, &ENTITY_project_workspace, &ws, &n, "WHERE project_id = $1 ORDER BY created_at, id",
                    P(V_ID(p.id))));
    jw_kobj(w, "project");
    entity_write(w, &ENTITY_project, &p, VIEW_FULL);
    jw_karr(w, "workspaces");
    for (int i = 0; i < n; i++) write_workspace(w, &ws[i]);
    jw_arr_end(w);
    jw_key(w, "primaryWorkspace");
    int primary = 0;
    while (primary < n && !ws[primary].is_primary) primary++;
    if (primary < n) write_workspace(w, &ws[primary]);
    else jw_null(w);
    jw_obj_end(w);
    return OK;
}

static err_t write_goal(struct db *db, struct jw *w, const char *goal_id)
{
    struct goal g;
    bool found = false;
    if (goal_id) TRY(goal_get(db, goal_id, &g, &found));
    jw_key(w, "goal");
    if (!found) {
        jw_null(w);
        return OK;
    }
    jw_obj(w);
    entity_write(w, &ENTITY_goal, &g, VIEW_FULL);
    jw_obj_end(w);
    return OK;
}

static err_t write_retry(struct db *db, struct jw *w, const char *issue_id)
{
    struct run run;
    bool found;
    TRY(entity_one(db, &ENTITY_run, &run, &found,
                   "WHERE issue_id = $1 AND status = 'scheduled_retry' ORDER BY scheduled_retry_at LIMIT 1",
                   P(V_ID(issue_id))));
    retry_write(w, "scheduledRetry", found ? &run : NULL);
    return OK;
}

/* A plan written into the description, as older agents did (IS-75). */
static void write_legacy_plan(struct jw *w, const char *description)
{
    const char *from = description ? strstr(description, "<plan>") : NULL, *to = from ? strstr(from, "</plan>") : NULL;
    if (to == NULL) {
        jw_knull(w, "legacyPlanDocument");
        return;
    }
    from += 6;
    from += strspn(from, " \t\r\n");
    while (to > from && strchr(" \t\r\n", to[-1])) to--;
    jw_kobj(w, "legacyPlanDocument");
    jw_kstr(w, "key", "plan");
    jw_key(w, "body");
    jw_strn(w, from, to > from ? (size_t)(to - from) : 0);
    jw_kstr(w, "source", "issue_description");
    jw_obj_end(w);
}

/* "planDocument", "documentSummaries", "legacyPlanDocument". */
static err_t write_documents(struct db *db, struct jw *w, const struct issue *row)
{
    struct document *rows;
    int n, plan = 0;
    TRY(document_list(db, row->id, false, &rows, &n));
    while (plan < n && !text_is(rows[plan].key, DOCUMENT_PLAN)) plan++;
    if (plan < n) {
        jw_kobj(w, "planDocument");
        document_write_json(w, &rows[plan], true);
        jw_obj_end(w);
    } else {
        jw_knull(w, "planDocument");
    }
    jw_karr(w, "documentSummaries");
    for (int i = 0; i < n; i++) {
        jw_obj(w);
        document_write_json(w, &rows[i], false);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    write_legacy_plan(w, plan < n ? NULL : row->description);
    return OK;
}

static err_t write_products(struct db *db, struct jw *w, const char *issue_id)
{
    struct work_product *rows;
    int n;
    TRY(work_product_list(db, issue_id, &rows, &n));
    jw_karr(w, "workProducts");
    for (int i = 0; i < n; i++) work_product_write(w, &rows[i]);
    jw_arr_end(w);
    return OK;
}

static err_t write_archived(struct db *db, struct jw *w, const struct issue *row, const char *user)
{
    struct inbox_mark *mark;
    if (user == NULL) return OK;
    TRY(inbox_marks_load(db, user, row, 1, &mark));
    inbox_archived_write(w, mark, row);
    return OK;
}

err_t issue_detail_write(struct db *db, struct jw *w, const struct issue *row, const char *user)
{
    struct detail d;
    TRY(load(db, row, &d));
    jw_obj(w);
    issue_write_full(w, &d.cards.items[0]);
    TRY(issue_relations_write(db, w, row->id, &d.below));
    TRY(reference_write(db, w, row->id));
    issue_attention_write(w, &d.cards, &d.cards.items[0]);
    issue_review_write(w, &d.cards.items[0]);
    jw_kraw(w, "successfulRunHandoff", row->successful_run_handoff);
    recovery_set_write(w, &d.cards.recovery, row->id);
    TRY(write_retry(db, w, row->id));
    TRY(write_ancestors(db, w, row, false));
    TRY(write_project(db, w, row->project_id));
    TRY(write_goal(db, w, row->goal_id));
    TRY(write_documents(db, w, row));
    jw_kraw(w, "mentionedProjects", "[]");
    jw_key(w, "currentExecutionWorkspace");
    TRY(execution_workspace_write_current(db, w, row->execution_workspace_id));
    TRY(write_products(db, w, row->id));
    jw_kraw(w, "linkedCases", "[]");
    TRY(write_archived(db, w, row, user));
    jw_obj_end(w);
    return OK;
}

/* ---- heartbeat context (IS-133) ---- */

static err_t write_cursor(struct db *db, struct jw *w, const char *issue_id)
{
    struct rows r ROWS_AUTO = {0};
    int64_t total;
    TRY(db_int(db, &total, 0, "SELECT count(*) FROM issue_comments WHERE issue_id = $1", P(V_ID(issue_id))));
    TRY(db_query(
        db, &r,
        "SELECT id, created_at FROM issue_comments WHERE issue_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1",
        P(V_ID(issue_id))));
    bool any = rows_next(&r);
    jw_kobj(w, "commentCursor");
    jw_kint(w, "totalComments", total);
    jw_kstr(w, "latestCommentId", any ? row_text(&r, 0) : NULL);
    jw_ktime(w, "latestCommentAt", any ? row_time(&r, 1) : INSTANT_NONE);
    jw_obj_end(w);
    return rows_err(&r);
}

static err_t write_wake_comment(struct db *db, struct jw *w, const char *issue_id, const char *comment_id)
{
    struct comment c;
    bool found = false;
    if (comment_id) TRY(comment_get(db, issue_id, comment_id, &c, &found));
    jw_key(w, "wakeComment");
    if (found) comment_write(w, &c);
    else jw_null(w);
    return OK;
}

static err_t write_brief_project(struct db *db, struct jw *w, const char *project_id)
{
    struct project p;
    bool found = false;
    if (project_id) TRY(project_get(db, project_id, &p, &found));
    if (!found) {
        jw_knull(w, "project");
        return OK;
    }
    jw_kobj(w, "project");
    jw_kstr(w, "id", p.id);
    jw_kstr(w, "name", p.name);
    jw_kstr(w, "status", p.status);
    jw_kstr(w, "targetDate", p.target_date);
    jw_obj_end(w);
    return OK;
}

static err_t write_brief_goal(struct db *db, struct jw *w, const char *goal_id)
{
    struct goal g;
    bool found = false;
    if (goal_id) TRY(goal_get(db, goal_id, &g, &found));
    if (!found) {
        jw_knull(w, "goal");
        return OK;
    }
    jw_kobj(w, "goal");
    jw_kstr(w, "id", g.id);
    jw_kstr(w, "title", g.title);
    jw_kstr(w, "status", g.status);
    jw_kstr(w, "level", g.level);
    jw_kstr(w, "parentId", g.parent_id);
    jw_obj_end(w);
    return OK;
}

static err_t write_issue_part(struct db *db, struct jw *w, const struct issue *row)
{
    struct detail d;
    TRY(load(db, row, &d));
    jw_kobj(w, "issue");
    jw_kstr(w, "id", row->id);
    jw_kstr(w, "identifier", row->identifier);
    jw_kstr(w, "title", row->title);
    jw_kstr(w, "description", row->description);
    jw_kstr(w, "status", row->status);
    jw_kstr(w, "workMode", row->work_mode);
    issue_attention_write(w, &d.cards, &d.cards.items[0]);
    issue_review_write(w, &d.cards.items[0]);
    TRY(write_retry(db, w, row->id));
    recovery_set_write(w, &d.cards.recovery, row->id);
    jw_kstr(w, "priority", row->priority);
    jw_kstr(w, "projectId", row->project_id);
    jw_kstr(w, "goalId", row->goal_id);
    jw_kstr(w, "parentId", row->parent_id);
    TRY(issue_relations_write(db, w, row->id, &d.below));
    jw_kstr(w, "assigneeAgentId", row->assignee_agent_id);
    jw_kstr(w, "assigneeUserId", row->assignee_user_id);
    jw_kstr(w, "originKind", row->origin_kind);
    jw_kstr(w, "originId", row->origin_id);
    jw_ktime(w, "updatedAt", row->updated_at);
    jw_obj_end(w);
    return OK;
}

static err_t write_continuation(struct db *db, struct jw *w, const char *issue_id)
{
    struct document d;
    bool found;
    TRY(document_get(db, issue_id, DOCUMENT_CONTINUATION, &d, &found));
    if (!found) {
        jw_knull(w, "continuationSummary");
        return OK;
    }
    jw_kobj(w, "continuationSummary");
    jw_kstr(w, "key", d.key);
    jw_kstr(w, "title", d.title);
    jw_kstr(w, "body", d.body);
    jw_kstr(w, "latestRevisionId", d.latest_revision_id);
    jw_kint(w, "latestRevisionNumber", d.latest_revision_number);
    jw_ktime(w, "updatedAt", d.updated_at);
    jw_kraw(w, "sourceTrust", d.source_trust);
    jw_obj_end(w);
    return OK;
}

err_t issue_heartbeat_write(struct db *db, struct jw *w, const struct issue *row, const char *wake_comment_id)
{
    jw_obj(w);
    TRY(write_issue_part(db, w, row));
    TRY(write_ancestors(db, w, row, true));
    TRY(write_brief_project(db, w, row->project_id));
    TRY(write_brief_goal(db, w, row->goal_id));
    TRY(write_cursor(db, w, row->id));
    TRY(write_wake_comment(db, w, row->id, wake_comment_id));
    jw_kraw(w, "attachments", "[]");
    TRY(write_continuation(db, w, row->id));
    jw_knull(w, "planReviewContext");
    jw_knull(w, "documentReviewContext");
    jw_key(w, "currentExecutionWorkspace");
    TRY(execution_workspace_write_current(db, w, row->execution_workspace_id));
    jw_obj_end(w);
    return OK;
}

/* issue_create: new issues. */
#include "model/issue_create.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/issue_card.h"
#include "model/issue_update.h"
#include "model/issue_wakes.h"
#include "model/monitor.h"
#include "model/issue_workspace.h"
#include "model/reference.h"
#include "rules/issue_status.h"
#include "rules/mention.h"

#define DUPLICATE_WINDOW_MS (48 * HOUR_MS) /* IS-22 */
#define KEY_LIFE_MS (7 * DAY_MS)
#define CHILDREN_MAX 25 /* through POST …/children (IS-121) */

/* ---- the duplicate guard (IS-22) ---- */

static err_t by_key(struct db *db, const struct issue_new *in, struct issue *row, bool *found)
{
    return entity_one(
        db, &ENTITY_issue, row, found,
        "WHERE id = (SELECT issue_id FROM issue_idempotency_keys WHERE company_id = $1 AND key = $2 AND created_at >= $3)",
        P(V_ID(in->row.company_id), V_TEXT(in->idempotency_key), V_TIME(clock_now() - KEY_LIFE_MS)));
}

/* The oldest open twin, the first row (a LIMIT would cost SQLite a temporary table); a child's must come from the same run, for agents create children in bursts. */
static err_t by_title(struct db *db, const struct issue_new *in, struct issue *row, bool *found)
{
    return entity_one(
        db, &ENTITY_issue, row, found,
        "WHERE company_id = $1 AND title_key = $2 AND hidden_at IS NULL AND status NOT IN ('done','cancelled')"
        " AND created_at >= $3 AND (parent_id = $4 OR ($4 IS NULL AND parent_id IS NULL))"
        " AND ($5 IS NULL OR origin_run_id = $5) ORDER BY created_at, id",
        P(V_ID(in->row.company_id), V_TEXT(in->row.title_key), V_TIME(clock_now() - DUPLICATE_WINDOW_MS),
          V_ID(in->row.parent_id), V_ID(in->child ? in->row.origin_run_id : NULL)));
}

static err_t bind_key(struct db *db, const struct issue_new *in, const char *issue_id)
{
    int64_t n;
    instant_t now = clock_now();
    if (in->idempotency_key == NULL) return OK;
    TRY(db_exec(
        db, &n,
        "DELETE FROM issue_idempotency_keys WHERE company_id = $1 AND key IN (SELECT key FROM issue_idempotency_keys"
        " WHERE company_id = $1 AND created_at < $2 ORDER BY created_at LIMIT 500)",
        P(V_ID(in->row.company_id), V_TIME(now - KEY_LIFE_MS))));
    return db_exec(
        db, &n,
        "INSERT INTO issue_idempotency_keys (company_id, key, issue_id, created_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (company_id, key) DO UPDATE SET issue_id = excluded.issue_id, created_at = excluded.created_at",
        P(V_ID(in->row.company_id), V_TEXT(in->idempotency_key), V_ID(issue_id), V_TIME(now)));
}

static err_t find_duplicate(struct db *db, const struct issue_new *in, struct issue_created *out)
{
    bool found = false;
    if (in->idempotency_key) TRY(by_key(db, in, &out->row, &found));
    if (found) {
        out->dedup_reason = "idempotency_key";
        return OK;
    }
    if (in->allow_duplicate || (in->child && in->row.origin_run_id == NULL)) return OK;
    TRY(by_title(db, in, &out->row, &found));
    if (!found) return OK;
    out->dedup_reason = "recent_open_title";
    return bind_key(db, in, out->row.id);
}

/* ---- inheritance (IS-31…33) ---- */

err_t issue_default_workspace(struct db *db, struct issue *row)
{
    const char *policy = NULL, *chosen;
    if (row->project_id == NULL || row->project_workspace_id) return OK;
    TRY(db_text(db, &policy, "SELECT execution_workspace_policy FROM projects WHERE id = $1",
                P(V_ID(row->project_id))));
    chosen = policy ? json_str(json_read(policy), "defaultProjectWorkspaceId") : NULL;
    return db_text(
        db, &row->project_workspace_id,
        "SELECT id FROM project_workspaces WHERE project_id = $1 ORDER BY CASE WHEN id = $2 THEN 0 WHEN is_primary THEN 1 ELSE 2 END,"
        " created_at, id LIMIT 1",
        P(V_ID(row->project_id), V_ID(id_valid(chosen) ? chosen : NULL)));
}

err_t issue_workspace_fits(struct db *db, const struct issue *row, bool *yes)
{
    int64_t n;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM project_workspaces WHERE id = $1 AND company_id = $2 AND ($3 IS NULL OR project_id = $3)",
        P(V_ID(row->project_workspace_id), V_ID(row->company_id), V_ID(row->project_id))));
    *yes = n > 0;
    return OK;
}

static err_t inherit(struct db *db, const struct actor *actor, struct issue_new *in)
{
    struct issue *row = &in->row;
    if (in->source && row->project_id == NULL) row->project_id = in->source->project_id;
    if (in->source && row->project_workspace_id == NULL && text_same(row->project_id, in->source->project_id))
        row->project_workspace_id = in->source->project_workspace_id;
    if (in->child && row->goal_id == NULL && in->parent) row->goal_id = in->parent->goal_id;
    if (row->project_id == NULL && row->project_workspace_id)
        TRY(db_text(db, &row->project_id, "SELECT project_id FROM project_workspaces WHERE id = $1",
                    P(V_ID(row->project_workspace_id))));
    TRY(issue_default_workspace(db, row));
    TRY(issue_workspace_inherit(db, in->source, row));
    TRY(issue_workspace_check(db, actor, NULL, row, in->workspace_settings_sent));
    if (row->goal_id == NULL) TRY(issue_goal_fallback(db, row->company_id, row->project_id, &row->goal_id));
    if (row->responsible_user_id == NULL && actor->type == ACTOR_AGENT)
        row->responsible_user_id = actor->responsible_user_id;
    if (row->responsible_user_id == NULL && in->parent)
        row->responsible_user_id =
            in->parent->responsible_user_id ? in->parent->responsible_user_id : in->parent->created_by_user_id;
    if (row->responsible_user_id == NULL) row->responsible_user_id = row->created_by_user_id;
    return OK;
}

/* ---- the row ---- */

/* Numbers only grow, and the company's row holds the last one (IS-17). */
static err_t number(struct db *db, struct issue *row)
{
    struct rows r ROWS_AUTO = {0};
    const char *prefix = NULL;
    int64_t n; /* two statements, for to SQLite a RETURNING costs a temporary table */
    TRY(db_exec(db, &n, "UPDATE companies SET issue_counter = issue_counter + 1 WHERE id = $1",
                P(V_ID(row->company_id))));
    TRY(db_query(db, &r, "SELECT issue_counter, issue_prefix FROM companies WHERE id = $1", P(V_ID(row->company_id))));
    if (rows_next(&r)) {
        row->issue_number = row_int(&r, 0);
        prefix = row_text(&r, 1);
    }
    TRY(rows_err(&r));
    if (prefix == NULL) return err_new(db_arena(db), ERR_NOT_FOUND, "Company not found");
    row->identifier = arena_printf(db_arena(db), "%s-%d", prefix, (int)row->issue_number);
    return OK;
}

static int64_t depth_of(const struct issue_new *in)
{
    int64_t given = in->row.request_depth, below = in->parent ? in->parent->request_depth + 1 : 0;
    return issue_depth_bounded(given > below ? given : below);
}

static void fill(struct arena *a, const struct actor *actor, const struct author *author, struct issue_new *in)
{
    struct issue *row = &in->row;
    row->id = id_new(a);
    if (row->status == NULL) row->status = status_default(row->assignee_agent_id || row->assignee_user_id);
    if (row->work_mode == NULL) row->work_mode = "standard";
    if (row->priority == NULL) row->priority = "medium";
    if (row->origin_kind == NULL) row->origin_kind = "manual";
    if (row->origin_fingerprint == NULL) row->origin_fingerprint = "default";
    row->created_by_agent_id = actor->agent_id;
    row->created_by_user_id = actor->type == ACTOR_BOARD ? actor->user_id : NULL;
    row->origin_run_id = author->run_id;
    row->request_depth = depth_of(in);
    row->title_key = title_key(a, row->title);
    row->created_at = row->updated_at = row->last_activity_at = clock_now();
}

static err_t check(struct db *db, const struct actor *actor, const struct issue_new *in)
{
    const struct issue *row = &in->row;
    struct open_blockers open;
    int64_t children;
    TRY(relation_check(db, row->company_id, NULL, &in->blockers));
    TRY(relation_open_of(db, &in->blockers, &open));
    enum status_verdict v = status_guard(&(struct status_facts){.to = row->status,
                                                                .by_agent = actor->type == ACTOR_AGENT,
                                                                .agent_assigned = row->assignee_agent_id != NULL,
                                                                .user_assigned = row->assignee_user_id != NULL,
                                                                .blockers_open = open.open,
                                                                .blockers_waiting = open.waiting,
                                                                .blockers_sent = true,
                                                                .descriptor_sent = row->unblock_descriptor != NULL,
                                                                .has_descriptor = row->unblock_descriptor != NULL,
                                                                .policy_allows_close = true});
    TRY(issue_guard_error(db_arena(db), v, &open, row));
    TRY(issue_check_descriptor(db, actor, row));
    if (!in->child) return OK;
    TRY(db_int(db, &children, 0, "SELECT count(*) FROM issues WHERE parent_id = $1", P(V_ID(row->parent_id))));
    return children < CHILDREN_MAX
               ? OK
               : err_new(db_arena(db), ERR_UNPROCESSABLE,
                         "An issue takes at most %d children this way; group the work in fewer of them", CHILDREN_MAX);
}

/* ---- record ---- */

static json_t *details(const struct issue_new *in, const struct issue *row, bool defaulted)
{
    bool assigned = row->assignee_agent_id || row->assignee_user_id;
    bool skipped = row->assignee_agent_id == NULL || text_is(row->status, "backlog");
    const char *why = !skipped ? NULL : row->assignee_agent_id ? "assigned_backlog" : "no_agent_assignee";
    json_t *d = json_pack("{s:s, s:s, s:s, s:b, s:s, s:b, s:s?}", "title", row->title, "identifier", row->identifier,
                          "status", row->status, "statusDefaulted", defaulted, "statusDefaultReason",
                          !defaulted ? "explicit"
                          : assigned ? "assigned_omitted_status"
                                     : "unassigned_omitted_status",
                          "assignmentWakeSkipped", skipped, "assignmentWakeSkipReason", why);
    if (in->blockers.count) json_object_set_new(d, "blockedByIssueIds", id_list_json(&in->blockers));
    if (in->child) {
        json_object_set_new(d, "parentId", json_string(row->parent_id));
        if (in->source) json_object_set_new(d, "inheritedExecutionWorkspaceFromIssueId", json_string(in->source->id));
        if (in->block_parent) json_object_set_new(d, "parentBlockerAdded", json_true());
    }
    return d;
}

static err_t record(struct db *db, const struct actor *actor, const struct issue_new *in, const struct issue *row,
                    bool defaulted)
{
    const char *entity;
    if (in->labels.count || in->blockers.count) TRY(issue_event_text(db, row, &entity));
    else entity = issue_card_event(db_arena(db), &(struct issue_cards){0}, &(struct issue_card){.row = *row});
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = row->company_id,
                                                 .action = in->child ? "issue.child_created" : "issue.created",
                                                 .entity_type = "issue",
                                                 .entity_id = row->id,
                                                 .details = details(in, row, defaulted),
                                                 .entity = entity});
}

static err_t write_rows(struct db *db, const struct issue_new *in)
{
    const struct issue *row = &in->row;
    TRY(entity_insert(db, &ENTITY_issue, row));
    if (in->labels.count) TRY(issue_labels_replace(db, row, &in->labels, true));
    for (int i = 0; i < in->blockers.count; i++) TRY(relation_add(db, row->company_id, in->blockers.ids[i], row->id));
    if (in->block_parent) {
        const struct id_list me = {.ids = (const char *[]){row->id}, .count = 1};
        TRY(relation_check(db, row->company_id, row->parent_id, &me));
        TRY(relation_add(db, row->company_id, row->id, row->parent_id));
    }
    TRY(reference_sync(db, &(struct reference_source){row->company_id, row->id, "title", row->id, true}, row->title));
    TRY(reference_sync(db, &(struct reference_source){row->company_id, row->id, "description", row->id, true},
                       row->description));
    return bind_key(db, in, row->id);
}

err_t issue_create(struct db *db, const struct actor *actor, struct issue_new *in, struct issue_created *out)
{
    struct author author;
    struct monitor_change monitor;
    bool defaulted = in->row.status == NULL;
    *out = (struct issue_created){0};
    TRY(author_of(db, actor, in->row.company_id, &author));
    fill(db_arena(db), actor, &author, in);
    TRY(find_duplicate(db, in, out));
    if (out->dedup_reason) return OK;
    TRY(inherit(db, actor, in));
    TRY(check(db, actor, in));
    TRY(monitor_settle(db, actor, NULL, &in->row, in->policy_sent, &monitor));
    issue_apply_effects(NULL, &in->row, in->row.created_at);
    TRY(number(db, &in->row));
    TRY(write_rows(db, in));
    out->row = in->row;
    TRY(record(db, actor, in, &out->row, defaulted));
    TRY(monitor_log(db, actor, &out->row, &monitor));
    return issue_wakes_send(db, actor,
                            &(struct issue_happening){.before = NULL,
                                                      .after = &out->row,
                                                      .mutation = in->mutation ? in->mutation
                                                                  : in->child  ? "child_create"
                                                                               : "create",
                                                      .status_sent = !defaulted,
                                                      .author = &author});
}

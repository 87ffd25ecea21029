/* interaction_effects: what accepting does beyond the interaction itself (IS-119, IS-120). */
#include "base/text.h"
#include "model/agent.h"
#include "model/assignee.h"
#include "model/interaction_internal.h"
#include "model/issue.h"
#include "model/issue_create.h"
#include "model/issue_update.h"
#include "model/label.h"
#include "model/tenant.h"

#define LABEL_COLOR "#6b7280"

/* ---- suggested tasks ---- */

static err_t find_parent(struct db *db, const struct issue *home, const char *field, const char *id, struct issue *out)
{
    bool found;
    TRY(issue_get(db, id, out, &found));
    if (found && text_is(out->company_id, home->company_id)) return OK;
    return tenant_dangling(db_arena(db), field, id);
}

/* The chosen parent task's issue, else the named one, else the suggestion's, else the issue itself. */
static err_t parent_of(struct db *db, const struct issue *home, const json_t *payload, const json_t *task,
                       const json_t *created, struct issue *out)
{
    const char *key = json_str(task, "parentClientKey"), *own = json_str(task, "parentId"),
               *common = json_str(payload, "defaultParentId");
    if (key) return find_parent(db, home, "parentClientKey", json_str(created, key), out);
    if (own) return find_parent(db, home, "parentId", own, out);
    if (common) return find_parent(db, home, "defaultParentId", common, out);
    *out = *home;
    return OK;
}

/* Labels by name; one that is new to the company is made (IS-120 BETTER). */
static err_t labels_of(struct db *db, const struct actor *actor, const struct issue *row, const json_t *names,
                       struct id_list *out)
{
    struct arena *a = db_arena(db);
    json_t *v;
    size_t i;
    out->ids = arena_array(a, const char *, json_array_size(names) + 1);
    json_array_foreach (names, i, v) {
        struct label label = {.company_id = row->company_id, .name = json_string_value(v), .color = LABEL_COLOR};
        const char *id = NULL;
        TRY(db_text(db, &id, "SELECT id FROM labels WHERE company_id = $1 AND name = $2",
                    P(V_ID(row->company_id), V_TEXT(label.name))));
        if (id == NULL) {
            TRY(label_create(db, actor, &label));
            id = label.id;
        }
        if (!id_list_has(out, id)) out->ids[out->count++] = id;
    }
    return OK;
}

static err_t create_task(struct db *db, const struct actor *actor, const struct issue *home, const json_t *payload,
                         const json_t *task, const json_t *created, struct issue_created *done, struct issue *parent)
{
    struct issue_new in = {
        .parent = parent, .source = parent, .allow_duplicate = true, .mutation = "interaction_accept"};
    struct issue *row = &in.row;
    struct agent agent;
    TRY(parent_of(db, home, payload, task, created, parent));
    entity_init(&ENTITY_issue, row);
    row->company_id = home->company_id;
    row->parent_id = parent->id;
    row->title = json_str(task, "title");
    row->description = json_str(task, "description");
    row->status = "todo";
    row->priority = json_str(task, "priority");
    row->work_mode = json_str(task, "workMode");
    row->assignee_agent_id = json_str(task, "assigneeAgentId");
    row->assignee_user_id = json_str(task, "assigneeUserId");
    row->project_id = json_str(task, "projectId");
    row->goal_id = json_str(task, "goalId");
    row->billing_code = json_str(task, "billingCode");
    in.goal_sent = row->goal_id != NULL;
    if (row->assignee_agent_id) TRY(assignee_check_agent(db, actor, row->company_id, row->assignee_agent_id, &agent));
    if (row->assignee_user_id) TRY(assignee_check_user(db, row->company_id, row->assignee_user_id));
    TRY(tenant_check(db, "projects", row->company_id, "projectId", row->project_id));
    TRY(tenant_check(db, "goals", row->company_id, "goalId", row->goal_id));
    TRY(labels_of(db, actor, row, json_object_get(task, "labels"), &in.labels));
    return issue_create(db, actor, &in, done);
}

err_t interaction_create_tasks(struct db *db, const struct actor *actor, const struct issue *issue,
                               const struct interaction *x, const json_t *tasks, json_t *result)
{
    json_t *created = json_object(), *list = json_array(), *task;
    const json_t *payload = json_read(x->payload);
    size_t i;
    json_array_foreach (tasks, i, task) {
        struct issue_created done;
        struct issue parent;
        const char *key = json_str(task, "clientKey");
        TRY(create_task(db, actor, issue, payload, task, created, &done, &parent));
        json_object_set_new(created, key, json_string(done.row.id));
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "clientKey", key, "issueId",
                                              done.row.id, "identifier", done.row.identifier, "title", done.row.title,
                                              "parentIssueId", parent.id, "parentIdentifier", parent.identifier));
    }
    json_object_set_new(result, "createdTasks", list);
    return OK;
}

/* ---- the issue goes back to the asker ---- */

err_t interaction_hand_back(struct db *db, const struct actor *actor, const struct interaction *x, struct issue *issue,
                            bool *moved)
{
    const char *asker = x->created_by_agent_id;
    bool reviewed = text_is(issue->status, "in_review") && text_is(issue->assignee_agent_id, asker);
    bool with_person = issue->assignee_user_id && issue->assignee_agent_id == NULL;
    struct agent agent;
    bool found;
    *moved = false;
    if (asker == NULL || actor->type != ACTOR_BOARD || !(reviewed || with_person)) return OK;
    TRY(agent_get(db, asker, &agent, &found));
    if (!found || text_is(agent.status, "terminated") || text_is(agent.status, "pending_approval")) return OK;
    struct issue_change c = {.after = *issue,
                             .status_sent = true,
                             .assignee_told = true, /* by the wake that carries the answer */
                             .source = "request_confirmation_accept"};
    struct issue_changed done;
    if (!text_is(issue->status, "blocked")) c.after.status = "todo";
    c.after.assignee_agent_id = asker;
    c.after.assignee_user_id = NULL;
    c.requested = json_pack("{s:s, s:s}", "status", c.after.status, "assigneeAgentId", asker);
    TRY(issue_update(db, actor, issue, &c, &done));
    *issue = done.row;
    *moved = done.any;
    return OK;
}

/* ---- the workspace gate ---- */

/* Operations of the asking run on the issue's workspace. */
static err_t finalize_facts(struct db *db, const struct issue *issue, const struct interaction *x,
                            struct finalize_facts *f)
{
    int64_t operations, live;
    TRY(db_int(
        db, &operations, 0,
        "SELECT count(*) FROM workspace_operations WHERE company_id = $1 AND heartbeat_run_id = $2 AND execution_workspace_id = $3",
        P(V_ID(issue->company_id), V_ID(x->source_run_id), V_ID(issue->execution_workspace_id))));
    TRY(db_int(db, &live, 0,
               "SELECT count(*) FROM heartbeat_runs WHERE id = $1 AND status IN ('queued','running','scheduled_retry')",
               P(V_ID(x->source_run_id))));
    *f = (struct finalize_facts){.has_operations = operations > 0, .run_live = live > 0};
    return db_text(db, &f->status,
                   "SELECT status FROM workspace_operations WHERE company_id = $1 AND heartbeat_run_id = $2"
                   " AND execution_workspace_id = $3 AND phase = 'workspace_finalize'"
                   " ORDER BY started_at DESC, created_at DESC, id DESC LIMIT 1",
                   P(V_ID(issue->company_id), V_ID(x->source_run_id), V_ID(issue->execution_workspace_id)));
}

err_t interaction_finalize_gate(struct db *db, const struct issue *issue, const struct interaction *x)
{
    struct arena *a = db_arena(db);
    struct finalize_facts f;
    if (x->source_run_id == NULL || issue->execution_workspace_id == NULL) return OK;
    TRY(finalize_facts(db, issue, x, &f));
    if (finalize_settled(&f)) return OK;
    return err_with(a, ERR_CONFLICT, NULL,
                    json_text(a, json_pack("{s:s, s:s}", "executionWorkspaceId", issue->execution_workspace_id,
                                           "sourceRunId", x->source_run_id)),
                    "Cannot accept interaction: the run that created this interaction has not finished syncing its"
                    " workspace. Retry once the local worktree has finished syncing.");
}

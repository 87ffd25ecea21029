/* issues: create, show, change and delete a task (IS §4, §5, §8). */
#include "api/handlers.h"
#include "api/issue_child.h"
#include "api/issue_guard.h"
#include "api/issue_policy.h"
#include "api/issue_workspace.h"
#include "api/schemas.h"
#include "api/status_only.h"
#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/assignee.h"
#include "model/goal.h"
#include "model/interaction.h"
#include "model/issue.h"
#include "model/issue_card.h"
#include "model/issue_create.h"
#include "model/issue_detail.h"
#include "model/issue_update.h"
#include "model/issue_workspace.h"
#include "model/project.h"
#include "model/reference.h"
#include "rules/issue_status.h"

/* ---- bodies ---- */

static const char *const work_modes[] = {"standard", "ask", "planning", "skill_test", NULL};
static const char *const harness_kinds[] = {"skill_test", NULL};
static const char *const review_policies[] = {"anyone", "not_creator", "human_only", NULL};
static const char *const model_profiles[] = {"cheap", NULL};

static const struct prop override_props[] = {
    {"modelProfile", PROP_ENUM, 0, .options = model_profiles},
    {"adapterConfig", PROP_OBJECT},
    {"useProjectWorkspace", PROP_BOOL},
};
static SCHEMA_WITH(ASSIGNEE_OVERRIDES, override_props, .strict = true);

static void refine_descriptor_owner(const json_t *body, json_t *problems)
{
    const json_t *owner = json_object_get(body, "owner");
    bool board = text_is(json_string_value(owner), "board");
    bool one = json_is_object(owner) && json_object_size(owner) == 1 &&
               (json_str(owner, "userId") || id_valid(json_str(owner, "agentId")));
    if (owner && !board && !one)
        schema_custom(problems, "unblockDescriptor.owner", "owner must be {agentId}, {userId} or \"board\"");
}
static const struct prop descriptor_props[] = {
    {"owner", PROP_ANY, REQUIRED},
    {"action", PROP_TEXT, REQUIRED, .min = 1, .max = 2000},
};
static SCHEMA_WITH(UNBLOCK_DESCRIPTOR, descriptor_props, .strict = true, .refine = refine_descriptor_owner);

static const struct prop uuid_item = {"", PROP_UUID};
static const struct prop ref_item = {"", PROP_STRING, .min = 1};
static const struct prop criterion = {"", PROP_TEXT, .min = 1, .max = 500};

/* What both creation and change may set. */
#define COMMON_PROPS                                                                                           \
    {"description", PROP_TEXT, NULLABLE}, {"status", PROP_ENUM, 0, .options = ISSUE_STATUS_OPTIONS},           \
        {"workMode", PROP_ENUM, 0, .options = work_modes},                                                     \
        {"harnessKind", PROP_ENUM, NULLABLE, .options = harness_kinds},                                        \
        {"priority", PROP_ENUM, 0, .options = ISSUE_PRIORITY_OPTIONS},                                         \
        {"reviewPolicy", PROP_ENUM, NULLABLE, .options = review_policies}, {"projectId", PROP_UUID, NULLABLE}, \
        {"projectWorkspaceId", PROP_UUID, NULLABLE}, {"goalId", PROP_UUID, NULLABLE},                          \
        {"executionWorkspaceId", PROP_UUID, NULLABLE},                                                         \
        {"executionWorkspacePreference", PROP_ENUM, NULLABLE, .options = EXECUTION_WORKSPACE_MODES},           \
        {"executionWorkspaceSettings", PROP_OBJECT, NULLABLE, .object = &issue_workspace_settings},            \
        {"blockedByIssueIds", PROP_ARRAY, 0, .max = 200, .items = &ref_item},                                  \
        {"unblockDescriptor", PROP_OBJECT, NULLABLE, .object = &UNBLOCK_DESCRIPTOR},                           \
        {"assigneeUserId", PROP_STRING, NULLABLE, .min = 1}, {"requestDepth", PROP_NUMBER},                    \
        {"billingCode", PROP_STRING, NULLABLE},                                                                \
        {"assigneeAdapterOverrides", PROP_OBJECT, NULLABLE, .object = &ASSIGNEE_OVERRIDES},                    \
        {"executionPolicy", PROP_OBJECT, NULLABLE, .object = &EXECUTION_POLICY},                               \
    {                                                                                                          \
        "labelIds", PROP_ARRAY, 0, .max = 100, .items = &uuid_item                                             \
    }

static const char *const ISSUE_STATUS_OPTIONS[] = {"backlog", "todo",    "in_progress", "in_review",
                                                   "done",    "blocked", "cancelled",   NULL};
static const char *const ISSUE_PRIORITY_OPTIONS[] = {"critical", "high", "medium", "low", NULL};

static void refine_create(const json_t *body, json_t *problems)
{
    const char *status = json_str(body, "status");
    refine_issue_ref(body, "parentId", problems);
    refine_issue_ref(body, "inheritExecutionWorkspaceFromIssueId", problems);
    refine_issue_refs(body, "blockedByIssueIds", problems);
    if (json_is_object(json_object_get(body, "unblockDescriptor")) && !text_is(status, "blocked"))
        schema_custom(problems, "unblockDescriptor", "unblockDescriptor requires blocked status");
}

static const struct prop create_props[] = {
    {"title", PROP_STRING, REQUIRED, .min = 1},
    COMMON_PROPS,
    {"parentId", PROP_STRING, NULLABLE, .min = 1},
    {"inheritExecutionWorkspaceFromIssueId", PROP_STRING, NULLABLE, .min = 1},
    {"assigneeAgentId", PROP_UUID, NULLABLE},
    {"responsibleUserId", PROP_STRING, NULLABLE, .min = 1},
    {"createdByUserId", PROP_STRING, NULLABLE | READ_ONLY},
    {"idempotencyKey", PROP_STRING, NULLABLE, .min = 1, .max = 255},
    {"allowDuplicate", PROP_BOOL},
    {"watchdog", PROP_OBJECT, 0, .object = &ISSUE_WATCHDOG},
};
SCHEMA_WITH(ISSUE_CREATE, create_props, .refine = refine_create);

static const struct prop child_props[] = {
    {"title", PROP_STRING, REQUIRED, .min = 1},
    COMMON_PROPS,
    {"assigneeAgentId", PROP_UUID, NULLABLE},
    {"responsibleUserId", PROP_STRING, NULLABLE, .min = 1},
    {"createdByUserId", PROP_STRING, NULLABLE | READ_ONLY},
    {"acceptanceCriteria", PROP_ARRAY, 0, .max = 20, .items = &criterion},
    {"blockParentUntilDone", PROP_BOOL},
    {"allowDuplicate", PROP_BOOL},
    {"watchdog", PROP_OBJECT, 0, .object = &ISSUE_WATCHDOG},
};
SCHEMA_WITH(ISSUE_CHILD, child_props, .refine = refine_create);

static void refine_patch(const json_t *body, json_t *problems)
{
    refine_issue_ref(body, "parentId", problems);
    refine_issue_refs(body, "blockedByIssueIds", problems);
}

static const struct prop request_props[] = {{"instructions", PROP_TEXT, REQUIRED, .min = 1, .max = 20000}};
static SCHEMA_WITH(REVIEW_REQUEST, request_props, .strict = true);

static const struct prop patch_props[] = {
    {"title", PROP_STRING, 0, .min = 1},
    COMMON_PROPS,
    {"parentId", PROP_STRING, NULLABLE, .min = 1},
    {"assigneeAgentId", PROP_STRING, NULLABLE, .min = 1}, /* a UUID or a shortname */
    {"hiddenAt", PROP_TIME, NULLABLE},
    {"comment", PROP_TEXT, 0, .min = 1},
    {"reopen", PROP_BOOL},
    {"resume", PROP_BOOL},
    {"interrupt", PROP_BOOL},
    {"reviewInteractionId", PROP_UUID, NULLABLE},
    {"reviewRequest", PROP_OBJECT, NULLABLE, .object = &REVIEW_REQUEST},
    {"onBehalfOfUserId", PROP_STRING, NULLABLE},
};
SCHEMA_WITH(ISSUE_PATCH, patch_props, .refine = refine_patch);

static const char *const applied[] = {
    "title",        "description",       "status",
    "workMode",     "harnessKind",       "priority",
    "reviewPolicy", "projectId",         "projectWorkspaceId",
    "goalId",       "unblockDescriptor", "assigneeUserId",
    "requestDepth", "billingCode",       "assigneeAdapterOverrides",
    NULL,
};

/* ---- what a body names must exist in the company (IS-7 BETTER) ---- */

static err_t check_workspace(struct req *r, struct issue *row)
{
    bool ok;
    if (!has(r, "projectWorkspaceId") || row->project_workspace_id == NULL) return OK;
    TRY(issue_workspace_fits(r->db, row, &ok));
    return ok ? OK : dangling(r, "projectWorkspaceId", row->project_workspace_id);
}

static err_t check_project(struct req *r, const char *id)
{
    struct project project;
    bool found;
    TRY(project_get(r->db, id, &project, &found));
    return found && text_is(project.company_id, r->company_id) ? OK : dangling(r, "projectId", id);
}

static err_t check_goal(struct req *r, const char *id)
{
    struct goal goal;
    bool found;
    TRY(goal_get(r->db, id, &goal, &found));
    return found && text_is(goal.company_id, r->company_id) ? OK : dangling(r, "goalId", id);
}

static err_t check_places(struct req *r, struct issue *row)
{
    if (has(r, "projectId") && row->project_id) TRY(check_project(r, row->project_id));
    if (has(r, "goalId") && row->goal_id) TRY(check_goal(r, row->goal_id));
    return check_workspace(r, row);
}

static err_t check_assignee(struct req *r, const struct issue *row)
{
    struct agent agent;
    if (row->assignee_agent_id)
        TRY(assignee_check_agent(r->db, &r->actor, r->company_id, row->assignee_agent_id, &agent));
    if (row->assignee_user_id) TRY(assignee_check_user(r->db, r->company_id, row->assignee_user_id));
    return OK;
}

/* IS-33: agents do not choose in whose name they work. */
static err_t check_attribution(struct req *r)
{
    if (!is_agent(r)) return OK;
    const char *claimed = json_str(r->body, "responsibleUserId");
    struct activity_entry e = {.company_id = r->company_id, .entity_type = "agent", .entity_id = r->actor.agent_id};
    if (claimed == NULL && json_str(r->body, "createdByUserId") == NULL) return OK;
    e.action = claimed ? "issue.attribution_spoof_rejected" : "issue.attribution_spoof_stripped";
    e.details = json_pack("{s:s, s:s}", "field", claimed ? "responsibleUserId" : "createdByUserId", "claimed",
                          claimed ? claimed : json_str(r->body, "createdByUserId"));
    if (claimed == NULL) return activity_log(r->db, &r->actor, &e);
    return refuse_recorded(r, &e,
                           err_with(r->arena, ERR_UNPROCESSABLE, "issue_write_attribution_spoof_rejected", NULL,
                                    "Agent-created issues cannot set responsibleUserId"));
}

/* ---- answers ---- */

static err_t open_full(struct req *r, const struct issue *row)
{
    struct issue_cards cards;
    TRY(issue_cards_load(r->db, row, 1, CARD_LABELS, &cards));
    jw_obj(&r->w);
    issue_write_full(&r->w, &cards.items[0]);
    return OK;
}

static err_t answer_created(struct req *r, const struct issue_created *done, bool child)
{
    TRY(open_full(r, &done->row));
    TRY(issue_relations_write(r->db, &r->w, done->row.id, NULL));
    if (!child) TRY(reference_write(r->db, &r->w, done->row.id));
    if (done->dedup_reason) {
        jw_kbool(&r->w, "deduplicated", true);
        jw_kstr(&r->w, "deduplicationReason", done->dedup_reason);
        r->status = 200;
    }
    jw_obj_end(&r->w);
    return OK;
}

/* ---- create ---- */

static err_t set_watchdog(struct req *r, const struct issue_created *done)
{
    const json_t *wanted = json_object_get(r->body, "watchdog");
    if (!json_is_object(wanted) || done->dedup_reason) return OK;
    return watchdog_set_by(r, &done->row, wanted);
}

static void set_ids(struct id_list *to, const struct id_list *from)
{
    if (from) *to = *from;
}

static err_t create_common(struct req *r, struct issue_new *in)
{
    const struct id_list *blockers;
    struct issue *row = &in->row;
    row->company_id = r->company_id;
    body_apply(r, &ENTITY_issue, row, applied);
    const json_t *agent = json_object_get(r->body, "assigneeAgentId");
    if (agent) entity_set(r->arena, entity_field(&ENTITY_issue, "assigneeAgentId"), row, agent);
    if (is_board(r)) row->responsible_user_id = json_str(r->body, "responsibleUserId");
    TRY(status_only_refuse_cheap(r));
    in->goal_sent = has(r, "goalId");
    TRY(body_policy(r, row, &in->policy_sent));
    in->allow_duplicate = json_bool(r->body, "allowDuplicate", false);
    TRY(check_assignee(r, row));
    TRY(assignee_check_cycle(r->db, &r->actor, row->parent_id, row->assignee_agent_id));
    TRY(assignee_check_permission(r->db, &r->actor, &r->self, NULL, row));
    TRY(check_places(r, row));
    TRY(issue_workspace_apply(r, row));
    in->workspace_settings_sent = json_is_object(json_object_get(r->body, "executionWorkspaceSettings"));
    TRY(body_issue_ids(r, "blockedByIssueIds", &blockers));
    set_ids(&in->blockers, blockers);
    set_ids(&in->labels, body_ids(r, "labelIds"));
    return OK;
}

static err_t find_parent(struct req *r, const char *key, struct issue *out, const struct issue **set)
{
    const char *ref = json_str(r->body, key);
    bool found;
    if (ref == NULL) return OK;
    TRY(company_issue(r, ref, out, &found));
    if (!found && is_agent(r) && text_is(key, "parentId")) return not_found(r, "Parent issue");
    if (!found) return dangling(r, key, ref);
    *set = out;
    return OK;
}

err_t issue_create_route(struct req *r)
{
    struct issue_new in = {0};
    struct issue_created done;
    struct issue parent, source;
    entity_init(&ENTITY_issue, &in.row);
    TRY(check_attribution(r));
    TRY(find_parent(r, "parentId", &parent, &in.parent));
    in.source = in.parent;
    TRY(find_parent(r, "inheritExecutionWorkspaceFromIssueId", &source, &in.source));
    if (in.parent) in.row.parent_id = in.parent->id;
    in.idempotency_key = json_str(r->body, "idempotencyKey");
    TRY(create_common(r, &in));
    TRY(issue_create(r->db, &r->actor, &in, &done));
    TRY(set_watchdog(r, &done));
    return answer_created(r, &done, false);
}

/* "## Acceptance Criteria" with one bullet each, after the description (IS-121). */
static void append_criteria(struct req *r, struct issue *row)
{
    const json_t *criteria = json_object_get(r->body, "acceptanceCriteria");
    struct buf b = {0};
    json_t *c;
    size_t i;
    if (json_array_size(criteria) == 0) return;
    if (row->description && *row->description) buf_printf(&b, "%s\n\n", row->description);
    buf_puts(&b, "## Acceptance Criteria\n");
    json_array_foreach (criteria, i, c) buf_printf(&b, "\n- %s", json_string_value(c));
    row->description = buf_finish(&b, r->arena);
}

err_t issue_child_make(struct req *r, struct issue_created *done)
{
    struct issue_new in = {.parent = &r->issue, .source = &r->issue, .child = true};
    entity_init(&ENTITY_issue, &in.row);
    TRY(check_attribution(r));
    in.row.parent_id = r->issue.id;
    in.block_parent = json_bool(r->body, "blockParentUntilDone", false);
    TRY(create_common(r, &in));
    append_criteria(r, &in.row);
    TRY(issue_create(r->db, &r->actor, &in, done));
    return set_watchdog(r, done);
}

err_t issue_child_create(struct req *r)
{
    struct issue_created done;
    TRY(issue_child_make(r, &done));
    return answer_created(r, &done, true);
}

/* ---- show ---- */

err_t issue_show(struct req *r) { return issue_detail_write(r->db, &r->w, &r->issue, r->actor.user_id); }

/* ---- change ---- */

static err_t patch_assignee(struct req *r, struct issue *after)
{
    const json_t *v = json_object_get(r->body, "assigneeAgentId");
    struct agent agent;
    bool found;
    if (v == NULL) return OK;
    after->assignee_agent_id = NULL;
    if (json_is_null(v)) return OK;
    TRY(agent_resolve(r->db, json_string_value(v), r->company_id, &agent, &found));
    if (!found || !text_is(agent.company_id, r->company_id)) return not_found(r, "Assignee agent");
    after->assignee_agent_id = agent.id;
    return OK;
}

static err_t patch_parent(struct req *r, struct issue *after)
{
    struct issue parent;
    bool found;
    const char *ref = json_str(r->body, "parentId");
    if (!has(r, "parentId")) return OK;
    after->parent_id = NULL;
    if (ref == NULL) return OK;
    TRY(company_issue(r, ref, &parent, &found));
    if (!found) return dangling(r, "parentId", ref);
    after->parent_id = parent.id;
    return OK;
}

/* What nobody, or no agent, may ask for at all; checked before anything is written. */
static err_t patch_limits(struct req *r)
{
    bool spoken = json_str(r->body, "comment") != NULL;
    if (json_bool(r->body, "resume", false) && !spoken)
        return err_new(r->arena, ERR_BAD_REQUEST, "Follow-up intent requires a comment");
    if (json_bool(r->body, "interrupt", false) && !spoken)
        return err_new(r->arena, ERR_BAD_REQUEST, "Interrupt is only supported when posting a comment");
    if (!is_agent(r)) return OK;
    if (json_bool(r->body, "interrupt", false)) return forbidden(r, "Only board users may interrupt a run");
    if (json_str(r->body, "onBehalfOfUserId"))
        return err_with(r->arena, ERR_UNPROCESSABLE, "issue_write_attribution_spoof_rejected", NULL,
                        "Agents cannot choose on whose behalf they write");
    return OK;
}

static err_t patch_fields(struct req *r, struct issue_change *c)
{
    struct issue *after = &c->after;
    const struct issue *before = &r->issue;
    body_apply(r, &ENTITY_issue, after, applied);
    const json_t *hidden = json_object_get(r->body, "hiddenAt");
    if (hidden) entity_set(r->arena, entity_field(&ENTITY_issue, "hiddenAt"), after, hidden);
    TRY(patch_assignee(r, after));
    TRY(patch_parent(r, after));
    bool assigned = !text_same(before->assignee_agent_id, after->assignee_agent_id);
    bool given = !text_same(before->assignee_user_id, after->assignee_user_id);
    if (after->assignee_agent_id && after->assignee_user_id)
        return unprocessable(r, "Issue can only have one assignee");
    const struct issue changed = {.assignee_agent_id = assigned ? after->assignee_agent_id : NULL,
                                  .assignee_user_id = given ? after->assignee_user_id : NULL};
    TRY(check_assignee(r, &changed));
    TRY(assignee_check_permission(r->db, &r->actor, &r->self, before, after));
    TRY(check_places(r, after));
    TRY(issue_workspace_apply(r, after));
    if (!text_same(before->project_id, after->project_id) && !has(r, "projectWorkspaceId")) {
        after->project_workspace_id = NULL;
        TRY(issue_default_workspace(r->db, after));
    }
    bool moved = !text_same(before->project_id, after->project_id) || !text_same(before->project_workspace_id, after->project_workspace_id);
    if (moved && !has(r, "executionWorkspaceId")) { /* its workspace belongs to the old place (4.3 step 6) */
        after->execution_workspace_id = NULL;
        if (text_is(after->execution_workspace_preference, "reuse_existing")) after->execution_workspace_preference = NULL;
    }
    return issue_workspace_check(r->db, &r->actor, before, after, json_is_object(json_object_get(r->body, "executionWorkspaceSettings")));
}

static err_t answer_patched(struct req *r, const struct issue_change *c, const struct issue_changed *done)
{
    const char *prefer = http_header(r->http, "Prefer");
    bool minimal = prefer && strstr(prefer, "return=minimal");
    struct jw *w = &r->w;
    if (minimal) {
        http_set_header(r->http, "Preference-Applied", "return=minimal");
        jw_obj(w);
        jw_kstr(w, "id", done->row.id);
        jw_kstr(w, "identifier", done->row.identifier);
        jw_ktime(w, "updatedAt", done->row.updated_at);
    } else {
        TRY(open_full(r, &done->row));
        if (c->blockers) {
            TRY(issue_relations_write(r->db, w, done->row.id, NULL));
            jw_key(w, "blockedByIssueIds");
            jw_json(w, id_list_json(c->blockers));
        }
        if (has(r, "title") || has(r, "description") || c->comment) TRY(reference_write(r->db, w, done->row.id));
    }
    jw_kraw(w, "changes", done->changes);
    jw_key(w, "comment");
    if (done->commented) comment_write(w, &done->comment);
    else jw_null(w);
    jw_obj_end(w);
    return OK;
}

/* IS-54: what the request says is to be reviewed must be asked by whoever sends it. */
static err_t check_review_interaction(struct req *r)
{
    const char *id = json_str(r->body, "reviewInteractionId");
    bool fit = true;
    if (id) TRY(interaction_is_review(r->db, &r->actor, r->issue.id, id, &fit));
    if (fit) return OK;
    return err_with(r->arena, ERR_UNPROCESSABLE, "invalid_review_interaction",
                    "{\"code\":\"invalid_review_interaction\"}",
                    "reviewInteractionId names no pending confirmation of this issue");
}

err_t issue_patch(struct req *r)
{
    struct issue_change c = {.requested = r->body};
    struct issue_changed done;
    const char *text = json_str(r->body, "comment");
    const struct comment_new comment = {.body = text, .on_behalf_of_user_id = json_str(r->body, "onBehalfOfUserId")};
    TRY(patch_limits(r));
    TRY(issue_may_write(r, ACCESS_OPEN, &c.reason));
    TRY(issue_may_recover(r));
    TRY(status_only_refuse_cheap(r));
    if (json_object_size(r->body) > 0) TRY(issue_influence(r));
    c.after = r->issue; /* after the guard, which may have adopted the lock */
    c.status_sent = has(r, "status");
    c.goal_sent = has(r, "goalId");
    TRY(body_policy(r, &c.after, &c.policy_sent));
    c.descriptor_sent = has(r, "unblockDescriptor");
    c.reopen = json_bool(r->body, "reopen", false);
    c.resume = json_bool(r->body, "resume", false);
    c.interrupt = json_bool(r->body, "interrupt", false);
    if (text) c.comment = &comment;
    TRY(check_review_interaction(r));
    c.request_sent = has(r, "reviewRequest");
    c.request = json_object_get(r->body, "reviewRequest");
    TRY(patch_fields(r, &c));
    TRY(body_issue_ids(r, "blockedByIssueIds", &c.blockers));
    c.labels = body_ids(r, "labelIds");
    TRY(issue_update(r->db, &r->actor, &r->issue, &c, &done));
    if (has(r, "executionWorkspaceSettings")) TRY(issue_workspace_settle(r->db, &done.row));
    return answer_patched(r, &c, &done);
}

err_t issue_remove(struct req *r)
{
    const char *reason;
    TRY(issue_may_write(r, ACCESS_MUTATE, &reason));
    TRY(open_full(r, &r->issue));
    jw_obj_end(&r->w);
    return issue_delete(r->db, &r->actor, &r->issue);
}

/* key_scope: the bounds of narrow keys. */
#include "api/key_scope.h"

#include "api/handlers.h"
#include "base/text.h"
#include "model/issue.h"

#include <string.h>
#include <strings.h>

#define ANCESTORS_MAX 50

static void refine_bridge(const json_t *body, json_t *problems)
{
    if (json_str(body, "projectId") || json_str(body, "parentIssueId") ||
        json_array_size(json_object_get(body, "projectIds")) > 0 ||
        json_array_size(json_object_get(body, "parentIssueIds")) > 0)
        return;
    schema_custom(problems, "scope", "Task bridge scope requires at least one project or parent issue");
}

static const struct prop id_item = {"", PROP_UUID};
static const struct prop bridge_props[] = {
    {"projectId", PROP_UUID},
    {"projectIds", PROP_ARRAY, .max = 50, .items = &id_item},
    {"parentIssueId", PROP_UUID},
    {"parentIssueIds", PROP_ARRAY, .max = 50, .items = &id_item},
    {"allowedAssigneeAgentIds", PROP_ARRAY, .max = 50, .items = &id_item},
};
static const struct prop test_props[] = {{"issueId", PROP_UUID, REQUIRED}};
static const struct schema SCOPE_STANDARD = {.name = "SCOPE_STANDARD"};
static SCHEMA_WITH(SCOPE_BRIDGE, bridge_props, .refine = refine_bridge);
static SCHEMA(SCOPE_TEST, test_props);
static const struct variant kinds[] = {
    {"standard", &SCOPE_STANDARD}, {"task_bridge", &SCOPE_BRIDGE}, {"skill_test", &SCOPE_TEST}};
SCHEMA_UNION(KEY_SCOPE, "kind", kinds);

static err_t excluded(struct req *r, const char *what)
{
    return err_with(r->arena, ERR_FORBIDDEN, "issue_write_actor_class_excluded", NULL,
                    "This key does not reach that. Boundary: key scope. Who can act: the board, or the agent with a"
                    " standard key. Try: %s.",
                    what);
}

/* Is id the scope's single id, or in its list? */
static bool names(const json_t *scope, const char *one, const char *many, const char *id)
{
    const char *single = json_str(scope, one);
    json_t *v;
    size_t i;
    if (id == NULL) return false;
    if (single && strcasecmp(single, id) == 0) return true;
    json_array_foreach (json_object_get(scope, many), i, v)
        if (strcasecmp(json_string_value(v), id) == 0) return true;
    return false;
}

/* In one of the projects, or one of the parents or below it. */
static err_t in_bounds(struct req *r, const json_t *scope, const struct issue *issue, bool *yes)
{
    struct issue at = *issue;
    *yes = names(scope, "projectId", "projectIds", at.project_id);
    for (int i = 0; i < ANCESTORS_MAX && !*yes; i++) {
        bool found;
        *yes = names(scope, "parentIssueId", "parentIssueIds", at.id);
        if (*yes || at.parent_id == NULL) return OK;
        TRY(issue_get(r->db, at.parent_id, &at, &found));
        if (!found) return OK;
    }
    return OK;
}

static err_t check_new_assignee(struct req *r, const json_t *scope)
{
    const char *assignee = json_str(r->body, "assigneeAgentId");
    bool limited = json_object_get(scope, "allowedAssigneeAgentIds") != NULL;
    if (assignee == NULL || !limited || names(scope, "", "allowedAssigneeAgentIds", assignee)) return OK;
    return excluded(r, "assign the task to an agent this key may assign to");
}

/* A new task stands in a project, or below a task, that the bridge reaches, and goes to whom it may give work. */
static err_t check_new_task(struct req *r, const json_t *scope)
{
    const char *parent = json_str(r->body, "parentId");
    struct issue row;
    bool ok = false, found = false;
    TRY(check_new_assignee(r, scope));
    if (parent) TRY(issue_resolve(r->db, parent, &row, &found));
    if (found && text_is(row.company_id, r->actor.company_id)) TRY(in_bounds(r, scope, &row, &ok));
    if (!parent) ok = names(scope, "projectId", "projectIds", json_str(r->body, "projectId"));
    return ok ? OK : excluded(r, "name a project or parent that this key reaches");
}

static err_t check_bridge(struct req *r, const json_t *scope)
{
    err_t (*const reach[])(struct req *) = {issue_show,     comments_list,           comment_show,
                                            comment_create, issue_heartbeat_context, issue_child_create};
    bool ok = false;
    if (r->route->handler == issue_create_route) return check_new_task(r, scope);
    for (size_t i = 0; i < sizeof reach / sizeof *reach; i++)
        if (r->route->handler == reach[i]) TRY(in_bounds(r, scope, &r->issue, &ok));
    if (!ok) return excluded(r, "read, comment on and make tasks inside its projects and parents");
    return r->route->handler == issue_child_create ? check_new_assignee(r, scope) : OK;
}

err_t key_scope_check(struct req *r)
{
    if (r->actor.key_scope == NULL || r->route->handler == agent_me || r->route->who == WHO_PUBLIC) return OK;
    const json_t *scope = json_read(r->actor.key_scope);
    if (text_is(json_str(scope, "kind"), "task_bridge")) return check_bridge(r, scope);
    bool own = r->route->scope == SCOPE_ISSUE && r->route->handler != issue_child_create &&
               strcasecmp(json_str(scope, "issueId"), r->issue.id) == 0;
    return own ? OK : excluded(r, "work on the issue of the test");
}

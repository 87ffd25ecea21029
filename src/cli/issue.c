/* issue: the issue commands that are more than one plain call. */
#include "base/json.h"
#include "cli/api.h"
#include "cli/call.h"
#include "cli/resolve.h"

#include <stdlib.h>
#include <string.h>

/* The next argument goes into the body unless the option gave the same already. */
static bool take_text(struct cli *c, json_t *body, const char *wire)
{
    if (c->args_used < c->args_count && json_object_get(body, wire) == NULL) {
        const char *typed = c->args[c->args_used++];
        json_t *text = json_string(strcmp(typed, "-") == 0 ? call_stdin(c) : typed);
        if (text) json_object_set_new(body, wire, text);
    }
    return json_object_get(body, wire) != NULL;
}

int cmd_issue_create(struct cli *c)
{
    enum cli_end end;
    const char *path = call_path(c, &end);
    json_t *body = path ? call_body(c, &end) : NULL;
    if (body == NULL) return cli_exit_code(end);
    if (!take_text(c, body, "title")) return usage_error("an issue needs a title: bulldog issue create \"What to do\"");
    return call_and_print(c, path, body);
}

int cmd_issue_comment(struct cli *c)
{
    enum cli_end end;
    const char *path = call_path(c, &end);
    json_t *body = path ? call_body(c, &end) : NULL;
    if (body == NULL) return cli_exit_code(end);
    if (!take_text(c, body, "body"))
        return usage_error("a comment needs a text: bulldog issue comment ISSUE \"text\", or - to read standard input");
    return call_and_print(c, path, body);
}

/* Who takes it: --agent-id, else the agent of this run, else the issue's assignee. */
static const char *checkout_agent(struct cli *c, const char *path, enum cli_end *end)
{
    const char *mine = getenv("PAPERCLIP_AGENT_ID");
    if (mine && *mine) return mine;
    const char *issue_path = arena_strndup(c->arena, path, strlen(path) - strlen("/checkout"));
    json_t *issue = api_call(c, "GET", issue_path, NULL, end);
    const char *assignee = issue ? json_str(issue, "assigneeAgentId") : NULL;
    if (issue && assignee == NULL) {
        usage_error("the issue has no agent: name one with --agent-id");
        *end = END_USAGE;
    }
    return assignee;
}

int cmd_issue_checkout(struct cli *c)
{
    enum cli_end end;
    const char *path = call_path(c, &end);
    json_t *body = path ? call_body(c, &end) : NULL;
    if (body == NULL) return cli_exit_code(end);
    if (json_object_get(body, "agentId") == NULL) {
        const char *agent = checkout_agent(c, path, &end);
        if (agent == NULL) return cli_exit_code(end);
        json_object_set_new(body, "agentId", json_string(agent));
    }
    if (json_object_get(body, "expectedStatuses") == NULL)
        json_object_set_new(body, "expectedStatuses", json_pack("[s,s,s]", "todo", "backlog", "blocked"));
    return call_and_print(c, path, body);
}

int cmd_force_release(struct cli *c)
{
    enum cli_end end;
    const char *path = call_path(c, &end);
    if (path == NULL) return cli_exit_code(end);
    if (c->value[OPT_clear_assignee]) path = arena_printf(c->arena, "%s?clearAssignee=true", path);
    return call_and_print(c, path, json_object());
}

int cmd_issue_children(struct cli *c)
{
    enum cli_end end;
    const char *parent = resolve_issue(c, c->args[0], &end);
    if (parent == NULL) return cli_exit_code(end);
    json_t *issue = api_call(c, "GET", arena_printf(c->arena, "/api/issues/%s", parent), NULL, &end);
    if (issue == NULL) return cli_exit_code(end);
    c->company_id = json_str(issue, "companyId");
    json_t *query = call_body(c, &end);
    if (query == NULL) return cli_exit_code(end);
    json_object_set_new(query, "parentId", json_string(parent));
    return call_and_print(c, arena_printf(c->arena, "/api/companies/%s/issues", c->company_id), query);
}

/* workspace: closing and cleaning up workspaces, which are more than one plain call. */
#include "base/json.h"
#include "cli/api.h"
#include "cli/call.h"
#include "cli/print.h"

#include <stdio.h>
#include <string.h>

int cmd_workspace_close(struct cli *c)
{
    enum cli_end end;
    const char *path = call_path(c, &end);
    if (path == NULL) return cli_exit_code(end);
    if (c->value[OPT_force]) path = arena_printf(c->arena, "%s?force=true", path);
    return call_and_print(c, path, json_pack("{s:s}", "status", "archived"));
}

int cmd_workspace_finalize(struct cli *c)
{
    enum cli_end end;
    const char *path = call_path(c, &end);
    json_t *body = path ? call_body(c, &end) : NULL;
    if (body == NULL) return cli_exit_code(end);
    if (json_object_get(body, "outcome") == NULL)
        json_object_set_new(body, "outcome", json_string("accept_local_state"));
    if (json_str(body, "reason") == NULL) return usage_error("say why the workspace is good as it is: --reason \"…\"");
    return call_and_print(c, path, body);
}

static void tell(const json_t *o)
{
    const char *path = json_str(o, "path"), *reason = json_str(o, "reason");
    const char *what = path ? path : json_str(o, "branch") ? json_str(o, "branch") : json_str(o, "repoRoot");
    const char *fate = json_bool(o, "removed", false)     ? "removed"
                       : json_bool(o, "removable", false) ? "can go"
                                                          : "stays";
    printf("%-8s %-9s %s%s%s\n", fate, json_str(o, "kind"), what, reason ? "  " : "", reason ? reason : "");
}

int cmd_workspace_gc(struct cli *c)
{
    enum cli_end end;
    json_t *body = json_pack("{s:b, s:b}", "apply", c->value[OPT_apply] != NULL, "force", c->value[OPT_force] != NULL),
           *o;
    const char *path = call_path(c, &end);
    size_t i;
    int can = 0;
    if (path == NULL) return cli_exit_code(end);
    if (!c->wide || c->value[OPT_json]) return call_and_print(c, path, body);
    json_t *answer = api_call(c, "POST", path, body, &end);
    if (answer == NULL) return cli_exit_code(end);
    json_array_foreach (json_object_get(answer, "orphans"), i, o) {
        tell(o);
        can += json_bool(o, "removable", false) && !json_bool(o, "removed", false);
    }
    if (i == 0) printf("Nothing is left over.\n");
    if (can > 0) printf("\n%d can go: bulldog workspace gc --apply\n", can);
    return cli_exit_code(END_OK);
}

/* remove: commands that cannot be undone ask, or want to be told twice. */
#include "base/json.h"
#include "cli/api.h"
#include "cli/call.h"
#include "cli/resolve.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* --yes, or a yes typed on a terminal. */
static bool sure(struct cli *c, const char *what)
{
    if (c->value[OPT_yes]) return true;
    if (!isatty(STDIN_FILENO)) {
        usage_error("say --yes to delete %s", what);
        return false;
    }
    char line[16];
    fprintf(stderr, "Delete %s for good? [y/N] ", what);
    return fgets(line, sizeof line, stdin) && (*line == 'y' || *line == 'Y');
}

int cmd_delete(struct cli *c)
{
    enum cli_end end;
    if (!sure(c, arena_printf(c->arena, "%s %s", c->command->noun, c->args[0]))) return cli_exit_code(END_USAGE);
    const char *path = call_path(c, &end);
    return path ? call_and_print(c, path, NULL) : cli_exit_code(end);
}

/* The company's id or prefix has to be given a second time, as a person reads it. */
int cmd_company_delete(struct cli *c)
{
    enum cli_end end;
    const char *by = c->value[OPT_by], *confirm = c->value[OPT_confirm];
    if (by && strcmp(by, "id") != 0 && strcmp(by, "prefix") != 0)
        return usage_error("--by: id or prefix, not \"%s\"", by);
    const char *id = resolve_company_named(c, c->args[0], &end);
    if (id == NULL) return cli_exit_code(end);
    const char *path = arena_printf(c->arena, "/api/companies/%s", api_encode(c->arena, id));
    json_t *company = api_call(c, "GET", path, NULL, &end);
    if (company == NULL) return cli_exit_code(end);
    const char *prefix = json_str(company, "issuePrefix"), *name = json_str(company, "name");
    if (by && strcasecmp(c->args[0], strcmp(by, "id") == 0 ? id : prefix) != 0)
        return usage_error("\"%s\" is not the %s of a company", c->args[0], by);
    if (confirm == NULL || (strcasecmp(confirm, id) != 0 && strcasecmp(confirm, prefix) != 0))
        return usage_error("this deletes the company %s with everything in it: confirm with --confirm %s", name,
                           prefix);
    if (!sure(c, arena_printf(c->arena, "the company %s", name))) return cli_exit_code(END_USAGE);
    return call_and_print(c, path, NULL);
}

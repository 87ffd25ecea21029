/* org: the tree of agents, drawn. */
#include "base/buf.h"
#include "base/json.h"
#include "cli/api.h"
#include "cli/call.h"
#include "cli/print.h"

#include <string.h>

enum { DEPTH_MAX = 50 };

static void branch(struct cli *c, struct buf *out, const json_t *list, const char *indent, int depth)
{
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && depth < DEPTH_MAX; i++) {
        const json_t *agent = json_array_get(list, i);
        const char *status = json_str(agent, "status"), *tint = c->colour ? status_colour(status) : "";
        const char *knot = depth == 0 ? "" : i + 1 < count ? "├─ " : "└─ ";
        buf_printf(out, "%s%s%s (%s) %s%s%s\n", indent, knot,
                   print_cell(c->arena, json_object_get(agent, "name"), PRINT_CELL_MAX),
                   print_cell(c->arena, json_object_get(agent, "role"), 30), tint, status ? status : "-",
                   *tint ? "\x1b[0m" : "");
        const char *below = depth == 0 ? "" : i + 1 < count ? "│  " : "   ";
        branch(c, out, json_object_get(agent, "reports"), arena_printf(c->arena, "%s%s", indent, below), depth + 1);
    }
}

int cmd_org(struct cli *c)
{
    enum cli_end end;
    struct buf out BUF_AUTO = {0};
    const char *path = call_path(c, &end);
    json_t *tree = path ? api_call(c, "GET", path, NULL, &end) : NULL;
    if (tree == NULL) return cli_exit_code(end);
    if (c->value[OPT_json]) print_json(&out, tree);
    else if (json_array_size(tree) == 0) buf_puts(&out, "(empty)\n");
    else branch(c, &out, tree, "", 0);
    return print_out(&out) ? 0 : 1;
}

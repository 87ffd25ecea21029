/* why: the server's explanation of an issue, as sentences (EX-2). */
#include "base/buf.h"
#include "base/json.h"
#include "cli/api.h"
#include "cli/call.h"
#include "cli/print.h"

static const char *field(const json_t *j, const char *key)
{
    const char *text = json_str(j, key);
    return text ? text : "-";
}

/* "waiting (human_owner), since 3m ago" */
static void headline(struct cli *c, struct buf *out, const json_t *j)
{
    instant_t since;
    buf_printf(out, "%s (%s)", field(j, "state"), field(j, "reason"));
    if (json_str(j, "since") && instant_parse(json_str(j, "since"), &since))
        buf_printf(out, ", since %s", print_age(c->arena, since, clock_now()));
    buf_puts(out, "\n");
}

static void evidence(struct cli *c, struct buf *out, const json_t *facts)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)facts, key, value) {
        if (json_is_null(value)) continue;
        buf_printf(out, "  %s: %s\n", key, print_cell(c->arena, value, PRINT_CELL_MAX));
    }
}

static void issue_text(struct cli *c, struct buf *out, const json_t *j)
{
    const json_t *chain = json_object_get(j, "chain");
    buf_printf(out, "%s: ", field(j, "identifier"));
    headline(c, out, j);
    buf_printf(out, "%s\n", field(j, "sentence"));
    for (size_t i = 0; i < json_array_size(chain); i++) {
        const json_t *link = json_array_get(chain, i);
        buf_printf(out, "%*s-> %s %s: ", (int)(2 * i + 2), "", field(link, "identifier"),
                   print_cell(c->arena, json_object_get(link, "title"), 40));
        headline(c, out, link);
    }
    buf_puts(out, "evidence:\n");
    evidence(c, out, json_object_get(j, "evidence"));
}

static void company_text(struct cli *c, struct buf *out, const json_t *j)
{
    const json_t *groups = json_object_get(j, "groups");
    for (size_t g = 0; g < json_array_size(groups); g++) {
        const json_t *group = json_array_get(groups, g), *issues = json_object_get(group, "issues");
        buf_printf(out, "%s (%s): %zu\n", field(group, "state"), field(group, "reason"), json_array_size(issues));
        for (size_t i = 0; i < json_array_size(issues); i++) {
            const json_t *issue = json_array_get(issues, i);
            buf_printf(out, "  %s %s\n    %s\n", field(issue, "identifier"),
                       print_cell(c->arena, json_object_get(issue, "title"), PRINT_CELL_MAX), field(issue, "sentence"));
        }
    }
    if (json_array_size(groups) == 0) buf_puts(out, "(none)\n");
    if (json_bool(j, "more", false))
        buf_printf(out, "%lld of %lld looked at; --offset shows more\n", (long long)json_int(j, "examined", 0),
                   (long long)json_int(j, "total", 0));
}

static int explain(struct cli *c, void (*text)(struct cli *c, struct buf *out, const json_t *j))
{
    enum cli_end end;
    struct buf out BUF_AUTO = {0};
    const char *path = call_path(c, &end);
    json_t *query = path ? call_body(c, &end) : NULL;
    json_t *answer = query ? api_call(c, "GET", call_query(c, path, query), NULL, &end) : NULL;
    if (answer == NULL) return cli_exit_code(end);
    if (c->value[OPT_json]) print_json(&out, answer);
    else text(c, &out, answer);
    return print_out(&out) ? 0 : 1;
}

int cmd_why(struct cli *c) { return explain(c, issue_text); }
int cmd_company_explain(struct cli *c) { return explain(c, company_text); }

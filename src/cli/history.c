/* history: what the engine decided about an issue, one line a decision, in order. */
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

static void entry_text(struct cli *c, struct buf *out, const json_t *e)
{
    const char *run = json_str(e, "runId");
    int64_t count = json_int(e, "count", 1);
    instant_t last;
    buf_printf(out, "%s  %-9s  %s", field(e, "at"), field(e, "decision"), field(e, "reason"));
    if (json_str(e, "agentName")) buf_printf(out, "  %s", json_str(e, "agentName"));
    if (run) buf_printf(out, "  run %.8s", run + (strlen(run) > 8 ? strlen(run) - 8 : 0));
    if (count > 1 && json_str(e, "lastAt") && instant_parse(json_str(e, "lastAt"), &last))
        buf_printf(out, "  (%lld times, last %s)", (long long)count, print_age(c->arena, last, clock_now()));
    buf_puts(out, "\n");
}

int cmd_issue_history(struct cli *c)
{
    enum cli_end end;
    struct buf out BUF_AUTO = {0};
    const char *path = call_path(c, &end);
    json_t *query = path ? call_body(c, &end) : NULL;
    json_t *answer = query ? api_call(c, "GET", call_query(c, path, query), NULL, &end) : NULL;
    if (answer == NULL) return cli_exit_code(end);
    if (c->value[OPT_json]) {
        print_json(&out, answer);
        return print_out(&out) ? 0 : 1;
    }
    const json_t *entries = json_object_get(answer, "entries");
    if (json_bool(answer, "more", false)) buf_puts(&out, "... earlier decisions are left out; --limit shows more\n");
    for (size_t i = 0; i < json_array_size(entries); i++) entry_text(c, &out, json_array_get(entries, i));
    if (json_array_size(entries) == 0) buf_puts(&out, "(none)\n");
    return print_out(&out) ? 0 : 1;
}

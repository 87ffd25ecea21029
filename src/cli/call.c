/* call: the general handler; most commands are a row in the table and this. */
#include "cli/call.h"

#include "base/buf.h"
#include "base/json.h"
#include "cli/api.h"
#include "cli/print.h"
#include "cli/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STDIN_BYTES_MAX = 8 << 20 };

const char *call_stdin(struct cli *c)
{
    struct buf text BUF_AUTO = {0};
    char part[65536];
    size_t n;
    while ((n = fread(part, 1, sizeof part, stdin)) > 0) {
        buf_append(&text, part, n);
        if (text.len > STDIN_BYTES_MAX) return NULL;
    }
    return buf_finish(&text, c->arena);
}

/* The value of a place: {C}, {company}, {agent}, {project}, {goal}, {id}. */
static const char *fill_place(struct cli *c, const char *place, enum cli_end *end)
{
    if (strcmp(place, "C") == 0) return resolve_company(c, end);
    const char *typed = c->args_used < c->args_count ? c->args[c->args_used++] : NULL;
    if (strcmp(place, "company") == 0) return typed ? resolve_company_named(c, typed, end) : resolve_company(c, end);
    if (typed == NULL || *typed == 0) {
        *end = END_USAGE;
        fprintf(stderr, "bulldog: an argument is empty: %s\n", c->command->args);
        return NULL;
    }
    if (strcmp(place, "agent") == 0) return resolve_agent(c, typed, end);
    if (strcmp(place, "project") == 0) return resolve_project(c, typed, end);
    if (strcmp(place, "goal") == 0) return resolve_goal(c, typed, end);
    return typed;
}

const char *call_path(struct cli *c, enum cli_end *end)
{
    struct buf path BUF_AUTO = {0};
    *end = END_OK;
    for (const char *p = c->command->path; *p; p++) {
        if (*p != '{') {
            buf_putc(&path, *p);
            continue;
        }
        size_t len = strcspn(p + 1, "}");
        const char *value = fill_place(c, arena_strndup(c->arena, p + 1, len), end);
        if (value == NULL) return NULL;
        buf_puts(&path, api_encode(c->arena, value));
        p += len + 1;
    }
    return buf_finish(&path, c->arena);
}

static json_t *words(struct cli *c, const char *typed)
{
    json_t *list = json_array();
    char *save = NULL;
    for (char *w = strtok_r(arena_strdup(c->arena, typed), ", ", &save); w; w = strtok_r(NULL, ", ", &save))
        json_array_append_new(list, json_string(w));
    return list;
}

static json_t *issue_ids(struct cli *c, const char *typed, enum cli_end *end)
{
    json_t *list = json_array(), *refs = words(c, typed);
    for (size_t i = 0; i < json_array_size(refs); i++) {
        const char *id = resolve_issue(c, json_string_value(json_array_get(refs, i)), end);
        if (id == NULL) return NULL;
        json_array_append_new(list, json_string(id));
    }
    return list;
}

static json_t *bad_value(struct cli *c, enum option_id option, const char *want, enum cli_end *end)
{
    usage_error("--%s: %s", option_label(c->arena, option), want);
    *end = END_USAGE;
    return NULL;
}

/* An option's value as JSON, ready for the wire; NULL on failure. */
static json_t *option_value(struct cli *c, enum option_id option, enum cli_end *end)
{
    const struct option_info *o = &OPTIONS[option];
    const char *typed = c->value[option], *id = NULL;
    json_t *parsed = NULL;
    char *rest;
    switch (o->kind) {
    case OPTION_FLAG: return json_true();
    case OPTION_INT:
        errno = 0;
        long long number = strtoll(typed, &rest, 10);
        if (errno || rest == typed || *rest) return bad_value(c, option, "a whole number is needed", end);
        return json_integer(number);
    case OPTION_JSON:
        if (json_parse(c->arena, typed, strlen(typed), &parsed)) return bad_value(c, option, "this is no JSON", end);
        return parsed;
    case OPTION_WORDS: return words(c, typed);
    case OPTION_ISSUES: return issue_ids(c, typed, end);
    case OPTION_PROSE:
        if (strcmp(typed, "-") == 0) typed = call_stdin(c);
        if (typed == NULL) return bad_value(c, option, "standard input is too long", end);
        break;
    case OPTION_AGENT: id = strcmp(typed, "null") == 0 ? "" : resolve_agent(c, typed, end); break;
    case OPTION_ISSUE: id = strcmp(typed, "null") == 0 ? "" : resolve_issue(c, typed, end); break;
    case OPTION_PROJECT: id = strcmp(typed, "null") == 0 ? "" : resolve_project(c, typed, end); break;
    case OPTION_GOAL: id = strcmp(typed, "null") == 0 ? "" : resolve_goal(c, typed, end); break;
    case OPTION_LOCAL:
    case OPTION_TEXT: break;
    }
    if (o->kind >= OPTION_AGENT) {
        if (id == NULL) return NULL;
        return *id ? json_string(id) : json_null();
    }
    json_t *text = json_string(typed);
    return text ? text : bad_value(c, option, "this is not valid UTF-8", end);
}

json_t *call_body(struct cli *c, enum cli_end *end)
{
    json_t *body = json_object();
    const char *payload = c->value[OPT_payload_json];
    *end = END_OK;
    if (payload) {
        if (strcmp(payload, "-") == 0) payload = call_stdin(c);
        if (payload == NULL || json_parse(c->arena, payload, strlen(payload), &body))
            return bad_value(c, OPT_payload_json, "this is no JSON", end);
    }
    for (int i = 0; i < OPT_COUNT; i++) {
        if (c->value[i] == NULL || OPTIONS[i].wire == NULL) continue;
        json_t *value = option_value(c, (enum option_id)i, end);
        if (value == NULL) return NULL;
        if (!json_is_object(body))
            return bad_value(c, OPT_payload_json, "an object is needed beside other options", end);
        json_object_set_new(body, OPTIONS[i].wire, value);
    }
    return body;
}

const char *call_query(struct cli *c, const char *path, const json_t *values)
{
    struct arena *a = c->arena;
    struct buf url BUF_AUTO = {0};
    buf_puts(&url, path);
    char mark = '?';
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)values, key, value) {
        const char *text = json_is_string(value) ? json_string_value(value) : json_text(a, value);
        buf_printf(&url, "%c%s=%s", mark, key, api_encode(a, text));
        mark = '&';
    }
    return buf_finish(&url, a);
}

/* Names of agents are fetched only for a table that shows them. */
static bool shows_agents(const struct cli *c, const json_t *answer)
{
    return c->wide && !c->value[OPT_json] && c->command->columns && strchr(c->command->columns, '@') &&
           json_array_size(answer);
}

int call_and_print(struct cli *c, const char *path, const json_t *body)
{
    enum cli_end end;
    const char *method = c->command->method;
    bool queries = strcmp(method, "GET") == 0 || strcmp(method, "DELETE") == 0;
    if (queries && body) path = call_query(c, path, body);
    json_t *answer = api_call(c, method, path, queries ? NULL : body, &end);
    if (answer == NULL) return cli_exit_code(end);
    print_answer(c, answer, shows_agents(c, answer) ? resolve_agent_names(c) : NULL);
    return 0;
}

int cmd_call(struct cli *c)
{
    enum cli_end end;
    const char *path = call_path(c, &end);
    json_t *body = path ? call_body(c, &end) : NULL;
    return body ? call_and_print(c, path, body) : cli_exit_code(end);
}

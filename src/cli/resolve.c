/* resolve: references to ids. An id is taken as it is and costs no request. */
#include "cli/resolve.h"

#include "base/id.h"
#include "base/json.h"
#include "cli/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The items of `list` one of whose `fields` is what was typed. The first field
 * that gives a match decides; more than one match is an error. */
static const char *pick(struct cli *c, const char *kind, const json_t *list, const char *const fields[],
                        const char *typed, enum cli_end *end)
{
    for (; *fields; fields++) {
        const char *id = NULL;
        int matches = 0;
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *item = json_array_get(list, i);
            const char *value = json_str(item, *fields), *status = json_str(item, "status");
            if (value == NULL || strcasecmp(value, typed) != 0) continue;
            if (status && strcmp(status, "terminated") == 0 && matches) continue;
            matches++;
            id = json_str(item, "id");
        }
        if (matches == 1) return id;
        if (matches > 1) {
            fprintf(stderr, "bulldog: %d %ss have the %s \"%s\": use the id\n", matches, kind, *fields, typed);
            *end = END_USAGE;
            return NULL;
        }
    }
    fprintf(stderr, "bulldog: no %s \"%s\": see bulldog %s list\n", kind, typed, kind);
    *end = END_NOT_FOUND;
    (void)c;
    return NULL;
}

const char *resolve_company_named(struct cli *c, const char *typed, enum cli_end *end)
{
    *end = END_OK;
    if (id_valid(typed)) return typed;
    json_t *list = api_call(c, "GET", "/api/companies", NULL, end);
    if (list == NULL) return NULL;
    return pick(c, "company", list, (const char *const[]){"issuePrefix", "name", NULL}, typed, end);
}

const char *resolve_company(struct cli *c, enum cli_end *end)
{
    *end = END_OK;
    if (c->company_id) return c->company_id;
    const char *typed = c->value[OPT_company_id];
    if (typed == NULL) typed = getenv("BULLDOG_COMPANY_ID");
    if (typed == NULL || *typed == 0) typed = getenv("PAPERCLIP_COMPANY_ID");
    if (typed && *typed) return c->company_id = resolve_company_named(c, typed, end);

    json_t *list = api_call(c, "GET", "/api/companies", NULL, end);
    if (list == NULL) return NULL;
    const char *only = NULL;
    int open = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *status = json_str(item, "status");
        if (status && strcmp(status, "archived") == 0) continue;
        open++;
        only = json_str(item, "id");
    }
    if (open == 1) return c->company_id = only;
    fprintf(
        stderr,
        open ? "bulldog: which of the %d companies? Name one with -C: its id, prefix or name (bulldog company list)\n"
             : "bulldog: there is no company yet (%d): bulldog company create --name NAME, or bulldog demo\n",
        open);
    *end = END_USAGE;
    return NULL;
}

/* One of the company's objects, listed at /api/companies/{C}/what. */
static const char *of_company(struct cli *c, const char *kind, const char *what, const char *const fields[],
                              const char *typed, enum cli_end *end)
{
    *end = END_OK;
    if (id_valid(typed)) return typed;
    const char *company = resolve_company(c, end);
    if (company == NULL) return NULL;
    json_t *list = api_call(c, "GET", arena_printf(c->arena, "/api/companies/%s/%s", company, what), NULL, end);
    return list ? pick(c, kind, list, fields, typed, end) : NULL;
}

const char *resolve_agent(struct cli *c, const char *typed, enum cli_end *end)
{
    return of_company(c, "agent", "agents", (const char *const[]){"urlKey", "name", NULL}, typed, end);
}

const char *resolve_project(struct cli *c, const char *typed, enum cli_end *end)
{
    return of_company(c, "project", "projects", (const char *const[]){"urlKey", "name", NULL}, typed, end);
}

const char *resolve_goal(struct cli *c, const char *typed, enum cli_end *end)
{
    return of_company(c, "goal", "goals", (const char *const[]){"title", NULL}, typed, end);
}

const char *resolve_issue(struct cli *c, const char *typed, enum cli_end *end)
{
    *end = END_OK;
    if (id_valid(typed)) return typed;
    const char *path = arena_printf(c->arena, "/api/issues/%s", api_encode(c->arena, typed));
    json_t *issue = api_call(c, "GET", path, NULL, end);
    return issue ? json_str(issue, "id") : NULL;
}

json_t *resolve_agent_names(struct cli *c)
{
    json_t *names = json_object();
    if (c->company_id == NULL) return names;
    const char *path = arena_printf(c->arena, "/api/companies/%s/agents", c->company_id);
    struct api_answer got = api_request(c, "GET", path, NULL);
    if (got.status != 200) return names; /* ids will do */
    for (size_t i = 0; i < json_array_size(got.json); i++) {
        const json_t *agent = json_array_get(got.json, i);
        const char *id = json_str(agent, "id"), *name = json_str(agent, "name");
        if (id && name) json_object_set_new(names, id, json_string(name));
    }
    return names;
}

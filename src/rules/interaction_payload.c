/*
 * interaction_payload: what each kind's payload may hold, as tables, and what
 * must hold between its parts.
 */
#include "base/text.h"
#include "rules/interaction.h"

/* ---- the shape as stored ---- */

/* A member: its value when absent (JSON text, NULL: stays absent), and the shape of its items or of itself. */
struct member {
    const char *name, *dflt;
    const struct member *inside;
};

static const struct member task[] = {{"clientKey"},      {"parentClientKey"}, {"parentId"}, {"title"},
                                     {"description"},    {"priority"},        {"workMode"}, {"assigneeAgentId"},
                                     {"assigneeUserId"}, {"projectId"},       {"goalId"},   {"billingCode"},
                                     {"labels"},         {"hiddenInPreview"}, {NULL}};
static const struct member tasks[] = {{"version", "1"}, {"defaultParentId"}, {"tasks", NULL, task}, {NULL}};

static const struct member choice[] = {{"id"}, {"label"}, {"description"}, {"freeText"}, {NULL}};
static const struct member question[] = {
    {"id"}, {"prompt"}, {"helpText"}, {"selectionMode"}, {"required"}, {"options", NULL, choice}, {NULL}};
static const struct member questions[] = {{"version", "1"},
                                          {"title"},
                                          {"submitLabel"},
                                          {"supersedeOnUserComment", "true"},
                                          {"questions", NULL, question},
                                          {NULL}};

static const struct member target[] = {{"type"},           {"issueId"}, {"documentId"}, {"key"}, {"revisionId"},
                                       {"revisionNumber"}, {"label"},   {"href"},       {NULL}};
static const struct member option[] = {{"id"}, {"label"}, {"description"}, {NULL}};
/* clang-format off */
#define CONFIRMATION                                                                                          \
    {"version", "1"}, {"prompt"}, {"acceptLabel"}, {"rejectLabel"}, {"rejectRequiresReason"},        \
    {"rejectReasonLabel"}, {"allowDeclineReason", "true"}, {"declineReasonPlaceholder"}, {"detailsMarkdown"}, \
    {"supersedeOnUserComment", "true"}, {"target", NULL, target}
static const struct member confirmation[] = {CONFIRMATION, {NULL}};
static const struct member checkbox[] = {CONFIRMATION, {"options", NULL, option}, {"defaultSelectedOptionIds", "[]"},
                                         {"minSelected", "0"}, {"maxSelected"}, {NULL}};
static const struct member item[] = {{"id"}, {"label"}, {"description"}, {"previewMarkdown"}, {"href"}, {"attachmentId"}, {NULL}};
static const struct member verdicts[] = {{"version", "1"}, {"prompt"}, {"items", NULL, item},
                                         {"verdicts", "[\"approve\",\"reject\"]"}, {"requireReasonOn", "[\"reject\"]"},
                                         {"reasonLabel"}, {"allowBulkApprove", "true"}, {"supersedeOnUserComment", "true"},
                                         {"target", NULL, target}, {NULL}};
/* clang-format on */

static const struct member *const shapes[INTERACTION_KINDS] = {[INTERACTION_TASKS] = tasks,
                                                               [INTERACTION_QUESTIONS] = questions,
                                                               [INTERACTION_CONFIRMATION] = confirmation,
                                                               [INTERACTION_CHECKBOX] = checkbox,
                                                               [INTERACTION_VERDICTS] = verdicts};

static json_t *shaped(const struct member *m, const json_t *given)
{
    json_t *out = json_object();
    for (; m->name; m++) {
        json_t *v = json_object_get(given, m->name), *x;
        size_t i;
        if (v == NULL) {
            if (m->dflt) json_object_set_new(out, m->name, json_loads(m->dflt, JSON_DECODE_ANY, NULL));
        } else if (m->inside && json_is_object(v)) {
            json_object_set_new(out, m->name, shaped(m->inside, v));
        } else if (m->inside && json_is_array(v)) {
            json_t *list = json_array();
            json_array_foreach (v, i, x) json_array_append_new(list, shaped(m->inside, x));
            json_object_set_new(out, m->name, list);
        } else {
            json_object_set(out, m->name, v);
        }
    }
    return out;
}

json_t *interaction_payload(enum interaction_kind k, const json_t *given) { return shaped(shapes[k], given); }

bool interaction_superseded_by_comment(enum interaction_kind k, const json_t *payload)
{
    return k != INTERACTION_TASKS && json_bool(payload, "supersedeOnUserComment", true);
}

json_t *interaction_document_target(const json_t *payload)
{
    json_t *t = json_object_get(payload, "target");
    return text_is(json_str(t, "type"), "issue_document") ? t : NULL;
}

/* ---- what must hold between the parts ---- */

static void problem(json_t *problems, const char *message, json_t *path)
{
    json_array_insert_new(path, 0, json_string("payload"));
    json_array_append_new(problems, json_pack("{s:s, s:s, s:o}", "code", "custom", "message", message, "path", path));
}

/* The index of the first object whose member `key` is `value`, or -1. */
static int find(const json_t *list, const char *key, const char *value)
{
    json_t *x;
    size_t i;
    json_array_foreach (list, i, x)
        if (text_is(json_str(x, key), value)) return (int)i;
    return -1;
}

static void check_unique(const json_t *list, const char *name, const char *key, json_t *problems)
{
    json_t *x;
    size_t i;
    json_array_foreach (list, i, x)
        if (find(list, key, json_str(x, key)) != (int)i)
            problem(problems, "Ids must be unique", json_pack("[s, i, s]", name, (int)i, key));
}

/* Does the chain of parents from task `i` come back to it? */
static bool circular(const json_t *list, int i)
{
    int at = i;
    for (size_t steps = 0; steps <= json_array_size(list); steps++) {
        const char *parent = json_str(json_array_get(list, (size_t)at), "parentClientKey");
        at = parent ? find(list, "clientKey", parent) : -1;
        if (at < 0) return false;
        if (at == i) return true;
    }
    return true;
}

static void check_tasks(const json_t *payload, json_t *problems)
{
    const json_t *list = json_object_get(payload, "tasks");
    json_t *t;
    size_t i;
    check_unique(list, "tasks", "clientKey", problems);
    json_array_foreach (list, i, t) {
        const char *parent = json_str(t, "parentClientKey");
        json_t *path = json_pack("[s, i, s]", "tasks", (int)i, "parentClientKey");
        if (parent && find(list, "clientKey", parent) < 0)
            problem(problems, "parentClientKey names no task of this suggestion", path);
        else if (parent && circular(list, (int)i)) problem(problems, "parentClientKey forms a circle", path);
        if (json_str(t, "assigneeAgentId") && json_str(t, "assigneeUserId"))
            problem(problems, "A task can only have one assignee",
                    json_pack("[s, i, s]", "tasks", (int)i, "assigneeUserId"));
    }
}

static void check_questions(const json_t *payload, json_t *problems)
{
    const json_t *list = json_object_get(payload, "questions");
    json_t *q, *o;
    size_t i, n;
    check_unique(list, "questions", "id", problems);
    json_array_foreach (list, i, q) {
        int free_texts = 0;
        const json_t *options = json_object_get(q, "options");
        json_array_foreach (options, n, o) {
            if (find(options, "id", json_str(o, "id")) != (int)n)
                problem(problems, "Option ids must be unique",
                        json_pack("[s, i, s, i, s]", "questions", (int)i, "options", (int)n, "id"));
            free_texts += json_bool(o, "freeText", false);
        }
        if (free_texts > 1)
            problem(problems, "At most one option may take free text",
                    json_pack("[s, i, s]", "questions", (int)i, "options"));
    }
}

static void check_checkbox(const json_t *payload, json_t *problems)
{
    const json_t *options = json_object_get(payload, "options"),
                 *chosen = json_object_get(payload, "defaultSelectedOptionIds");
    int64_t min = json_int(payload, "minSelected", 0), max = json_int(payload, "maxSelected", INT64_MAX);
    json_t *id;
    size_t i;
    check_unique(options, "options", "id", problems);
    json_array_foreach (chosen, i, id)
        if (find(options, "id", json_string_value(id)) < 0)
            problem(problems, "Unknown option", json_pack("[s, i]", "defaultSelectedOptionIds", (int)i));
    if (min > max) problem(problems, "minSelected is more than maxSelected", json_pack("[s]", "minSelected"));
    if (min > (int64_t)json_array_size(options))
        problem(problems, "minSelected is more than there are options", json_pack("[s]", "minSelected"));
}

static void check_verdicts(const json_t *payload, json_t *problems)
{
    const json_t *known = json_object_get(payload, "verdicts");
    json_t *v, *k;
    size_t i, n;
    check_unique(json_object_get(payload, "items"), "items", "id", problems);
    json_array_foreach (json_object_get(payload, "requireReasonOn"), i, v) {
        bool found = false;
        json_array_foreach (known, n, k) found |= json_equal(v, k);
        if (!found) problem(problems, "Not among the verdicts", json_pack("[s, i]", "requireReasonOn", (int)i));
    }
}

/* A link leads into the board or to the web, never to a script. */
static void check_href(const json_t *owner, json_t *path, json_t *problems)
{
    const char *href = json_str(owner, "href");
    if (href == NULL) return;
    bool local = (*href == '/' && href[1] != '/' && href[1] != '\\') || *href == '#';
    if (local || strncmp(href, "https://", 8) == 0 || strncmp(href, "http://", 7) == 0) return;
    problem(problems, "href must be root-relative, a #fragment or http(s)", path);
}

void interaction_payload_check(enum interaction_kind k, const json_t *payload, json_t *problems)
{
    json_t *x;
    size_t i;
    if (k == INTERACTION_TASKS) check_tasks(payload, problems);
    if (k == INTERACTION_QUESTIONS) check_questions(payload, problems);
    if (k == INTERACTION_CHECKBOX) check_checkbox(payload, problems);
    if (k == INTERACTION_VERDICTS) check_verdicts(payload, problems);
    check_href(json_object_get(payload, "target"), json_pack("[s, s]", "target", "href"), problems);
    json_array_foreach (json_object_get(payload, "items"), i, x)
        check_href(x, json_pack("[s, i, s]", "items", (int)i, "href"), problems);
}

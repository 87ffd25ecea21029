/* interaction_answer: what an answer makes of an interaction. */
#include "base/text.h"
#include "rules/interaction.h"

static struct interaction_answer refused(const char *sentence)
{
    return (struct interaction_answer){.error = sentence};
}

static struct interaction_answer resolved(const char *status, json_t *result)
{
    return (struct interaction_answer){.status = status, .result = result};
}

static const json_t *find(const json_t *list, const char *key, const char *value)
{
    json_t *x;
    size_t i;
    json_array_foreach (list, i, x)
        if (text_is(json_str(x, key), value)) return x;
    return NULL;
}

static bool among(const json_t *strings, const char *value)
{
    json_t *x;
    size_t i;
    json_array_foreach (strings, i, x)
        if (text_is(json_string_value(x), value)) return true;
    return false;
}

/* The reason worth keeping: not blank. */
static const char *reason_of(const char *reason) { return reason && reason[strspn(reason, " \t\r\n")] ? reason : NULL; }

static json_t *outcome(const char *name, const char *reason)
{
    json_t *r = json_pack("{s:i, s:s}", "version", 1, "outcome", name);
    if (reason_of(reason)) json_object_set_new(r, "reason", json_string(reason));
    return r;
}

/* ---- suggested tasks ---- */

/* Appends the chosen tasks below `parent` (NULL: those without one), each before its own children. */
static void in_order(const json_t *tasks, const json_t *chosen, const char *parent, json_t *out)
{
    json_t *t;
    size_t i;
    json_array_foreach (tasks, i, t) {
        const char *key = json_str(t, "clientKey");
        if (!text_same(json_str(t, "parentClientKey"), parent) || (chosen && !among(chosen, key))) continue;
        json_array_append(out, t);
        in_order(tasks, chosen, key, out);
    }
}

static struct interaction_answer accept_tasks(struct arena *a, const json_t *payload, const json_t *body)
{
    const json_t *tasks = json_object_get(payload, "tasks"), *chosen = json_object_get(body, "selectedClientKeys");
    struct interaction_answer out = {.status = "accepted", .tasks = json_array(), .skipped = json_array()};
    json_t *x;
    size_t i;
    if (!json_is_array(chosen)) chosen = NULL;
    json_array_foreach (chosen, i, x)
        if (find(tasks, "clientKey", json_string_value(x)) == NULL)
            return refused(arena_printf(a, "Unknown task clientKey: %s", json_string_value(x)));
    json_array_foreach (tasks, i, x) {
        const char *key = json_str(x, "clientKey"), *parent = json_str(x, "parentClientKey");
        if (chosen && !among(chosen, key)) json_array_append_new(out.skipped, json_string(key));
        else if (chosen && parent && !among(chosen, parent))
            return refused(arena_printf(a, "Task %s needs its parent %s to be selected too", key, parent));
    }
    in_order(tasks, chosen, NULL, out.tasks);
    out.result = json_pack("{s:i, s:[]}", "version", 1, "createdTasks");
    if (json_array_size(out.skipped)) json_object_set(out.result, "skippedClientKeys", out.skipped);
    return out;
}

/* ---- confirmations ---- */

static struct interaction_answer accept_options(struct arena *a, const json_t *payload, const json_t *body)
{
    json_t *chosen = json_object_get(body, "selectedOptionIds"), *kept = json_array(), *x;
    const json_t *options = json_object_get(payload, "options");
    int64_t min = json_int(payload, "minSelected", 0), max = json_int(payload, "maxSelected", INT64_MAX);
    size_t i;
    if (!json_is_array(chosen)) chosen = json_object_get(payload, "defaultSelectedOptionIds");
    json_array_foreach (chosen, i, x) {
        const char *id = json_string_value(x);
        if (find(options, "id", id) == NULL) return refused(arena_printf(a, "Unknown option: %s", id));
        if (!among(kept, id)) json_array_append(kept, x);
    }
    int64_t n = (int64_t)json_array_size(kept);
    if (n < min) return refused(arena_printf(a, "At least %lld option(s) must be selected", (long long)min));
    if (n > max) return refused(arena_printf(a, "At most %lld option(s) may be selected", (long long)max));
    json_t *result = outcome("accepted", json_str(body, "reason"));
    json_object_set_new(result, "selectedOptionIds", kept);
    return resolved("accepted", result);
}

struct interaction_answer interaction_accept(struct arena *a, enum interaction_kind k, const json_t *payload,
                                             const json_t *body)
{
    switch (k) {
    case INTERACTION_TASKS: return accept_tasks(a, payload, body);
    case INTERACTION_CONFIRMATION: return resolved("accepted", outcome("accepted", json_str(body, "reason")));
    case INTERACTION_CHECKBOX: return accept_options(a, payload, body);
    case INTERACTION_QUESTIONS:
    case INTERACTION_VERDICTS:
    case INTERACTION_KINDS: break;
    }
    return refused(arena_printf(a, "Interactions of kind %s cannot be accepted", interaction_kind_name(k)));
}

struct interaction_answer interaction_reject(struct arena *a, enum interaction_kind k, const json_t *payload,
                                             const char *reason)
{
    if (k == INTERACTION_TASKS) {
        json_t *r = json_pack("{s:i, s:s?}", "version", 1, "rejectionReason", reason_of(reason));
        return resolved("rejected", r);
    }
    if (k != INTERACTION_CONFIRMATION && k != INTERACTION_CHECKBOX)
        return refused(arena_printf(a, "Interactions of kind %s cannot be rejected", interaction_kind_name(k)));
    if (json_bool(payload, "rejectRequiresReason", false) && reason_of(reason) == NULL)
        return refused("A reason is required to reject this confirmation");
    return resolved("rejected", outcome("rejected", reason));
}

/* ---- questions ---- */

static const char *check_answer(struct arena *a, const json_t *questions, const json_t *answer)
{
    const char *id = json_str(answer, "questionId"), *other = json_str(answer, "otherText");
    const json_t *q = find(questions, "id", id), *chosen = json_object_get(answer, "optionIds");
    json_t *x;
    size_t i;
    if (q == NULL) return arena_printf(a, "Unknown question: %s", id);
    json_array_foreach (chosen, i, x)
        if (find(json_object_get(q, "options"), "id", json_string_value(x)) == NULL)
            return arena_printf(a, "Unknown option for question %s: %s", id, json_string_value(x));
    bool single = text_is(json_str(q, "selectionMode"), "single");
    if (single && json_array_size(chosen) > 1) return arena_printf(a, "Question %s takes one answer", id);
    bool empty = json_array_size(chosen) == 0 && reason_of(other) == NULL;
    if (empty && json_bool(q, "required", false)) return arena_printf(a, "Question %s must be answered", id);
    return NULL;
}

struct interaction_answer interaction_respond(struct arena *a, const json_t *payload, const json_t *body)
{
    const json_t *questions = json_object_get(payload, "questions"), *answers = json_object_get(body, "answers");
    json_t *x;
    size_t i;
    json_array_foreach (answers, i, x) {
        const char *why = check_answer(a, questions, x);
        if (why) return refused(why);
        if (find(answers, "questionId", json_str(x, "questionId")) != x)
            return refused(arena_printf(a, "Question %s is answered twice", json_str(x, "questionId")));
    }
    json_array_foreach (questions, i, x)
        if (json_bool(x, "required", false) && find(answers, "questionId", json_str(x, "id")) == NULL)
            return refused(arena_printf(a, "Question %s must be answered", json_str(x, "id")));
    struct interaction_answer out =
        resolved("answered", json_pack("{s:i, s:O, s:s?}", "version", 1, "answers", answers, "summaryMarkdown",
                                       json_str(body, "summaryMarkdown")));
    out.answered = (int)json_array_size(answers);
    return out;
}

/* ---- verdicts ---- */

static const char *check_verdict(struct arena *a, const json_t *payload, const json_t *v)
{
    const char *id = json_str(v, "id"), *verdict = json_str(v, "verdict");
    if (find(json_object_get(payload, "items"), "id", id) == NULL) return arena_printf(a, "Unknown item: %s", id);
    if (!among(json_object_get(payload, "verdicts"), verdict))
        return arena_printf(a, "Verdict %s is not offered for item %s", verdict, id);
    if (among(json_object_get(payload, "requireReasonOn"), verdict) && reason_of(json_str(v, "reason")) == NULL)
        return arena_printf(a, "Verdict %s on item %s needs a reason", verdict, id);
    return NULL;
}

static json_t *decided(const json_t *v, const struct interaction_verdict_by *by)
{
    json_t *item = json_pack("{s:s, s:s}", "id", json_str(v, "id"), "verdict", json_str(v, "verdict"));
    if (reason_of(json_str(v, "reason"))) json_object_set(item, "reason", json_object_get(v, "reason"));
    if (by->agent_id) json_object_set_new(item, "resolvedByAgentId", json_string(by->agent_id));
    else json_object_set_new(item, "resolvedByUserId", json_string(by->user_id ? by->user_id : ""));
    if (by->run_id) json_object_set_new(item, "resolvedByRunId", json_string(by->run_id));
    json_object_set_new(item, "resolvedAt", json_string(by->at));
    return item;
}

struct interaction_answer interaction_decide(struct arena *a, const json_t *payload, const json_t *result,
                                             const json_t *verdicts, const struct interaction_verdict_by *by)
{
    json_t *items = json_array(), *newly = json_array(), *v;
    size_t i;
    json_array_extend(items, json_object_get(result, "items"));
    json_array_foreach (verdicts, i, v) {
        const char *why = check_verdict(a, payload, v);
        if (why) return refused(why);
        if (find(items, "id", json_str(v, "id"))) continue; /* what is decided stays so */
        json_array_append_new(items, decided(v, by));
        json_array_append(newly, json_object_get(v, "id"));
    }
    bool complete = json_array_size(items) == json_array_size(json_object_get(payload, "items"));
    struct interaction_answer out =
        resolved(complete ? "answered" : "pending", json_pack("{s:i, s:s, s:b, s:o}", "version", 1, "outcome",
                                                              "resolved", "complete", complete, "items", items));
    out.newly_resolved = newly;
    return out;
}

/* ---- taken back ---- */

struct interaction_answer interaction_withdraw(enum interaction_kind k, const json_t *result, const char *reason)
{
    const char *why = reason_of(reason);
    json_t *extra = why ? json_pack("{s:s}", "reason", why) : NULL,
           *r = interaction_expiry(k, result, "withdrawn", extra);
    json_object_del(r, "expirationReason"); /* it did not expire */
    if (k == INTERACTION_QUESTIONS) json_object_set_new(r, "cancelled", json_true());
    if (k == INTERACTION_QUESTIONS) json_object_set_new(r, "cancellationReason", why ? json_string(why) : json_null());
    return resolved("cancelled", r);
}

struct interaction_answer interaction_cancel(enum interaction_kind k, const char *reason)
{
    if (k != INTERACTION_QUESTIONS) return refused("Only ask_user_questions interactions can be cancelled");
    return resolved("cancelled", json_pack("{s:i, s:[], s:n, s:b, s:s?}", "version", 1, "answers", "summaryMarkdown",
                                           "cancelled", 1, "cancellationReason", reason_of(reason)));
}

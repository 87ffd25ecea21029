/* wake_context: what a run knows about why it was woken. */
#include "model/wake_context.h"

#include <string.h>

static const char *const interaction_keys[] = {
    "interactionId",     "interactionKind", "interactionStatus",    "continuationPolicy",
    "checkboxSelection", "itemVerdicts",    "newlyResolvedItemIds", NULL,
};

static void fill(json_t *o, const char *key, const char *value)
{
    const char *have = json_str(o, key);
    if (value && (have == NULL || *have == 0)) json_object_set_new(o, key, json_string(value));
}

static const char *first_of(const char *a, const char *b) { return a ? a : b; }

static void add_comment(json_t *ids, const char *id)
{
    size_t i;
    json_t *v;
    if (id == NULL) return;
    json_array_foreach (ids, i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), id) == 0) return;
    json_array_append_new(ids, json_string(id));
}

static void add_comments(json_t *ids, const json_t *from)
{
    size_t i;
    json_t *v;
    json_array_foreach (json_object_get(from, "wakeCommentIds"), i, v) add_comment(ids, json_string_value(v));
    add_comment(ids, json_str(from, "wakeCommentId"));
    add_comment(ids, json_str(from, "commentId"));
}

static void set_comments(json_t *context, json_t *ids)
{
    size_t n = json_array_size(ids);
    if (n == 0) return;
    const char *last = json_string_value(json_array_get(ids, n - 1));
    json_object_set(context, "wakeCommentIds", ids);
    json_object_set_new(context, "wakeCommentId", json_string(last));
    json_object_set_new(context, "commentId", json_string(last));
    json_object_del(context, "paperclipWake");
}

static void drop_interaction(json_t *context)
{
    for (const char *const *k = interaction_keys; *k; k++) json_object_del(context, *k);
}

json_t *wake_context_make(const struct wake_request *w)
{
    json_t *c = json_is_object(w->context) ? json_deep_copy(w->context) : json_object(), *ids = json_array();
    const json_t *p = w->payload;
    fill(c, "wakeReason", w->reason);
    const char *issue = first_of(json_str(p, "issueId"), json_str(p, "taskId"));
    fill(c, "issueId", first_of(issue, json_str(c, "taskId")));
    fill(c, "taskId", json_str(c, "issueId"));
    fill(c, "taskKey", first_of(json_str(c, "taskId"), json_str(p, "taskKey")));
    add_comments(ids, c);
    add_comments(ids, p);
    set_comments(c, ids);
    fill(c, "wakeSource", w->source);
    fill(c, "wakeTriggerDetail", w->trigger_detail);
    if (w->force_fresh_session) json_object_set_new(c, "forceFreshSession", json_true());
    const char *profile = json_str(p, "modelProfile");
    if (profile && strcmp(profile, "cheap") == 0) fill(c, "modelProfile", profile);
    const char *mutation = json_str(p, "mutation");
    if (mutation == NULL || strcmp(mutation, "interaction") != 0) drop_interaction(c);
    return c;
}

static void replace(json_t *o, const char *key, const char *ref, const char *id)
{
    const char *have = json_str(o, key);
    if (have && strcmp(have, ref) == 0) json_object_set_new(o, key, json_string(id));
}

void wake_context_canonical(json_t *context, json_t *payload, const char *ref, const struct issue *issue)
{
    static const char *const keys[] = {"issueId", "taskId", "taskKey", NULL};
    for (const char *const *k = keys; *k; k++) {
        replace(context, *k, ref, issue->id);
        replace(payload, *k, ref, issue->id);
    }
    fill(context, "projectId", issue->project_id);
}

json_t *wake_context_merge(const json_t *into, const json_t *incoming)
{
    json_t *out = json_is_object(into) ? json_deep_copy(into) : json_object(), *ids = json_array();
    bool fresh = json_bool(out, "forceFreshSession", false);
    add_comments(ids, out);
    add_comments(ids, incoming);
    if (json_object_get(incoming, "interactionId") == NULL) drop_interaction(out);
    json_object_update(out, (json_t *)(uintptr_t)incoming);
    if (fresh) json_object_set_new(out, "forceFreshSession", json_true());
    set_comments(out, ids);
    return out;
}

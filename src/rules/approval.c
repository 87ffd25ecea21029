/* approval: the state machine as a table. */
#include "rules/approval.h"

#include "base/text.h"
#include "rules/redact.h"

static const struct {
    const char *from[2]; /* statuses it may come from */
    const char *to, *refusal;
} moves[] = {
    [APPROVAL_APPROVE] = {{"pending", "revision_requested"},
                          "approved",
                          "Only pending or revision requested approvals can be approved"},
    [APPROVAL_REJECT] = {{"pending", "revision_requested"},
                         "rejected",
                         "Only pending or revision requested approvals can be rejected"},
    [APPROVAL_REVISE] = {{"pending", NULL}, "revision_requested", "Only pending approvals can request revision"},
    [APPROVAL_RESUBMIT] = {{"revision_requested", NULL},
                           "pending",
                           "Only revision requested approvals can be resubmitted"},
};

struct approval_move approval_move(enum approval_verb verb, const char *status)
{
    bool decision = verb == APPROVAL_APPROVE || verb == APPROVAL_REJECT;
    bool fits = text_is(moves[verb].from[0], status) || text_is(moves[verb].from[1], status);
    bool already = decision && text_is(moves[verb].to, status);
    return (struct approval_move){
        .to = moves[verb].to, .already = already, .refusal = fits || already ? NULL : moves[verb].refusal};
}

bool approval_open(const char *status) { return text_is(status, "pending") || text_is(status, "revision_requested"); }

json_t *config_unmask(const json_t *proposed, const json_t *stored)
{
    const char *key;
    json_t *v, *out;
    size_t i;
    if (text_is(json_string_value(proposed), REDACTED)) return stored ? json_deep_copy(stored) : NULL;
    if (json_is_array(proposed)) {
        out = json_array();
        json_array_foreach (proposed, i, v) {
            json_t *x = config_unmask(v, json_array_get(stored, i));
            if (x) json_array_append_new(out, x);
        }
        return out;
    }
    if (!json_is_object(proposed)) return json_deep_copy(proposed);
    out = json_object();
    json_object_foreach ((json_t *)(uintptr_t)proposed, key, v) {
        json_t *x = config_unmask(v, json_object_get(stored, key));
        if (x) json_object_set_new(out, key, x);
    }
    /* a binding is nothing without its value */
    bool lost = json_object_get(proposed, "value") && json_object_get(out, "value") == NULL;
    return lost && text_is(json_str(proposed, "type"), "plain") ? NULL : out;
}

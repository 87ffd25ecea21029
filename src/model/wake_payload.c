/* wake_payload: the reason of a run, in the shape agents read. */
#include "model/wake_payload.h"

#include "model/relation.h"

#include <string.h>

#define COMMENTS_MAX 8
#define COMMENT_CHARS 4000
#define COMMENTS_CHARS 12000
#define DESCRIPTION_CHARS 12000

/* At most n bytes, never inside a character. */
static const char *cut(struct arena *a, const char *s, size_t n, bool *truncated)
{
    size_t len = s ? strlen(s) : 0;
    *truncated = len > n;
    if (!*truncated) return s;
    while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80) n--;
    return arena_strndup(a, s, n);
}

static json_t *text_or_null(const char *s) { return s ? json_string(s) : json_null(); }

static json_t *issue_part(struct arena *a, const struct issue *i)
{
    bool truncated;
    if (i == NULL) return json_null();
    const char *description = cut(a, i->description, DESCRIPTION_CHARS, &truncated);
    return json_pack("{s:s, s:s, s:s, s:o, s:b, s:s, s:s, s:s}", "id", i->id, "identifier", i->identifier, "title",
                     i->title, "description", text_or_null(description), "descriptionTruncated", truncated, "status",
                     i->status, "workMode", i->work_mode, "priority", i->priority);
}

static json_t *comment_part(struct arena *a, const struct comment *c, size_t budget, size_t *used, bool *truncated)
{
    bool cut_here;
    size_t limit = budget < COMMENT_CHARS ? budget : COMMENT_CHARS;
    const char *body = cut(a, c->body, limit, &cut_here);
    *used += strlen(body);
    *truncated |= cut_here;
    const char *author = c->author_agent_id ? c->author_agent_id : c->author_user_id;
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:b}", "id", c->id, "issueId", c->issue_id, "authorType",
                          c->author_type, "body", body, "bodyTruncated", cut_here);
    json_object_set_new(o, "presentation", json_read(c->presentation));
    json_object_set_new(o, "metadata", json_read(c->metadata));
    json_object_set_new(o, "deletedAt", text_or_null(instant_text(a, c->deleted_at)));
    json_object_set_new(o, "deletedByType", text_or_null(c->deleted_by_type));
    json_object_set_new(o, "sourceTrust", json_read(c->source_trust));
    json_object_set_new(o, "createdAt", text_or_null(instant_text(a, c->created_at)));
    json_object_set_new(o, "author", json_pack("{s:s, s:o}", "type", c->author_type, "id", text_or_null(author)));
    return o;
}

/* The newest COMMENTS_MAX of the wake's comments, in order, within the budget. */
static err_t comments_part(struct db *db, const json_t *ids, json_t *out)
{
    struct arena *a = db_arena(db);
    json_t *list = json_array(), *id;
    size_t n = json_array_size(ids), used = 0, i;
    bool truncated = n > COMMENTS_MAX;
    int missing = 0;
    json_array_foreach (ids, i, id) {
        struct comment c;
        bool found = false;
        if (!json_is_string(id) || i + COMMENTS_MAX < n) continue;
        TRY(entity_one(db, &ENTITY_comment, &c, &found, "WHERE id = $1", P(V_ID(json_string_value(id)))));
        if (!found) missing++;
        else json_array_append_new(list, comment_part(a, &c, COMMENTS_CHARS - used, &used, &truncated));
    }
    json_object_set_new(out, "requestedCount", json_integer((json_int_t)n));
    json_object_set_new(out, "includedCount", json_integer((json_int_t)json_array_size(list)));
    json_object_set_new(out, "missingCount", json_integer(missing));
    json_object_set_new(out, "truncated", json_boolean(truncated));
    json_object_set_new(out, "fallbackFetchNeeded", json_boolean(truncated || missing > 0));
    json_object_set_new(out, "comments", list);
    return OK;
}

/* Children of the wake issue_children_completed stand in the wake's own payload. */
static err_t children_part(struct db *db, const struct run *run, json_t *out)
{
    const char *payload = NULL;
    if (run->wakeup_request_id)
        TRY(db_text(db, &payload, "SELECT payload FROM agent_wakeup_requests WHERE id = $1",
                    P(V_ID(run->wakeup_request_id))));
    const json_t *p = json_read(payload);
    json_t *children = json_object_get(p, "childIssueSummaries");
    json_object_set_new(out, "childIssueSummaries", json_is_array(children) ? children : json_array());
    json_object_set_new(out, "childIssueSummaryTruncated",
                        json_boolean(json_bool(p, "childIssueSummaryTruncated", false)));
    return OK;
}

err_t wake_payload_build(struct db *db, const struct run *run, const json_t *context, const struct issue *issue,
                         json_t **env)
{
    static const char *const nulls[] = {
        "recovery",
        "activeTreeHold",
        "executionStage",
        "continuationSummary",
        "planReviewContext",
        "documentReviewContext",
        "livenessContinuation",
        "taskWatchdog",
        "executionWorkspace",
        "agentMessage",
        NULL,
    };
    json_t *o = json_object(), *open = json_array();
    const json_t *ids = json_object_get(context, "wakeCommentIds");
    size_t n = json_array_size(ids);
    int blockers = 0;
    *env = NULL;
    if (issue == NULL && n == 0) return OK;
    if (issue) TRY(relation_unresolved(db, issue->id, &open, &blockers));
    json_object_set_new(o, "reason", text_or_null(json_str(context, "wakeReason")));
    json_object_set_new(o, "issue", issue_part(db_arena(db), issue));
    json_object_set_new(o, "checkedOutByHarness",
                        json_boolean(json_bool(context, "paperclipHarnessCheckedOut", false)));
    json_object_set_new(o, "simplifiedEnglishInteractions", json_false());
    json_object_set_new(o, "dependencyBlockedInteraction",
                        json_boolean(json_bool(context, "dependencyBlockedInteraction", false)));
    json_object_set_new(o, "treeHoldInteraction", json_boolean(json_bool(context, "treeHoldInteraction", false)));
    json_object_set_new(o, "unresolvedBlockerIssueIds", open);
    json_object_set_new(o, "unresolvedBlockerSummaries", json_array());
    json_object_set_new(o, "annotationDeltas", json_array());
    json_object_set_new(o, "interactionKind", text_or_null(json_str(context, "interactionKind")));
    json_object_set_new(o, "interactionStatus", text_or_null(json_str(context, "interactionStatus")));
    json_t *selection = json_object_get(context, "checkboxSelection");
    json_object_set_new(o, "checkboxSelection", json_is_object(selection) ? json_deep_copy(selection) : json_null());
    for (const char *const *k = nulls; *k; k++) {
        json_t *known = json_object_get(context, *k);
        json_object_set_new(o, *k, json_is_object(known) ? json_deep_copy(known) : json_null());
    }
    json_object_set_new(o, "commentIds", json_is_array(ids) ? json_deep_copy(ids) : json_array());
    json_object_set_new(o, "latestCommentId", text_or_null(n ? json_string_value(json_array_get(ids, n - 1)) : NULL));
    TRY(children_part(db, run, o));
    TRY(comments_part(db, ids, o));
    *env = o;
    return OK;
}

json_t *wake_payload_context_form(const json_t *env)
{
    static const char *const counts[] = {"requestedCount", "includedCount", "missingCount", NULL};
    json_t *o = json_deep_copy(env), *window = json_object();
    for (const char *const *k = counts; *k; k++) {
        json_object_set(window, *k, json_object_get(o, *k));
        json_object_del(o, *k);
    }
    json_object_set_new(o, "commentWindow", window);
    if (!json_is_object(json_object_get(o, "activeTreeHold"))) json_object_set_new(o, "activeTreeHold", json_object());
    json_object_set_new(o, "skillTest", json_null());
    return o;
}

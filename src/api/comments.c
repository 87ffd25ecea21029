/* comments: the conversation of an issue (IS §11). */
#include "model/comment.h"

#include "api/handlers.h"
#include "api/issue_guard.h"
#include "api/schemas.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/issue_card.h"
#include "model/issue_queue.h"
#include "model/issue_update.h"

#include <stdlib.h>

#define LIST_MAX 500

static const char *const author_types[] = {"user", "agent", "system", NULL};
static const char *const kinds[] = {"message", "system_notice", NULL};
static const char *const tones[] = {"neutral", "info", "success", "warning", "danger", NULL};
static const char *const densities[] = {"compact", NULL};

static const struct prop presentation_props[] = {
    {"kind", PROP_ENUM, REQUIRED, .options = kinds}, {"tone", PROP_ENUM, REQUIRED, .options = tones},
    {"title", PROP_STRING, 0, .max = 160},           {"detailsDefaultOpen", PROP_BOOL},
    {"density", PROP_ENUM, 0, .options = densities},
};
static SCHEMA_WITH(COMMENT_PRESENTATION, presentation_props, .strict = true);

/* Rows of a section, by their type (IS-84). */
static const struct prop row_text_props[] = {{"text", PROP_STRING, REQUIRED, .min = 1}};
static const struct prop row_code_props[] = {{"code", PROP_STRING, REQUIRED, .min = 1},
                                             {"language", PROP_STRING, NULLABLE}};
static const struct prop row_pair_props[] = {{"label", PROP_STRING, REQUIRED, .min = 1},
                                             {"value", PROP_STRING, REQUIRED}};
static const struct prop row_issue_props[] = {
    {"issueId", PROP_UUID, NULLABLE}, {"identifier", PROP_STRING, NULLABLE}, {"title", PROP_STRING, NULLABLE}};
static const struct prop row_agent_props[] = {{"agentId", PROP_UUID, REQUIRED}, {"name", PROP_STRING, NULLABLE}};
static const struct prop row_run_props[] = {
    {"runId", PROP_UUID, REQUIRED}, {"agentId", PROP_UUID, NULLABLE}, {"title", PROP_STRING, NULLABLE}};
static void refine_row_issue(const json_t *body, json_t *problems)
{
    if (json_str(body, "issueId") == NULL && json_str(body, "identifier") == NULL)
        schema_custom(problems, "", "issue_link rows require issueId or identifier");
}
static SCHEMA_WITH(ROW_TEXT, row_text_props, .strict = true);
static SCHEMA_WITH(ROW_CODE, row_code_props, .strict = true);
static SCHEMA_WITH(ROW_PAIR, row_pair_props, .strict = true);
static SCHEMA_WITH(ROW_ISSUE, row_issue_props, .strict = true, .refine = refine_row_issue);
static SCHEMA_WITH(ROW_AGENT, row_agent_props, .strict = true);
static SCHEMA_WITH(ROW_RUN, row_run_props, .strict = true);
static const struct variant row_kinds[] = {{"text", &ROW_TEXT},        {"code", &ROW_CODE},
                                           {"key_value", &ROW_PAIR},   {"issue_link", &ROW_ISSUE},
                                           {"agent_link", &ROW_AGENT}, {"run_link", &ROW_RUN}};
static SCHEMA_UNION(COMMENT_METADATA_ROW, "type", row_kinds);
static const struct prop row_item = {"", PROP_OBJECT, .object = &COMMENT_METADATA_ROW};
static const struct prop section_props[] = {
    {"title", PROP_STRING},
    {"rows", PROP_ARRAY, REQUIRED, .min = 1, .max = 50, .items = &row_item},
};
static SCHEMA_WITH(COMMENT_METADATA_SECTION, section_props, .strict = true);
static const struct prop section_item = {"", PROP_OBJECT, .object = &COMMENT_METADATA_SECTION};
static const struct prop metadata_props[] = {
    {"version", PROP_LITERAL, REQUIRED, .min = 1},
    {"sourceRunId", PROP_UUID, NULLABLE},
    {"authorizationReason", PROP_STRING, NULLABLE},
    {"sections", PROP_ARRAY, REQUIRED, .min = 1, .max = 20, .items = &section_item},
};
static SCHEMA_WITH(COMMENT_METADATA, metadata_props, .strict = true);

static const struct prop create_props[] = {
    {"body", PROP_TEXT, REQUIRED, .min = 1},
    {"authorType", PROP_ENUM, 0, .options = author_types},
    {"presentation", PROP_OBJECT, NULLABLE, .object = &COMMENT_PRESENTATION},
    {"metadata", PROP_OBJECT, NULLABLE, .object = &COMMENT_METADATA},
    {"reopen", PROP_BOOL},
    {"resume", PROP_BOOL},
    {"interrupt", PROP_BOOL},
    {"onBehalfOfUserId", PROP_STRING, NULLABLE},
};
SCHEMA(COMMENT_CREATE, create_props);

/* ---- reading ---- */

err_t comments_list(struct req *r)
{
    const char *limit = query(r, "limit"), *after = query(r, "after");
    long wanted = limit ? strtol(limit, NULL, 10) : 0; /* what is no positive number is ignored */
    struct comment *rows;
    int n;
    bool more;
    TRY(comment_list(r->db,
                     &(struct comment_page){.issue_id = r->issue.id,
                                            .after = after ? after : query(r, "afterCommentId"),
                                            .ascending = text_is(query(r, "order"), "asc"),
                                            .limit = wanted > 0 && wanted < LIST_MAX ? (int)wanted : LIST_MAX},
                     &rows, &n, &more));
    http_set_header(r->http, "X-Has-More", more ? "true" : "false");
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) comment_write(&r->w, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

static err_t named_comment(struct req *r, struct comment *out)
{
    bool found;
    TRY(comment_get(r->db, r->issue.id, r->params[1], out, &found));
    return found ? OK : not_found(r, "Comment");
}

err_t comment_show(struct req *r)
{
    struct comment c;
    TRY(named_comment(r, &c));
    comment_write(&r->w, &c);
    return OK;
}

/* ---- writing ---- */

static err_t check_limits(struct req *r)
{
    const char *type = json_str(r->body, "authorType");
    bool structured = json_is_object(json_object_get(r->body, "presentation")) ||
                      json_is_object(json_object_get(r->body, "metadata"));
    if (type && !text_is(type, actor_kind(&r->actor)))
        return unprocessable(r, "Comment authorType must match authenticated actor");
    if (!is_agent(r)) return OK;
    if (structured) return forbidden(r, "Only board users may set structured comment presentation or metadata");
    return json_bool(r->body, "interrupt", false) ? forbidden(r, "Only board users may interrupt a run") : OK;
}

static const char *object_text(struct req *r, const char *key)
{
    const json_t *v = json_object_get(r->body, key);
    return json_is_object(v) ? json_text(r->arena, v) : NULL;
}

err_t comment_create(struct req *r)
{
    struct issue_change c = {.comment_route = true,
                             .reopen = json_bool(r->body, "reopen", false),
                             .resume = json_bool(r->body, "resume", false),
                             .interrupt = json_bool(r->body, "interrupt", false)};
    const struct comment_new comment = {.body = json_str(r->body, "body"),
                                        .presentation = object_text(r, "presentation"),
                                        .metadata = object_text(r, "metadata"),
                                        .on_behalf_of_user_id = json_str(r->body, "onBehalfOfUserId")};
    struct issue_changed done;
    TRY(check_limits(r));
    issue_may_comment(r, &c.reason);
    TRY(issue_may_recover(r));
    TRY(issue_influence(r));
    c.after = r->issue;
    c.comment = &comment;
    TRY(issue_update(r->db, &r->actor, &r->issue, &c, &done));
    if (done.replayed) r->status = 200;
    comment_write(&r->w, &done.comment);
    return OK;
}

/* ---- taking back (IS-91) ---- */

static bool wrote_it(const struct req *r, const struct comment *c)
{
    if (is_agent(r)) return text_is(c->author_agent_id, r->actor.agent_id);
    return c->author_agent_id == NULL && text_is(c->author_user_id, r->actor.user_id);
}

static err_t record(struct req *r, const struct comment *c, const char *action, json_t *details)
{
    const char *entity;
    TRY(issue_event_text(r->db, &r->issue, &entity));
    return activity_log(r->db, &r->actor,
                        &(struct activity_entry){.company_id = r->company_id,
                                                 .action = action,
                                                 .entity_type = "issue",
                                                 .entity_id = r->issue.id,
                                                 .details = details,
                                                 .entity = entity,
                                                 .comment = comment_text(r->arena, c)});
}

static json_t *details_of(struct req *r, const struct comment *c)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "commentId", c->id, "bodySnippet", snippet(r->arena, c->body, 120),
                     "identifier", r->issue.identifier, "issueTitle", r->issue.title);
}

static err_t take_back_queued(struct req *r, const struct comment *c, const struct queued_comment *q)
{
    json_t *d = details_of(r, c);
    if (!wrote_it(r, c)) return forbidden(r, "Only the comment author can cancel queued comments");
    if (q->run_id == NULL) return err_new(r->arena, ERR_CONFLICT, "Queued comment can no longer be canceled");
    if (!q->queued) return err_new(r->arena, ERR_CONFLICT, "Only queued comments can be canceled");
    json_object_set_new(d, "source", json_string("queue_cancel"));
    json_object_set_new(d, "queueTargetRunId", json_string(q->run_id));
    TRY(queued_comment_forget(r->db, c));
    TRY(comment_remove(r->db, c));
    TRY(record(r, c, "issue.comment_cancelled", d));
    comment_write(&r->w, c);
    return OK;
}

err_t comment_remove_route(struct req *r)
{
    struct comment c;
    struct author author;
    struct queued_comment q;
    const char *reason;
    TRY(issue_may_write(r, ACCESS_OPEN, &reason)); /* authorship decides; another's issue may hold one's own words */
    TRY(named_comment(r, &c));
    TRY(queued_comment_of(r->db, &r->issue, &c, &q));
    if (text_is(query(r, "mode"), "cancel") || (q.queued && wrote_it(r, &c))) return take_back_queued(r, &c, &q);
    if (!wrote_it(r, &c)) return forbidden(r, "Only the comment author can delete comments");
    if (c.deleted_at == INSTANT_NONE) {
        json_t *d = details_of(r, &c);
        json_object_set_new(d, "deletedAnnotationCommentIds", json_array());
        json_object_set_new(d, "resolvedAnnotationThreadIds", json_array());
        TRY(author_of(r->db, &r->actor, r->company_id, &author));
        TRY(comment_tombstone(r->db, &r->actor, &author, &c));
        TRY(record(r, &c, "issue.comment_deleted", d));
    }
    comment_write(&r->w, &c);
    return OK;
}

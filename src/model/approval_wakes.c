/*
 * approval_wakes: whoever asked learns what the board said (GV-41, GV-43), and
 * so does the assignee of an issue whose review waited for it (GV-42). A wake
 * that is refused (a paused agent) is recorded and undoes nothing.
 */
#include "base/text.h"
#include "model/approval_internal.h"
#include "model/explain.h"
#include "model/wake.h"

static json_t *text_or_null(const char *s) { return s ? json_string(s) : json_null(); }

/* The issue the wake is about: the requester's own, if one is linked, else the first. */
static const struct issue *subject(const struct issue *rows, int n, const char *agent_id)
{
    for (int i = 0; i < n; i++)
        if (text_is(rows[i].assignee_agent_id, agent_id)) return &rows[i];
    return n ? &rows[0] : NULL;
}

static json_t *payload_of(const struct approval_news *n, const struct issue *about, const json_t *ids)
{
    json_t *p = json_pack("{s:s, s:s, s:o, s:O}", "approvalId", n->x->id, "approvalStatus", n->x->status, "issueId",
                          text_or_null(about ? about->id : NULL), "issueIds", ids);
    if (n->x->decision_note && n->comment_id == NULL)
        json_object_set_new(p, "decisionNote", json_string(n->x->decision_note));
    if (n->comment_id) json_object_set_new(p, "approvalCommentId", json_string(n->comment_id));
    return p;
}

static json_t *context_of(const struct approval_news *n, const json_t *payload, const char *reason, struct arena *a)
{
    json_t *c = json_deep_copy(payload);
    json_object_set_new(c, "source", json_string(arena_printf(a, "approval.%s", n->what)));
    json_object_set(c, "taskId", json_object_get(payload, "issueId"));
    json_object_set_new(c, "wakeReason", json_string(reason));
    return c;
}

static err_t log_requester(struct db *db, const struct actor *actor, const struct approval *x, const json_t *ids,
                           const struct wake_result *r)
{
    bool failed = r->outcome == WAKE_SKIPPED;
    json_t *d = json_pack("{s:s, s:o, s:O}", "requesterAgentId", x->requested_by_agent_id, "wakeRunId",
                          text_or_null(r->run_id), "linkedIssueIds", ids);
    if (failed) json_object_set_new(d, "error", json_string(r->reason ? r->reason : "skipped"));
    return approval_log(db, actor, x, failed ? "approval.requester_wakeup_failed" : "approval.requester_wakeup_queued",
                        d);
}

static err_t wake_requester(struct db *db, const struct actor *actor, const struct approval_news *n,
                            const struct issue *rows, int count, const json_t *ids)
{
    struct arena *a = db_arena(db);
    struct wake_result result;
    const char *agent = n->x->requested_by_agent_id, *reason = arena_printf(a, "approval_%s", n->what);
    if (agent == NULL || text_is(agent, actor->agent_id)) return OK;
    json_t *payload = payload_of(n, subject(rows, count, agent), ids);
    TRY(wake_enqueue(db, actor,
                     &(struct wake_request){.agent_id = agent,
                                            .source = "automation",
                                            .trigger_detail = "system",
                                            .reason = reason,
                                            .payload = payload,
                                            .context = context_of(n, payload, reason, a)},
                     &result));
    return log_requester(db, actor, n->x, ids, &result);
}

/* GV-42: an issue in review that nothing moves on any more. */
static err_t wake_reviewed(struct db *db, const struct actor *actor, const struct approval_news *n,
                           const struct issue *issue, const json_t *ids)
{
    static const char instruction[] =
        "The approval this review waited for is decided. Read it, then finish the issue or say who reviews it next.";
    struct arena *a = db_arena(db);
    struct explained e;
    struct wake_result result;
    const char *reason = arena_printf(a, "approval_%s", n->what);
    if (!text_is(issue->status, "in_review") || issue->assignee_agent_id == NULL) return OK;
    TRY(explain_load(db, issue->company_id, &issue, 1, &e));
    if (e.verdicts[0].state != EXPLAIN_DEAD) return OK; /* another path, or its agent is woken already */
    json_t *payload = payload_of(n, issue, ids);
    json_object_set_new(payload, "reviewPathLost", json_true());
    json_object_set_new(payload, "reviewPathConsumedRef", json_string(n->x->id));
    json_object_set_new(payload, "reviewPathInstruction", json_string(instruction));
    TRY(wake_enqueue(db, actor,
                     &(struct wake_request){.agent_id = issue->assignee_agent_id,
                                            .source = "automation",
                                            .trigger_detail = "system",
                                            .reason = reason,
                                            .payload = payload,
                                            .context = context_of(n, payload, reason, a),
                                            .idempotency_key = arena_printf(a, "approval-review-path:%s:%s:%s",
                                                                            n->x->id, issue->id, n->x->status)},
                     &result));
    bool failed = result.outcome == WAKE_SKIPPED;
    json_t *d = json_pack("{s:s, s:s, s:o}", "issueId", issue->id, "assigneeAgentId", issue->assignee_agent_id,
                          "wakeRunId", text_or_null(result.run_id));
    if (failed) json_object_set_new(d, "error", json_string(result.reason ? result.reason : "skipped"));
    return approval_log(db, actor, n->x,
                        failed ? "approval.review_path_wakeup_failed" : "approval.review_path_wakeup_queued", d);
}

err_t approval_wake(struct db *db, const struct actor *actor, const struct approval_news *n)
{
    struct issue *rows;
    int count;
    json_t *ids = json_array();
    TRY(approval_issues(db, n->x->id, &rows, &count));
    for (int i = 0; i < count; i++) json_array_append_new(ids, json_string(rows[i].id));
    TRY(wake_requester(db, actor, n, rows, count, ids));
    for (int i = 0; n->decided && i < count; i++) TRY(wake_reviewed(db, actor, n, &rows[i], ids));
    return OK;
}

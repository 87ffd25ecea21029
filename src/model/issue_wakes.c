/* issue_wakes: who is told of a change. */
#include "model/issue_wakes.h"

#include "base/settings.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/relation.h"
#include "rules/issue_status.h"
#include "rules/issue_wake.h"
#include "rules/mention.h"

#define CHILD_SUMMARIES_MAX 20
#define SUMMARY_CHARS_MAX 500

static void set_text(json_t *o, const char *key, const char *v)
{
    if (v) json_object_set_new(o, key, json_string(v));
}

/* ---- the assignee ---- */

static json_t *comment_context(const struct issue_happening *h, const char *reason, const char *source)
{
    const char *id = h->comment->id;
    json_t *c = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "issueId", h->after->id, "taskId", h->after->id,
                          "commentId", id, "wakeCommentId", id, "source", source, "wakeReason", reason);
    if (h->resume) json_object_set_new(c, "resumeIntent", json_true());
    if (h->resume) json_object_set_new(c, "followUpRequested", json_true());
    return c;
}

static const char *context_source(const struct issue_happening *h, const char *reason)
{
    if (h->before == NULL && text_is(h->mutation, "interaction_accept")) return "issue.interaction.accept";
    if (h->before == NULL) return text_is(h->mutation, "child_create") ? "issue.child_create" : "issue.create";
    if (text_is(reason, "issue_assigned")) return "issue.update";
    if (text_is(reason, "issue_status_changed")) return "issue.status_change";
    return text_is(reason, "issue_reopened_via_comment") ? "issue.comment.reopen" : "issue.comment";
}

static bool by_assignee(const struct issue_happening *h)
{
    return h->author->agent_id && text_is(h->author->agent_id, h->after->assignee_agent_id);
}

/* true: a wake for the assignee stands in the batch */
static bool add_assignee(struct wake_batch *batch, const struct issue_happening *h)
{
    const struct issue *i = h->after;
    bool changed = h->before == NULL || !text_same(h->before->assignee_agent_id, i->assignee_agent_id);
    const char *reason = issue_wake_reason(&(struct issue_wake_facts){.from = h->before ? h->before->status : NULL,
                                                                      .to = i->status,
                                                                      .status_sent = h->status_sent,
                                                                      .agent_assigned = i->assignee_agent_id != NULL,
                                                                      .assignee_changed = changed,
                                                                      .by_user = h->author->person,
                                                                      .commented = h->comment != NULL,
                                                                      .reopened = h->reopened_from != NULL,
                                                                      .by_assignee = by_assignee(h)});
    if (reason && h->wake_extra) reason = "issue_status_changed"; /* the change itself is the news */
    if (reason == NULL || h->assignee_told) return reason != NULL;
    bool spoken = text_is(reason, "issue_commented") || text_is(reason, "issue_reopened_via_comment");
    const char *source = context_source(h, reason);
    json_t *payload = json_pack("{s:s, s:s}", "issueId", i->id, "mutation",
                                spoken                                       ? "comment"
                                : h->before                                  ? "update"
                                : text_is(h->mutation, "interaction_accept") ? h->mutation
                                                                             : "create");
    if (h->comment && !text_is(reason, "issue_status_changed")) set_text(payload, "commentId", h->comment->id);
    if (spoken) set_text(payload, "reopenedFrom", h->reopened_from);
    if (spoken && h->asked_expired && text_is(i->status, "in_review")) { /* IS-88: with it the review lost its path */
        json_object_set_new(payload, "reviewPathLost", json_true());
        set_text(payload, "reviewPathConsumedRef", h->comment->id);
    }
    if (h->resume) json_object_set_new(payload, "resumeIntent", json_true());
    set_text(payload, "interruptedRunId", h->interrupted_run_id);
    json_t *context = h->comment && !text_is(reason, "issue_status_changed")
                          ? comment_context(h, reason, source)
                          : json_pack("{s:s, s:s}", "issueId", i->id, "source", source);
    if (h->wake_extra) json_object_update(payload, h->wake_extra);
    if (h->wake_extra) json_object_update(context, h->wake_extra);
    wake_batch_add(batch, i->id,
                   &(struct wake_request){.agent_id = i->assignee_agent_id,
                                          .source = text_is(reason, "issue_assigned") ? "assignment" : "automation",
                                          .trigger_detail = "system",
                                          .reason = reason,
                                          .payload = payload,
                                          .context = context});
    return true;
}

/* Rule 1: a stage waits for an agent, or sends the work back to one (EX-138). */
static bool add_stage(struct wake_batch *batch, const struct issue_happening *h)
{
    const struct issue *i = h->after;
    const json_t *state = json_read(i->execution_state);
    bool executor = h->stage->wake == STAGE_WAKE_EXECUTOR;
    if (i->assignee_agent_id == NULL || !json_is_object(state)) return false;
    json_t *stage = stage_context(state, executor);
    json_t *payload = json_pack("{s:s, s:s, s:O}", "issueId", i->id, "mutation", "update", "executionStage", stage);
    const char *reason = stage_wake_reason(state, executor), *source = "issue.execution_stage";
    json_t *context = h->comment ? comment_context(h, reason, source)
                                 : json_pack("{s:s, s:s, s:s}", "issueId", i->id, "taskId", i->id, "source", source);
    json_object_set(context, "executionStage", stage);
    set_text(payload, "interruptedRunId", h->interrupted_run_id);
    wake_batch_add(batch, i->id,
                   &(struct wake_request){.agent_id = i->assignee_agent_id,
                                          .source = "assignment",
                                          .trigger_detail = "system",
                                          .reason = reason,
                                          .payload = payload,
                                          .context = context});
    return true;
}

/* ---- mentions ---- */

static err_t load_agents(struct db *db, const char *company_id, struct mention_agent **out, int *count)
{
    struct agent *rows;
    TRY(entity_many(db, &ENTITY_agent, &rows, count, "WHERE company_id = $1 AND status <> 'terminated'",
                    P(V_ID(company_id))));
    *out = arena_array(db_arena(db), struct mention_agent, *count);
    for (int i = 0; i < *count; i++) (*out)[i] = (struct mention_agent){rows[i].id, rows[i].name, rows[i].url_key};
    return OK;
}

static err_t add_mentions(struct db *db, struct wake_batch *batch, const struct issue_happening *h, bool assignee_told)
{
    struct arena *a = db_arena(db);
    struct mention_agent *agents;
    int n;
    if (h->comment == NULL || !settings.mention_wakes) return OK;
    if (strchr(h->comment->body, '@') == NULL && strstr(h->comment->body, "agent://") == NULL) return OK;
    TRY(load_agents(db, h->after->company_id, &agents, &n));
    bool *hit = arena_array(a, bool, n);
    mention_scan(a, h->comment->body, agents, n, hit);
    for (int i = 0; i < n; i++) {
        bool self = text_is(agents[i].id, h->author->agent_id);
        bool told = assignee_told && text_is(agents[i].id, h->after->assignee_agent_id);
        if (!hit[i] || self || told) continue;
        wake_batch_add(batch, h->after->id,
                       &(struct wake_request){
                           .agent_id = agents[i].id,
                           .source = "automation",
                           .trigger_detail = "system",
                           .reason = "issue_comment_mentioned",
                           .payload = json_pack("{s:s, s:s}", "issueId", h->after->id, "commentId", h->comment->id),
                           .context = comment_context(h, "issue_comment_mentioned", "comment.mention")});
    }
    return OK;
}

/* ---- dependents and parents ---- */

static err_t log_emitted(struct db *db, const struct actor *actor, const struct issue *blocker,
                         const char *dependent_id)
{
    return activity_log(
        db, actor,
        &(struct activity_entry){.company_id = blocker->company_id,
                                 .action = "issue.blockers_resolved_wake_emitted",
                                 .entity_type = "issue",
                                 .entity_id = dependent_id,
                                 .details = json_pack("{s:s, s:s}", "resolvedBlockerIssueId", blocker->id,
                                                      "resolvedBlockerIdentifier", blocker->identifier)});
}

/* Was the dependent woken for this very resolution (INV-24, WINV-7)? A run that then failed was
 * woken all the same: recovery looks after it. What was only skipped is told again (WS-88). */
static err_t told_before(struct db *db, const struct issue *blocker, const char *key, bool *told)
{
    int64_t n;
    TRY(db_int(db, &n, 0,
               "SELECT count(*) FROM agent_wakeup_requests WHERE company_id = $1 AND idempotency_key = $2"
               " AND status NOT IN ('cancelled','skipped')",
               P(V_ID(blocker->company_id), V_TEXT(key))));
    *told = n > 0;
    return OK;
}

/* Rule 6, and its sibling for a cancelled blocker (IS §9 BETTER a). The key names
 * the moment, so that an issue blocked again is woken again (IS §9 BETTER c). */
err_t issue_wakes_unblocked(struct db *db, const struct actor *actor, const struct issue *blocker, const char *backstop,
                            struct wake_batch *batch)
{
    struct arena *a = db_arena(db);
    bool cancelled = text_is(blocker->status, "cancelled");
    instant_t when = cancelled ? blocker->cancelled_at : blocker->completed_at;
    struct dependent *d;
    int n;
    TRY(relation_ready_dependents(db, blocker->id, cancelled, &d, &n));
    for (int i = 0; i < n; i++) {
        struct id_list all;
        bool told;
        const char *key =
            arena_printf(a, "issue_blockers_resolved:%s:%s:%s", d[i].id, blocker->id, instant_text(a, when));
        TRY(told_before(db, blocker, key, &told));
        if (told) continue;
        TRY(relation_blockers(db, d[i].id, &all));
        json_t *payload = json_pack("{s:s, s:s, s:o, s:s}", "issueId", d[i].id, "resolvedBlockerIssueId", blocker->id,
                                    "blockerIssueIds", id_list_json(&all), "mutation",
                                    cancelled ? "blocker_cancelled" : "blocker_done");
        if (cancelled) json_object_set_new(payload, "resolvedByCancellation", json_true());
        set_text(payload, "backstop", backstop);
        json_t *context = json_pack("{s:s, s:s}", "issueId", d[i].id, "source", "issue.blockers_resolved");
        if (cancelled) json_object_set_new(context, "resolvedByCancellation", json_true());
        wake_batch_add(batch, d[i].id,
                       &(struct wake_request){.agent_id = d[i].assignee_agent_id,
                                              .source = "automation",
                                              .trigger_detail = "system",
                                              .reason = "issue_blockers_resolved",
                                              .payload = payload,
                                              .context = context,
                                              .idempotency_key = key});
        TRY(log_emitted(db, actor, blocker, d[i].id));
    }
    return OK;
}

static err_t child_summaries(struct db *db, const char *parent_id, json_t **ids, json_t **summaries)
{
    struct rows r ROWS_AUTO = {0};
    struct arena *a = db_arena(db);
    *ids = json_array();
    *summaries = json_array();
    TRY(db_query(
        db, &r,
        "SELECT i.id, i.identifier, i.title, i.status, i.priority, i.assignee_agent_id, i.assignee_user_id, i.updated_at,"
        " (SELECT c.body FROM issue_comments c WHERE c.issue_id = i.id AND c.deleted_at IS NULL"
        " ORDER BY c.created_at DESC, c.id DESC LIMIT 1)"
        " FROM issues i WHERE i.parent_id = $1 AND i.hidden_at IS NULL ORDER BY i.issue_number",
        P(V_ID(parent_id))));
    while (rows_next(&r)) {
        const char *last = row_text(&r, 8);
        json_array_append_new(*ids, json_string(row_text(&r, 0)));
        if (json_array_size(*summaries) == CHILD_SUMMARIES_MAX) continue;
        json_array_append_new(
            *summaries,
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s, s:s?}", "id", row_text(&r, 0), "identifier",
                      row_text(&r, 1), "title", row_text(&r, 2), "status", row_text(&r, 3), "priority", row_text(&r, 4),
                      "assigneeAgentId", row_text(&r, 5), "assigneeUserId", row_text(&r, 6), "updatedAt",
                      instant_text(a, row_time(&r, 7)), "summary", last ? snippet(a, last, SUMMARY_CHARS_MAX) : NULL));
    }
    return rows_err(&r);
}

/* What somebody was asked to look at is no part of the work. */
static bool is_review(const char *origin)
{
    return text_is(origin, "task_watchdog") || text_is(origin, "issue_productivity_review") ||
           text_is(origin, "harness_liveness_escalation");
}

/* Rule 8: the last child closed. */
static err_t add_parent(struct db *db, const struct issue *child, struct wake_batch *batch)
{
    struct rows r ROWS_AUTO = {0};
    const char *agent = NULL;
    json_t *ids, *summaries;
    if (child->parent_id == NULL || is_review(child->origin_kind)) return OK;
    TRY(db_query(
        db, &r,
        "SELECT p.assignee_agent_id FROM issues p WHERE p.id = $1 AND p.assignee_agent_id IS NOT NULL AND p.hidden_at IS NULL"
        " AND p.status NOT IN ('backlog','done','cancelled') AND NOT EXISTS (SELECT 1 FROM issues s WHERE s.parent_id = p.id"
        " AND s.hidden_at IS NULL AND s.status NOT IN ('done','cancelled')"
        " AND s.origin_kind NOT IN ('task_watchdog','issue_productivity_review','harness_liveness_escalation'))",
        P(V_ID(child->parent_id))));
    if (rows_next(&r)) agent = row_text(&r, 0);
    TRY(rows_err(&r));
    if (agent == NULL) return OK;
    TRY(child_summaries(db, child->parent_id, &ids, &summaries));
    bool truncated = json_array_size(ids) > json_array_size(summaries);
    json_t *payload =
        json_pack("{s:s, s:s, s:o, s:o, s:b}", "issueId", child->parent_id, "completedChildIssueId", child->id,
                  "childIssueIds", ids, "childIssueSummaries", summaries, "childIssueSummaryTruncated", truncated);
    json_t *context = json_pack("{s:s, s:s, s:s, s:O, s:O, s:b}", "issueId", child->parent_id, "source",
                                "issue.children_completed", "completedChildIssueId", child->id, "childIssueIds", ids,
                                "childIssueSummaries", summaries, "childIssueSummaryTruncated", truncated);
    wake_batch_add(batch, child->parent_id,
                   &(struct wake_request){.agent_id = agent,
                                          .source = "automation",
                                          .trigger_detail = "system",
                                          .reason = "issue_children_completed",
                                          .payload = payload,
                                          .context = context});
    return OK;
}

err_t issue_wakes_closed(struct db *db, const struct actor *actor, const struct issue *issue, struct wake_batch *batch)
{
    TRY(issue_wakes_unblocked(db, actor, issue, NULL, batch));
    return add_parent(db, issue, batch);
}

/* Rule 7: the way is free, whatever freed it (IS §9 BETTER b). The assignee that
 * freed it itself and goes on working needs no telling. */
static err_t add_restored(struct db *db, const struct issue_happening *h, struct wake_batch *batch)
{
    const struct issue *i = h->after;
    struct arena *a = db_arena(db);
    struct id_list all;
    bool active = !text_is(i->status, "backlog") && !status_terminal(i->status);
    bool blocked = text_is(i->status, "blocked");
    if (!h->blockers_settled || !active || i->assignee_agent_id == NULL || i->hidden_at != INSTANT_NONE) return OK;
    if (by_assignee(h) && !blocked) return OK;
    TRY(relation_blockers(db, i->id, &all));
    instant_t when = blocked ? i->blocked_transition_at : i->updated_at;
    const char *key = arena_printf(a, "issue_blockers_resolved:%s:restored:%s", i->id,
                                   instant_text(a, when == INSTANT_NONE ? i->updated_at : when));
    wake_batch_add(batch, i->id,
                   &(struct wake_request){
                       .agent_id = i->assignee_agent_id,
                       .source = "automation",
                       .trigger_detail = "system",
                       .reason = "issue_blockers_resolved",
                       .payload = json_pack("{s:s, s:o, s:s}", "issueId", i->id, "blockerIssueIds", id_list_json(&all),
                                            "mutation", "blocked_dependency_restored"),
                       .context = json_pack("{s:s, s:s}", "issueId", i->id, "source", "issue.blockers_restored"),
                       .idempotency_key = key});
    return OK;
}

/* EX-9: the named owner of the unblocking is told once per time it blocks. */
static err_t add_unblock_owner(struct db *db, const struct issue_happening *h, struct wake_batch *batch)
{
    const struct issue *i = h->after;
    struct arena *a = db_arena(db);
    bool asked = i->unblock_descriptor && text_is(i->status, "blocked") && i->blocked_owner_notified_at == INSTANT_NONE;
    const json_t *d = asked ? json_read(i->unblock_descriptor) : NULL;
    const char *agent = json_str(json_object_get(d, "owner"), "agentId");
    if (agent == NULL) return OK;
    json_t *payload = json_pack("{s:s, s:s, s:s?}", "issueId", i->id, "mutation", "unblock_requested", "action",
                                json_str(d, "action"));
    wake_batch_add(batch, i->id,
                   &(struct wake_request){.agent_id = agent,
                                          .source = "automation",
                                          .trigger_detail = "system",
                                          .reason = "issue_unblock_requested",
                                          .payload = payload,
                                          .context = json_pack("{s:s, s:s, s:O}", "issueId", i->id, "source",
                                                               "issue.unblock_requested", "unblockDescriptor", d),
                                          .idempotency_key = arena_printf(a, "issue-unblock:%s:%s", i->id,
                                                                          instant_text(a, i->blocked_transition_at))});
    return db_exec_one(db, "UPDATE issues SET blocked_owner_notified_at = $2 WHERE id = $1",
                       P(V_ID(i->id), V_TIME(clock_now())));
}

err_t issue_wakes_send(struct db *db, const struct actor *actor, const struct issue_happening *h)
{
    struct wake_batch batch = {.arena = db_arena(db)};
    const char *from = h->before ? h->before->status : NULL, *to = h->after->status;
    bool closed = status_terminal(to) && (!status_terminal(from) || (text_is(to, "done") && !text_is(from, "done")));
    bool staged = h->stage && h->stage->wake != STAGE_WAKE_NONE;
    bool told = staged ? add_stage(&batch, h) : !h->quiet && add_assignee(&batch, h);
    TRY(add_mentions(db, &batch, h, told));
    if (closed) TRY(issue_wakes_closed(db, actor, h->after, &batch));
    TRY(add_restored(db, h, &batch));
    TRY(add_unblock_owner(db, h, &batch));
    return wake_batch_flush(db, actor, &batch);
}

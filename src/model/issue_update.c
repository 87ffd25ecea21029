/*
 * issue_update: a change of an issue, step by step: facts, guards, rows, runs,
 * comment, record, wakes.
 */
#include "model/issue_update.h"

#include "base/text.h"
#include "model/activity.h"
#include "model/hold.h"
#include "model/handoff.h"
#include "model/approval.h"
#include "model/interaction.h"
#include "model/inbox_state.h"
#include "model/issue.h"
#include "model/issue_card.h"
#include "model/issue_changes.h"
#include "model/issue_wakes.h"
#include "model/lock.h"
#include "model/recovery_fold.h"
#include "model/monitor.h"
#include "model/reference.h"
#include "model/review.h"
#include "model/run_control.h"
#include "model/stages.h"
#include "rules/issue_reopen.h"
#include "rules/issue_status.h"
#include "rules/mention.h"

#include <stdlib.h>

struct update {
    struct db *db;
    struct arena *a;
    const struct actor *actor;
    const struct issue *before;
    struct issue_change *c;
    struct issue *after;
    struct author author;
    struct open_blockers open; /* after the change */
    int open_before;           /* stored, when blockers are written */
    struct id_list old_blockers, old_labels;
    const char *reopened_from, *interrupted_run_id, *cancelled_run_id;
    struct monitor_change monitor;
    struct stage_step stage;
    instant_t now;
};

static bool reassigned(const struct update *u)
{
    return !text_same(u->before->assignee_agent_id, u->after->assignee_agent_id) ||
           !text_same(u->before->assignee_user_id, u->after->assignee_user_id);
}

/* ---- facts ---- */

static err_t stored_labels(struct update *u)
{
    struct rows r ROWS_AUTO = {0};
    int64_t n;
    TRY(db_int(u->db, &n, 0, "SELECT count(*) FROM issue_labels WHERE issue_id = $1", P(V_ID(u->before->id))));
    u->old_labels = (struct id_list){.ids = arena_array(u->a, const char *, n + 1)};
    TRY(db_query(u->db, &r, "SELECT label_id FROM issue_labels WHERE issue_id = $1 ORDER BY label_id",
                 P(V_ID(u->before->id))));
    while (rows_next(&r) && u->old_labels.count < n) u->old_labels.ids[u->old_labels.count++] = row_text(&r, 0);
    return rows_err(&r);
}

/* Blockers matter to a change that starts, ends or blocks work, or leaves blocked. */
static bool blockers_matter(const struct update *u)
{
    const char *to = u->after->status;
    return u->before->execution_state || u->c->blockers || u->c->reopen || u->c->resume ||
           text_is(u->before->status, "blocked") || text_is(to, "blocked") || text_is(to, "in_progress") ||
           text_is(to, "done");
}

static err_t collect(struct update *u)
{
    struct open_blockers stored;
    TRY(author_of(u->db, u->actor, u->before->company_id, &u->author));
    u->open = (struct open_blockers){.list = json_array(), .ids = json_array()};
    if (u->c->labels) TRY(stored_labels(u));
    if (!blockers_matter(u)) return OK;
    if (u->c->blockers == NULL) return relation_open(u->db, u->before->id, &u->open);
    TRY(relation_check(u->db, u->before->company_id, u->before->id, u->c->blockers));
    TRY(relation_blockers(u->db, u->before->id, &u->old_blockers));
    TRY(relation_open(u->db, u->before->id, &stored));
    u->open_before = stored.open;
    return relation_open_of(u->db, u->c->blockers, &u->open);
}

/* ---- the comment's effect on the status (IS-85) ---- */

static err_t retry_of_assignee(struct update *u, bool *yes)
{
    int64_t n;
    TRY(db_int(
        u->db, &n, 0,
        "SELECT count(*) FROM heartbeat_runs WHERE issue_id = $1 AND agent_id = $2 AND status = 'scheduled_retry'",
        P(V_ID(u->before->id), V_ID(u->before->assignee_agent_id))));
    *yes = n > 0;
    return OK;
}

static err_t apply_reopen(struct update *u)
{
    const struct issue *b = u->before;
    bool retry = false;
    if ((u->c->comment == NULL && !u->c->reopen) || u->c->status_sent) return OK;
    if (text_is(b->status, "in_progress") && u->author.person) TRY(retry_of_assignee(u, &retry));
    bool by_lock = u->author.run_id &&
                   (text_is(u->author.run_id, b->checkout_run_id) || text_is(u->author.run_id, b->execution_run_id));
    enum reopen verdict = reopen_decide(
        &(struct reopen_facts){.by_user = u->author.person,
                               .by_assignee = u->author.agent_id && text_is(u->author.agent_id, b->assignee_agent_id),
                               .reopen = u->c->reopen,
                               .resume = u->c->resume,
                               .status = b->status,
                               .agent_assigned = u->after->assignee_agent_id != NULL,
                               .by_lock_run = by_lock,
                               .adds_blockers = u->c->blockers && u->c->blockers->count > 0,
                               .blockers_open = u->open.open,
                               .retry_scheduled = retry});
    switch (verdict) {
    case REOPEN_NO: return OK;
    case REOPEN_REFUSED: return issue_guard_error(u->a, FOLLOWUP_BLOCKED, &u->open, b);
    case REOPEN_TODO:
    case REOPEN_RETRY: break;
    }
    u->after->status = "todo";
    u->reopened_from = b->status;
    return OK;
}

/* ---- stages (EX-136) ---- */

static struct stage_request stage_request(const struct update *u)
{
    return (struct stage_request){.actor = u->actor,
                                  .author = &u->author,
                                  .before = u->before,
                                  .status_sent = u->c->status_sent,
                                  .tree_control = u->c->tree_control,
                                  .comment = u->c->comment ? u->c->comment->body : NULL,
                                  .request_sent = u->c->request_sent,
                                  .request = u->c->request,
                                  .blockers_open = u->open.open};
}

static err_t apply_stages(struct update *u)
{
    const struct stage_request q = stage_request(u);
    return stages_apply(u->db, &q, u->after, &u->stage);
}

/* ---- guards ---- */

/* Who moved it into review, when reviewPolicy asks (IS-55). */
static err_t policy_allows(struct update *u, bool *yes)
{
    const char *policy = u->before->review_policy, *mover = NULL;
    *yes = true;
    if (policy == NULL || text_is(policy, "anyone") || u->c->tree_control) return OK;
    if (text_is(policy, "human_only")) {
        *yes = u->author.person;
        return OK;
    }
    TRY(db_text(
        u->db, &mover,
        "SELECT actor_id FROM activity_log WHERE entity_type = 'issue' AND entity_id = $1 AND action = 'issue.updated'"
        " AND details ->> 'status' = 'in_review' ORDER BY created_at DESC, id DESC LIMIT 1",
        P(V_TEXT(u->before->id))));
    if (mover == NULL)
        mover = u->before->created_by_agent_id ? u->before->created_by_agent_id : u->before->created_by_user_id;
    *yes = !text_is(mover, u->author.agent_id ? u->author.agent_id : actor_id(u->actor));
    return OK;
}

static err_t guard(struct update *u)
{
    const struct issue *b = u->before, *x = u->after;
    struct active_hold hold = {.hold_id = NULL};
    bool allowed;
    int64_t asked, approvals;
    TRY(policy_allows(u, &allowed));
    if (u->actor->type == ACTOR_AGENT) TRY(hold_on(u->db, b->id, &hold));
    TRY(interaction_pending(u->db, b->id, &asked));
    TRY(approval_pending(u->db, b->id, &approvals));
    enum status_verdict v = status_guard(&(struct status_facts){
        .from = b->status,
        .to = x->status,
        .by_agent = u->actor->type == ACTOR_AGENT,
        .agent_assigned = x->assignee_agent_id != NULL,
        .user_assigned = x->assignee_user_id != NULL,
        .blockers_open = u->open.open,
        .blockers_waiting = u->open.waiting,
        .blockers_sent = u->c->blockers != NULL,
        .descriptor_sent = u->c->descriptor_sent && x->unblock_descriptor,
        .has_descriptor = x->unblock_descriptor != NULL,
        .pending_interaction = asked > 0,
        .pending_approval = approvals > 0,
        .has_participant = stage_pending(json_read(x->execution_state)),
        .has_monitor = x->monitor_next_check_at != INSTANT_NONE && x->monitor_next_check_at > u->now,
        .reopen = u->c->reopen,
        .resume = u->c->resume,
        .held = hold.hold_id != NULL,
        .policy_allows_close = allowed,
        .policy_changed = !text_same(b->review_policy, x->review_policy)});
    if (v == FOLLOWUP_HELD) return hold_followup_error(u->a, &hold);
    return issue_guard_error(u->a, v, &u->open, b);
}

/* BETTER than the peer: no issue is its own ancestor. */
static err_t check_parent(struct update *u)
{
    int64_t n;
    const char *parent = u->after->parent_id;
    if (parent == NULL || text_is(parent, u->before->parent_id)) return OK;
    TRY(db_int(
        u->db, &n, 0,
        "WITH RECURSIVE up(id, parent_id, depth) AS (SELECT id, parent_id, 0 FROM issues WHERE id = $1"
        " UNION SELECT i.id, i.parent_id, up.depth + 1 FROM issues i JOIN up ON i.id = up.parent_id WHERE up.depth < 1000)"
        " SELECT count(*) FROM up WHERE id = $2",
        P(V_ID(parent), V_ID(u->before->id))));
    return n ? err_new(u->a, ERR_UNPROCESSABLE, "Issue parent would create a cycle") : OK;
}

/* IS-32: the goal follows the project unless somebody chose it. */
static err_t follow_goal(struct update *u)
{
    const char *old_default, *new_default;
    bool moved = !text_same(u->before->project_id, u->after->project_id);
    if (u->c->goal_sent && u->after->goal_id) return OK;
    if (!moved && !u->c->goal_sent) return OK;
    TRY(issue_goal_fallback(u->db, u->before->company_id, u->before->project_id, &old_default));
    TRY(issue_goal_fallback(u->db, u->before->company_id, u->after->project_id, &new_default));
    bool follows = u->c->goal_sent || u->before->goal_id == NULL || text_is(u->before->goal_id, old_default);
    if (follows) u->after->goal_id = new_default;
    return OK;
}

/* ---- runs ---- */

static err_t log_cancelled(struct update *u, const char *run_id, const char *source, bool operator_)
{
    json_t *details = json_pack("{s:s?, s:s, s:s}", "agentId", u->before->assignee_agent_id, "source", source,
                                "issueId", u->before->id);
    if (operator_) json_object_set_new(details, "cancellationKind", json_string("operator_interrupted"));
    if (operator_) json_object_set_new(details, "operatorInterrupted", json_true());
    return activity_log(u->db, u->actor,
                        &(struct activity_entry){.company_id = u->before->company_id,
                                                 .action = "heartbeat.cancelled",
                                                 .entity_type = "heartbeat_run",
                                                 .entity_id = run_id,
                                                 .details = details});
}

/* The live run that works on the issue: the lock's, else the assignee's. Never the asking run itself. */
static err_t working_run(struct update *u, const char *statuses, const char **id)
{
    return db_text(
        u->db, id,
        arena_printf(
            u->a,
            "SELECT id FROM heartbeat_runs WHERE status IN (%s) AND (id = $1 OR (issue_id = $2 AND agent_id = $3))"
            " AND ($4 IS NULL OR id <> $4) ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END, created_at LIMIT 1",
            statuses),
        P(V_ID(u->before->execution_run_id), V_ID(u->before->id), V_ID(u->before->assignee_agent_id),
          V_ID(u->author.run_id)));
}

static err_t interrupt(struct update *u)
{
    int64_t n;
    if (!u->c->interrupt) return OK;
    TRY(working_run(u, "'running'", &u->interrupted_run_id));
    if (u->interrupted_run_id == NULL) return OK; /* a plain comment, then (IS-86) */
    TRY(run_cancel_where(u->db,
                         &(struct run_cancel){.run_id = u->interrupted_run_id,
                                              .error = "Interrupted by an operator's comment",
                                              .error_code = "operator_interrupted",
                                              .stop_reason = "operator_interrupted",
                                              .cancelled_by_user_id = u->actor->user_id},
                         &n));
    return log_cancelled(u, u->interrupted_run_id, "issue_comment_interrupt", true);
}

static err_t cancel_work(struct update *u)
{
    for (int guard = 0; guard < 20; guard++) {
        const char *id = NULL;
        int64_t n;
        TRY(working_run(u, "'queued','running','scheduled_retry'", &id));
        if (id == NULL) return OK;
        TRY(run_cancel_where(u->db,
                             &(struct run_cancel){.run_id = id,
                                                  .error = "Cancelled because the issue was cancelled",
                                                  .error_code = "issue_cancelled",
                                                  .stop_reason = "issue_cancelled",
                                                  .cancelled_by_user_id = u->actor->user_id},
                             &n));
        if (u->cancelled_run_id == NULL) u->cancelled_run_id = id;
        TRY(log_cancelled(u, id, "issue_status_cancelled", false));
    }
    return OK;
}

/* EX-8, EX-16, IS-85: runs that have lost their purpose. */
static err_t settle_runs(struct update *u)
{
    int64_t n;
    const struct issue *b = u->before;
    if (text_is(u->after->status, "cancelled") && !text_is(b->status, "cancelled")) return cancel_work(u);
    bool moved = b->assignee_agent_id && !text_is(b->assignee_agent_id, u->after->assignee_agent_id);
    bool retry = u->reopened_from && text_is(u->reopened_from, "in_progress");
    if (!moved && !retry) return OK;
    return run_cancel_where(u->db,
                            &(struct run_cancel){.issue_id = b->id,
                                                 .agent_id = b->assignee_agent_id,
                                                 .statuses = moved ? "'queued','scheduled_retry'" : "'scheduled_retry'",
                                                 .error = moved ? "The issue was reassigned before this run started"
                                                                : "A person's comment starts the work afresh",
                                                 .error_code = moved ? "issue_reassigned" : "superseded_by_comment",
                                                 .stop_reason = moved ? "issue_reassigned" : "superseded_by_comment",
                                                 .wake_status = moved ? "skipped" : "cancelled"},
                            &n);
}

/* ---- rows ---- */

static err_t write_rows(struct update *u)
{
    const struct issue *b = u->before;
    struct issue *x = u->after;
    if (b->execution_run_id && x->execution_run_id == NULL) TRY(lock_detach(u->db, b));
    else if (b->checkout_run_id && x->checkout_run_id == NULL) TRY(lock_detach(u->db, b));
    TRY(entity_update(u->db, &ENTITY_issue, b, x));
    if (u->c->labels) TRY(issue_labels_replace(u->db, b, u->c->labels, false));
    if (u->c->blockers) TRY(relation_replace(u->db, b->company_id, b->id, u->c->blockers));
    if (!text_same(b->title, x->title))
        TRY(reference_sync(u->db, &(struct reference_source){b->company_id, b->id, "title", b->id, false}, x->title));
    if (!text_same(b->description, x->description))
        TRY(reference_sync(u->db, &(struct reference_source){b->company_id, b->id, "description", b->id, false},
                           x->description));
    return OK;
}

/* ---- record ---- */

static json_t *update_details(const struct update *u, json_t *changes, json_t *previous)
{
    const struct issue_change *c = u->c;
    json_t *d;
    if (c->comment_route) d = json_pack("{s:s}", "status", u->after->status);
    else d = c->requested ? json_deep_copy(c->requested) : json_object();
    if (!c->comment_route) {
        json_object_del(d, "comment");
        json_object_set(d, "changes", changes);
        json_object_set(d, "_previous", previous);
        if (c->reason) json_object_set_new(d, "authorizationReason", json_string(c->reason));
    }
    if (u->reopened_from) {
        json_object_set_new(d, "status", json_string(u->after->status));
        json_object_set_new(d, "reopened", json_true());
        json_object_set_new(d, "reopenedFrom", json_string(u->reopened_from));
    }
    bool by_words = u->stage.out.decision && !c->status_sent; /* IS-87 */
    if (c->comment) json_object_set_new(d, "source", json_string(by_words ? "auto_approval_comment" : "comment"));
    if (c->source) json_object_set_new(d, "source", json_string(c->source));
    if (c->resume) json_object_set_new(d, "resumeIntent", json_true());
    if (c->resume) json_object_set_new(d, "followUpRequested", json_true());
    if (u->interrupted_run_id) json_object_set_new(d, "interruptedRunId", json_string(u->interrupted_run_id));
    if (u->cancelled_run_id) json_object_set_new(d, "cancelledStatusRunId", json_string(u->cancelled_run_id));
    json_object_set_new(d, "identifier", json_string(u->after->identifier));
    return d;
}

static err_t log_entry(struct update *u, const char *action, json_t *details, const char *entity, const char *comment)
{
    return activity_log(u->db, u->actor,
                        &(struct activity_entry){.company_id = u->before->company_id,
                                                 .action = action,
                                                 .entity_type = "issue",
                                                 .entity_id = u->before->id,
                                                 .details = details,
                                                 .entity = entity,
                                                 .comment = comment});
}

static json_t *difference(const struct id_list *of, const struct id_list *without)
{
    json_t *out = json_array();
    for (int i = 0; i < of->count; i++)
        if (!id_list_has(without, of->ids[i])) json_array_append_new(out, json_string(of->ids[i]));
    return out;
}

static err_t log_blockers(struct update *u, const char *entity)
{
    json_t *added, *removed;
    if (u->c->blockers == NULL) return OK;
    added = difference(u->c->blockers, &u->old_blockers);
    removed = difference(&u->old_blockers, u->c->blockers);
    if (json_array_size(added) + json_array_size(removed) == 0) return OK;
    return log_entry(u, "issue.blockers_updated",
                     json_pack("{s:s, s:o, s:o, s:o}", "identifier", u->after->identifier, "blockedByIssueIds",
                               id_list_json(u->c->blockers), "addedBlockedByIssueIds", added,
                               "removedBlockedByIssueIds", removed),
                     entity, NULL);
}

static err_t log_comment(struct update *u, const struct comment *comment, const char *entity)
{
    json_t *d =
        json_pack("{s:s, s:s, s:s, s:s}", "commentId", comment->id, "bodySnippet", snippet(u->a, comment->body, 120),
                  "identifier", u->after->identifier, "issueTitle", u->after->title);
    if (u->c->reason) json_object_set_new(d, "authorizationReason", json_string(u->c->reason));
    if (u->c->resume) json_object_set_new(d, "resumeIntent", json_true());
    if (u->reopened_from) json_object_set_new(d, "reopened", json_true());
    if (u->reopened_from) json_object_set_new(d, "reopenedFrom", json_string(u->reopened_from));
    if (u->interrupted_run_id) json_object_set_new(d, "interruptedRunId", json_string(u->interrupted_run_id));
    return log_entry(u, "issue.comment_added", d, entity, comment_text(u->a, comment));
}

/* ---- what was asked in the thread (EX-7, IS-88) ---- */

static err_t settle_interactions(struct update *u, const struct issue *now, const struct comment *said, int *expired)
{
    bool closed = status_terminal(now->status) && !status_terminal(u->before->status);
    *expired = 0;
    if (closed) return interaction_expire_by_close(u->db, u->actor, now);
    if (said == NULL || !u->author.person) return OK;
    return interaction_expire_by_comment(u->db, u->actor, now, said, expired);
}

/* What a person finished they need not see again (IS-60). */
static err_t put_away(struct update *u)
{
    struct inbox_archive row;
    bool finished = !text_is(u->before->status, "done") && text_is(u->after->status, "done");
    if (!finished || u->actor->type != ACTOR_BOARD || u->actor->user_id == NULL) return OK;
    return inbox_archive(u->db, u->actor, u->after,
                         &(struct archive_target){.user = u->actor->user_id,
                                                  .resolved_from = "actor",
                                                  .source = "issue_status_done"},
                         &row);
}

/* ---- the whole ---- */

static bool blockers_settled(const struct update *u)
{
    bool blocked = text_is(u->after->status, "blocked");
    bool entered = blocked && (!text_is(u->before->status, "blocked") || reassigned(u));
    if (u->c->blockers) return u->open.open == 0 && (u->open_before > 0 || u->c->blockers->count > 0);
    return entered && u->open.open == 0 && !u->after->unblock_descriptor;
}

static err_t prepare(struct update *u)
{
    u->author = (struct author){0};
    u->now = clock_now();
    TRY(collect(u));
    TRY(apply_reopen(u));
    TRY(apply_stages(u));
    if (u->c->descriptor_sent) TRY(issue_check_descriptor(u->db, u->actor, u->after));
    TRY(check_parent(u));
    TRY(follow_goal(u));
    TRY(monitor_settle(u->db, u->actor, u->before, u->after, u->c->policy_sent, &u->monitor));
    TRY(guard(u));
    issue_apply_effects(u->before, u->after, u->now);
    u->after->request_depth = issue_depth_bounded(u->after->request_depth);
    u->after->title_key = title_key(u->a, u->after->title);
    return OK;
}

static err_t add_comment(struct update *u, struct issue_changed *out)
{
    struct comment_new c;
    if (u->c->comment == NULL) return OK;
    c = *u->c->comment;
    c.issue = u->after;
    c.reason = u->c->reason;
    out->commented = true;
    return comment_insert(u->db, u->actor, &u->author, &c, &out->comment, &out->replayed);
}

err_t issue_update(struct db *db, const struct actor *actor, const struct issue *before, struct issue_change *c,
                   struct issue_changed *out)
{
    struct update u = {.db = db, .a = db_arena(db), .actor = actor, .before = before, .c = c, .after = &c->after};
    json_t *changes, *previous;
    bool found;
    *out = (struct issue_changed){.row = *before, .changes = "{}"};
    TRY(prepare(&u));
    issue_changes(u.a,
                  &(struct issue_state){before, c->labels ? &u.old_labels : NULL, c->blockers ? &u.old_blockers : NULL},
                  &(struct issue_state){u.after, c->labels, c->blockers}, &changes, &previous);
    out->any = json_object_size(changes) > 0;
    out->changes = json_text(u.a, changes);
    if (!out->any && c->comment == NULL && !c->interrupt)
        return OK; /* nothing asked, nothing recorded (IS-51 BETTER) */
    TRY(add_comment(&u, out));
    if (out->any || (out->commented && !out->replayed)) u.after->updated_at = u.after->last_activity_at = u.now;
    TRY(write_rows(&u));
    const struct stage_request staged = stage_request(&u);
    TRY(stages_record(db, &staged, u.after, &u.stage));
    TRY(interrupt(&u));
    TRY(settle_runs(&u));
    TRY(issue_get(db, before->id, &out->row, &found)); /* ended runs have given up their locks */
    const char *entity;
    TRY(issue_event_text(db, &out->row, &entity));
    if (out->any) TRY(log_entry(&u, "issue.updated", update_details(&u, changes, previous), entity, NULL));
    TRY(put_away(&u));
    TRY(log_blockers(&u, entity));
    TRY(stages_log_policy(db, actor, before, &out->row));
    TRY(monitor_log(db, actor, &out->row, &u.monitor));
    if (before->successful_run_handoff && u.after->successful_run_handoff == NULL)
        TRY(handoff_log_resolved(db, actor, before, &out->row));
    bool said = out->commented && !out->replayed;
    if (said) TRY(log_comment(&u, &out->comment, entity));
    TRY(recovery_fold_after(db, actor, before, &out->row, c->blockers || c->reopen || c->resume));
    int expired;
    TRY(settle_interactions(&u, &out->row, said ? &out->comment : NULL, &expired));
    TRY(issue_wakes_send(db, actor,
                            &(struct issue_happening){.before = before,
                                                      .after = &out->row,
                                                      .mutation = "update",
                                                      .status_sent = c->status_sent,
                                                      .quiet = c->tree_control,
                                                      .stage = &u.stage.out,
                                                      .author = &u.author,
                                                      .comment = said ? &out->comment : NULL,
                                                      .reopened_from = u.reopened_from,
                                                      .resume = c->resume,
                                                      .wake_extra = c->wake_extra,
                                                      .interrupted_run_id = u.interrupted_run_id,
                                                      .assignee_told = c->assignee_told,
                                                      .asked_expired = expired > 0,
                                                      .blockers_settled = blockers_settled(&u)}));
    if (u.monitor.clear_reason == NULL || !text_is(out->row.status, "in_review")) return OK;
    const char *ref = arena_printf(u.a, "monitor:%s:%s:%ld", before->id, u.monitor.clear_reason,
                                   (long)out->row.monitor_attempt_count);
    return review_path_consumed(db, before->id, ref); /* it may have been the last one */
}

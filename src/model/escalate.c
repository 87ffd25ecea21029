/* escalate: action, block, notice, records, wake. */
#include "model/escalate.h"

#include "base/text.h"
#include "model/activity.h"
#include "model/comment.h"
#include "model/issue_card.h"
#include "model/lock.h"
#include "model/recovery_owner.h"
#include "model/recovery_turn.h"
#include "model/relation.h"
#include "rules/issue_status.h"
#include "rules/recovery.h"

struct escalating {
    struct db *db;
    struct arena *a;
    const struct issue *before;
    struct issue after;
    const struct escalation *e;
    struct recovery_action action;
    enum recovery_upsert what;
    const char *kind, *todo; /* kind of the action; what its owner has to do */
    json_t *blockers;        /* ids of the open ones */
    int blocker_count;
};

/* Issues that are themselves a recovery of something never spawn another (EX-128). */
static bool recovers_something(const struct issue *i)
{
    static const char *const origins[] = {"stranded_issue_recovery", "harness_liveness_escalation",
                                          "stale_active_run_evaluation", "issue_productivity_review", "task_watchdog"};
    for (size_t n = 0; n < sizeof origins / sizeof *origins; n++)
        if (text_is(i->origin_kind, origins[n])) return true;
    return false;
}

/* ---- the action ---- */

static json_t *evidence_of(const struct escalating *x)
{
    const struct escalation *e = x->e;
    json_t *v = json_is_object(e->evidence) ? json_deep_copy(e->evidence) : json_object();
    json_object_set_new(v, "recoveryCause", json_string(e->cause));
    json_object_set_new(v, "previousStatus", json_string(x->before->status));
    json_object_set_new(v, "sourceIdentifier", json_string(x->before->identifier));
    if (e->run_id) json_object_set_new(v, "latestRunId", json_string(e->run_id));
    if (e->error_code) json_object_set_new(v, "latestRunErrorCode", json_string(e->error_code));
    return v;
}

static err_t open_action(struct escalating *x)
{
    const struct escalation *e = x->e;
    struct recovery_owner owner = {.type = "system"};
    json_t *evidence = evidence_of(x);
    const char *print = e->fingerprint;
    if (!e->monitor_only)
        TRY(recovery_owner_find(x->db,
                                &(struct recovery_owner_query){.issue = x->before,
                                                               .cause = e->cause,
                                                               .run_agent_id = e->agent_id,
                                                               .preferred = e->preferred_owner,
                                                               .excluded = e->excluded_owner,
                                                               .board = e->board},
                                &owner));
    if (owner.fallback_reason)
        json_object_set_new(evidence, "routingFallbackReason", json_string(owner.fallback_reason));
    if (print == NULL)
        print =
            arena_printf(x->a, "source_scoped_recovery:%s:%s:%s%s%s", x->before->company_id, x->before->id, e->cause,
                         e->fingerprint_suffix ? ":" : "", e->fingerprint_suffix ? e->fingerprint_suffix : "");
    return recovery_action_upsert(x->db,
                                  &(struct recovery_finding){.issue = x->before,
                                                             .kind = x->kind,
                                                             .cause = e->cause,
                                                             .fingerprint = print,
                                                             .next_action = x->todo,
                                                             .owner = owner,
                                                             .wake_policy = e->monitor_only ? "monitor_only"
                                                                            : recovery_by_hand(x->kind)
                                                                                ? "manual_repair_required"
                                                                                : "wake_owner",
                                                             .evidence = evidence,
                                                             .blocks_source = !e->no_block},
                                  &x->action, &x->what);
}

static err_t log_action(struct escalating *x)
{
    static const char *const names[] = {[RECOVERY_OPENED] = "issue.recovery_action_opened",
                                        [RECOVERY_UPDATED] = "issue.recovery_action_updated",
                                        [RECOVERY_APPENDED] = "issue.recovery_action_updated"};
    json_t *d = json_pack("{s:s?, s:s?, s:s?, s:s}", "previousOwnerAgentId", x->action.previous_owner_agent_id,
                          "returnOwnerAgentId", x->action.return_owner_agent_id, "runId", x->e->run_id, "nextAction",
                          x->action.next_action);
    if (x->what == RECOVERY_APPENDED) json_object_set_new(d, "relatedCause", json_string(x->e->cause));
    return recovery_action_log(x->db, &recovery_actor, names[x->what], &x->action, d);
}

/* ---- the issue ---- */

static const char *descriptor(const struct escalating *x)
{
    json_t *owner =
        x->action.owner_agent_id ? json_pack("{s:s}", "agentId", x->action.owner_agent_id) : json_string("board");
    return json_text(x->a, json_pack("{s:o, s:s}", "owner", owner, "action", x->todo));
}

static err_t block(struct escalating *x)
{
    const struct issue *b = x->before;
    struct issue *i = &x->after;
    bool entered = !text_is(b->status, "blocked");
    *i = *b;
    TRY(relation_unresolved(x->db, b->id, &x->blockers, &x->blocker_count));
    if (b->execution_run_id || b->checkout_run_id) TRY(lock_detach(x->db, b));
    i->status = "blocked";
    if (entered) i->blocked_transition_at = clock_now();
    if (x->blocker_count == 0) i->unblock_descriptor = descriptor(x); /* EX-9: every writer names the way out */
    i->blocked_owner_notified_at = clock_now();                       /* the action's own wake tells its owner */
    i->checkout_run_id = i->execution_run_id = i->execution_agent_name_key = NULL;
    i->execution_locked_at = i->dispatch_expected_since = INSTANT_NONE;
    i->updated_at = i->last_activity_at = clock_now();
    return entity_update(x->db, &ENTITY_issue, b, i);
}

static err_t log_issue(struct escalating *x)
{
    const struct escalation *e = x->e;
    const char *entity;
    bool handoff = text_is(x->kind, "missing_disposition");
    TRY(issue_event_text(x->db, &x->after, &entity));
    json_t *d = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s}", "status", x->after.status, "source", "recovery.escalation",
                          "cause", e->cause, "identifier", x->before->identifier, "errorCode", e->error_code,
                          "previousStatus", x->before->status);
    json_object_update_new(d, json_pack("{s:s?, s:s?, s:s?, s:s?}", "recoveryActionId", x->action.id,
                                        "recoveryOwnerAgentId", x->action.owner_agent_id, "previousOwnerAgentId",
                                        x->action.previous_owner_agent_id, "returnOwnerAgentId",
                                        x->action.return_owner_agent_id));
    json_object_set(d, "blockerIssueIds", x->blockers);
    if (e->evidence) json_object_set(d, "evidence", e->evidence);
    return activity_log(
        x->db, &recovery_actor,
        &(struct activity_entry){.company_id = x->before->company_id,
                                 .action = handoff ? "issue.successful_run_handoff_escalated" : "issue.updated",
                                 .entity_type = "issue",
                                 .entity_id = x->before->id,
                                 .run_id = e->run_id,
                                 .agent_id = e->agent_id,
                                 .entity = entity,
                                 .details = d});
}

/* ---- the notice ---- */

static json_t *row(const char *label, const char *value)
{
    return json_pack("{s:s, s:s, s:s}", "type", "key_value", "label", label, "value", value);
}

static const char *notice_metadata(struct escalating *x)
{
    json_t *rows = json_array();
    if (x->action.id) json_array_append_new(rows, row("Recovery action", x->action.id));
    json_array_append_new(rows, row("Cause", x->e->cause));
    if (x->e->error_code) json_array_append_new(rows, row("Error", x->e->error_code));
    if (x->e->run_id) json_array_append_new(rows, row("Run", x->e->run_id));
    return json_text(x->a,
                     json_pack("{s:i, s:[{s:s, s:o}]}", "version", 1, "sections", "title", "Recovery", "rows", rows));
}

/* Once per action; a repair by hand is asked for each time its reason changes (EX-110). */
static bool wants_notice(const struct escalating *x)
{
    if (x->e->no_notice || x->what == RECOVERY_APPENDED) return false;
    return x->what == RECOVERY_OPENED || recovery_by_hand(x->kind);
}

static err_t notice(struct escalating *x)
{
    const struct author nobody = {0};
    struct comment c;
    bool replayed;
    if (!wants_notice(x)) return OK;
    TRY(comment_insert(x->db, &recovery_actor, &nobody,
                       &(struct comment_new){.issue = x->before,
                                             .body = x->todo,
                                             .presentation = "{\"kind\":\"system_notice\",\"tone\":\"warning\","
                                                             "\"title\":\"This issue needs attention\"}",
                                             .metadata = notice_metadata(x)},
                       &c, &replayed));
    return activity_log(
        x->db, &recovery_actor,
        &(struct activity_entry){.company_id = x->before->company_id,
                                 .action = "issue.comment_added",
                                 .entity_type = "issue",
                                 .entity_id = x->before->id,
                                 .comment = comment_text(x->a, &c),
                                 .details = json_pack("{s:s, s:s, s:s}", "commentId", c.id, "bodySnippet",
                                                      snippet(x->a, c.body, 120), "source", "recovery.escalation")});
}

/* ---- the whole ---- */

err_t escalate_with(struct db *db, const struct issue *issue, const struct escalation *e, struct recovery_action *out,
                    enum recovery_upsert *what)
{
    struct escalating x = {.db = db, .a = db_arena(db), .before = issue, .after = *issue, .e = e};
    bool nested = recovers_something(issue);
    *out = (struct recovery_action){0};
    *what = RECOVERY_APPENDED;
    if (status_terminal(issue->status)) return OK;
    x.kind = e->kind ? e->kind : recovery_kind(e->cause);
    x.todo = e->action ? e->action : recovery_next_action(e->cause);
    if (!nested) TRY(open_action(&x));
    if (!nested) TRY(log_action(&x));
    bool blocks = !e->no_block && (nested || x.what != RECOVERY_APPENDED || !text_is(issue->status, "blocked"));
    if (blocks) TRY(block(&x));
    if (blocks) TRY(log_issue(&x));
    TRY(notice(&x));
    *out = x.action;
    *what = x.what;
    return nested || x.what == RECOVERY_APPENDED ? OK : recovery_wake_owner(db, &x.action);
}

err_t escalate_issue(struct db *db, const struct issue *issue, const struct escalation *e)
{
    struct recovery_action action;
    enum recovery_upsert what;
    return escalate_with(db, issue, e, &action, &what);
}

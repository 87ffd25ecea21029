/* recovery_turn: owner wakes and bounds. */
#include "model/recovery_turn.h"

#include "base/settings.h"
#include "base/text.h"
#include "model/issue.h"
#include "model/recovery_fold.h"
#include "model/recovery_owner.h"
#include "model/wake.h"
#include "rules/recovery.h"

/* ---- the owner's wake ---- */

static const char *wake_key(struct arena *a, const struct recovery_action *x)
{
    return arena_printf(a, "source_scoped_recovery_action:%s:%ld", x->id, (long)x->attempt_count);
}

static bool wakes(const struct recovery_action *a)
{
    return text_is(json_str(json_read(a->wake_policy), "type"), "wake_owner") && a->owner_agent_id;
}

/* What the run may do (EX-75): decide about the issue, not do its work. */
static json_t *context_of(const struct recovery_action *x)
{
    const json_t *evidence = json_read(x->evidence);
    const char *stranded = json_str(evidence, "latestRunId");
    json_t *c = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "issueId", x->source_issue_id, "taskId",
                          x->source_issue_id, "sourceIssueId", x->source_issue_id, "recoveryActionId", x->id,
                          "recoveryCause", x->cause, "wakeReason", "source_scoped_recovery_action", "skipIssueComment",
                          1, "source", "issue_recovery_action");
    json_object_update_new(c, json_pack("{s:s, s:b, s:b, s:b, s:s}", "recoveryIntent", "status_only",
                                        "allowDeliverableWork", 0, "allowDocumentUpdates", 0,
                                        "resumeRequiresNormalModel", 1, "modelProfile", "cheap"));
    if (stranded) json_object_set_new(c, "strandedRunId", json_string(stranded));
    return c;
}

err_t recovery_wake_owner(struct db *db, const struct recovery_action *x)
{
    struct wake_result result;
    if (!wakes(x)) return OK;
    json_t *payload =
        json_pack("{s:s, s:s, s:s, s:s, s:I}", "issueId", x->source_issue_id, "recoveryActionId", x->id, "mutation",
                  "recovery_action", "recoveryCause", x->cause, "recoveryAttempt", (json_int_t)x->attempt_count);
    return wake_enqueue(db, &recovery_actor,
                        &(struct wake_request){.agent_id = x->owner_agent_id,
                                               .source = "assignment",
                                               .trigger_detail = "system",
                                               .reason = "source_scoped_recovery_action",
                                               .payload = payload,
                                               .context = context_of(x),
                                               .idempotency_key = wake_key(db_arena(db), x)},
                        &result);
}

/* ---- what is due ---- */

#define SOURCE_MOVED                                                                                   \
    "i.status IN ('done','cancelled') OR i.assignee_user_id IS NOT NULL"                               \
    " OR (a.blocks_source AND i.status IN ('todo','in_progress') AND i.assignee_agent_id IS NOT NULL)" \
    " OR i.assignee_agent_id <> a.previous_owner_agent_id"

err_t recovery_due_page(struct db *db, const char *after_id, int limit, struct recovery_due **out, int *count)
{
    struct rows r ROWS_AUTO = {0};
    *out = arena_array(db_arena(db), struct recovery_due, limit);
    *count = 0;
    TRY(db_query(db, &r,
                 "SELECT a.company_id, a.id FROM issue_recovery_actions a JOIN issues i ON i.id = a.source_issue_id"
                 " WHERE a.status IN ('active','escalated') AND ($1 IS NULL OR a.id > $1)"
                 " AND (a.status = 'active' OR " SOURCE_MOVED ") ORDER BY a.id LIMIT $2",
                 P(V_ID(after_id), V_INT(limit))));
    while (rows_next(&r) && *count < limit)
        (*out)[(*count)++] = (struct recovery_due){row_text(&r, 0), row_text(&r, 1)};
    return rows_err(&r);
}

static err_t owner_at_work(struct db *db, const struct recovery_action *x, bool *yes)
{
    int64_t n;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM agent_wakeup_requests w LEFT JOIN heartbeat_runs r ON r.id = w.run_id"
        " WHERE w.company_id = $1 AND w.idempotency_key = $2"
        " AND (w.status IN ('queued','deferred_issue_execution','claimed') OR r.status IN ('queued','running','scheduled_retry'))",
        P(V_ID(x->company_id), V_TEXT(wake_key(db_arena(db), x)))));
    *yes = n > 0;
    return OK;
}

/* ---- turns ---- */

/* The descriptor that opening the action wrote names its new owner, too (EX-9). */
static err_t rename_unblocker(struct db *db, const struct recovery_action *x)
{
    struct issue issue, after;
    bool found;
    TRY(issue_get(db, x->source_issue_id, &issue, &found));
    if (!found || !x->blocks_source || !text_is(issue.status, "blocked") || issue.unblock_descriptor == NULL) return OK;
    json_t *d = json_read(issue.unblock_descriptor);
    json_t *owner = x->owner_agent_id ? json_pack("{s:s}", "agentId", x->owner_agent_id) : json_string("board");
    json_object_set_new(d, "owner", owner);
    after = issue;
    after.unblock_descriptor = json_text(db_arena(db), d);
    after.updated_at = clock_now();
    return entity_update(db, &ENTITY_issue, &issue, &after);
}

err_t recovery_turn_escalate(struct db *db, struct recovery_action *x, const char *why)
{
    const struct recovery_action before = *x;
    const struct recovery_owner board = {.type = "board"};
    x->status = "escalated";
    x->owner_type = "board";
    x->owner_agent_id = x->owner_user_id = NULL;
    x->wake_policy = recovery_wake_policy(db_arena(db), "board_escalation", &board);
    x->updated_at = clock_now();
    TRY(entity_update(db, &ENTITY_recovery_action, &before, x));
    TRY(rename_unblocker(db, x));
    return recovery_action_log(db, &recovery_actor, "issue.recovery_action_escalated", x,
                               json_pack("{s:s, s:s?}", "reason", why, "previousOwnerAgentId", before.owner_agent_id));
}

static err_t wake_again(struct db *db, struct recovery_action *x)
{
    instant_t now = clock_now();
    TRY(db_exec_one(
        db,
        "UPDATE issue_recovery_actions SET attempt_count = attempt_count + 1, last_attempt_at = $3, updated_at = $3"
        " WHERE id = $1 AND status = 'active' AND attempt_count = $2",
        P(V_ID(x->id), V_INT(x->attempt_count), V_TIME(now))));
    x->attempt_count++;
    x->last_attempt_at = x->updated_at = now;
    TRY(recovery_wake_owner(db, x));
    return recovery_action_log(db, &recovery_actor, "issue.recovery_action_owner_woken", x, NULL);
}

/* The owner cannot act any more: the next one of the ladder, which has its own first wake, or the board. */
static err_t next_owner(struct db *db, struct recovery_action *x, const struct issue *issue)
{
    const struct recovery_action before = *x;
    struct recovery_owner owner;
    TRY(recovery_owner_find(
        db, &(struct recovery_owner_query){.issue = issue, .cause = x->cause, .excluded = x->owner_agent_id}, &owner));
    if (owner.agent_id == NULL || x->attempt_count >= x->max_attempts)
        return recovery_turn_escalate(db, x, "owner_unavailable");
    x->owner_agent_id = owner.agent_id;
    if (wakes(&before)) x->wake_policy = recovery_wake_policy(db_arena(db), "wake_owner", &owner);
    TRY(entity_update(db, &ENTITY_recovery_action, &before, x));
    TRY(rename_unblocker(db, x));
    TRY(recovery_action_log(db, &recovery_actor, "issue.recovery_action_reassigned", x,
                            json_pack("{s:s?}", "previousOwnerAgentId", before.owner_agent_id)));
    return wakes(x) ? wake_again(db, x) : OK;
}

err_t recovery_turn_take(struct db *db, const char *action_id, const char **did)
{
    struct recovery_action x;
    struct issue issue;
    bool found, folded;
    *did = NULL;
    TRY(recovery_action_get(db, action_id, &x, &found));
    if (!found || !(text_is(x.status, "active") || text_is(x.status, "escalated"))) return OK;
    TRY(issue_get(db, x.source_issue_id, &issue, &found));
    TRY(recovery_fold_check(db, &x, &issue, &folded));
    if (folded) *did = "folded";
    if (folded) return OK;
    struct recovery_turn_facts f = {.escalated = text_is(x.status, "escalated"),
                                    .agent_owned = text_is(x.owner_type, "agent"),
                                    .wakes = wakes(&x),
                                    .attempts = x.attempt_count,
                                    .attempts_max =
                                        x.max_attempts == INT_NONE ? settings.recovery_attempts_max : x.max_attempts,
                                    .last_attempt_at = x.last_attempt_at,
                                    .timeout_at = x.timeout_at};
    if (f.agent_owned && !f.escalated) {
        TRY(owner_at_work(db, &x, &f.owner_at_work));
        TRY(recovery_owner_can(db, x.company_id, x.owner_agent_id, &f.owner_can));
    }
    switch (recovery_turn(&f, clock_now())) {
    case TURN_REST: return OK;
    case TURN_WAKE: *did = "woken"; return wake_again(db, &x);
    case TURN_NEW_OWNER: *did = "reassigned"; return next_owner(db, &x, &issue);
    case TURN_ESCALATE: break;
    }
    *did = "escalated";
    bool late = f.timeout_at != INSTANT_NONE && clock_now() >= f.timeout_at;
    return recovery_turn_escalate(db, &x, late ? "timed_out" : "attempts_exhausted");
}

/* monitor_end: what comes after the last look. */
#include "model/monitor_end.h"

#include "base/text.h"
#include "model/activity.h"
#include "model/escalate.h"
#include "model/follow_up.h"
#include "model/issue_create.h"
#include "model/wake.h"
#include "rules/recovery_class.h"

static err_t log_exhausted(struct db *db, const struct issue *i, const struct monitor *m, const char *reason)
{
    return activity_log(
        db, &follow_up_actor,
        &(struct activity_entry){.company_id = i->company_id,
                                 .action = "issue.monitor_exhausted",
                                 .entity_type = "issue",
                                 .entity_id = i->id,
                                 .details = json_pack("{s:s, s:s, s:I, s:s}", "identifier", i->identifier,
                                                      "clearReason", reason, "attemptCount",
                                                      (json_int_t)i->monitor_attempt_count, "recoveryPolicy",
                                                      m->recovery_policy ? m->recovery_policy : "wake_owner")});
}

err_t monitor_lost(struct db *db, const struct issue *issue, const char *reason)
{
    return escalate_issue(
        db, issue,
        &(struct escalation){.cause =
                                 text_is(reason, "dispatch_skipped") ? "assignee_not_invokable" : "monitor_exhausted",
                             .action = "The issue waited for something outside, and nobody looks after it any"
                                       " more. Find out what became of it, then schedule another look, or"
                                       " move the issue on.",
                             .agent_id = issue->assignee_agent_id,
                             .board = true,
                             .no_block = true,
                             .evidence = json_pack("{s:s, s:I}", "clearReason", reason, "attemptCount",
                                                   (json_int_t)issue->monitor_attempt_count)});
}

static err_t wake_owner(struct db *db, const struct issue *target, const struct issue *source, const char *reason,
                        const char *wake_reason, const char *key, bool *woken)
{
    struct arena *a = db_arena(db);
    struct wake_result result;
    json_t *context =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "issueId", target->id, "taskId", target->id, "source",
                  "issue.monitor", "wakeReason", wake_reason, "sourceIssueId", source->id, "clearReason", reason);
    recovery_class_apply(context, wake_reason);
    TRY(wake_enqueue(
        db, &follow_up_actor,
        &(struct wake_request){
            .agent_id = target->assignee_agent_id,
            .source = "automation",
            .trigger_detail = "system",
            .reason = wake_reason,
            .payload = json_pack("{s:s, s:s}", "issueId", target->id, "clearReason", reason),
            .context = context,
            .idempotency_key = arena_printf(a, "%s:%s:%s:%s", key, target->id, reason, instant_text(a, clock_now()))},
        &result));
    *woken = result.outcome != WAKE_SKIPPED;
    return OK;
}

/* One open recovery issue per issue and reason; the next time it is woken again. */
static err_t recovery_issue(struct db *db, const struct issue *source, const char *reason, struct issue *out)
{
    struct arena *a = db_arena(db);
    struct issue_created made;
    bool found;
    const char *fingerprint = arena_printf(a, "issue_monitor:%s", reason);
    TRY(entity_one(db, &ENTITY_issue, out, &found,
                   "WHERE parent_id = $1 AND origin_kind = 'stranded_issue_recovery' AND origin_fingerprint = $2"
                   " AND status NOT IN ('done','cancelled') ORDER BY created_at LIMIT 1",
                   P(V_ID(source->id), V_TEXT(fingerprint))));
    if (found) return OK;
    struct issue_new in = {.parent = source, .source = source, .allow_duplicate = true};
    entity_init(&ENTITY_issue, &in.row);
    in.row.company_id = source->company_id;
    in.row.parent_id = source->id;
    in.row.title = arena_printf(a, "Recover the monitor of %s", source->identifier);
    in.row.description =
        "The monitor of this issue's parent has used up its bounds. Find out what became of what it waits for.";
    in.row.status = "todo";
    in.row.priority = source->priority;
    in.row.assignee_agent_id = source->assignee_agent_id;
    in.row.origin_kind = "stranded_issue_recovery";
    in.row.origin_id = source->id;
    in.row.origin_fingerprint = fingerprint;
    in.row.responsible_user_id = source->responsible_user_id;
    TRY(issue_create(db, &follow_up_actor, &in, &made));
    *out = made.row;
    return OK;
}

err_t monitor_exhaust(struct db *db, const struct issue *issue, const struct monitor *m, const char *reason)
{
    const char *policy = m->recovery_policy;
    struct issue target = *issue;
    bool woken = false;
    TRY(log_exhausted(db, issue, m, reason));
    if (text_is(policy, "escalate_to_board")) return monitor_lost(db, issue, reason);
    if (text_is(policy, "create_recovery_issue")) {
        TRY(recovery_issue(db, issue, reason, &target));
        TRY(wake_owner(db, &target, issue, reason, "issue_monitor_recovery_issue", "issue-monitor-recovery-issue",
                       &woken));
    } else {
        TRY(wake_owner(db, issue, issue, reason, "issue_monitor_recovery", "issue-monitor-recovery", &woken));
    }
    return woken ? OK : monitor_lost(db, issue, reason);
}

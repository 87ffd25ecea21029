/* monitor: scheduled with the issue, looked at when due. */
#include "model/monitor.h"

#include "base/text.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/hold.h"
#include "model/issue.h"
#include "model/monitor_end.h"
#include "model/relation.h"
#include "model/wake.h"
#include "rules/monitor.h"

static const struct actor scheduler = {.type = ACTOR_SYSTEM, .source = "issue_monitor"};

/* ---- rows ---- */

static void end_row(struct arena *a, struct issue *row, enum monitor_status status, const char *reason, instant_t now)
{
    const struct monitor m = monitor_of(row->execution_policy);
    row->execution_state =
        monitor_state_text(a, row->execution_state,
                           &(struct monitor_event){.status = status,
                                                   .monitor = m.json,
                                                   .attempts = row->monitor_attempt_count,
                                                   .at = now,
                                                   .last_triggered_at = row->monitor_last_triggered_at,
                                                   .clear_reason = reason});
    row->execution_policy = monitor_policy_text(a, row->execution_policy, NULL);
    row->monitor_next_check_at = row->monitor_wake_requested_at = INSTANT_NONE;
    row->monitor_notes = row->monitor_scheduled_by = NULL;
}

static void start_row(struct arena *a, struct issue *row, json_t *monitor)
{
    row->execution_policy = monitor_policy_text(a, row->execution_policy, monitor);
    const struct monitor m = monitor_of(row->execution_policy);
    row->monitor_next_check_at = m.next_check_at;
    row->monitor_wake_requested_at = INSTANT_NONE;
    row->monitor_notes = m.notes;
    row->monitor_scheduled_by = m.scheduled_by;
    row->execution_state =
        monitor_state_text(a, row->execution_state,
                           &(struct monitor_event){.status = MONITOR_SCHEDULED,
                                                   .monitor = monitor,
                                                   .attempts = row->monitor_attempt_count,
                                                   .at = INSTANT_NONE,
                                                   .last_triggered_at = row->monitor_last_triggered_at});
}

/* ---- as part of a change ---- */

/* A look that followed the last one goes on counting; after any other end it begins anew. */
static int64_t attempts_so_far(const struct issue *before)
{
    const json_t *state = before ? json_object_get(json_read(before->execution_state), "monitor") : NULL;
    bool goes_on = text_is(json_str(state, "status"), "triggered") || text_is(json_str(state, "status"), "scheduled") ||
                   text_is(json_str(state, "clearReason"), "max_attempts_exhausted");
    return goes_on ? before->monitor_attempt_count : 0;
}

static err_t schedule(struct db *db, const struct actor *actor, const struct issue *before, struct issue *after,
                      const struct monitor *given, struct monitor_change *out)
{
    struct arena *a = db_arena(db);
    bool agent = actor->type == ACTOR_AGENT;
    if (agent && !text_is(after->assignee_agent_id, actor->agent_id))
        return err_new(a, ERR_FORBIDDEN, "Only the assignee or the board may schedule a monitor");
    if (!monitor_fits(after->status, after->assignee_agent_id != NULL, after->assignee_user_id != NULL))
        return err_new(a, ERR_UNPROCESSABLE,
                       "Monitor can only be scheduled on issues assigned to an agent in in_progress or in_review");
    after->monitor_attempt_count = attempts_so_far(before);
    const char *used_up = monitor_exhausted(given, after->monitor_attempt_count + 1, clock_now());
    if (used_up)
        return err_with(a, ERR_UNPROCESSABLE, NULL, json_text(a, json_pack("{s:s}", "clearReason", used_up)),
                        "Monitor bounds are already exhausted");
    json_t *monitor = monitor_normalise(given->json, agent ? "assignee" : "board");
    start_row(a, after, monitor);
    *out = (struct monitor_change){.action = "issue.monitor_scheduled", .monitor = monitor};
    return OK;
}

static void clear(struct arena *a, const struct issue *before, struct issue *after, const char *reason,
                  struct monitor_change *out)
{
    const struct monitor had = monitor_of(before->execution_policy);
    /* what the client sent has no monitor any more: its end tells of the one that was */
    after->execution_policy = monitor_policy_text(a, after->execution_policy, (json_t *)(uintptr_t)had.json);
    end_row(a, after, MONITOR_CLEARED, reason, clock_now());
    *out = (struct monitor_change){.action = "issue.monitor_cleared", .clear_reason = reason, .monitor = had.json};
}

err_t monitor_settle(struct db *db, const struct actor *actor, const struct issue *before, struct issue *after,
                     bool policy_sent, struct monitor_change *out)
{
    struct arena *a = db_arena(db);
    const struct monitor had = monitor_of(before ? before->execution_policy : NULL);
    const struct monitor wanted = monitor_of(after->execution_policy);
    const char *ends =
        monitor_end_reason(after->status, after->assignee_agent_id != NULL, after->assignee_user_id != NULL);
    bool moved = before && !text_same(before->assignee_agent_id, after->assignee_agent_id);
    *out = (struct monitor_change){0};
    bool same = had.there && wanted.there &&
                json_equal((json_t *)(uintptr_t)had.json, monitor_normalise(wanted.json, had.scheduled_by));
    if (policy_sent && wanted.there && !same) return schedule(db, actor, before, after, &wanted, out);
    if (same) start_row(a, after, (json_t *)(uintptr_t)had.json); /* sent back as it was read: nothing new */
    if (!had.there) return OK;
    if (ends || moved || !wanted.there)
        clear(a, before, after, ends ? ends : moved ? "invalid_assignee" : "manual", out);
    return OK;
}

err_t monitor_log(struct db *db, const struct actor *actor, const struct issue *issue, const struct monitor_change *c)
{
    if (c->action == NULL) return OK;
    json_t *d = json_pack("{s:s}", "identifier", issue->identifier);
    if (json_is_object(c->monitor)) {
        json_object_set(d, "nextCheckAt", json_object_get(c->monitor, "nextCheckAt"));
        json_object_set(d, "scheduledBy", json_object_get(c->monitor, "scheduledBy"));
    }
    json_object_set_new(d, "attemptCount", json_integer((json_int_t)issue->monitor_attempt_count));
    if (c->clear_reason) json_object_set_new(d, "clearReason", json_string(c->clear_reason));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = issue->company_id,
                                                 .action = c->action,
                                                 .entity_type = "issue",
                                                 .entity_id = issue->id,
                                                 .details = d});
}

/* ---- the looks ---- */

#define OF_ACTIVE \
    "FROM issues i JOIN companies c ON c.id = i.company_id WHERE c.status = 'active' AND i.monitor_next_check_at"

err_t monitor_due_page(struct db *db, int limit, struct monitor_due *rows, int *count, instant_t *next)
{
    struct rows r ROWS_AUTO = {0}, later ROWS_AUTO = {0};
    instant_t now = clock_now();
    *count = 0;
    *next = INSTANT_NONE;
    TRY(db_query(db, &r,
                 "SELECT i.company_id, i.id " OF_ACTIVE " <= $1 ORDER BY i.monitor_next_check_at, i.id LIMIT $2",
                 P(V_TIME(now), V_INT(limit))));
    while (rows_next(&r) && *count < limit) rows[(*count)++] = (struct monitor_due){row_text(&r, 0), row_text(&r, 1)};
    TRY(rows_err(&r));
    if (*count == limit) *next = now; /* perhaps there are more */
    if (*count == limit) return OK;
    TRY(db_query(db, &later, "SELECT min(i.monitor_next_check_at) " OF_ACTIVE " > $1", P(V_TIME(now))));
    if (rows_next(&later)) *next = row_time(&later, 0);
    return rows_err(&later);
}

/* A pending stage's quota is its participant's (EX-96). */
static const char *who_looks(const struct issue *i, const struct monitor *m)
{
    const json_t *state = json_read(i->execution_state);
    const char *participant = json_str(json_object_get(state, "currentParticipant"), "agentId");
    bool pending = text_is(i->status, "in_review") && text_is(json_str(state, "status"), "pending");
    return pending && participant && text_is(m->service_name, MONITOR_QUOTA_SERVICE) ? participant
                                                                                     : i->assignee_agent_id;
}

static json_t *look_context(const struct issue *i, const struct monitor *m, int64_t attempt)
{
    json_t *c = json_pack("{s:s, s:s, s:s, s:s, s:I}", "issueId", i->id, "taskId", i->id, "source", "issue.monitor",
                          "wakeReason", "issue_monitor_due", "monitorAttempt", (json_int_t)attempt);
    json_object_set(c, "monitor", (json_t *)(uintptr_t)m->json);
    return c;
}

static err_t wake_for_look(struct db *db, const struct actor *actor, const struct issue *i, const struct monitor *m,
                           bool by_hand, struct wake_result *result)
{
    struct arena *a = db_arena(db);
    int64_t attempt = i->monitor_attempt_count + 1;
    return wake_enqueue(
        db, actor,
        &(struct wake_request){.agent_id = who_looks(i, m),
                               .source = by_hand ? "on_demand" : "automation",
                               .trigger_detail = by_hand ? "manual" : "system",
                               .reason = "issue_monitor_due",
                               .payload = json_pack("{s:s, s:s, s:I}", "issueId", i->id, "nextCheckAt",
                                                    instant_text(a, m->next_check_at), "attempt", (json_int_t)attempt),
                               .context = look_context(i, m, attempt),
                               .idempotency_key =
                                   arena_printf(a, "issue-monitor:%s:%s", i->id, instant_text(a, m->next_check_at))},
        result);
}

/* The look was asked for: the monitor is used up with it (one-shot). */
static err_t consume(struct db *db, const struct actor *actor, const struct issue *before, bool by_hand)
{
    struct issue after = *before;
    const struct monitor m = monitor_of(before->execution_policy);
    instant_t now = clock_now();
    after.monitor_attempt_count++;
    after.monitor_last_triggered_at = now;
    end_row(db_arena(db), &after, MONITOR_TRIGGERED, "triggered", now);
    after.updated_at = now;
    TRY(entity_update(db, &ENTITY_issue, before, &after));
    json_t *d = json_pack("{s:s, s:I, s:s}", "identifier", before->identifier, "attemptCount",
                          (json_int_t)after.monitor_attempt_count, "trigger", by_hand ? "manual" : "scheduler");
    json_object_set(d, "nextCheckAt", json_object_get(m.json, "nextCheckAt"));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = before->company_id,
                                                 .action = "issue.monitor_triggered",
                                                 .entity_type = "issue",
                                                 .entity_id = before->id,
                                                 .details = d});
}

static err_t clear_now(struct db *db, const struct issue *before, const char *reason, struct issue *after)
{
    const struct monitor m = monitor_of(before->execution_policy);
    *after = *before;
    end_row(db_arena(db), after, MONITOR_CLEARED, reason, clock_now());
    after->updated_at = clock_now();
    TRY(entity_update(db, &ENTITY_issue, before, after));
    return monitor_log(
        db, &scheduler, after,
        &(struct monitor_change){.action = "issue.monitor_cleared", .clear_reason = reason, .monitor = m.json});
}

static err_t put_off(struct db *db, const struct issue *i, const struct monitor *m, enum monitor_look *did)
{
    *did = LOOK_REARMED;
    return db_exec_one(db, "UPDATE issues SET monitor_next_check_at = $2 WHERE id = $1",
                       P(V_ID(i->id), V_TIME(monitor_rearm(m, clock_now()))));
}

/* Kept back for good, or only for now? */
static err_t kept_back(struct db *db, const struct issue *i, const struct monitor *m, enum monitor_look *did)
{
    struct agent agent;
    struct issue after;
    bool found;
    TRY(agent_get(db, who_looks(i, m), &agent, &found));
    bool for_good = !found || text_is(agent.status, "terminated");
    if (!for_good) return put_off(db, i, m, did);
    *did = LOOK_CLEARED;
    TRY(clear_now(db, i, "dispatch_skipped", &after));
    return monitor_lost(db, &after, "dispatch_skipped"); /* it was the only path */
}

/* A gate that opens by itself or by somebody's hand: a hold, a blocker, a pause. */
static err_t shut(struct db *db, const struct issue *i, const struct monitor *m, bool *yes)
{
    struct agent agent;
    const char *why = NULL;
    json_t *open;
    bool found;
    int blockers;
    TRY(hold_keeps(db, i->id, yes));
    TRY(relation_unresolved(db, i->id, &open, &blockers));
    TRY(agent_get(db, who_looks(i, m), &agent, &found));
    if (found) TRY(agent_invokable(db, &agent, &why));
    *yes = *yes || blockers > 0 || text_is(why, "paused");
    return OK;
}

err_t monitor_look(struct db *db, const char *issue_id, enum monitor_look *did)
{
    struct issue i, after;
    struct wake_result result;
    bool found, held;
    *did = LOOK_NOTHING;
    TRY(issue_get(db, issue_id, &i, &found));
    if (!found || i.monitor_next_check_at == INSTANT_NONE || i.monitor_next_check_at > clock_now()) return OK;
    const struct monitor m = monitor_of(i.execution_policy);
    const char *ends = monitor_end_reason(i.status, i.assignee_agent_id != NULL, i.assignee_user_id != NULL);
    *did = LOOK_CLEARED;
    if (ends || !m.there) return clear_now(db, &i, ends ? ends : "manual", &after);
    const char *used_up = monitor_exhausted(&m, i.monitor_attempt_count + 1, clock_now());
    if (used_up) {
        *did = LOOK_EXHAUSTED;
        TRY(clear_now(db, &i, used_up, &after));
        return monitor_exhaust(db, &after, &m, used_up);
    }
    TRY(shut(db, &i, &m, &held));
    if (held) return put_off(db, &i, &m, did); /* not asked for: each refusal would leave a mark (INV-33) */
    TRY(wake_for_look(db, &scheduler, &i, &m, false, &result));
    if (result.outcome == WAKE_SKIPPED) return kept_back(db, &i, &m, did);
    *did = LOOK_WOKEN;
    return consume(db, &scheduler, &i, false);
}

err_t monitor_check_now(struct db *db, const struct actor *actor, const struct issue *issue)
{
    struct arena *a = db_arena(db);
    struct wake_result result;
    const struct monitor m = monitor_of(issue->execution_policy);
    if (!m.there || issue->monitor_next_check_at == INSTANT_NONE)
        return err_new(a, ERR_CONFLICT, "Issue has no scheduled monitor");
    if (issue->assignee_agent_id == NULL) return err_new(a, ERR_CONFLICT, "Issue monitor requires an agent assignee");
    if (!monitor_fits(issue->status, true, issue->assignee_user_id != NULL))
        return err_new(a, ERR_CONFLICT, "Issue monitor can only be checked in in_progress or in_review");
    TRY(wake_for_look(db, actor, issue, &m, true, &result));
    if (result.refusal) return result.refusal;
    if (result.outcome == WAKE_SKIPPED)
        return err_new(a, ERR_CONFLICT, "Issue monitor wake was skipped: %s", result.reason);
    return consume(db, actor, issue, true);
}

err_t monitor_schedule_quota(struct db *db, const struct issue *issue, instant_t at)
{
    struct arena *a = db_arena(db);
    struct issue after = *issue;
    json_t *m = monitor_normalise(json_pack("{s:s, s:s, s:s, s:s}", "nextCheckAt", instant_text(a, at), "notes",
                                            "The provider's limit is reached.", "kind", "external_service",
                                            "serviceName", MONITOR_QUOTA_SERVICE),
                                  "board");
    after.monitor_attempt_count = attempts_so_far(issue);
    start_row(a, &after, m);
    after.updated_at = clock_now();
    TRY(entity_update(db, &ENTITY_issue, issue, &after));
    return monitor_log(db, &scheduler, &after,
                       &(struct monitor_change){.action = "issue.monitor_scheduled", .monitor = m});
}

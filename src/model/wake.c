/*
 * wake: the one entry point of every wake. Collects the facts, asks
 * rules/admission, and writes the row the verdict calls for.
 */
#include "model/wake.h"

#include "base/id.h"
#include "base/settings.h"
#include "model/agent.h"
#include "model/company.h"
#include "model/decision.h"
#include "model/hold.h"
#include "model/issue.h"
#include "model/lock.h"
#include "model/relation.h"
#include "model/run.h"
#include "model/run_control.h"
#include "model/suppression.h"
#include "model/throttle.h"
#include "model/wake_context.h"
#include "model/wake_internal.h"
#include "rules/admission.h"
#include "rules/heartbeat.h"

#include <stdlib.h>
#include <string.h>

struct admission_case {
    struct db *db;
    struct arena *a;
    const struct actor *requester;
    struct wake_request req;
    json_t *context, *payload;
    struct agent agent;
    struct company company;
    struct issue issue;
    bool has_issue;
    struct active_hold hold;
    bool holder_ended; /* a run that held the issue, and should not any more */
    const char *not_invokable;
    struct run active; /* the live run it meets, when facts.has_active_run */
    struct admission_facts facts;
};

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

/* ---- facts ---- */

static err_t load_agent(struct admission_case *c, struct wake_result *out, bool *found)
{
    bool company;
    TRY(agent_get(c->db, c->req.agent_id, &c->agent, found));
    if (*found) return company_get(c->db, c->agent.company_id, &c->company, &company);
    out->outcome = WAKE_SKIPPED;
    out->reason = "agent.not_found";
    out->refusal = err_new(c->a, ERR_NOT_FOUND, "Agent not found");
    return OK;
}

static err_t load_blockers(struct admission_case *c)
{
    json_t *open;
    int n;
    TRY(relation_keeps_back(c->db, c->issue.id, c->context, &open, &n));
    c->facts.dependencies_ready = n == 0;
    if (json_array_size(open) == 0) return OK;
    json_object_set(c->payload, "unresolvedBlockerIssueIds", open);
    if (n > 0 && !admission_is_talk(c->req.reason)) return OK;
    json_object_set_new(c->context, "dependencyBlockedInteraction", json_true());
    json_object_set(c->context, "unresolvedBlockerIssueIds", open);
    json_object_set_new(c->context, "unresolvedBlockerCount", json_integer((json_int_t)json_array_size(open)));
    return OK;
}

/* EX-131: a paused tree keeps wakes out, save one that brings its requester's own words. */
static err_t load_hold(struct admission_case *c)
{
    const struct hold_requester by = {actor_kind(c->requester), actor_id(c->requester)};
    bool passes = false;
    TRY(hold_on(c->db, c->issue.id, &c->hold));
    if (c->hold.hold_id) TRY(hold_lets_pass(c->db, c->issue.id, c->context, &by, &passes));
    c->facts.held = c->hold.hold_id && !passes;
    hold_mark(c->context, passes ? &c->hold : &(struct active_hold){0});
    return OK;
}

static err_t load_issue(struct admission_case *c)
{
    const char *ref = json_str(c->context, "issueId");
    if (ref == NULL) return OK;
    c->facts.issue_scoped = true;
    TRY(issue_resolve(c->db, ref, &c->issue, &c->has_issue));
    c->has_issue = c->has_issue && is(c->issue.company_id, c->agent.company_id);
    c->facts.issue_found = c->has_issue;
    if (!c->has_issue) return OK;
    wake_context_canonical(c->context, c->payload, ref, &c->issue);
    c->facts.assignee_is_agent = is(c->issue.assignee_agent_id, c->agent.id);
    c->facts.named_in_recovery = json_str(c->context, "recoveryActionId") != NULL;
    TRY(load_hold(c));
    return load_blockers(c);
}

/* Why a queued or retrying holder may not run any more (EX §5.2 step 12b, EX-16); NULL: it may. */
static const char *stale_holder(const struct admission_case *c, const struct run *holder)
{
    bool owner = is(c->issue.assignee_agent_id, holder->agent_id);
    if (is(holder->status, "running")) return NULL;
    if (is(c->issue.status, "cancelled")) return "issue_cancelled";
    if (!owner && is(holder->status, "scheduled_retry")) return "issue_reassigned";
    if (!owner && is(holder->id, c->issue.execution_run_id)) return "lock_released_on_reassignment";
    return NULL;
}

static err_t find_active_on_issue(struct admission_case *c)
{
    struct run *rows;
    const struct run *pick = NULL;
    int n;
    TRY(lock_heal(c->db, &c->issue));
    TRY(entity_many(c->db, &ENTITY_run, &rows, &n,
                    "WHERE (issue_id = $1 OR id = $2) AND status IN ('queued','running','scheduled_retry')"
                    " ORDER BY CASE status WHEN 'running' THEN 0 ELSE 1 END, created_at, id LIMIT 20",
                    P(V_ID(c->issue.id), V_ID(c->issue.execution_run_id))));
    for (int i = 0; i < n; i++) {
        const char *why = stale_holder(c, &rows[i]);
        int64_t cancelled = 0;
        if (why)
            TRY(run_cancel_where(c->db, &(struct run_cancel){.run_id = rows[i].id, .statuses = "'queued','scheduled_retry'",
                                                             .error = "The issue moved on before this run started",
                                                             .error_code = why, .stop_reason = why, .no_promote = true},
                                 &cancelled));
        c->holder_ended |= cancelled > 0;
        if (cancelled) continue;
        /* the run to join is one of the woken agent, if any; a queued one before a running one */
        bool mine = is(rows[i].agent_id, c->agent.id), have_mine = pick && is(pick->agent_id, c->agent.id);
        if (pick == NULL || (mine && (!have_mine || !is(rows[i].status, "running")))) pick = &rows[i];
    }
    c->facts.has_active_run = pick != NULL;
    if (pick) c->active = *pick;
    return OK;
}

static err_t find_active_by_task(struct admission_case *c)
{
    const char *key = json_str(c->context, "taskKey");
    return entity_one(c->db, &ENTITY_run, &c->active, &c->facts.has_active_run,
                      "WHERE agent_id = $1 AND issue_id IS NULL AND coalesce(task_key, '') = $2"
                      " AND status IN ('queued','running','scheduled_retry')"
                      " ORDER BY CASE status WHEN 'queued' THEN 0 WHEN 'scheduled_retry' THEN 1 ELSE 2 END, created_at, id LIMIT 1",
                      P(V_ID(c->agent.id), V_TEXT(key ? key : "")));
}

static err_t collect_caps(struct admission_case *c, const struct heartbeat_policy *p)
{
    instant_t day = instant_day_start(clock_now());
    int64_t n;
    if (p->max_daily_runs >= 0) {
        TRY(db_int(c->db, &n, 0, "SELECT count(*) FROM heartbeat_runs WHERE agent_id = $1 AND started_at >= $2",
                   P(V_ID(c->agent.id), V_TIME(day))));
        c->facts.daily_runs_reached = n >= p->max_daily_runs;
    }
    if (p->max_daily_cost_cents >= 0) {
        TRY(db_int(c->db, &n, 0, "SELECT sum(cost_cents) FROM cost_events WHERE agent_id = $1 AND occurred_at >= $2",
                   P(V_ID(c->agent.id), V_TIME(day))));
        c->facts.daily_cost_reached = n >= p->max_daily_cost_cents;
    }
    return OK;
}

static err_t collect_idle(struct admission_case *c, const struct heartbeat_policy *p)
{
    int64_t n;
    c->facts.skip_idle_timer = c->facts.timer && !c->facts.issue_scoped && p->skip_timer_when_idle;
    if (!c->facts.skip_idle_timer) return OK;
    TRY(db_int(c->db, &n, 0,
               "SELECT count(*) FROM issues WHERE assignee_agent_id = $1 AND status IN ('todo','in_progress') AND hidden_at IS NULL",
               P(V_ID(c->agent.id))));
    c->facts.has_actionable_work = n > 0;
    return OK;
}

static err_t collect(struct admission_case *c)
{
    struct admission_facts *f = &c->facts;
    struct heartbeat_policy p = heartbeat_policy(c->agent.runtime_config);
    TRY(agent_invokable(c->db, &c->agent, &c->not_invokable));
    const char *suppressed = scheduling_suppressed();
    f->scheduling_suppressed = suppressed != NULL;
    if (suppressed) json_object_set_new(c->payload, "heartbeatSkip", json_pack("{s:s}", "reason", suppressed));
    f->company_active = is(c->company.status, "active");
    f->agent_invokable = c->not_invokable == NULL;
    f->timer = is(c->req.source, "timer");
    f->heartbeat_enabled = p.enabled;
    f->wake_on_demand = p.wake_on_demand;
    f->reason = c->req.reason;
    f->force_fresh = json_bool(c->context, "forceFreshSession", false);
    f->has_comment = json_array_size(json_object_get(c->context, "wakeCommentIds")) > 0;
    f->interaction = f->has_comment || is(json_str(c->payload, "mutation"), "interaction") || json_str(c->context, "approvalId");
    TRY(load_issue(c));
    TRY(collect_idle(c, &p));
    if (c->has_issue) TRY(find_active_on_issue(c));
    else if (!f->issue_scoped) TRY(find_active_by_task(c));
    f->active_running = f->has_active_run && is(c->active.status, "running");
    f->active_same_agent = f->has_active_run && is(c->active.agent_id, c->agent.id);
    if (c->has_issue && !f->has_active_run && !f->force_fresh)
        TRY(throttle_check(c->db, &c->agent, &c->issue, c->requester, f->reason, f->has_comment, c->payload, &f->throttled));
    return collect_caps(c, &p);
}

/* ---- verdicts ---- */

static void wake_init(const struct admission_case *c, struct wake *row, const char *status, const char *reason)
{
    entity_init(&ENTITY_wake, row);
    row->id = id_new(c->a);
    row->company_id = c->agent.company_id;
    row->agent_id = c->agent.id;
    row->source = c->req.source;
    row->trigger_detail = c->req.trigger_detail;
    row->reason = reason;
    row->payload = json_object_size(c->payload) ? json_text(c->a, c->payload) : NULL;
    row->status = status;
    row->requested_by_actor_type = actor_kind(c->requester);
    row->requested_by_actor_id = actor_id(c->requester);
    row->idempotency_key = c->req.idempotency_key;
    row->requested_at = row->created_at = row->updated_at = clock_now();
    row->issue_id = c->has_issue ? c->issue.id : NULL;
}

/* What a direct caller must be told (AR-42); a broken reporting line with the way to mend it. */
static err_t refusal_of(const struct admission_case *c, const char *reason, err_t *out)
{
    struct org org;
    *out = OK;
    if (is(reason, "company.inactive") && c->requester->type == ACTOR_BOARD)
        *out = err_with(c->a, ERR_CONFLICT, NULL, json_text(c->a, json_pack("{s:s}", "status", c->company.status)),
                        "Company is not active");
    if (!is(reason, "agent.not_invokable")) return OK;
    TRY(agent_chain(c->db, &c->agent, &org));
    const struct org_health h = org_health(c->a, &org, 0);
    bool chain = is(c->not_invokable, "invalid_org_chain");
    const char *details = json_text(c->a, json_pack("{s:s, s:s, s:b, s:s, s:s}", "status", c->agent.status, "reason", c->not_invokable,
                                                    "invalidOrgChain", h.verdict != ORG_HEALTHY, "agentId", c->agent.id, "agentStatus",
                                                    c->agent.status));
    *out = err_with(c->a, ERR_CONFLICT, NULL, details, "%s", chain ? h.repair_guidance : "Agent is not invokable in its current state");
    return OK;
}

/* Is it the same gate in the same condition? Other blockers, another ended run or another
 * day make it a new one. */
static bool same_condition(const struct admission_case *c, const struct wake *row)
{
    const json_t *before = json_read(row->payload), *skip = json_object_get(before, "heartbeatSkip"),
                 *now = json_object_get(c->payload, "heartbeatSkip");
    bool daily = row->reason && strncmp(row->reason, "heartbeat.daily_", 16) == 0;
    if (daily && row->requested_at < instant_day_start(clock_now())) return false;
    json_t *blockers = json_object_get(before, "unresolvedBlockerIssueIds"), *blockers_now = json_object_get(c->payload, "unresolvedBlockerIssueIds");
    if ((blockers || blockers_now) && !json_equal(blockers, blockers_now)) return false;
    const char *run = json_str(skip, "lastRunFinishedAt"), *run_now = json_str(now, "lastRunFinishedAt");
    const char *why = json_str(skip, "reason"), *why_now = json_str(now, "reason");
    return (run == run_now || is(run, run_now)) && (why == why_now || is(why, why_now));
}

/* EX-33: a repeated automatic skip for the same reason updates one row. */
static err_t skip_again(struct admission_case *c, const char *reason, const char **wake_id)
{
    struct wake row;
    bool found;
    *wake_id = NULL;
    if (c->requester->type != ACTOR_SYSTEM || (c->facts.issue_scoped && !c->has_issue)) return OK;
    if (c->has_issue)
        TRY(entity_one(c->db, &ENTITY_wake, &row, &found,
                       "WHERE agent_id = $1 AND issue_id = $2 AND status = 'skipped' AND reason = $3"
                       " AND requested_by_actor_type = 'system' ORDER BY requested_at DESC LIMIT 1",
                       P(V_ID(c->agent.id), V_ID(c->issue.id), V_TEXT(reason))));
    else
        TRY(entity_one(c->db, &ENTITY_wake, &row, &found,
                       "WHERE company_id = $1 AND agent_id = $2 AND status = 'skipped' AND reason = $3 AND issue_id IS NULL"
                       " AND requested_by_actor_type = 'system' ORDER BY requested_at DESC LIMIT 1",
                       P(V_ID(c->agent.company_id), V_ID(c->agent.id), V_TEXT(reason))));
    if (!found || !same_condition(c, &row)) return OK;
    *wake_id = row.id;
    return db_exec_one(c->db,
                       "UPDATE agent_wakeup_requests SET coalesced_count = coalesced_count + 1, updated_at = $2, finished_at = $2,"
                       " payload = $3 WHERE id = $1",
                       P(V_ID(*wake_id), V_TIME(clock_now()), V_JSON(json_text(c->a, c->payload))));
}

static err_t apply_skip(struct admission_case *c, const char *reason, struct wake_result *out)
{
    struct wake row;
    int64_t n;
    out->outcome = WAKE_SKIPPED;
    out->reason = reason;
    TRY(refusal_of(c, reason, &out->refusal));
    if (c->facts.timer && c->facts.agent_invokable)
        TRY(db_exec(c->db, &n, "UPDATE agents SET last_heartbeat_at = $2 WHERE id = $1", P(V_ID(c->agent.id), V_TIME(clock_now()))));
    TRY(skip_again(c, reason, &out->wake_id));
    if (out->wake_id) return OK;
    wake_init(c, &row, "skipped", reason);
    row.finished_at = row.requested_at;
    out->wake_id = row.id;
    TRY(entity_insert(c->db, &ENTITY_wake, &row));
    if (!is(reason, HOLD_GATE)) return OK;
    return hold_record(c->db, c->requester, &c->issue, &c->hold, "issue.tree_hold_wakeup_deferred",
                       json_pack("{s:s, s:s, s:s?, s:s}", "agentId", c->agent.id, "wakeupRequestId", row.id, "requestedReason", c->req.reason,
                                 "source", c->req.source));
}

static err_t merge_into_run(struct admission_case *c)
{
    struct run_data data;
    TRY(run_data_get(c->db, c->active.id, &data));
    json_t *merged = wake_context_merge(json_read(data.context_snapshot), c->context);
    TRY(db_exec_one(c->db, "UPDATE heartbeat_run_data SET context_snapshot = $2 WHERE run_id = $1",
                    P(V_ID(c->active.id), V_JSON(json_text(c->a, merged)))));
    return db_exec_one(c->db,
                       "UPDATE heartbeat_runs SET wake_reason = $2, updated_at = $3 WHERE id = $1 AND status IN ('queued','scheduled_retry')",
                       P(V_ID(c->active.id), V_TEXT(json_str(merged, "wakeReason")), V_TIME(clock_now())));
}

static err_t apply_coalesce(struct admission_case *c, const char *reason, struct wake_result *out)
{
    struct wake row;
    /* a running agent never sees a merged context: its record stays as it was (AR-45 BETTER) */
    if (!c->facts.active_running) TRY(merge_into_run(c));
    wake_init(c, &row, "coalesced", reason);
    row.coalesced_count = 1;
    row.run_id = c->active.id;
    row.finished_at = row.requested_at;
    out->outcome = WAKE_COALESCED;
    out->reason = reason;
    out->run_id = c->active.id;
    out->wake_id = row.id;
    return entity_insert(c->db, &ENTITY_wake, &row);
}

/* A wake that became part of an earlier one has no row of its own to show. */
static err_t decided(struct admission_case *c, const char *reason, const char *wake_id, const char *run_id)
{
    if (!c->has_issue) return OK;
    return decision_record(c->db, &(struct decision){.company_id = c->agent.company_id, .issue_id = c->issue.id, .agent_id = c->agent.id,
                                                     .wake_id = wake_id, .run_id = run_id, .decision = "coalesced", .reason = reason,
                                                     .details = json_pack("{s:s?}", "requestedReason", c->req.reason)});
}

/* Two wakes behind one run are one row that knows both (AR-45). */
static err_t merge_deferred(struct admission_case *c, const struct wake *old)
{
    json_t *payload = json_read(old->payload);
    if (!json_is_object(payload)) payload = json_object();
    json_t *merged = wake_context_merge(json_object_get(payload, "_paperclipWakeContext"), c->context);
    json_object_update(payload, c->payload);
    json_object_set_new(payload, "_paperclipWakeContext", merged);
    /* a person's request outranks an agent's as to who asked: it may reopen a closed issue */
    bool person = c->requester->type == ACTOR_BOARD;
    TRY(db_exec_one(c->db,
                       "UPDATE agent_wakeup_requests SET payload = $2, coalesced_count = coalesced_count + 1, updated_at = $3,"
                       " requested_by_actor_type = $4, requested_by_actor_id = $5 WHERE id = $1 AND status = 'deferred_issue_execution'",
                       P(V_ID(old->id), V_JSON(json_text(c->a, payload)), V_TIME(clock_now()),
                         V_TEXT(person ? "user" : old->requested_by_actor_type),
                         V_TEXT(person ? actor_id(c->requester) : old->requested_by_actor_id))));
    return decided(c, "issue_execution_deferred", old->id, old->run_id);
}

static err_t apply_defer(struct admission_case *c, const char *reason, struct wake_result *out)
{
    struct wake row, old;
    bool found;
    out->outcome = WAKE_DEFERRED;
    out->reason = reason;
    out->run_id = c->active.id;
    TRY(entity_one(c->db, &ENTITY_wake, &old, &found, "WHERE agent_id = $1 AND issue_id = $2 AND status = 'deferred_issue_execution'",
                   P(V_ID(c->agent.id), V_ID(c->issue.id))));
    if (found) {
        out->wake_id = old.id;
        return merge_deferred(c, &old);
    }
    json_object_set_new(c->payload, "issueId", json_string(c->issue.id));
    json_object_set(c->payload, "_paperclipWakeContext", c->context);
    wake_init(c, &row, "deferred_issue_execution", reason);
    out->wake_id = row.id;
    return entity_insert(c->db, &ENTITY_wake, &row);
}

static const char *responsible_user(const struct admission_case *c)
{
    if (c->requester->type == ACTOR_BOARD && c->requester->user_id) return c->requester->user_id;
    if (c->has_issue && c->issue.responsible_user_id) return c->issue.responsible_user_id;
    return c->company.default_responsible_user_id;
}

static err_t apply_queue(struct admission_case *c, struct wake_result *out)
{
    struct wake row;
    struct run run;
    bool ours = c->requester->type == ACTOR_SYSTEM; /* nobody else names a chain (EX-64) */
    wake_init(c, &row, "queued", c->req.reason);
    TRY(entity_insert(c->db, &ENTITY_wake, &row));
    TRY(run_insert(c->db,
                   &(struct run_seed){.company_id = c->agent.company_id, .agent_id = c->agent.id, .issue_id = row.issue_id,
                                      .invocation_source = c->req.source, .trigger_detail = c->req.trigger_detail,
                                      .responsible_user_id = responsible_user(c), .wakeup_request_id = row.id, .context = c->context,
                                      .retry_of_run_id = ours ? json_str(c->context, "retryOfRunId") : NULL,
                                      .continuation_attempt = ours ? json_int(c->context, "livenessContinuationAttempt", 0) : 0},
                   &run));
    out->outcome = WAKE_QUEUED;
    out->wake_id = row.id;
    out->run_id = run.id;
    return db_exec_one(c->db, "UPDATE agent_wakeup_requests SET run_id = $2 WHERE id = $1", P(V_ID(row.id), V_ID(run.id)));
}

/* EX-30: a key that was delivered already answers with the earlier run. */
static err_t delivered_before(struct admission_case *c, struct wake_result *out, bool *done)
{
    struct wake row;
    *done = false;
    if (c->req.idempotency_key == NULL) return OK;
    TRY(entity_one(c->db, &ENTITY_wake, &row, done,
                   "WHERE company_id = $1 AND idempotency_key = $2 AND status IN ('queued','deferred_issue_execution','claimed','completed')",
                   P(V_ID(c->agent.company_id), V_TEXT(c->req.idempotency_key))));
    if (!*done) return OK;
    out->outcome = WAKE_COALESCED;
    out->reason = "idempotency_key";
    out->wake_id = row.id;
    out->run_id = row.run_id;
    TRY(db_exec_one(c->db, "UPDATE agent_wakeup_requests SET coalesced_count = coalesced_count + 1, updated_at = $2 WHERE id = $1",
                    P(V_ID(row.id), V_TIME(clock_now()))));
    if (row.issue_id == NULL) return OK;
    return decision_record(c->db, &(struct decision){.company_id = row.company_id, .issue_id = row.issue_id, .agent_id = row.agent_id,
                                                     .wake_id = row.id, .run_id = row.run_id, .decision = "coalesced",
                                                     .reason = "idempotency_key",
                                                     .subject = arena_printf(c->a, "delivered:%s", row.id)});
}

err_t wake_enqueue(struct db *db, const struct actor *requester, const struct wake_request *req, struct wake_result *out)
{
    struct admission_case c = {.db = db, .a = db_arena(db), .requester = requester, .req = *req};
    bool found, done;
    int promoted;
    *out = (struct wake_result){0};
    if (c.req.source == NULL) c.req.source = "on_demand";
    c.payload = json_is_object(req->payload) ? json_deep_copy(req->payload) : json_object();
    c.context = wake_context_make(&c.req);
    TRY(load_agent(&c, out, &found));
    if (!found) return OK;
    TRY(delivered_before(&c, out, &done));
    if (done) return OK;
    TRY(collect(&c));
    struct admission_verdict v = admission_decide(&c.facts);
    switch (v.action) {
    case ADMIT_QUEUE: return apply_queue(&c, out);
    case ADMIT_COALESCE: return apply_coalesce(&c, v.reason, out);
    case ADMIT_DEFER: return apply_defer(&c, v.reason, out);
    case ADMIT_SKIP:
        TRY(apply_skip(&c, v.reason, out));
        return c.holder_ended ? lock_promote_issue(db, c.issue.id, &promoted) : OK; /* nothing took its place */
    }
    abort();
}

/* ---- promotion of deferred rows ---- */

err_t wake_promotable(struct db *db, const struct wake *wake, const struct agent *agent, const struct issue *issue, json_t *context,
                      const char **why)
{
    const struct hold_requester by = {wake->requested_by_actor_type, wake->requested_by_actor_id};
    struct active_hold hold;
    json_t *open;
    bool passes = false;
    int n;
    TRY(agent_invokable(db, agent, why));
    if (*why) {
        *why = "agent.not_invokable";
        return OK;
    }
    bool comment = json_array_size(json_object_get(context, "wakeCommentIds")) > 0;
    bool decided = json_str(context, "approvalId"), talks = comment || decided || json_str(context, "interactionId"); /* as in claim: an answer is heard whoever owns the issue */
    bool terminal = is(issue->status, "done") || is(issue->status, "cancelled");
    bool resume = json_bool(context, "resumeIntent", false) || json_bool(context, "followUpRequested", false);
    if (terminal && !comment && !decided && !resume) *why = "issue_terminal_status";
    else if (!is(issue->assignee_agent_id, agent->id) && !talks && !json_str(context, "recoveryActionId")) *why = "issue_assignee_changed";
    else if (is(issue->status, "backlog") && !talks && !resume && !is(json_str(context, "wakeSource"), "on_demand")) *why = "issue_parked";
    if (*why) return OK;
    TRY(hold_on(db, issue->id, &hold));
    if (hold.hold_id) TRY(hold_lets_pass(db, issue->id, context, &by, &passes));
    if (hold.hold_id && !passes) *why = HOLD_GATE;
    if (*why) return OK;
    TRY(relation_keeps_back(db, issue->id, context, &open, &n));
    if (n > 0 && !talks) *why = "issue_dependencies_blocked";
    return OK;
}

err_t wake_promote(struct db *db, const struct wake *wake, const struct agent *agent, const struct issue *issue, json_t *context)
{
    struct run run;
    TRY(run_insert(db,
                   &(struct run_seed){.company_id = agent->company_id, .agent_id = agent->id, .issue_id = issue->id,
                                      .invocation_source = wake->source, .trigger_detail = wake->trigger_detail,
                                      .wakeup_request_id = wake->id, .context = context,
                                      .responsible_user_id = issue->responsible_user_id},
                   &run));
    return db_exec_one(db,
                       "UPDATE agent_wakeup_requests SET status = 'queued', reason = 'issue_execution_promoted', run_id = $2,"
                       " claimed_at = NULL, finished_at = NULL, error = NULL, updated_at = $3"
                       " WHERE id = $1 AND status = 'deferred_issue_execution'",
                       P(V_ID(wake->id), V_ID(run.id), V_TIME(clock_now())));
}

/* ---- batches ---- */

static void batch_grow(struct wake_batch *b)
{
    int capacity = b->capacity ? b->capacity * 2 : 8;
    struct wake_request *items = arena_array(b->arena, struct wake_request, capacity);
    const char **ids = arena_array(b->arena, const char *, capacity);
    if (b->count) memcpy(items, b->items, sizeof *items * (size_t)b->count);
    if (b->count) memcpy(ids, b->issue_ids, sizeof *ids * (size_t)b->count);
    b->items = items;
    b->issue_ids = ids;
    b->capacity = capacity;
}

void wake_batch_add(struct wake_batch *b, const char *issue_id, const struct wake_request *w)
{
    int at = b->count;
    for (int i = 0; i < b->count; i++)
        if (strcmp(b->items[i].agent_id, w->agent_id) == 0 && strcmp(b->issue_ids[i], issue_id) == 0) at = i;
    if (at == b->capacity) batch_grow(b);
    b->items[at] = *w;
    b->issue_ids[at] = issue_id;
    if (at == b->count) b->count++;
}

err_t wake_batch_flush(struct db *db, const struct actor *requester, struct wake_batch *b)
{
    for (int i = 0; i < b->count; i++) {
        struct wake_result ignored;
        TRY(wake_enqueue(db, requester, &b->items[i], &ignored));
    }
    b->count = 0;
    return OK;
}

/* claim: queued → running, gates asked of rules/claim. */
#include "model/claim.h"

#include "base/json.h"
#include "base/settings.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/barrier.h"
#include "model/company.h"
#include "model/decision.h"
#include "model/hold.h"
#include "model/issue.h"
#include "model/lock.h"
#include "model/recovery_fold.h"
#include "model/relation.h"
#include "model/run.h"
#include "model/run_control.h"
#include "model/run_event.h"
#include "model/workspace_busy.h"
#include "rules/admission.h"
#include "rules/claim.h"
#include "rules/heartbeat.h"
#include "rules/stage.h"

#include <ctype.h>
#include <string.h>

#define QUEUE_LOOK 100

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

err_t claim_candidates(struct db *db, int limit, int offset, const char ***agent_ids, const char ***company_ids, int *n)
{
    struct rows r ROWS_AUTO = {0};
    struct arena *a = db_arena(db);
    *agent_ids = arena_array(a, const char *, limit);
    *company_ids = arena_array(a, const char *, limit);
    *n = 0;
    TRY(db_query(db, &r,
                 "SELECT q.agent_id, a.company_id FROM (SELECT agent_id, min(created_at) AS oldest FROM heartbeat_runs"
                 " WHERE status = 'queued' GROUP BY agent_id) q JOIN agents a ON a.id = q.agent_id JOIN companies c ON c.id = a.company_id"
                 " WHERE a.status NOT IN ('paused','pending_approval') AND c.status = 'active'"
                 " ORDER BY q.oldest, q.agent_id LIMIT $1 OFFSET $2",
                 P(V_INT(limit), V_INT(offset))));
    while (rows_next(&r) && *n < limit) {
        (*agent_ids)[*n] = row_text(&r, 0);
        (*company_ids)[(*n)++] = row_text(&r, 1);
    }
    return rows_err(&r);
}

/* EX-42: ready work in progress, ready work, work without an issue, blocked work; then priority, then age. */
static err_t queue_of(struct db *db, const char *agent_id, struct run **rows, int *n)
{
    return entity_many(db, &ENTITY_run, rows, n,
                       "WHERE agent_id = $1 AND status = 'queued' ORDER BY CASE WHEN issue_id IS NULL THEN 2"
                       " WHEN EXISTS (SELECT 1 FROM issue_relations x JOIN issues b ON b.id = x.issue_id"
                       "   WHERE x.related_issue_id = heartbeat_runs.issue_id AND x.type = 'blocks' AND " UNRESOLVED("b") ") THEN 3"
                       " WHEN (SELECT i.status FROM issues i WHERE i.id = heartbeat_runs.issue_id) = 'in_progress' THEN 0 ELSE 1 END,"
                       " coalesce((SELECT i.priority_rank FROM issues i WHERE i.id = heartbeat_runs.issue_id), 4), created_at, id LIMIT $2",
                       P(V_ID(agent_id), V_INT(QUEUE_LOOK)));
}

struct claim_case {
    struct db *db;
    struct agent *agent;
    struct run *run;
    struct run_data data;
    json_t *context;
    struct issue issue;
    bool has_issue;
    struct active_hold hold;
    struct claim_facts facts;
};

static err_t other_lock(struct claim_case *c)
{
    int64_t n;
    TRY(lock_heal(c->db, &c->issue));
    TRY(db_int(c->db, &n, 0,
               "SELECT count(*) FROM heartbeat_runs WHERE (id = $2 OR (issue_id = $1 AND takes_lock AND status = 'running')) AND id <> $3"
               " AND status IN ('running','queued','scheduled_retry')",
               P(V_ID(c->issue.id), V_ID(c->issue.execution_run_id), V_ID(c->run->id))));
    c->facts.lock_held = n > 0;
    TRY(db_int(c->db, &n, 0,
               "SELECT count(*) FROM heartbeat_runs WHERE issue_id = $1 AND id <> $2 AND takes_lock AND claimed_at IS NOT NULL AND closed_at IS NULL",
               P(V_ID(c->issue.id), V_ID(c->run->id))));
    c->facts.old_tree_alive = n > 0;
    return OK;
}

/* A run about a blocked issue may talk, not work (EX §5.2 step 12c). Blockers come and
 * go while it waits in the queue: what holds now counts, not what held when it was admitted. */
static bool bound_by(struct claim_case *c, json_t *open)
{
    static const char *const keys[] = {"dependencyBlockedInteraction", "unresolvedBlockerIssueIds", "unresolvedBlockerCount"};
    size_t n = json_array_size(open);
    for (size_t i = 0; n == 0 && i < sizeof keys / sizeof *keys; i++) json_object_del(c->context, keys[i]);
    if (n == 0) return false;
    json_object_set_new(c->context, keys[0], json_true());
    json_object_set(c->context, keys[1], open);
    json_object_set_new(c->context, keys[2], json_integer((json_int_t)n));
    return true;
}

/* A recovery owner's turn is over with its action, or when that went to somebody else. */
static err_t recovery_turn(struct claim_case *c)
{
    struct recovery_action a;
    bool found;
    const char *id = json_str(c->context, "recoveryActionId");
    c->facts.named_in_recovery = id != NULL;
    if (id == NULL) return OK;
    TRY(recovery_action_get(c->db, id, &a, &found));
    bool open = found && (is(a.status, "active") || is(a.status, "escalated"));
    c->facts.recovery_over = !open || !is(a.owner_agent_id, c->agent->id);
    return OK;
}

/* EX-131, EX-134: a pause may have come after the wake; who asked stands in the wake's row. */
static err_t held(struct claim_case *c)
{
    struct wake wake;
    bool found = false, passes = false;
    TRY(hold_on(c->db, c->issue.id, &c->hold));
    if (c->hold.hold_id) TRY(entity_one(c->db, &ENTITY_wake, &wake, &found, "WHERE id = $1", P(V_ID(c->run->wakeup_request_id))));
    if (found) {
        const struct hold_requester by = {wake.requested_by_actor_type, wake.requested_by_actor_id};
        TRY(hold_lets_pass(c->db, c->issue.id, c->context, &by, &passes));
    }
    c->facts.held = c->hold.hold_id && !passes;
    hold_mark(c->context, passes ? &c->hold : &(struct active_hold){0});
    return OK;
}

static err_t collect(struct claim_case *c, const struct heartbeat_policy *p)
{
    struct claim_facts *f = &c->facts;
    instant_t day = instant_day_start(clock_now());
    json_t *open;
    int64_t count;
    int n;
    if (p->max_daily_runs >= 0) {
        TRY(db_int(c->db, &count, 0, "SELECT count(*) FROM heartbeat_runs WHERE agent_id = $1 AND started_at >= $2",
                   P(V_ID(c->agent->id), V_TIME(day))));
        f->daily_runs_reached = count >= p->max_daily_runs;
    }
    if (p->max_daily_cost_cents >= 0) {
        TRY(db_int(c->db, &count, 0, "SELECT sum(cost_cents) FROM cost_events WHERE agent_id = $1 AND occurred_at >= $2",
                   P(V_ID(c->agent->id), V_TIME(day))));
        f->daily_cost_reached = count >= p->max_daily_cost_cents;
    }
    TRY(run_data_get(c->db, c->run->id, &c->data));
    c->context = json_read(c->data.context_snapshot);
    if (!json_is_object(c->context)) c->context = json_object();
    f->issue_scoped = c->run->issue_id != NULL;
    if (!f->issue_scoped) return OK;
    TRY(issue_get(c->db, c->run->issue_id, &c->issue, &c->has_issue));
    f->issue_found = c->has_issue;
    if (!c->has_issue) return OK;
    f->issue_terminal = is(c->issue.status, "done") || is(c->issue.status, "cancelled");
    f->issue_parked = is(c->issue.status, "backlog");
    f->agent_is_assignee = is(c->issue.assignee_agent_id, c->agent->id);
    const json_t *state = json_read(c->issue.execution_state);
    const struct principal who = principal_read(json_object_get(state, "currentParticipant"));
    f->review_of_another = is(c->issue.status, "in_review") && stage_pending(state) && !principal_same(who, principal_of(c->agent->id, NULL));
    f->by_hand = is(c->run->invocation_source, "on_demand");
    f->interaction = json_array_size(json_object_get(c->context, "wakeCommentIds")) > 0 || json_str(c->context, "interactionId") ||
                     json_str(c->context, "approvalId");
    f->resume_intent = json_bool(c->context, "resumeIntent", false) || json_bool(c->context, "followUpRequested", false);
    TRY(recovery_turn(c));
    TRY(held(c));
    TRY(relation_keeps_back(c->db, c->issue.id, c->context, &open, &n));
    f->dependencies_ready = n == 0;
    bool bounded = bound_by(c, open) || c->hold.hold_id;
    struct workspace_holder holder;
    TRY(workspace_busy(c->db, c->run, &c->issue, &holder));
    f->workspace_busy = holder.run_id != NULL;
    f->lock_wanted = f->agent_is_assignee && admission_takes_lock(c->run->wake_reason) && !bounded && !f->issue_terminal;
    return f->lock_wanted ? other_lock(c) : OK;
}

/* EX-46, in the claiming transaction: the agent finds its issue checked out. */
static err_t check_out(struct claim_case *c)
{
    const struct issue before = c->issue;
    bool status_fits = is(before.status, "todo") || is(before.status, "backlog") || is(before.status, "blocked") || is(before.status, "in_progress");
    bool pending_stage = is(json_str(json_read(before.execution_state), "status"), "pending");
    bool wanted = c->facts.lock_wanted && c->facts.dependencies_ready && status_fits && !pending_stage && admission_checks_out(c->run->wake_reason);
    if (!wanted) return OK;
    bool free_to_take = before.checkout_run_id == NULL || is(before.checkout_run_id, c->run->id);
    json_object_set_new(c->context, "paperclipHarnessCheckedOut", json_boolean(free_to_take));
    if (!free_to_take) return OK;
    instant_t now = clock_now();
    c->issue.checkout_run_id = c->run->id;
    c->issue.status = "in_progress";
    if (c->issue.started_at == INSTANT_NONE) c->issue.started_at = now;
    c->issue.unblock_descriptor = NULL;
    c->issue.blocked_transition_at = c->issue.blocked_owner_notified_at = INSTANT_NONE;
    c->issue.updated_at = c->issue.last_activity_at = now;
    TRY(entity_update(c->db, &ENTITY_issue, &before, &c->issue));
    const struct actor actor = {.type = ACTOR_AGENT, .agent_id = c->agent->id, .company_id = c->agent->company_id,
                                .run_id = c->run->id, .responsible_user_id = c->run->responsible_user_id};
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    entity_write(&w, &ENTITY_issue, &c->issue, VIEW_COMPACT);
    jw_obj_end(&w);
    TRY(recovery_fold_after(c->db, &actor, &before, &c->issue, false));
    return activity_log(c->db, &actor, &(struct activity_entry){
        .company_id = c->issue.company_id, .action = "issue.checked_out", .entity_type = "issue", .entity_id = c->issue.id,
        .details = json_pack("{s:s, s:s, s:s}", "agentId", c->agent->id, "source", "run_claim", "identifier", c->issue.identifier),
        .entity = buf_finish(&b, db_arena(c->db))});
}

static err_t take_lock(struct claim_case *c)
{
    struct arena *a = db_arena(c->db);
    const struct issue before = c->issue;
    c->issue.dispatch_expected_since = INSTANT_NONE;
    if (c->facts.lock_wanted) {
        char *key = arena_strdup(a, c->agent->name);
        for (char *p = key; *p; p++) *p = (char)tolower((unsigned char)*p);
        c->issue.execution_run_id = c->run->id;
        c->issue.execution_agent_name_key = key;
        c->issue.execution_locked_at = clock_now();
    }
    TRY(entity_update(c->db, &ENTITY_issue, &before, &c->issue));
    return check_out(c);
}

static err_t start_run(struct claim_case *c, const struct node *node)
{
    struct run *run = c->run;
    instant_t now = clock_now();
    int64_t n;
    TRY(db_exec_one(c->db,
                    "UPDATE heartbeat_runs SET status = 'running', started_at = coalesce(started_at, $2), claimed_at = $2, takes_lock = $3,"
                    " owner_node_id = $4, owner_epoch = $5, owner_lease_until = $6, updated_at = $2 WHERE id = $1 AND status = 'queued'",
                    P(V_ID(run->id), V_TIME(now), V_BOOL(c->facts.lock_wanted), V_ID(node->id), V_INT(node->epoch),
                      V_TIME(now + settings.node_lease_sec * SECOND_MS))));
    run->status = "running";
    if (run->started_at == INSTANT_NONE) run->started_at = now;
    run->claimed_at = run->updated_at = now;
    run->takes_lock = c->facts.lock_wanted;
    run->owner_node_id = node->id;
    run->owner_epoch = node->epoch;
    TRY(db_exec(c->db, &n, "UPDATE agent_wakeup_requests SET status = 'claimed', claimed_at = $2, updated_at = $2 WHERE id = $1 AND status = 'queued'",
                P(V_ID(run->wakeup_request_id), V_TIME(now))));
    if (c->has_issue) TRY(take_lock(c));
    TRY(db_exec_one(c->db, "UPDATE heartbeat_run_data SET context_snapshot = $2 WHERE run_id = $1",
                    P(V_ID(run->id), V_JSON(json_text(db_arena(c->db), c->context)))));
    TRY(run_publish_status(c->db, run, NULL, false));
    return run_event_add(c->db, run, &(struct run_event_entry){.event_type = "lifecycle", .level = "info", .message = "run started"});
}

static err_t cancel_stale(struct claim_case *c, const char *reason)
{
    static const struct actor engine = {.type = ACTOR_SYSTEM, .source = "claim"};
    int64_t n;
    TRY(run_cancel_where(c->db, &(struct run_cancel){.run_id = c->run->id, .statuses = "'queued'", .error_code = reason,
                                                     .error = arena_printf(db_arena(c->db), "Not started: %s", reason),
                                                     .stop_reason = reason, .wake_status = c->facts.held ? "cancelled" : "skipped"}, &n));
    if (!c->facts.held) return OK;
    return hold_record(c->db, &engine, &c->issue, &c->hold, "issue.tree_hold_run_interrupted",
                       json_pack("{s:s, s:s, s:s}", "runId", c->run->id, "agentId", c->agent->id, "source", "run_claim"));
}

/* It stays queued: said once, however often it is looked at again. */
static err_t note_wait(struct claim_case *c, const char *reason)
{
    if (!c->has_issue) return OK;
    return decision_record(c->db, &(struct decision){.company_id = c->run->company_id, .issue_id = c->issue.id, .agent_id = c->agent->id,
                                                     .run_id = c->run->id, .wake_id = c->run->wakeup_request_id, .decision = "gated",
                                                     .reason = reason,
                                                     .subject = arena_printf(db_arena(c->db), "claim:%s:%s", c->run->id, reason)});
}

/* EX-41: an agent that can never run again gives its queue up. */
static err_t drop_queue(struct db *db, const struct agent *agent, const char *why)
{
    int64_t n;
    if (!is(why, "terminated") && !is(why, "invalid_org_chain")) return OK;
    return run_cancel_where(db, &(struct run_cancel){.agent_id = agent->id, .statuses = "'queued','scheduled_retry'", .error_code = "cancelled",
                                                     .error = arena_printf(db_arena(db), "Cancelled because the agent is not invokable: %s", why),
                                                     .stop_reason = "cancelled"}, &n);
}

static err_t mark_running(struct db *db, struct agent *agent)
{
    int64_t n;
    TRY(db_exec(db, &n, "UPDATE agents SET status = 'running', updated_at = $2 WHERE id = $1 AND status IN ('idle','active','error')",
                P(V_ID(agent->id), V_TIME(clock_now()))));
    if (n == 0) return OK;
    agent->status = "running";
    return agent_publish_status(db, agent, "running");
}

err_t claim_agent(struct db *db, const char *agent_id, struct claim_scope *s, struct run **started, int *n)
{
    struct agent agent;
    struct company company;
    struct run *queue;
    const char *why;
    bool found;
    int queued;
    int64_t running;
    *n = 0;
    TRY(agent_get(db, agent_id, &agent, &found));
    if (!found) return OK;
    TRY(company_get(db, agent.company_id, &company, &found));
    if (!found || !is(company.status, "active")) return OK;
    TRY(agent_invokable(db, &agent, &why));
    if (why) return drop_queue(db, &agent, why);
    struct heartbeat_policy p = heartbeat_policy(agent.runtime_config);
    TRY(db_int(db, &running, 0, "SELECT count(*) FROM heartbeat_runs WHERE agent_id = $1 AND status = 'running'", P(V_ID(agent_id))));
    TRY(queue_of(db, agent_id, &queue, &queued));
    *started = arena_array(db_arena(db), struct run, queued + 1);
    for (int i = 0; i < queued && running < p.max_concurrent_runs && s->slots_left > 0; i++) {
        struct claim_case c = {.db = db, .agent = &agent, .run = &queue[i]};
        TRY(collect(&c, &p));
        struct claim_verdict v = claim_decide(&c.facts);
        if (v.action == CLAIM_WAIT) TRY(note_wait(&c, v.reason));
        if (v.action == CLAIM_CANCEL) TRY(cancel_stale(&c, v.reason));
        if (v.action != CLAIM_START) continue;
        TRY(start_run(&c, s->node));
        (*started)[(*n)++] = queue[i];
        running++;
        s->slots_left--;
    }
    return *n > 0 ? mark_running(db, &agent) : OK;
}

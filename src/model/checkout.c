/* checkout: the lock of work in progress. */
#include "model/checkout.h"

#include "base/text.h"
#include "model/activity.h"
#include "model/hold.h"
#include "model/issue_card.h"
#include "model/issue_update.h"
#include "model/lock.h"
#include "model/monitor.h"
#include "model/project.h"
#include "model/recovery_fold.h"
#include "model/relation.h"
#include "model/run.h"
#include "model/run_control.h"
#include "model/wake.h"

#include <ctype.h>

/* ---- conflicts ---- */

/* Why the lock is not the actor's (IS §10 BETTER b). */
static const char *conflict_reason(const struct issue *i, const struct run *holder, bool held,
                                   const struct actor *actor, const char *agent_id)
{
    if (i->checkout_run_id == NULL && i->execution_run_id == NULL) return "no_run_lock";
    if (actor->run_id && held && text_is(holder->id, actor->run_id)) return "actor_run_holds_lock";
    if (!held || !run_status_live(holder->status)) return "stale_lock_pending_reap";
    return text_is(holder->agent_id, agent_id) ? "live_sibling_run" : "live_other_agent_run";
}

static err_t conflict(struct db *db, const struct actor *actor, const struct issue *i, const char *agent_id,
                      bool ownership)
{
    struct arena *a = db_arena(db);
    struct run holder;
    bool held = false;
    const char *lock = i->execution_run_id ? i->execution_run_id : i->checkout_run_id;
    if (lock) TRY(run_get(db, lock, &holder, &held));
    bool live = held && run_status_live(holder.status);
    json_t *d =
        json_pack("{s:s, s:s, s:s?, s:s?, s:s?}", "issueId", i->id, "status", i->status, "assigneeAgentId",
                  i->assignee_agent_id, "checkoutRunId", i->checkout_run_id, "executionRunId", i->execution_run_id);
    if (ownership) {
        json_object_set_new(d, "actorAgentId", actor->agent_id ? json_string(actor->agent_id) : json_null());
        json_object_set_new(d, "actorRunId", actor->run_id ? json_string(actor->run_id) : json_null());
    }
    json_object_set_new(d, "holderRunStatus", held ? json_string(holder.status) : json_null());
    json_object_set_new(d, "holderRunAgentId", held ? json_string(holder.agent_id) : json_null());
    json_object_set_new(d, "holderRunIsLive", json_boolean(live));
    json_object_set_new(d, "conflictReason", json_string(conflict_reason(i, &holder, held, actor, agent_id)));
    return err_with(a, ERR_CONFLICT, NULL, json_text(a, d),
                    ownership ? "Issue run ownership conflict" : "Issue checkout conflict");
}

/* A run that may hold a lock: live, of this company, of this agent (IS §10 BETTER a). */
static err_t own_live_run(struct db *db, const char *run_id, const struct issue *i, const char *agent_id, bool *yes)
{
    struct run run;
    bool found = false;
    *yes = false;
    if (run_id) TRY(run_get(db, run_id, &run, &found));
    *yes = found && run_status_live(run.status) && text_is(run.company_id, i->company_id) &&
           text_is(run.agent_id, agent_id);
    return OK;
}

/* ---- taking ---- */

static err_t check_project(struct db *db, const struct issue *i)
{
    struct project p;
    bool found;
    if (i->project_id == NULL) return OK;
    TRY(project_get(db, i->project_id, &p, &found));
    if (!found || p.paused_at == INSTANT_NONE) return OK;
    bool budget = text_is(p.pause_reason, "budget");
    return err_new(db_arena(db), ERR_CONFLICT, "%s",
                   budget ? "Project is paused because its budget hard-stop was reached" : "Project is paused");
}

static bool expected(const struct checkout_request *q, const char *status)
{
    for (int i = 0; i < q->expected_count; i++)
        if (text_is(q->expected[i], status)) return true;
    return false;
}

static const char *name_key(struct arena *a, const char *name)
{
    char *s = arena_strdup(a, name);
    for (char *p = s; *p; p++) *p = (char)tolower((unsigned char)*p);
    return s;
}

/* EX-18 and the branches of EX-19, on a healed row: whoever holds it is alive. */
static bool may_take(const struct checkout_request *q, const struct issue *i, const char *run)
{
    /* a person's issue may be taken: the checkout is the hand-over */
    bool mine = text_is(i->assignee_agent_id, q->agent->id), free_agent = i->assignee_agent_id == NULL;
    bool execution_free = i->execution_run_id == NULL || text_is(i->execution_run_id, run);
    bool checkout_free = i->checkout_run_id == NULL || text_is(i->checkout_run_id, run);
    if (!execution_free) return false;
    if (expected(q, i->status)) return free_agent || (mine && checkout_free);
    return mine && text_is(i->status, "in_progress") && checkout_free;
}

static bool holds_already(const struct checkout_request *q, const struct issue *i, const char *run)
{
    return text_is(i->status, "in_progress") && text_is(i->assignee_agent_id, q->agent->id) &&
           text_same(i->checkout_run_id, run) && text_same(i->execution_run_id, run);
}

static err_t run_of(struct db *db, const struct actor *actor, const struct checkout_request *q, const struct issue *i,
                    const char **run)
{
    bool live;
    TRY(own_live_run(db, actor->run_id, i, q->agent->id, &live));
    *run = live ? actor->run_id : NULL;
    if (live || actor->type != ACTOR_AGENT) return OK;
    return err_with(
        db_arena(db), ERR_CONFLICT, "checkout_run_not_live", NULL,
        "Issue checkout run is not live: the run of this request has ended, is unknown, or is another agent's");
}

static err_t record(struct db *db, const struct actor *actor, const struct issue *i, const char *action,
                    json_t *details)
{
    const char *entity;
    TRY(issue_event_text(db, i, &entity));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = i->company_id,
                                                 .action = action,
                                                 .entity_type = "issue",
                                                 .entity_id = i->id,
                                                 .details = details,
                                                 .entity = entity});
}

static err_t announce(struct db *db, const struct actor *actor, const struct issue *i, const char *agent_id)
{
    struct wake_result ignored;
    if (actor->type == ACTOR_AGENT) return OK; /* it is at work already */
    return wake_enqueue(
        db, actor,
        &(struct wake_request){.agent_id = agent_id,
                               .source = "assignment",
                               .trigger_detail = "system",
                               .reason = "issue_checked_out",
                               .payload = json_pack("{s:s, s:s}", "issueId", i->id, "mutation", "checkout"),
                               .context = json_pack("{s:s, s:s}", "issueId", i->id, "source", "issue.checkout")},
        &ignored);
}

/* EX-18: a paused tree is not worked on, save by a run that answers somebody (EX-134). */
static err_t check_hold(struct db *db, const struct issue *i, const char *run_id)
{
    struct active_hold hold;
    struct run run;
    struct run_data data;
    struct wake wake;
    bool found = false, passes = false;
    TRY(hold_on(db, i->id, &hold));
    if (hold.hold_id == NULL) return OK;
    if (run_id) TRY(run_get(db, run_id, &run, &found));
    if (found) TRY(run_data_get(db, run_id, &data));
    if (found) TRY(entity_one(db, &ENTITY_wake, &wake, &found, "WHERE id = $1", P(V_ID(run.wakeup_request_id))));
    if (found) {
        const struct hold_requester by = {wake.requested_by_actor_type, wake.requested_by_actor_id};
        TRY(hold_lets_pass(db, i->id, json_read(data.context_snapshot), &by, &passes));
    }
    return passes ? OK : hold_checkout_error(db_arena(db), &hold);
}

err_t checkout_take(struct db *db, const struct actor *actor, const struct checkout_request *q, struct issue *issue)
{
    struct issue before;
    struct open_blockers open;
    struct monitor_change monitor;
    const char *run;
    instant_t now = clock_now();
    TRY(check_project(db, issue));
    TRY(run_of(db, actor, q, issue, &run));
    TRY(check_hold(db, issue, run));
    TRY(lock_heal(db, issue));
    before = *issue;
    if (holds_already(q, issue, run)) return OK;
    TRY(relation_open(db, issue->id, &open));
    if (open.open > 0 && may_take(q, issue, run)) return relation_blocked_error(db_arena(db), &open);
    if (!may_take(q, issue, run)) return conflict(db, actor, issue, q->agent->id, false);
    issue->assignee_agent_id = q->agent->id;
    issue->assignee_user_id = NULL;
    issue->status = "in_progress";
    TRY(monitor_settle(db, actor, &before, issue, false, &monitor));
    issue_apply_effects(&before, issue, now);
    issue->checkout_run_id = issue->execution_run_id = run;
    issue->execution_agent_name_key = run ? name_key(db_arena(db), q->agent->name) : NULL;
    issue->execution_locked_at = run ? now : INSTANT_NONE;
    issue->updated_at = issue->last_activity_at = now;
    TRY(entity_update(db, &ENTITY_issue, &before, issue));
    TRY(record(db, actor, issue, "issue.checked_out", json_pack("{s:s}", "agentId", q->agent->id)));
    TRY(recovery_fold_after(db, actor, &before, issue, false));
    TRY(monitor_log(db, actor, issue, &monitor));
    return announce(db, actor, issue, q->agent->id);
}

/* ---- owning ---- */

static err_t adopt(struct db *db, const struct actor *actor, struct issue *issue)
{
    struct issue before = *issue;
    issue->checkout_run_id = issue->execution_run_id = actor->run_id;
    issue->execution_locked_at = clock_now();
    TRY(entity_update(db, &ENTITY_issue, &before, issue));
    if (before.checkout_run_id == NULL) return OK;
    return record(db, actor, issue, "issue.checkout_lock_adopted",
                  json_pack("{s:s, s:s, s:s}", "previousCheckoutRunId", before.checkout_run_id, "checkoutRunId",
                            actor->run_id, "reason", "stale_checkout_run"));
}

err_t checkout_assert_owner(struct db *db, const struct actor *actor, struct issue *issue)
{
    struct run holder;
    bool live, found = false;
    TRY(lock_heal(db, issue));
    if (issue->checkout_run_id && text_is(issue->checkout_run_id, actor->run_id)) return OK;
    TRY(own_live_run(db, actor->run_id, issue, actor->agent_id, &live));
    bool execution_free = issue->execution_run_id == NULL || text_is(issue->execution_run_id, actor->run_id);
    if (issue->checkout_run_id) TRY(run_get(db, issue->checkout_run_id, &holder, &found));
    bool stale = issue->checkout_run_id == NULL || !found || !run_status_live(holder.status);
    if (live && execution_free && stale) return adopt(db, actor, issue);
    return conflict(db, actor, issue, actor->agent_id, true);
}

/* ---- giving up ---- */

static void clear_lock(struct issue *i)
{
    i->checkout_run_id = i->execution_run_id = i->execution_agent_name_key = NULL;
    i->execution_locked_at = INSTANT_NONE;
}

static err_t release_refused(struct db *db, const struct actor *actor, const struct issue *i)
{
    struct arena *a = db_arena(db);
    struct run holder;
    bool found = false;
    if (actor->type == ACTOR_AGENT && !text_is(i->assignee_agent_id, actor->agent_id))
        return err_new(a, ERR_CONFLICT, "Only assignee can release issue");
    if (!text_is(i->status, "in_progress") || i->checkout_run_id == NULL || actor->type != ACTOR_AGENT) return OK;
    if (text_is(i->checkout_run_id, actor->run_id)) return OK;
    TRY(run_get(db, i->checkout_run_id, &holder, &found));
    if (!found || !run_status_live(holder.status)) return OK;
    const char *details = json_text(
        a, json_pack("{s:s, s:s?, s:s?, s:s?, s:s, s:s, s:b}", "issueId", i->id, "assigneeAgentId",
                     i->assignee_agent_id, "checkoutRunId", i->checkout_run_id, "actorRunId", actor->run_id,
                     "holderRunStatus", holder.status, "holderRunAgentId", holder.agent_id, "holderRunIsLive", 1));
    return err_with(a, ERR_CONFLICT, NULL, details, "Only checkout run can release issue");
}

/* EX-16: what had not started for the agent that gives it up never does. */
static err_t drop_waiting(struct db *db, const struct issue *before, const struct issue *after)
{
    int64_t n;
    if (before->assignee_agent_id == NULL || text_is(before->assignee_agent_id, after->assignee_agent_id)) return OK;
    return run_cancel_where(db,
                            &(struct run_cancel){.issue_id = before->id,
                                                 .agent_id = before->assignee_agent_id,
                                                 .statuses = "'queued','scheduled_retry'",
                                                 .error = "The issue was given up before this run started",
                                                 .error_code = "issue_reassigned",
                                                 .stop_reason = "issue_reassigned",
                                                 .wake_status = "skipped"},
                            &n);
}

err_t checkout_release(struct db *db, const struct actor *actor, struct issue *issue)
{
    struct issue before;
    struct monitor_change monitor;
    instant_t now = clock_now();
    TRY(release_refused(db, actor, issue));
    before = *issue;
    TRY(lock_detach(db, &before));
    if (text_is(issue->status, "in_progress")) issue->status = "todo";
    issue->assignee_agent_id = NULL;
    clear_lock(issue);
    TRY(monitor_settle(db, actor, &before, issue, false, &monitor));
    issue_apply_effects(&before, issue, now);
    issue->updated_at = issue->last_activity_at = now;
    TRY(entity_update(db, &ENTITY_issue, &before, issue));
    TRY(monitor_log(db, actor, issue, &monitor));
    TRY(drop_waiting(db, &before, issue));
    return record(db, actor, issue, "issue.released", json_pack("{s:s}", "identifier", issue->identifier));
}

err_t checkout_force_release(struct db *db, const struct actor *actor, bool clear_assignee, struct issue *issue)
{
    struct issue before = *issue;
    struct monitor_change monitor;
    instant_t now = clock_now();
    int promoted;
    bool keeps_status = !clear_assignee || !text_is(issue->status, "in_progress") || issue->assignee_user_id;
    TRY(lock_detach(db, &before));
    if (clear_assignee) issue->assignee_agent_id = NULL;
    if (!keeps_status) issue->status = "todo"; /* work in progress needs somebody (INV-1) */
    TRY(monitor_settle(db, actor, &before, issue, false, &monitor));
    issue_apply_effects(&before, issue, now);
    clear_lock(issue);
    issue->updated_at = issue->last_activity_at = now;
    TRY(entity_update(db, &ENTITY_issue, &before, issue));
    TRY(monitor_log(db, actor, issue, &monitor));
    TRY(drop_waiting(db, &before, issue));
    TRY(record(db, actor, issue, "issue.admin_force_release",
               json_pack("{s:s, s:s?, s:s?, s:s?, s:b}", "issueId", issue->id, "actorUserId", actor->user_id,
                         "prevCheckoutRunId", before.checkout_run_id, "prevExecutionRunId", before.execution_run_id,
                         "clearAssignee", clear_assignee)));
    return lock_promote_issue(db, issue->id, &promoted);
}

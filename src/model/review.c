/* review: one more try, then a person. */
#include "model/review.h"

#include "base/text.h"
#include "model/activity.h"
#include "model/escalate.h"
#include "model/explain.h"
#include "model/issue.h"
#include "model/issue_update.h"
#include "model/monitor.h"
#include "model/wake.h"
#include "rules/agent_status.h"
#include "rules/retry_policy.h"

#include <sodium.h>

#define REF_HEX 24

/* ---- the participant of a pending stage (EX-90) ---- */

static bool undecided(const struct ended *e, const struct issue *i)
{
    const json_t *state = json_read(i->execution_state);
    return text_is(i->status, "in_review") && text_is(json_str(state, "status"), "pending") &&
           text_is(json_str(json_object_get(state, "currentParticipant"), "agentId"), e->run->agent_id);
}

static err_t hand_up(struct db *db, struct ended *e, const struct issue *i, const char *cause, const char *action)
{
    e->followed = true;
    return escalate_issue(db, i,
                          &(struct escalation){.cause = cause,
                                               .action = action,
                                               .agent_id = e->run->agent_id,
                                               .run_id = e->run->id,
                                               .error_code = e->run->error_code,
                                               .no_block = true,
                                               .board = true,
                                               .evidence = json_pack("{s:s, s:s}", "latestRunId", e->run->id,
                                                                     "latestRunStatus", e->run->status)});
}

static err_t participant(struct db *db, struct ended *e, const struct issue *i)
{
    const struct run *run = e->run;
    struct run next;
    bool spent;
    bool again = json_bool(e->context, "reviewParticipantRecovery", false);
    bool ready = e->has_agent && agent_status_invokable(e->agent.status);
    if (text_is(e->outcome->error_family, "provider_quota")) {
        instant_t at = e->outcome->retry_not_before;
        e->followed = true;
        return monitor_schedule_quota(db, i, at > clock_now() ? at : clock_now() + QUOTA_WAIT_MS);
    }
    if (text_is(run->error_code, "configuration_incomplete"))
        return hand_up(db, e, i, "configuration_incomplete",
                       "The reviewer's configuration is incomplete. Repair it, then decide the review or ask again.");
    TRY(follow_up_budget_spent(db, run, &spent));
    if (again || !ready || spent || !e->can_act)
        return hand_up(db, e, i, "execution_review_participant_recovery",
                       "The reviewer ended without a decision. Decide the review, or name another reviewer.");
    e->followed = true;
    json_t *context = json_deep_copy(e->context);
    json_object_set_new(context, "reviewParticipantRecovery", json_true()); /* its retries know it, too */
    return follow_up_run(db, run, context, "execution_review_participant_recovery",
                         "execution_review_participant_recovery",
                         (struct run_seed){.process_loss_retry_count = run->process_loss_retry_count,
                                           .scheduled_retry_attempt = run->scheduled_retry_attempt},
                         &next);
}

/* ---- the last path (EX-89) ---- */

static const char *fingerprint(struct arena *a, const char *ref)
{
    unsigned char h[crypto_hash_sha256_BYTES];
    char *hex = arena_alloc(a, sizeof h * 2 + 1);
    crypto_hash_sha256(h, (const unsigned char *)ref, strlen(ref));
    sodium_bin2hex(hex, sizeof h * 2 + 1, h, sizeof h);
    hex[REF_HEX] = 0;
    return hex;
}

/* Agent-owned, in review, and nothing leads anywhere: the judgement of rules/explain. */
static err_t stalled(struct db *db, const struct issue *i, bool *yes)
{
    struct explained x;
    *yes = false;
    if (!text_is(i->status, "in_review") || i->assignee_agent_id == NULL) return OK;
    TRY(explain_load(db, i->company_id, &i, 1, &x));
    *yes = x.verdicts[0].state == EXPLAIN_DEAD;
    return OK;
}

static err_t wake_assignee(struct db *db, const struct issue *i, const char *ref, bool *woken)
{
    struct arena *a = db_arena(db);
    struct wake_result result;
    json_t *context =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:i, s:i}", "issueId", i->id, "taskId", i->id, "source",
                  "issue.review_path_lost", "wakeReason", "issue_review_path_lost", "reviewPathLost", 1,
                  "reviewPathConsumedRef", ref, "reviewPathRecoveryAttempt", 1, "maxReviewPathRecoveryAttempts", 1);
    TRY(wake_enqueue(
        db, &follow_up_actor,
        &(struct wake_request){.agent_id = i->assignee_agent_id,
                               .source = "automation",
                               .trigger_detail = "system",
                               .reason = "issue_review_path_lost",
                               .payload = json_pack("{s:s, s:s}", "issueId", i->id, "consumedPathRef", ref),
                               .context = context,
                               .idempotency_key =
                                   arena_printf(a, "issue_review_path_lost:%s:%s", i->id, fingerprint(a, ref))},
        &result));
    *woken = result.outcome == WAKE_QUEUED || result.outcome == WAKE_DEFERRED;
    if (!*woken) return OK;
    return activity_log(db, &follow_up_actor,
                        &(struct activity_entry){.company_id = i->company_id,
                                                 .action = "issue.review_path_recovery_queued",
                                                 .entity_type = "issue",
                                                 .entity_id = i->id,
                                                 .agent_id = i->assignee_agent_id,
                                                 .details = json_pack("{s:s, s:s, s:s?}", "identifier", i->identifier,
                                                                      "consumedPathRef", ref, "runId", result.run_id)});
}

err_t review_ask_board(struct db *db, const struct issue *i, const struct run *run)
{
    return escalate_issue(
        db, i,
        &(struct escalation){.cause = "in_review_without_action_path",
                             .kind = "issue_graph_liveness",
                             .action =
                                 "Nobody reviews this issue any more. Approve it, send it back, or name a reviewer.",
                             .agent_id = i->assignee_agent_id,
                             .run_id = run ? run->id : NULL,
                             .no_block = true,
                             .board = true});
}

err_t review_path_consumed(struct db *db, const char *issue_id, const char *ref)
{
    struct issue i;
    bool found, lost, woken;
    TRY(issue_get(db, issue_id, &i, &found));
    if (!found) return OK;
    TRY(stalled(db, &i, &lost));
    if (!lost) return OK;
    TRY(wake_assignee(db, &i, ref, &woken));
    return woken ? OK : review_ask_board(db, &i, NULL);
}

err_t review_settle(struct db *db, struct ended *e)
{
    struct issue i;
    bool found, lost, woken = false;
    if (e->followed) return OK;
    TRY(follow_up_issue(db, e->run, &i, &found));
    if (!found || !text_is(i.status, "in_review")) return OK;
    if (undecided(e, &i)) return participant(db, e, &i);
    TRY(stalled(db, &i, &lost));
    if (!lost) return OK;
    e->followed = true;
    /* never a second time, nor by a retry of it: each run would be a new reference, for ever (INV-33) */
    bool was_it =
        text_is(e->run->wake_reason, "issue_review_path_lost") || json_bool(e->context, "reviewPathLost", false);
    if (!was_it && e->can_act) TRY(wake_assignee(db, &i, e->run->id, &woken));
    return woken ? OK : review_ask_board(db, &i, e->run);
}

/* ---- the board decides ---- */

/* A recovery action asks for just this decision: it is no reason against it. */
static err_t decidable(struct db *db, const struct issue *i, bool *yes)
{
    struct explained x;
    *yes = false;
    if (!text_is(i->status, "in_review")) return OK;
    TRY(explain_load(db, i->company_id, &i, 1, &x));
    const struct explain_verdict *v = &x.verdicts[0];
    *yes = v->state == EXPLAIN_DEAD || v->state == EXPLAIN_RECOVERING || text_is(v->reason, "unassigned");
    return OK;
}

static err_t log_decision(struct db *db, const struct actor *actor, const struct issue *i,
                          const struct review_decision *d, const struct review_decided *out)
{
    return activity_log(
        db, actor,
        &(struct activity_entry){.company_id = i->company_id,
                                 .action = "issue.stalled_review_decided",
                                 .entity_type = "issue",
                                 .entity_id = i->id,
                                 .details = json_pack("{s:s, s:s, s:s, s:s?}", "identifier", i->identifier, "action",
                                                      d->action, "status", out->row.status, "commentId",
                                                      out->commented ? out->comment.id : NULL)});
}

err_t review_decide(struct db *db, const struct actor *actor, const struct issue *issue,
                    const struct review_decision *d, struct review_decided *out)
{
    struct arena *a = db_arena(db);
    struct issue_changed changed;
    bool may, approve = text_is(d->action, "approve");
    int64_t wakes = 0;
    const struct comment_new comment = {.body = d->note};
    struct issue_change c = {.after = *issue, .status_sent = true, .comment = d->note ? &comment : NULL};
    *out = (struct review_decided){0};
    TRY(decidable(db, issue, &may));
    if (!may) return err_new(a, ERR_CONFLICT, "Issue is no longer a stalled review");
    c.after.status = approve ? "done" : "todo";
    c.requested = json_pack("{s:s, s:s}", "status", c.after.status, "source", "stalled_review_decision");
    if (!approve) {
        c.wake_extra = json_pack("{s:s, s:s, s:b}", "mutation", "stalled_review_decision", "reviewDecision", d->action,
                                 "resumeIntent", 1);
        if (d->note) json_object_set_new(c.wake_extra, "userAuthoredNote", json_string(d->note));
    }
    TRY(issue_update(db, actor, issue, &c, &changed));
    out->row = changed.row;
    out->comment = changed.comment;
    out->commented = changed.commented;
    if (!approve && issue->assignee_agent_id)
        TRY(db_int(
            db, &wakes, 0,
            "SELECT count(*) FROM agent_wakeup_requests WHERE issue_id = $1 AND agent_id = $2 AND requested_at >= $3"
            " AND status IN ('queued','deferred_issue_execution')",
            P(V_ID(issue->id), V_ID(issue->assignee_agent_id), V_TIME(out->row.updated_at))));
    out->wake_queued = wakes > 0;
    return log_decision(db, actor, issue, d, out);
}

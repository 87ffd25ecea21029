/* issue_guard: what a status write does and needs, applied to rows. */
#include "base/text.h"
#include "model/goal.h"
#include "model/handoff.h"
#include "model/in_list.h"
#include "model/issue_update.h"
#include "rules/issue_status.h"

#define REVIEW_PATHS                                                                               \
    "{\"code\":\"invalid_issue_disposition\",\"missing\":\"review_path\",\"validReviewPaths\":["   \
    "\"pending_issue_thread_interaction\",\"linked_pending_approval\",\"human_assignee_user_id\"," \
    "\"typed_execution_state_current_participant\",\"scheduled_issue_monitor\"]}"

static err_t review_policy_error(struct arena *a, const struct issue *issue)
{
    bool human = text_is(issue->review_policy, "human_only");
    const char *allowed = human ? "a person" : "anybody but the one who moved it into review";
    const char *details =
        json_text(a, json_pack("{s:s, s:s, s:s, s:s}", "code", "review_policy_denied", "policy", issue->review_policy,
                               "allowedActor", human ? "human" : "not_creator", "remediation",
                               "leave the issue in review for somebody the policy allows"));
    return err_with(a, ERR_FORBIDDEN, "review_policy_denied", details,
                    "The review policy %s lets only %s decide this review", issue->review_policy, allowed);
}

err_t issue_guard_error(struct arena *a, enum status_verdict verdict, const struct open_blockers *b,
                        const struct issue *issue)
{
    switch (verdict) {
    case STATUS_OK: return OK;
    case STATUS_TWO_ASSIGNEES: return err_new(a, ERR_UNPROCESSABLE, "Issue can only have one assignee");
    case STATUS_NEEDS_ASSIGNEE: return err_new(a, ERR_UNPROCESSABLE, "in_progress issues require an assignee");
    case STATUS_HAS_BLOCKERS: return relation_blocked_error(a, b);
    case STATUS_NEEDS_PATH:
        return err_new(
            a, ERR_UNPROCESSABLE,
            "Entering blocked requires unresolved blockers, a pending interaction/approval, or unblockDescriptor");
    case STATUS_STRAY_DESCRIPTOR: return err_new(a, ERR_UNPROCESSABLE, "unblockDescriptor requires blocked status");
    case STATUS_NEEDS_REVIEW_PATH:
        return err_with(
            a, ERR_UNPROCESSABLE, "invalid_issue_disposition", REVIEW_PATHS,
            "invalid_issue_disposition: nobody would review this. Assign a person, ask for a confirmation, link an approval"
            " or schedule a monitor in the same step, or set the issue to done");
    case STATUS_DONE_TOO_EARLY:
        return err_with(
            a, ERR_UNPROCESSABLE, "issue_done_with_open_blockers",
            json_text(a, json_pack("{s:s, s:O, s:O}", "code", "issue_done_with_open_blockers",
                                   "unresolvedBlockerIssueIds", b->ids, "unresolvedBlockers", b->list)),
            "This issue still has unresolved blockers; finish them, or send blockedByIssueIds without them in the same request");
    case STATUS_REVIEW_POLICY: return review_policy_error(a, issue);
    case FOLLOWUP_CANCELLED:
        return err_new(a, ERR_CONFLICT, "Cancelled issues must be restored through the dedicated restore flow");
    case FOLLOWUP_STATUS: return err_new(a, ERR_CONFLICT, "An issue in status %s cannot be reopened", issue->status);
    case FOLLOWUP_HELD: return err_new(a, ERR_CONFLICT, "Issue follow-up blocked by active subtree pause hold");
    case FOLLOWUP_BLOCKED:
        return err_with(
            a, ERR_CONFLICT, NULL,
            json_text(a, json_pack("{s:O, s:O}", "unresolvedBlockerIssueIds", b->ids, "unresolvedBlockers", b->list)),
            "Issue follow-up blocked by unresolved blockers");
    case FOLLOWUP_UNASSIGNED: return err_new(a, ERR_CONFLICT, "Issue follow-up requires an assigned agent");
    }
    return OK;
}

static void clear_lock(struct issue *i)
{
    i->checkout_run_id = i->execution_run_id = i->execution_agent_name_key = NULL;
    i->execution_locked_at = INSTANT_NONE;
}

void issue_apply_effects(const struct issue *before, struct issue *after, instant_t now)
{
    bool reassigned = before && (!text_same(before->assignee_agent_id, after->assignee_agent_id) ||
                                 !text_same(before->assignee_user_id, after->assignee_user_id));
    struct status_effects e = status_effects(&(struct status_change){.from = before ? before->status : NULL,
                                                                     .to = after->status,
                                                                     .assignee_changed = reassigned,
                                                                     .started = after->started_at != INSTANT_NONE});
    if (e.start) after->started_at = now;
    if (e.complete) after->completed_at = now;
    if (e.clear_completed) after->completed_at = INSTANT_NONE;
    if (e.cancel) after->cancelled_at = now;
    if (e.clear_cancelled) after->cancelled_at = INSTANT_NONE;
    if (e.clear_lock) clear_lock(after);
    if (e.enter_blocked) after->blocked_transition_at = now;
    if (e.enter_blocked || e.leave_blocked) after->blocked_owner_notified_at = INSTANT_NONE;
    if (e.leave_blocked) after->unblock_descriptor = NULL;
    if (e.leave_blocked) after->blocked_transition_at = INSTANT_NONE;
    /* a closed issue begins anew, unless the change brings a state with it (a stage, a restore) */
    bool kept = before && text_same(before->execution_state, after->execution_state);
    if (e.reopened && kept) after->execution_state = NULL;
    if (e.closed) after->monitor_next_check_at = INSTANT_NONE;
    bool waits =
        status_expects_dispatch(after->status, after->assignee_agent_id != NULL, after->hidden_at != INSTANT_NONE);
    bool waited = before && before->dispatch_expected_since != INSTANT_NONE;
    if (!waits) after->dispatch_expected_since = INSTANT_NONE;
    else if (!waited || reassigned) after->dispatch_expected_since = now;
    if (before) handoff_answered(before, after);
    after->priority_rank = priority_rank(after->priority);
}

/* EX-9: who may be named as the one who unblocks. */
err_t issue_check_descriptor(struct db *db, const struct actor *actor, const struct issue *issue)
{
    struct arena *a = db_arena(db);
    int64_t n = 1;
    if (issue->unblock_descriptor == NULL) return OK;
    const json_t *owner = json_object_get(json_read(issue->unblock_descriptor), "owner");
    const char *agent = json_str(owner, "agentId"), *user = json_str(owner, "userId");
    if (actor->type == ACTOR_AGENT && agent && !text_is(agent, actor->agent_id))
        return err_new(a, ERR_FORBIDDEN, "Agents may name only themselves as unblock owner");
    if (agent)
        TRY(db_int(db, &n, 0, "SELECT count(*) FROM agents WHERE id = $1 AND company_id = $2",
                   P(V_ID(agent), V_ID(issue->company_id))));
    if (n == 0) return err_new(a, ERR_UNPROCESSABLE, "Unblock owner agent not found in company");
    if (user)
        TRY(db_int(
            db, &n, 0,
            "SELECT count(*) FROM company_memberships WHERE company_id = $1 AND principal_type = 'user' AND principal_id = $2"
            " AND status = 'active'",
            P(V_ID(issue->company_id), V_TEXT(user))));
    return n ? OK : err_new(a, ERR_UNPROCESSABLE, "Unblock owner user is not an active member of the company");
}

err_t issue_goal_fallback(struct db *db, const char *company_id, const char *project_id, const char **goal_id)
{
    if (project_id) return db_text(db, goal_id, "SELECT goal_id FROM projects WHERE id = $1", P(V_ID(project_id)));
    return goal_default(db, company_id, goal_id);
}

#define REQUEST_DEPTH_MAX 1024
int64_t issue_depth_bounded(int64_t depth)
{
    return depth < 0 ? 0 : depth > REQUEST_DEPTH_MAX ? REQUEST_DEPTH_MAX : depth;
}

err_t issue_labels_replace(struct db *db, const struct issue *issue, const struct id_list *labels, bool fresh)
{
    struct arena *a = db_arena(db);
    int64_t n;
    if (labels->count > 0) {
        const struct dbv company = V_ID(issue->company_id);
        struct in_list in = in_list_make(a, &company, 1, labels->ids, labels->count);
        TRY(db_int(db, &n, 0, arena_printf(a, "SELECT count(*) FROM labels WHERE company_id = $1 AND id IN %s", in.sql),
                   in.v, in.n));
        if (n != labels->count) return err_new(a, ERR_UNPROCESSABLE, "One or more labels are invalid for this company");
    }
    if (!fresh) TRY(db_exec(db, &n, "DELETE FROM issue_labels WHERE issue_id = $1", P(V_ID(issue->id))));
    for (int i = 0; i < labels->count; i++)
        TRY(db_exec(
            db, &n,
            "INSERT INTO issue_labels (company_id, issue_id, label_id) VALUES ($1, $2, $3) ON CONFLICT (issue_id, label_id) DO NOTHING",
            P(V_ID(issue->company_id), V_ID(issue->id), V_ID(labels->ids[i]))));
    return OK;
}

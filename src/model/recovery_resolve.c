/* recovery_resolve: the end of an action, and what it means for the issue. */
#include "model/recovery_resolve.h"

#include "base/text.h"
#include "model/assignee.h"
#include "model/issue_update.h"
#include "model/relation.h"
#include "model/wake.h"

err_t recovery_may_decide(struct db *db, const struct agent *self, const struct recovery_action *a,
                          const struct issue *issue, bool *yes)
{
    *yes = text_is(self->id, issue->assignee_agent_id) || text_is(self->id, a->owner_agent_id);
    if (!*yes && issue->assignee_agent_id) TRY(assignee_managed_by(db, self, issue->assignee_agent_id, yes));
    if (!*yes && a->owner_agent_id) TRY(assignee_managed_by(db, self, a->owner_agent_id, yes));
    return OK;
}

static bool hands_back(const struct recovery_verdict *v, const struct recovery_action *a)
{
    return text_is(v->outcome, "restored") && text_is(v->source_status, "todo") && a->return_owner_agent_id;
}

static const char *recorded_outcome(const struct recovery_verdict *v, const struct recovery_action *a)
{
    if (hands_back(v, a)) return "handed_back";
    bool finished = text_is(v->outcome, "restored") && text_is(v->source_status, "done");
    return finished ? "owner_completed" : v->outcome;
}

static err_t check_blocked(struct db *db, const struct recovery_verdict *v, const struct issue *issue)
{
    json_t *ids;
    int n;
    if (!text_is(v->outcome, "blocked")) return OK;
    TRY(relation_unresolved(db, issue->id, &ids, &n));
    if (n > 0) return OK;
    return err_new(db_arena(db), ERR_UNPROCESSABLE,
                   "Resolving a recovery action as blocked requires an unresolved first-class blocker");
}

static err_t move_issue(struct db *db, const struct actor *actor, const struct recovery_verdict *v,
                        const struct recovery_action *a, struct issue *issue, bool *changed)
{
    struct issue_changed done;
    struct issue_change c = {.after = *issue,
                             .requested = json_pack("{s:s, s:s, s:s}", "status", v->source_status, "source",
                                                    "recovery_action_resolution", "recoveryActionId", a->id)};
    c.after.status = v->source_status;
    if (hands_back(v, a)) {
        c.after.assignee_agent_id = a->return_owner_agent_id;
        c.after.assignee_user_id = NULL;
    }
    TRY(issue_update(db, actor, issue, &c, &done));
    *changed = done.any;
    *issue = done.row;
    return OK;
}

/* A follow-up of its own: the run that resolves is never told by way of itself (EX-126). */
static err_t wake_assignee(struct db *db, const struct actor *actor, const struct recovery_action *a,
                           const struct issue *issue)
{
    struct wake_result result;
    if (!text_is(issue->status, "todo") || issue->assignee_agent_id == NULL) return OK;
    return wake_enqueue(
        db, actor,
        &(struct wake_request){.agent_id = issue->assignee_agent_id,
                               .source = "automation",
                               .trigger_detail = "system",
                               .reason = "issue_recovery_action_restored",
                               .payload = json_pack("{s:s, s:s, s:s}", "issueId", issue->id, "recoveryActionId", a->id,
                                                    "mutation", "recovery_action_restored"),
                               .context =
                                   json_pack("{s:s, s:s, s:s, s:s, s:s?}", "issueId", issue->id, "taskId", issue->id,
                                             "restoredRecoveryActionId", a->id, "source",
                                             "issue.recovery_action_restored", "resolutionNote", a->resolution_note)},
        &result);
}

err_t recovery_resolve(struct db *db, const struct actor *actor, const struct recovery_verdict *v,
                       struct recovery_action *a, struct issue *issue)
{
    bool changed;
    TRY(check_blocked(db, v, issue));
    /* first: a change of the issue would fold an action that is still open */
    TRY(recovery_action_end(db, actor, a,
                            &(struct recovery_end){
                                .status = text_is(v->outcome, "cancelled") ? "cancelled" : "resolved",
                                .outcome = recorded_outcome(v, a),
                                .note = v->note,
                                .source = "recovery_action_resolution",
                            }));
    TRY(move_issue(db, actor, v, a, issue, &changed));
    return changed ? wake_assignee(db, actor, a, issue) : OK;
}

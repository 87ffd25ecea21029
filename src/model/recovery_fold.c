/* recovery_fold: facts about the source, and the end of the action. */
#include "model/recovery_fold.h"

#include "base/text.h"
#include "model/agent.h"
#include "model/relation.h"
#include "rules/recovery.h"

/* P3: somebody is named to decide; P4 and P5 are told by their rooms with `touched`. */
static bool review_path(const struct issue *i)
{
    const json_t *state = json_read(i->execution_state);
    return text_is(json_str(state, "status"), "pending") && json_object_get(state, "currentParticipant") != NULL;
}

static struct recovery_source source_of(const struct recovery_action *x, const struct issue *i)
{
    return (struct recovery_source){
        .status = i->status,
        .user_owned = i->assignee_user_id != NULL,
        .agent_owned = i->assignee_agent_id != NULL,
        .reassigned = x->previous_owner_agent_id && !text_is(x->previous_owner_agent_id, i->assignee_agent_id),
        .review_path = review_path(i),
        .monitored = i->monitor_next_check_at != INSTANT_NONE && i->monitor_next_check_at > clock_now()};
}

static err_t fold(struct db *db, const struct actor *actor, struct recovery_action *x, const char *reason)
{
    return recovery_action_end(db, actor, x,
                               &(struct recovery_end){.status = "cancelled",
                                                      .outcome = "cancelled",
                                                      .note = recovery_fold_note(reason),
                                                      .fold_reason = reason,
                                                      .source = "source_revalidation"});
}

static struct recovery_claim claim_of(const struct recovery_action *x)
{
    return (struct recovery_claim){.kind = x->kind, .cause = x->cause, .blocks_source = x->blocks_source};
}

err_t recovery_fold_after(struct db *db, const struct actor *actor, const struct issue *before,
                          const struct issue *after, bool touched)
{
    struct recovery_action x;
    bool found, changed = touched || !text_same(before->status, after->status) ||
                          !text_same(before->assignee_agent_id, after->assignee_agent_id) ||
                          !text_same(before->assignee_user_id, after->assignee_user_id) ||
                          !text_same(before->execution_policy, after->execution_policy) ||
                          before->monitor_next_check_at != after->monitor_next_check_at;
    if (!changed) return OK;
    TRY(recovery_action_open(db, after->id, &x, &found));
    if (!found) return OK;
    struct recovery_source s = source_of(&x, after);
    struct recovery_claim c = claim_of(&x);
    json_t *open;
    int n;
    TRY(relation_unresolved(db, after->id, &open, &n));
    s.blockers_open = n > 0;
    s.changed = true;
    const char *reason = recovery_fold(&c, &s);
    return reason ? fold(db, actor, &x, reason) : OK;
}

/* EX-107: an agent that was repaired needs no other. */
static err_t can_run_again(struct db *db, const struct issue *i, const char **reason)
{
    struct agent agent;
    const char *why = "missing";
    bool found;
    TRY(agent_get(db, i->assignee_agent_id, &agent, &found));
    if (found) TRY(agent_invokable(db, &agent, &why));
    if (why == NULL || text_is(why, "paused")) *reason = "agent_invokable";
    return OK;
}

err_t recovery_fold_check(struct db *db, struct recovery_action *x, const struct issue *issue, bool *folded)
{
    struct recovery_source s = source_of(x, issue);
    struct recovery_claim c = claim_of(x);
    const char *reason = recovery_fold(&c, &s);
    if (reason == NULL && text_is(x->cause, "assignee_not_invokable") && issue->assignee_agent_id)
        TRY(can_run_again(db, issue, &reason));
    *folded = reason != NULL;
    return reason ? fold(db, &recovery_actor, x, reason) : OK;
}

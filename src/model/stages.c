/* stages: who looks at it now, in rows. */
#include "model/stages.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/assignee.h"
#include "model/issue_card.h"
#include "model/issue_update.h"
#include "model/wake.h"

/* ---- facts ---- */

static err_t reach_of(struct db *db, const char *company_id, struct participant *p)
{
    struct agent agent;
    const char *why;
    bool found;
    if (p->who.kind == PRINCIPAL_USER) return OK;
    TRY(agent_get(db, p->who.id, &agent, &found));
    p->reach = REACH_NEVER;
    if (!found || !text_is(agent.company_id, company_id) || text_is(agent.status, "terminated")) return OK;
    TRY(agent_invokable(db, &agent, &why));
    p->reach = why ? REACH_LATER : REACH_NOW;
    return OK;
}

static err_t read_policy(struct db *db, const struct issue *i, struct execution_policy *out)
{
    execution_policy_read(db_arena(db), json_read(i->execution_policy), out);
    for (int s = 0; s < out->count; s++)
        for (int p = 0; p < out->stages[s].count; p++)
            TRY(reach_of(db, i->company_id, &out->stages[s].participants[p]));
    return OK;
}

/* Who decides when agents come to no end: whoever answers for the issue. */
static struct principal person_of(const struct issue *i)
{
    const char *user = i->responsible_user_id ? i->responsible_user_id : i->created_by_user_id;
    return principal_of(NULL, user ? user : LOCAL_BOARD_USER);
}

static struct principal actor_of(const struct stage_request *q)
{
    return principal_of(q->author->agent_id, q->author->person ? q->actor->user_id : NULL);
}

static err_t refusal(struct arena *a, const struct stage_outcome *o, bool approves)
{
    switch (o->verdict) {
    case STAGE_OK: return OK;
    case STAGE_NOBODY:
        return err_new(a, ERR_UNPROCESSABLE, "No eligible %s participant is configured for this issue",
                       stage_type(o->stage));
    case STAGE_NEEDS_COMMENT:
        return err_new(a, ERR_UNPROCESSABLE,
                       approves ? "Approving a review or approval stage requires a comment"
                                : "Requesting changes requires a comment");
    case STAGE_NOT_YOURS:
        return err_new(a, ERR_UNPROCESSABLE,
                       "Only the active reviewer or approver can advance the current execution stage");
    case STAGE_NOT_THE_PERSON:
        return err_new(a, ERR_UNPROCESSABLE, "Only the escalated reviewer can advance the current execution stage");
    case STAGE_NO_REQUEST:
        return err_new(a, ERR_UNPROCESSABLE, "reviewRequest requires an active review or approval stage");
    }
    return OK;
}

/* ---- a change ---- */

static void write_back(struct arena *a, const struct stage_outcome *o, const json_t *stored, struct issue *after)
{
    after->status = o->status;
    after->assignee_agent_id = o->assignee.kind == PRINCIPAL_AGENT ? o->assignee.id : NULL;
    after->assignee_user_id = o->assignee.kind == PRINCIPAL_USER ? o->assignee.id : NULL;
    if (o->state == NULL) after->execution_state = NULL;
    else if (o->state != stored) after->execution_state = json_text(a, o->state);
}

err_t stages_apply(struct db *db, const struct stage_request *q, struct issue *after, struct stage_step *out)
{
    struct arena *a = db_arena(db);
    const struct issue *b = q->before;
    struct execution_policy policy;
    *out = (struct stage_step){.out.wake = STAGE_WAKE_NONE};
    if (after->execution_policy == NULL && b->execution_state == NULL && !q->request_sent) return OK;
    json_t *state = json_read(b->execution_state);
    TRY(read_policy(db, after, &policy));
    out->decision_id = id_new(a);
    const struct principal assignee = principal_of(b->assignee_agent_id, b->assignee_user_id),
                           asked = principal_of(after->assignee_agent_id, after->assignee_user_id);
    bool cancels = text_is(after->status, "cancelled") || text_is(b->status, "cancelled");
    stage_decide(&(struct stage_facts){.policy = &policy,
                                       .state = json_is_object(state) ? state : NULL,
                                       .from = b->status,
                                       .to = after->status,
                                       .status_sent = q->status_sent || !text_is(b->status, after->status),
                                       .assignee = assignee,
                                       .asked = asked,
                                       .assignee_sent = !principal_same(assignee, asked),
                                       .actor = actor_of(q),
                                       .board = q->author->person,
                                       .override = q->tree_control && cancels,
                                       .has_comment = q->comment != NULL,
                                       .comment_approves = stage_comment_approves(q->comment),
                                       .blockers_open = q->blockers_open,
                                       .request_sent = q->request_sent,
                                       .request = q->request,
                                       .person = person_of(b),
                                       .decision_id = out->decision_id},
                 &out->out);
    TRY(refusal(a, &out->out, text_is(after->status, "done")));
    if (q->tree_control && text_is(b->status, "cancelled")) return OK; /* a restore brings its own state */
    write_back(a, &out->out, state, after);
    return OK;
}

err_t stages_record(struct db *db, const struct stage_request *q, const struct issue *issue, const struct stage_step *s)
{
    const struct principal who = actor_of(q);
    int64_t n;
    if (s->out.decision == NULL) return OK;
    return db_exec(
        db, &n,
        "INSERT INTO issue_execution_decisions (id, company_id, issue_id, stage_id, stage_type, actor_agent_id,"
        " actor_user_id, outcome, body, created_by_run_id, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
        P(V_ID(s->decision_id), V_ID(issue->company_id), V_ID(issue->id), V_TEXT(s->out.decided->id),
          V_TEXT(stage_type(s->out.decided)), V_ID(who.kind == PRINCIPAL_AGENT ? who.id : NULL),
          V_TEXT(who.kind == PRINCIPAL_USER ? who.id : NULL), V_TEXT(s->out.decision), V_TEXT(q->comment),
          V_ID(q->author->run_id), V_TIME(clock_now())));
}

/* ---- policies ---- */

static err_t check_participant(struct db *db, const char *company_id, struct principal who)
{
    struct arena *a = db_arena(db);
    bool agent = who.kind == PRINCIPAL_AGENT;
    int64_t n;
    if (agent)
        TRY(db_int(db, &n, 0, "SELECT count(*) FROM agents WHERE id = $1 AND company_id = $2",
                   P(V_ID(who.id), V_ID(company_id))));
    else
        TRY(db_int(db, &n, 0,
                   "SELECT count(*) FROM company_memberships WHERE company_id = $1 AND principal_type = 'user'"
                   " AND principal_id = $2 AND status = 'active'",
                   P(V_ID(company_id), V_TEXT(who.id))));
    if (n > 0) return OK;
    return err_with(a, ERR_UNPROCESSABLE, NULL,
                    json_text(a, json_pack("{s:s, s:s}", "field", "executionPolicy", "id", who.id)),
                    "executionPolicy.stages.participants.%s not found in company", agent ? "agentId" : "userId");
}

err_t stages_policy(struct db *db, const char *company_id, const json_t *sent, json_t **out)
{
    struct execution_policy policy;
    *out = execution_policy_normalise(db_arena(db), sent, id_new);
    execution_policy_read(db_arena(db), *out, &policy);
    for (int s = 0; s < policy.count; s++)
        for (int p = 0; p < policy.stages[s].count; p++)
            TRY(check_participant(db, company_id, policy.stages[s].participants[p].who));
    return OK;
}

/* All that stages of one kind name, each once. */
static json_t *named(const struct execution_policy *p, bool approval)
{
    json_t *out = json_array();
    for (int s = 0; s < p->count; s++) {
        if (p->stages[s].approval != approval) continue;
        for (int i = 0; i < p->stages[s].count; i++) {
            json_t *who = principal_json(p->stages[s].participants[i].who);
            bool known = false;
            for (size_t k = 0; k < json_array_size(out); k++) known |= json_equal(json_array_get(out, k), who);
            if (!known) json_array_append_new(out, who);
        }
    }
    return out;
}

static json_t *without(const json_t *of, const json_t *others)
{
    json_t *out = json_array(), *v, *o;
    size_t i, k;
    json_array_foreach (of, i, v) {
        bool there = false;
        json_array_foreach (others, k, o) there |= json_equal(v, o);
        if (!there) json_array_append(out, v);
    }
    return out;
}

err_t stages_log_policy(struct db *db, const struct actor *actor, const struct issue *before, const struct issue *after)
{
    static const char *const actions[] = {"issue.reviewers_updated", "issue.approvers_updated"};
    struct execution_policy old, new;
    if (text_same(before->execution_policy, after->execution_policy)) return OK;
    execution_policy_read(db_arena(db), json_read(before->execution_policy), &old);
    execution_policy_read(db_arena(db), json_read(after->execution_policy), &new);
    for (int kind = 0; kind < 2; kind++) {
        json_t *was = named(&old, kind), *is = named(&new, kind), *added = without(is, was), *gone = without(was, is);
        if (json_array_size(added) + json_array_size(gone) == 0) continue;
        TRY(activity_log(
            db, actor,
            &(struct activity_entry){.company_id = after->company_id,
                                     .action = actions[kind],
                                     .entity_type = "issue",
                                     .entity_id = after->id,
                                     .details = json_pack("{s:s, s:o, s:o, s:o}", "identifier", after->identifier,
                                                          "participants", is, "addedParticipants", added,
                                                          "removedParticipants", gone)}));
    }
    return OK;
}

/* ---- without a change of anybody's ---- */

err_t stages_wake_again(struct db *db, const struct actor *actor, const struct issue *i)
{
    struct wake_result ignored;
    const json_t *state = json_read(i->execution_state);
    if (!text_is(i->status, "in_review") || !stage_pending(state) || i->assignee_agent_id == NULL) return OK;
    json_t *stage = stage_context(state, false);
    return wake_enqueue(
        db, actor,
        &(struct wake_request){
            .agent_id = i->assignee_agent_id,
            .source = "assignment",
            .trigger_detail = "system",
            .reason = stage_wake_reason(state, false),
            .payload = json_pack("{s:s, s:s, s:O}", "issueId", i->id, "mutation", "update", "executionStage", stage),
            .context = json_pack("{s:s, s:s, s:s, s:O}", "issueId", i->id, "taskId", i->id, "source",
                                 "issue.execution_stage", "executionStage", stage)},
        &ignored);
}

static err_t hand_on(struct db *db, const struct actor *actor, const struct issue *before)
{
    struct issue after = *before;
    struct execution_policy policy;
    struct principal who;
    const char *entity;
    TRY(read_policy(db, before, &policy));
    after.execution_state =
        json_text(db_arena(db), stage_move_on(&policy, json_read(before->execution_state), person_of(before), &who));
    after.assignee_agent_id = who.kind == PRINCIPAL_AGENT ? who.id : NULL;
    after.assignee_user_id = who.kind == PRINCIPAL_USER ? who.id : NULL;
    issue_apply_effects(before, &after, clock_now());
    after.updated_at = after.last_activity_at = clock_now();
    TRY(entity_update(db, &ENTITY_issue, before, &after));
    TRY(issue_event_text(db, &after, &entity));
    TRY(activity_log(
        db, actor,
        &(struct activity_entry){.company_id = after.company_id,
                                 .action = "issue.updated",
                                 .entity_type = "issue",
                                 .entity_id = after.id,
                                 .entity = entity,
                                 .details = json_pack("{s:s, s:s, s:o, s:o}", "identifier", after.identifier, "source",
                                                      "stage_participant_gone", "from",
                                                      principal_json(principal_of(before->assignee_agent_id, NULL)),
                                                      "to", principal_json(who))}));
    return stages_wake_again(db, actor, &after);
}

err_t stages_agent_gone(struct db *db, const struct actor *actor, const char *agent_id)
{
    struct issue *rows;
    int n;
    TRY(entity_many(db, &ENTITY_issue, &rows, &n,
                    "WHERE assignee_agent_id = $1 AND status = 'in_review' AND execution_state IS NOT NULL ORDER BY id",
                    P(V_ID(agent_id))));
    for (int i = 0; i < n; i++)
        if (stage_pending(json_read(rows[i].execution_state))) TRY(hand_on(db, actor, &rows[i]));
    return OK;
}

/* interaction_resolve: an answer, from the check of its state to the wakes. */
#include "base/text.h"
#include "model/interaction_internal.h"
#include "rules/issue_status.h"

struct answer {
    struct db *db;
    const struct actor *actor;
    struct issue issue;
    struct interaction *x;
    enum interaction_kind kind;
    enum interaction_verb verb;
    json_t *body;
    struct interaction_answer to;
    bool moved;
};

static err_t check_state(struct answer *w)
{
    const char *sentence, *code = interaction_state_refusal(w->x->status, json_read(w->x->result),
                                                            status_terminal(w->issue.status), &sentence);
    struct arena *a = db_arena(w->db);
    if (code == NULL) return OK;
    return err_with(a, ERR_CONFLICT, code, json_text(a, json_pack("{s:s}", "code", code)), "%s", sentence);
}

static struct interaction_answer judge(struct answer *w)
{
    struct arena *a = db_arena(w->db);
    const json_t *payload = json_read(w->x->payload), *result = json_read(w->x->result);
    const char *reason = json_str(w->body, "reason");
    switch (w->verb) {
    case INTERACTION_ACCEPT: return interaction_accept(a, w->kind, payload, w->body);
    case INTERACTION_REJECT: return interaction_reject(a, w->kind, payload, reason);
    case INTERACTION_WITHDRAW: return interaction_withdraw(w->kind, result, reason);
    case INTERACTION_CANCEL: return interaction_cancel(w->kind, reason);
    case INTERACTION_RESPOND:
        if (w->kind == INTERACTION_QUESTIONS) return interaction_respond(a, payload, w->body);
        return (struct interaction_answer){.error = "Only ask_user_questions interactions can be answered"};
    case INTERACTION_DECIDE: break;
    }
    if (w->kind != INTERACTION_VERDICTS)
        return (struct interaction_answer){.error = "Only request_item_verdicts interactions can receive verdicts"};
    return interaction_decide(a, payload, result, json_object_get(w->body, "verdicts"),
                              &(struct interaction_verdict_by){.agent_id = w->actor->agent_id,
                                                               .user_id = w->actor->user_id,
                                                               .run_id = w->actor->agent_id ? w->actor->run_id : NULL,
                                                               .at = instant_text(a, clock_now())});
}

static err_t apply_effects(struct answer *w)
{
    if (w->verb != INTERACTION_ACCEPT) return OK;
    if (w->kind == INTERACTION_TASKS)
        return interaction_create_tasks(w->db, w->actor, &w->issue, w->x, w->to.tasks, w->to.result);
    TRY(interaction_finalize_gate(w->db, &w->issue, w->x));
    return interaction_hand_back(w->db, w->actor, w->x, &w->issue, &w->moved);
}

/* Of two who answer at once, one finds nothing pending. */
static err_t write_row(struct answer *w)
{
    struct arena *a = db_arena(w->db);
    struct interaction *x = w->x;
    bool agent = w->actor->type == ACTOR_AGENT;
    int64_t n;
    x->status = w->to.status;
    x->result = json_text(a, w->to.result);
    x->updated_at = clock_now();
    if (!text_is(x->status, "pending")) {
        x->resolved_at = x->updated_at;
        x->resolved_by_agent_id = w->actor->agent_id;
        x->resolved_by_run_id = agent ? w->actor->run_id : NULL;
        x->resolved_by_user_id = agent ? NULL : w->actor->user_id;
    }
    TRY(db_exec(w->db, &n,
                "UPDATE issue_thread_interactions SET status = $2, result = $3, updated_at = $4, resolved_at = $5,"
                " resolved_by_agent_id = $6, resolved_by_run_id = $7, resolved_by_user_id = $8"
                " WHERE id = $1 AND status = 'pending'",
                P(V_ID(x->id), V_TEXT(x->status), V_JSON(x->result), V_TIME(x->updated_at), V_TIME(x->resolved_at),
                  V_ID(x->resolved_by_agent_id), V_ID(x->resolved_by_run_id), V_TEXT(x->resolved_by_user_id))));
    if (n == 1) return OK;
    return err_with(a, ERR_CONFLICT, "interaction_already_resolved", "{\"code\":\"interaction_already_resolved\"}",
                    "Interaction has already been resolved");
}

static json_t *details_of(const struct answer *w)
{
    const struct interaction *x = w->x;
    bool agent = w->actor->type == ACTOR_AGENT;
    const char *why = !agent                                               ? "allow_board"
                      : text_is(x->addressee_agent_id, w->actor->agent_id) ? "allow_addressee"
                                                                           : "allow_resolver_policy";
    json_t *d =
        json_pack("{s:s, s:s}", "resolutionActorKind", agent ? "agent" : "user", "resolverAuthorizationReason", why);
    const char *reason = json_str(w->body, "reason");
    switch (w->verb) {
    case INTERACTION_ACCEPT:
        json_object_set_new(d, "createdTaskCount", json_integer((json_int_t)json_array_size(w->to.tasks)));
        json_object_set_new(d, "skippedTaskCount", json_integer((json_int_t)json_array_size(w->to.skipped)));
        break;
    case INTERACTION_REJECT:
        json_object_set_new(d, "rejectionReason", reason ? json_string(reason) : json_null());
        break;
    case INTERACTION_RESPOND: json_object_set_new(d, "answeredQuestionCount", json_integer(w->to.answered)); break;
    case INTERACTION_DECIDE:
        json_object_set_new(d, "submittedVerdictCount",
                            json_integer((json_int_t)json_array_size(json_object_get(w->body, "verdicts"))));
        json_object_set_new(d, "newlyResolvedItemCount",
                            json_integer((json_int_t)json_array_size(w->to.newly_resolved)));
        json_object_set(d, "newlyResolvedItemIds", w->to.newly_resolved);
        json_object_set_new(d, "complete", json_boolean(text_is(x->status, "answered")));
        break;
    case INTERACTION_WITHDRAW:
    case INTERACTION_CANCEL: break;
    }
    return d;
}

err_t interaction_resolve(struct db *db, const struct actor *actor, const struct issue *issue, struct interaction *x,
                          enum interaction_verb verb, json_t *body)
{
    static const char *const actions[] = {
        [INTERACTION_ACCEPT] = "issue.thread_interaction_accepted",
        [INTERACTION_REJECT] = "issue.thread_interaction_rejected",
        [INTERACTION_RESPOND] = "issue.thread_interaction_answered",
        [INTERACTION_DECIDE] = "issue.thread_interaction_item_verdicts_submitted",
        [INTERACTION_WITHDRAW] = "issue.thread_interaction_withdrawn",
        [INTERACTION_CANCEL] = "issue.thread_interaction_cancelled",
    };
    struct answer w = {.db = db, .actor = actor, .issue = *issue, .x = x, .verb = verb, .body = body};
    w.kind = interaction_kind_of(x->kind);
    TRY(check_state(&w));
    w.to = judge(&w);
    if (w.to.error) return err_new(db_arena(db), ERR_UNPROCESSABLE, "%s", w.to.error);
    TRY(apply_effects(&w));
    TRY(write_row(&w));
    TRY(interaction_log(db, actor, &w.issue, x, actions[verb], details_of(&w)));
    return interaction_wake_continue(db, actor,
                                     &(struct interaction_news){.issue = &w.issue,
                                                                .x = x,
                                                                .verb = verb,
                                                                .reason = json_str(body, "reason"),
                                                                .newly_resolved = w.to.newly_resolved,
                                                                .moved = w.moved});
}

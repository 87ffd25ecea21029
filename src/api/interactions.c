/* interactions: what is asked in an issue's thread, and the answers (IS §15). */
#include "model/interaction.h"

#include "api/handlers.h"
#include "api/issue_guard.h"
#include "api/schemas.h"
#include "base/text.h"
#include "model/run.h"

err_t interactions_list(struct req *r)
{
    struct interaction *rows;
    int n;
    TRY(interaction_list(r->db, &r->issue, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) interaction_write(&r->w, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

err_t interaction_create_route(struct req *r)
{
    const char *reason;
    struct interaction x;
    json_t *payload = json_object_get(r->body, "payload");
    TRY(issue_may_write(r, ACCESS_OPEN, &reason));
    if (is_agent(r) && r->actor.run_id == NULL) return err_new(r->arena, ERR_UNAUTHORIZED, "Agent run id required");
    if (json_object_get(payload, "toolAction")) return unprocessable(r, "toolAction is set by the server only");
    TRY(interaction_create(
        r->db, &r->actor,
        &(struct interaction_new){.issue = &r->issue,
                                  .kind = interaction_kind_of(json_str(r->body, "kind")),
                                  .payload = payload,
                                  .title = json_str(r->body, "title"),
                                  .summary = json_str(r->body, "summary"),
                                  .idempotency_key = json_str(r->body, "idempotencyKey"),
                                  .source_comment_id = json_str(r->body, "sourceCommentId"),
                                  .source_run_id = is_agent(r) ? r->actor.run_id : json_str(r->body, "sourceRunId"),
                                  .continuation_policy = json_str(r->body, "continuationPolicy"),
                                  .resolver_policy = json_str(r->body, "resolverPolicy"),
                                  .addressee_agent_id = json_str(r->body, "addresseeAgentId")},
        &x));
    interaction_write(&r->w, &x);
    return OK;
}

/* ---- answers: who may, in the order of IS-117 ---- */

static err_t coded(struct req *r, enum err_kind kind, const char *code, const char *policy, const char *sentence)
{
    json_t *d = json_pack("{s:s}", "code", code);
    if (policy) json_object_set_new(d, "effectiveResolverPolicy", json_string(policy));
    return err_with(r->arena, kind, code, json_text(r->arena, d), "%s", sentence);
}

/* An agent answers from a run of its own. */
static err_t check_attribution(struct req *r)
{
    struct run run;
    bool found = false;
    if (!is_agent(r)) return OK;
    if (r->actor.run_id) TRY(run_get(r->db, r->actor.run_id, &run, &found));
    if (found && text_is(run.agent_id, r->actor.agent_id)) return OK;
    return coded(r, ERR_UNPROCESSABLE, "interaction_run_attribution_required", NULL,
                 "Agents answer interactions from a run of their own: send X-Paperclip-Run-Id");
}

static const char *audience_sentence(const char *code)
{
    if (text_is(code, "interaction_human_only")) return "Only a person may answer this interaction";
    if (text_is(code, "interaction_addressee_mismatch")) return "This interaction is addressed to another agent";
    return "Who asked may not answer: this interaction is for others";
}

static err_t check_audience(struct req *r, const struct interaction *x)
{
    const char *code = interaction_audience(&(struct audience){.agent_id = r->actor.agent_id,
                                                               .user_id = r->actor.user_id,
                                                               .run_id = r->actor.run_id,
                                                               .policy = x->effective_resolver_policy,
                                                               .creator_agent_id = x->created_by_agent_id,
                                                               .creator_user_id = x->created_by_user_id,
                                                               .source_run_id = x->source_run_id,
                                                               .addressee_agent_id = x->addressee_agent_id});
    return code ? coded(r, ERR_FORBIDDEN, code, x->effective_resolver_policy, audience_sentence(code)) : OK;
}

static err_t named(struct req *r, struct interaction *x)
{
    bool found;
    TRY(interaction_get(r->db, r->issue.id, r->params[1], x, &found));
    return found ? OK : coded(r, ERR_NOT_FOUND, "interaction_not_found", NULL, "Interaction not found");
}

static err_t answer(struct req *r, enum interaction_verb verb)
{
    struct interaction x;
    TRY(check_attribution(r));
    TRY(named(r, &x));
    TRY(check_audience(r, &x));
    TRY(issue_influence(r));
    TRY(interaction_resolve(r->db, &r->actor, &r->issue, &x, verb, r->body));
    interaction_write(&r->w, &x);
    return OK;
}

err_t interaction_accept_route(struct req *r) { return answer(r, INTERACTION_ACCEPT); }
err_t interaction_reject_route(struct req *r) { return answer(r, INTERACTION_REJECT); }
err_t interaction_respond_route(struct req *r) { return answer(r, INTERACTION_RESPOND); }
err_t interaction_verdicts_route(struct req *r) { return answer(r, INTERACTION_DECIDE); }

/* IS-145: taken back by who asked, by the issue's agent, or by the board. */
err_t interaction_withdraw_route(struct req *r)
{
    struct interaction x;
    TRY(check_attribution(r));
    TRY(named(r, &x));
    bool mine =
        text_is(x.created_by_agent_id, r->actor.agent_id) || text_is(r->issue.assignee_agent_id, r->actor.agent_id);
    if (is_agent(r) && !mine)
        return coded(r, ERR_FORBIDDEN, "interaction_scope_denied", NULL,
                     "Only who asked, the issue's agent or the board may withdraw this interaction");
    TRY(issue_influence(r));
    TRY(interaction_resolve(r->db, &r->actor, &r->issue, &x, INTERACTION_WITHDRAW, r->body));
    interaction_write(&r->w, &x);
    return OK;
}

err_t interaction_cancel_route(struct req *r)
{
    struct interaction x;
    TRY(named(r, &x));
    TRY(interaction_resolve(r->db, &r->actor, &r->issue, &x, INTERACTION_CANCEL, r->body));
    interaction_write(&r->w, &x);
    return OK;
}

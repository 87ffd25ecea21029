/* interaction: creating and reading. */
#include "model/interaction.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/comment.h"
#include "model/company.h"
#include "model/document.h"
#include "model/interaction_internal.h"
#include "model/issue_card.h"
#include "model/run.h"
#include "rules/issue_status.h"

/* ---- reading ---- */

err_t interaction_get(struct db *db, const char *issue_id, const char *id, struct interaction *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_interaction, out, found, "WHERE id = $1 AND issue_id = $2",
                      P(V_ID(id), V_ID(issue_id)));
}

err_t interaction_list(struct db *db, const struct issue *issue, struct interaction **rows, int *count)
{
    struct arena *a = db_arena(db);
    TRY(entity_many(db, &ENTITY_interaction, rows, count, "WHERE issue_id = $1 ORDER BY created_at, id",
                    P(V_ID(issue->id))));
    for (int i = 0; status_terminal(issue->status) && i < *count; i++) {
        struct interaction *x = &(*rows)[i];
        if (!text_is(x->status, "pending")) continue;
        x->status = "expired";
        x->result =
            json_text(a, interaction_expiry(interaction_kind_of(x->kind), json_read(x->result), "issue_closed", NULL));
    }
    return OK;
}

void interaction_write(struct jw *w, const struct interaction *x)
{
    jw_obj(w);
    entity_write(w, &ENTITY_interaction, x, VIEW_FULL);
    jw_kstr(w, "resolverPolicy", x->requested_resolver_policy);
    jw_kobj(w, "legacyResolverPolicyAliases");
    jw_kstr(w, "requested", resolver_alias(x->requested_resolver_policy));
    jw_kstr(w, "effective", resolver_alias(x->effective_resolver_policy));
    jw_obj_end(w);
    jw_obj_end(w);
}

err_t interaction_pending(struct db *db, const char *issue_id, int64_t *count)
{
    return db_int(db, count, 0,
                  "SELECT count(*) FROM issue_thread_interactions WHERE issue_id = $1 AND status = 'pending'",
                  P(V_ID(issue_id)));
}

err_t interaction_is_review(struct db *db, const struct actor *actor, const char *issue_id, const char *id, bool *yes)
{
    struct interaction x;
    TRY(interaction_get(db, issue_id, id, &x, yes));
    if (!*yes) return OK;
    enum interaction_kind k = interaction_kind_of(x.kind);
    bool asks = k == INTERACTION_CONFIRMATION || k == INTERACTION_CHECKBOX;
    bool agent = actor->type == ACTOR_AGENT;
    bool mine = agent ? text_is(x.created_by_agent_id, actor->agent_id) && text_is(x.source_run_id, actor->run_id)
                      : text_is(x.created_by_user_id, actor->user_id);
    *yes = asks && mine && text_is(x.status, "pending");
    return OK;
}

/* ---- the record ---- */

err_t interaction_log(struct db *db, const struct actor *actor, const struct issue *issue, const struct interaction *x,
                      const char *action, json_t *extra)
{
    const char *entity;
    json_t *d =
        json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:s, s:s}", "interactionId", x->id, "interactionKind", x->kind,
                  "interactionStatus", x->status, "continuationPolicy", x->continuation_policy, "addresseeAgentId",
                  x->addressee_agent_id, "requestedResolverPolicy", x->requested_resolver_policy,
                  "effectiveResolverPolicy", x->effective_resolver_policy, "resolverPolicyProvenance",
                  x->resolver_policy_provenance, "effectiveResolverPolicySource", x->effective_resolver_policy_source);
    if (extra) json_object_update(d, extra);
    TRY(db_exec_one(db, "UPDATE issues SET last_activity_at = $2 WHERE id = $1",
                    P(V_ID(issue->id), V_TIME(clock_now()))));
    TRY(issue_event_text(db, issue, &entity));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = issue->company_id,
                                                 .action = action,
                                                 .entity_type = "issue",
                                                 .entity_id = issue->id,
                                                 .details = d,
                                                 .entity = entity});
}

/* ---- creating ---- */

static err_t refuse_foreign(struct db *db, const char *field, const char *id)
{
    return err_with(db_arena(db), ERR_UNPROCESSABLE, NULL,
                    json_text(db_arena(db), json_pack("{s:s, s:s}", "field", field, "id", id)),
                    "%s does not belong to this issue", field);
}

static err_t check_sources(struct db *db, const struct interaction_new *in)
{
    struct comment c;
    struct run run;
    bool found;
    if (in->source_comment_id) {
        TRY(comment_get(db, in->issue->id, in->source_comment_id, &c, &found));
        if (!found) return refuse_foreign(db, "sourceCommentId", in->source_comment_id);
    }
    if (in->source_run_id == NULL) return OK;
    TRY(run_get(db, in->source_run_id, &run, &found));
    if (found && text_is(run.company_id, in->issue->company_id)) return OK;
    return refuse_foreign(db, "sourceRunId", in->source_run_id);
}

static err_t check_addressee(struct db *db, const struct actor *actor, const struct interaction_new *in)
{
    struct arena *a = db_arena(db);
    const char *id = in->addressee_agent_id, *why;
    struct agent agent;
    bool found;
    if (id == NULL) return OK;
    if (text_is(id, actor->agent_id)) return err_new(a, ERR_UNPROCESSABLE, "An agent cannot address itself");
    TRY(agent_get(db, id, &agent, &found));
    if (!found || !text_is(agent.company_id, in->issue->company_id))
        return err_with(a, ERR_UNPROCESSABLE, NULL,
                        json_text(a, json_pack("{s:s, s:s}", "field", "addresseeAgentId", "id", id)),
                        "addresseeAgentId not found in company");
    TRY(agent_invokable(db, &agent, &why));
    return why ? err_new(a, ERR_UNPROCESSABLE, "The addressee agent cannot be started: %s", why) : OK;
}

/* A document target names the newest revision (IS-115). */
static err_t check_target(struct db *db, const struct interaction_new *in)
{
    struct arena *a = db_arena(db);
    const json_t *target = interaction_document_target(in->payload);
    const char *issue = json_str(target, "issueId"), *id = json_str(target, "documentId");
    struct document d;
    bool found;
    if (target == NULL) return OK;
    const char *key = document_key(a, json_str(target, "key"));
    if (issue && !text_is(issue, in->issue->id))
        return err_new(a, ERR_UNPROCESSABLE, "The target document belongs to another issue");
    if (key) TRY(document_get(db, in->issue->id, key, &d, &found));
    if (key == NULL || !found || (id && !text_is(id, d.id)))
        return err_new(a, ERR_UNPROCESSABLE, "The target document does not exist on this issue");
    if (text_is(json_str(target, "revisionId"), d.latest_revision_id)) return OK;
    return err_with(a, ERR_UNPROCESSABLE, NULL,
                    json_text(a, json_pack("{s:s, s:s}", "key", d.key, "currentRevisionId", d.latest_revision_id)),
                    "The target is not the current revision of the document");
}

static err_t make(struct db *db, const struct actor *actor, const struct interaction_new *in, struct interaction *x)
{
    struct arena *a = db_arena(db);
    struct company company;
    bool found;
    TRY(company_get(db, in->issue->company_id, &company, &found));
    const json_t *governance = json_read(company.interaction_resolver_governance);
    struct resolver_choice policy =
        resolver_choose(in->resolver_policy, json_object_get(governance, interaction_kind_name(in->kind)));
    entity_init(&ENTITY_interaction, x);
    x->id = id_new(a);
    x->company_id = in->issue->company_id;
    x->issue_id = in->issue->id;
    x->kind = interaction_kind_name(in->kind);
    x->status = "pending";
    x->continuation_policy = in->continuation_policy ? in->continuation_policy : interaction_continuation(in->kind);
    x->requested_resolver_policy = policy.requested;
    x->effective_resolver_policy = policy.effective;
    x->resolver_policy_provenance = policy.provenance;
    x->effective_resolver_policy_source = policy.source;
    x->idempotency_key = in->idempotency_key;
    x->source_comment_id = in->source_comment_id;
    x->source_run_id = in->source_run_id;
    x->title = in->title;
    x->summary = in->summary;
    x->created_by_agent_id = actor->agent_id;
    x->created_by_user_id = actor->type == ACTOR_BOARD ? actor->user_id : NULL;
    x->addressee_agent_id = in->addressee_agent_id;
    x->payload = json_text(a, interaction_payload(in->kind, in->payload));
    x->created_at = x->updated_at = clock_now();
    return OK;
}

/* The same request, whichever run repeats it (IS-115 BETTER). */
static bool same_request(const struct interaction *x, const struct interaction *y)
{
    return text_is(x->kind, y->kind) && text_is(x->continuation_policy, y->continuation_policy) &&
           text_is(x->requested_resolver_policy, y->requested_resolver_policy) &&
           text_same(x->addressee_agent_id, y->addressee_agent_id) && text_same(x->title, y->title) &&
           text_same(x->summary, y->summary) && text_same(x->created_by_agent_id, y->created_by_agent_id) &&
           text_same(x->created_by_user_id, y->created_by_user_id) &&
           json_equal(json_read(x->payload), json_read(y->payload));
}

static err_t find_replay(struct db *db, const struct interaction *x, struct interaction *earlier, bool *found)
{
    struct arena *a = db_arena(db);
    *found = false;
    if (x->idempotency_key == NULL) return OK;
    TRY(entity_one(db, &ENTITY_interaction, earlier, found, "WHERE issue_id = $1 AND idempotency_key = $2",
                   P(V_ID(x->issue_id), V_TEXT(x->idempotency_key))));
    if (!*found || same_request(x, earlier)) return OK;
    return err_with(a, ERR_CONFLICT, NULL, json_text(a, json_pack("{s:s}", "idempotencyKey", x->idempotency_key)),
                    "Interaction idempotency key already exists for a different request");
}

err_t interaction_create(struct db *db, const struct actor *actor, const struct interaction_new *in,
                         struct interaction *out)
{
    struct interaction earlier;
    bool found;
    TRY(make(db, actor, in, out));
    TRY(find_replay(db, out, &earlier, &found));
    if (found) {
        *out = earlier;
        return OK;
    }
    if (status_terminal(in->issue->status))
        return err_new(db_arena(db), ERR_CONFLICT, "Cannot create an interaction on a closed issue");
    TRY(check_sources(db, in));
    TRY(check_addressee(db, actor, in));
    TRY(check_target(db, in));
    TRY(entity_insert(db, &ENTITY_interaction, out));
    TRY(interaction_log(db, actor, in->issue, out, "issue.thread_interaction_created", NULL));
    TRY(interaction_expire_older(db, actor, in->issue, out));
    return interaction_wake_addressee(db, actor, out);
}

/*
 * interaction_wakes: who is told that something was asked or answered (IS-122).
 * An answer never joins a run that started before it: admission defers what
 * carries news behind a running run (EX-32), and its end starts the next one.
 */
#include "base/id.h"
#include "base/text.h"
#include "model/explain.h"
#include "model/interaction_internal.h"
#include "model/wake.h"
#include "rules/issue_status.h"

static const char *const verbs[] = {"accept", "reject", "respond", "verdicts", "withdraw", "cancel"};

static void add_text(json_t *o, const char *key, const char *v)
{
    if (v) json_object_set_new(o, key, json_string(v));
}

/* What both the wake and its run know of the interaction. */
static json_t *about(const struct interaction *x)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?}", "issueId", x->issue_id, "interactionId", x->id,
                     "interactionKind", x->kind, "interactionStatus", x->status, "sourceCommentId",
                     x->source_comment_id, "sourceRunId", x->source_run_id);
}

static bool plan_accepted(const struct interaction *x)
{
    const json_t *target = interaction_document_target(json_read(x->payload));
    return text_is(x->status, "accepted") && text_is(json_str(target, "key"), "plan");
}

/* Nothing moves the review on any more; judged as `explain` does. */
static err_t review_stalled(struct db *db, const struct issue *issue, bool *yes)
{
    struct explained e;
    *yes = false;
    if (!text_is(issue->status, "in_review")) return OK;
    TRY(explain_load(db, issue->company_id, &issue, 1, &e));
    *yes = e.verdicts[0].state == EXPLAIN_DEAD;
    return OK;
}

static json_t *payload_of(const struct interaction_news *n, bool path_lost)
{
    const struct interaction *x = n->x;
    json_t *p = about(x), *result = json_read(x->result);
    json_object_set_new(p, "mutation", json_string("interaction"));
    const json_t *target = interaction_document_target(json_read(x->payload));
    if (text_is(json_str(target, "key"), "plan")) json_object_set_new(p, "planReviewInteraction", json_true());
    json_t *chosen = json_object_get(result, "selectedOptionIds"), *items = json_object_get(result, "items");
    if (chosen) json_object_set_new(p, "checkboxSelection", json_pack("{s:O}", "selectedOptionIds", chosen));
    if (items) json_object_set(p, "itemVerdicts", items);
    if (n->newly_resolved) json_object_set(p, "newlyResolvedItemIds", (json_t *)(uintptr_t)n->newly_resolved);
    add_text(p, "resolverReason", n->reason);
    if (path_lost) {
        json_object_set_new(p, "reviewPathLost", json_true());
        add_text(p, "reviewPathConsumedRef", x->id);
    }
    return p;
}

static json_t *context_of(const struct interaction *x, const json_t *payload, const char *source)
{
    json_t *c = json_deep_copy(payload);
    json_object_del(c, "mutation");
    add_text(c, "taskId", x->issue_id);
    add_text(c, "continuationPolicy", x->continuation_policy);
    add_text(c, "source", source);
    if (!plan_accepted(x)) return c;
    json_object_set_new(c, "forceFreshSession", json_true());
    add_text(c, "workspaceRefreshReason", "accepted_plan_confirmation");
    return c;
}

#define VERDICT_BUCKET_MS (2 * SECOND_MS)

/* One wake an answer; verdicts that come in quick succession share one. */
static const char *key_of(struct arena *a, const struct interaction_news *n)
{
    const struct interaction *x = n->x;
    if (n->verb == INTERACTION_DECIDE)
        return arena_printf(a, "request_item_verdicts:%s:%s:%lld", x->issue_id, x->id,
                            (long long)(clock_now() / VERDICT_BUCKET_MS));
    return arena_printf(a, "interaction:%s:%s", x->id, x->status);
}

static void add(struct wake_batch *batch, const struct interaction_news *n, const char *agent_id, json_t *payload,
                const char *key)
{
    const char *source = arena_printf(batch->arena, "issue.interaction.%s", verbs[n->verb]);
    wake_batch_add(batch, n->issue->id,
                   &(struct wake_request){.agent_id = agent_id,
                                          .source = "automation",
                                          .trigger_detail = "system",
                                          .reason = "issue_commented",
                                          .payload = payload,
                                          .context = context_of(n->x, payload, source),
                                          .idempotency_key = key});
}

err_t interaction_wake_continue(struct db *db, const struct actor *actor, const struct interaction_news *n)
{
    const struct interaction *x = n->x;
    struct wake_batch batch = {.arena = db_arena(db)};
    const char *assignee = n->issue->assignee_agent_id, *asker = x->created_by_agent_id;
    bool stalled, accepted = text_is(x->status, "accepted");
    if (status_terminal(n->issue->status)) return OK;
    TRY(review_stalled(db, n->issue, &stalled));
    bool asked_for = text_is(x->continuation_policy, "wake_assignee") ||
                     (accepted && text_is(x->continuation_policy, "wake_assignee_on_accept"));
    if (!asked_for && !n->moved && !stalled) return OK;
    json_t *payload = payload_of(n, stalled);
    const char *key = key_of(db_arena(db), n);
    /* nobody is told what he did himself */
    if (assignee && !text_is(assignee, actor->agent_id)) add(&batch, n, assignee, payload, key);
    if (asked_for && asker && !text_is(asker, assignee) && !text_is(asker, actor->agent_id))
        add(&batch, n, asker, payload, arena_printf(db_arena(db), "%s:asker", key));
    return wake_batch_flush(db, actor, &batch);
}

err_t interaction_wake_addressee(struct db *db, const struct actor *actor, const struct interaction *x)
{
    struct wake_result ignored;
    if (x->addressee_agent_id == NULL) return OK;
    json_t *payload = about(x);
    json_object_set_new(payload, "mutation", json_string("interaction"));
    return wake_enqueue(
        db, actor,
        &(struct wake_request){.agent_id = x->addressee_agent_id,
                               .source = "automation",
                               .trigger_detail = "system",
                               .reason = "interaction_pending",
                               .payload = payload,
                               .context = context_of(x, payload, "issue.interaction.create"),
                               .idempotency_key = arena_printf(db_arena(db), "interaction-pending:%s", x->id)},
        &ignored);
}

static err_t log_path_lost(struct db *db, const struct actor *actor, const struct issue *issue,
                           const struct interaction *x)
{
    return interaction_log(
        db, actor, issue, x, "issue.review_path_recovery_queued",
        json_pack("{s:s, s:s}", "reviewPathConsumedRef", x->id, "assigneeAgentId", issue->assignee_agent_id));
}

/* "What you wait for is void." */
static err_t tell_expired(struct db *db, const struct actor *actor, const struct interaction *x, const char *agent_id,
                          const char *suffix)
{
    struct wake_result ignored;
    struct arena *a = db_arena(db);
    json_t *payload = about(x);
    if (agent_id == NULL || text_is(agent_id, actor->agent_id)) return OK;
    json_object_set_new(payload, "mutation", json_string("interaction"));
    add_text(payload, "expirationReason", json_str(json_read(x->result), "outcome"));
    add_text(payload, "expiredByCommentId", json_str(json_read(x->result), "commentId"));
    return wake_enqueue(db, actor,
                        &(struct wake_request){.agent_id = agent_id,
                                               .source = "automation",
                                               .trigger_detail = "system",
                                               .reason = "issue_commented",
                                               .payload = payload,
                                               .context = context_of(x, payload, "issue.interaction.expired"),
                                               .idempotency_key = arena_printf(a, "interaction:%s:expired%s", x->id, suffix)},
                        &ignored);
}

/* EX-89: the one wake of a review that lost its last path. */
static err_t tell_path_lost(struct db *db, const struct actor *actor, const struct issue *issue,
                            const struct interaction *x)
{
    struct arena *a = db_arena(db);
    struct wake_result ignored;
    json_t *payload = about(x);
    json_object_set_new(payload, "mutation", json_string("interaction"));
    json_object_set_new(payload, "reviewPathLost", json_true());
    add_text(payload, "reviewPathConsumedRef", x->id);
    json_t *context = context_of(x, payload, "issue.review_path_lost");
    json_object_set_new(context, "reviewPathRecoveryAttempt", json_integer(1));
    json_object_set_new(context, "maxReviewPathRecoveryAttempts", json_integer(1));
    const char *ref = arena_strndup(a, sha256_hex(a, x->id, strlen(x->id)), 24);
    TRY(wake_enqueue(db, actor,
                     &(struct wake_request){.agent_id = issue->assignee_agent_id,
                                            .source = "automation",
                                            .trigger_detail = "system",
                                            .reason = "issue_review_path_lost",
                                            .payload = payload,
                                            .context = context,
                                            .idempotency_key = arena_printf(a, "issue_review_path_lost:%s:%s", issue->id, ref)},
                     &ignored));
    return log_path_lost(db, actor, issue, x);
}

err_t interaction_wake_void(struct db *db, const struct actor *actor, const struct issue *issue,
                            const struct interaction *x)
{
    const char *assignee = issue->assignee_agent_id, *asker = x->created_by_agent_id;
    bool stalled;
    if (status_terminal(issue->status)) return OK;
    if (!text_is(asker, assignee)) TRY(tell_expired(db, actor, x, asker, ":asker"));
    TRY(review_stalled(db, issue, &stalled));
    if (stalled && assignee && !text_is(assignee, actor->agent_id)) return tell_path_lost(db, actor, issue, x);
    return tell_expired(db, actor, x, assignee, "");
}

err_t interaction_wake_asker_of_expired(struct db *db, const struct actor *actor, const struct issue *issue,
                                        const struct interaction *x)
{
    bool told = text_is(x->created_by_agent_id, issue->assignee_agent_id);
    return told || status_terminal(issue->status) ? OK : tell_expired(db, actor, x, x->created_by_agent_id, ":asker");
}

/* interaction_expire: what was asked and overtaken before anybody answered. */
#include "base/text.h"
#include "model/interaction_internal.h"
#include "model/issue.h"

err_t interaction_expire(struct db *db, const struct actor *actor, const struct issue *issue, struct interaction *x,
                         const char *outcome, const json_t *extra, const char *source)
{
    json_t *result = interaction_expiry(interaction_kind_of(x->kind), json_read(x->result), outcome, extra);
    x->status = "expired";
    x->result = json_text(db_arena(db), result);
    x->resolved_at = x->updated_at = clock_now();
    TRY(db_exec_one(
        db,
        "UPDATE issue_thread_interactions SET status = 'expired', result = $2, resolved_at = $3, updated_at = $3"
        " WHERE id = $1 AND status = 'pending'",
        P(V_ID(x->id), V_JSON(x->result), V_TIME(x->resolved_at))));
    return interaction_log(db, actor, issue, x, "issue.thread_interaction_expired",
                           json_pack("{s:s, s:o}", "source", source, "result", result));
}

static err_t pending_rows(struct db *db, const struct issue *issue, struct interaction **rows, int *count)
{
    return entity_many(db, &ENTITY_interaction, rows, count,
                       "WHERE issue_id = $1 AND status = 'pending' ORDER BY created_at, id", P(V_ID(issue->id)));
}

err_t interaction_expire_older(struct db *db, const struct actor *actor, const struct issue *issue,
                               const struct interaction *newer)
{
    enum interaction_kind k = interaction_kind_of(newer->kind);
    struct interaction *rows;
    int n;
    if (newer->created_by_agent_id == NULL || (k != INTERACTION_CONFIRMATION && k != INTERACTION_QUESTIONS)) return OK;
    TRY(pending_rows(db, issue, &rows, &n));
    for (int i = 0; i < n; i++) {
        bool same =
            text_is(rows[i].kind, newer->kind) && text_is(rows[i].created_by_agent_id, newer->created_by_agent_id);
        if (!same || text_is(rows[i].id, newer->id)) continue;
        const json_t *by = json_pack("{s:s}", "supersededByInteractionId", newer->id);
        TRY(interaction_expire(db, actor, issue, &rows[i], "superseded_by_newer_request", by, "newer_interaction"));
    }
    return OK;
}

err_t interaction_expire_by_comment(struct db *db, const struct actor *actor, const struct issue *issue,
                                    const struct comment *comment, int *count)
{
    struct interaction *rows;
    int n;
    *count = 0;
    TRY(pending_rows(db, issue, &rows, &n));
    for (int i = 0; i < n; i++) {
        struct interaction *x = &rows[i];
        if (!interaction_superseded_by_comment(interaction_kind_of(x->kind), json_read(x->payload))) continue;
        TRY(interaction_expire(db, actor, issue, x, "superseded_by_comment",
                               json_pack("{s:s}", "commentId", comment->id), "issue.comment"));
        TRY(interaction_wake_asker_of_expired(db, actor, issue, x));
        (*count)++;
    }
    return OK;
}

/* Does the target name this document, at another revision than its newest? */
static bool outdated(const json_t *target, const struct document *d, bool deleted)
{
    const char *id = json_str(target, "documentId"), *issue = json_str(target, "issueId");
    if (target == NULL || (issue && !text_is(issue, d->issue_id))) return false;
    if (id ? !text_is(id, d->id) : !text_is(json_str(target, "key"), d->key)) return false;
    return deleted || !text_is(json_str(target, "revisionId"), d->latest_revision_id);
}

static err_t point_at_newest(struct db *db, struct interaction *x, const struct document *d)
{
    json_t *payload = json_read(x->payload), *target = interaction_document_target(payload);
    json_object_set_new(target, "revisionId", json_string(d->latest_revision_id));
    json_object_set_new(target, "revisionNumber", json_integer((json_int_t)d->latest_revision_number));
    x->payload = json_text(db_arena(db), payload);
    return db_exec_one(db, "UPDATE issue_thread_interactions SET payload = $2 WHERE id = $1",
                       P(V_ID(x->id), V_JSON(x->payload)));
}

err_t interaction_expire_by_document(struct db *db, const struct actor *actor, const struct issue *issue,
                                     const struct document *d, bool deleted)
{
    struct interaction *rows;
    int n;
    TRY(pending_rows(db, issue, &rows, &n));
    for (int i = 0; i < n; i++) {
        json_t *target = interaction_document_target(json_read(rows[i].payload));
        if (!outdated(target, d, deleted)) continue;
        const json_t *stale = json_pack("{s:O}", "staleTarget", target);
        if (!deleted) TRY(point_at_newest(db, &rows[i], d));
        TRY(interaction_expire(db, actor, issue, &rows[i], "stale_target", stale, "issue.document"));
        TRY(interaction_wake_void(db, actor, issue, &rows[i]));
    }
    return OK;
}

err_t interaction_expire_by_addressee(struct db *db, const struct actor *actor, const char *agent_id)
{
    struct interaction *rows;
    int n;
    TRY(entity_many(db, &ENTITY_interaction, &rows, &n, "WHERE addressee_agent_id = $1 AND status = 'pending' ORDER BY id",
                    P(V_ID(agent_id))));
    for (int i = 0; i < n; i++) {
        struct issue issue;
        bool found;
        TRY(issue_get(db, rows[i].issue_id, &issue, &found));
        TRY(interaction_expire(db, actor, &issue, &rows[i], "addressee_deleted", NULL, "agent.terminated"));
        TRY(interaction_wake_void(db, actor, &issue, &rows[i]));
    }
    return OK;
}

err_t interaction_expire_by_close(struct db *db, const struct actor *actor, const struct issue *issue)
{
    struct interaction *rows;
    int n;
    TRY(pending_rows(db, issue, &rows, &n));
    for (int i = 0; i < n; i++)
        TRY(interaction_expire(db, actor, issue, &rows[i], "issue_closed", NULL, "issue.closed"));
    return OK;
}

/* decomposition: the claim, and its end. */
#include "model/decomposition.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/comment.h"
#include "model/document.h"
#include "model/issue_card.h"

/* Equal requests have equal fingerprints, however their keys are ordered. */
static const char *fingerprint(struct arena *a, const json_t *request)
{
    char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
    return text ? sha256_hex(a, text, strlen(text)) : "";
}

/* The accepted confirmation of this revision of the issue's plan. */
static err_t accepted_by(struct db *db, const struct issue *issue, const char *revision_id, const char **interaction_id)
{
    struct document plan;
    struct document_revision revision;
    bool found;
    TRY(document_get(db, issue->id, DOCUMENT_PLAN, &plan, &found));
    if (found) TRY(document_revision_get(db, &plan, revision_id, &revision, &found));
    if (!found)
        return err_new(db_arena(db), ERR_UNPROCESSABLE, "acceptedPlanRevisionId is no revision of this issue's plan document");
    TRY(db_text(db, interaction_id,
                "SELECT id FROM issue_thread_interactions WHERE issue_id = $1 AND kind = 'request_confirmation'"
                " AND status = 'accepted' AND payload -> 'target' ->> 'revisionId' = $2"
                " AND payload -> 'target' ->> 'key' = 'plan' ORDER BY resolved_at DESC, id DESC LIMIT 1",
                P(V_ID(issue->id), V_TEXT(revision.id))));
    if (*interaction_id) return OK;
    return err_new(db_arena(db), ERR_UNPROCESSABLE, "No accepted confirmation targets this revision of the plan");
}

err_t decomposition_claim(struct db *db, const struct actor *actor, const struct issue *issue, const json_t *request,
                          struct decomposition *out, bool *known)
{
    struct arena *a = db_arena(db);
    struct author author;
    const char *revision = json_str(request, "acceptedPlanRevisionId"), *print = fingerprint(a, request), *interaction = NULL;
    TRY(accepted_by(db, issue, revision, &interaction));
    TRY(entity_one(db, &ENTITY_decomposition, out, known, "WHERE source_issue_id = $1 AND accepted_plan_revision_id = $2",
                   P(V_ID(issue->id), V_ID(revision))));
    if (*known && text_is(out->request_fingerprint, print)) return OK;
    if (*known)
        return err_with(a, ERR_CONFLICT, NULL, json_text(a, json_pack("{s:s}", "decompositionId", out->id)),
                        "This plan revision was already decomposed into different children");
    TRY(author_of(db, actor, issue->company_id, &author));
    entity_init(&ENTITY_decomposition, out);
    out->id = id_new(a);
    out->company_id = issue->company_id;
    out->source_issue_id = issue->id;
    out->accepted_plan_revision_id = revision;
    out->accepted_interaction_id = interaction;
    out->status = "in_flight";
    out->request_fingerprint = print;
    out->requested_child_count = (int64_t)json_array_size(json_object_get(request, "children"));
    out->child_issue_ids = "[]";
    out->owner_agent_id = actor->agent_id;
    out->owner_user_id = actor->type == ACTOR_BOARD ? actor->user_id : NULL;
    out->owner_run_id = author.run_id;
    out->created_at = out->updated_at = clock_now();
    return entity_insert(db, &ENTITY_decomposition, out);
}

err_t decomposition_complete(struct db *db, const struct actor *actor, const struct issue *issue,
                             struct decomposition *d, json_t *children)
{
    struct decomposition before = *d;
    const char *entity;
    d->status = "completed";
    d->child_issue_ids = json_text(db_arena(db), children);
    d->completed_at = d->updated_at = clock_now();
    TRY(entity_update(db, &ENTITY_decomposition, &before, d));
    TRY(issue_event_text(db, issue, &entity));
    return activity_log(
        db, actor,
        &(struct activity_entry){.company_id = issue->company_id,
                                 .action = "issue.accepted_plan_decomposition_updated",
                                 .entity_type = "issue",
                                 .entity_id = issue->id,
                                 .details = json_pack("{s:s, s:s, s:s, s:O, s:O}", "decompositionId", d->id, "status",
                                                      d->status, "acceptedPlanRevisionId", d->accepted_plan_revision_id,
                                                      "childIssueIds", children, "newlyCreatedChildIssueIds", children),
                                 .entity = entity});
}

void decomposition_write(struct jw *w, const struct decomposition *d)
{
    jw_obj(w);
    entity_write(w, &ENTITY_decomposition, d, VIEW_FULL);
    jw_obj_end(w);
}

/* The children that still are, in the order of the request. */
static err_t write_children(struct db *db, struct jw *w, const struct decomposition *d)
{
    const json_t *ids = json_read(d->child_issue_ids);
    json_t *v;
    size_t i;
    jw_karr(w, "childIssues");
    json_array_foreach (ids, i, v) {
        struct issue row;
        bool found;
        TRY(entity_one(db, &ENTITY_issue, &row, &found, "WHERE id = $1", P(V_ID(json_string_value(v)))));
        if (!found) continue;
        jw_obj(w);
        jw_kstr(w, "id", row.id);
        jw_kstr(w, "identifier", row.identifier);
        jw_kstr(w, "title", row.title);
        jw_kstr(w, "status", row.status);
        jw_kstr(w, "priority", row.priority);
        jw_kstr(w, "assigneeAgentId", row.assignee_agent_id);
        jw_kstr(w, "assigneeUserId", row.assignee_user_id);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    return OK;
}

err_t decomposition_list_write(struct db *db, struct jw *w, const char *issue_id)
{
    struct decomposition *rows;
    int n;
    TRY(entity_many(db, &ENTITY_decomposition, &rows, &n, "WHERE source_issue_id = $1 ORDER BY created_at DESC, id DESC",
                    P(V_ID(issue_id))));
    jw_arr(w);
    for (int i = 0; i < n; i++) {
        int64_t number;
        TRY(db_int(db, &number, 0, "SELECT revision_number FROM document_revisions WHERE id = $1",
                   P(V_ID(rows[i].accepted_plan_revision_id))));
        jw_obj(w);
        entity_write(w, &ENTITY_decomposition, &rows[i], VIEW_FULL);
        jw_key(w, "acceptedPlanRevisionNumber");
        if (number) jw_int(w, number);
        else jw_null(w);
        TRY(write_children(db, w, &rows[i]));
        jw_obj_end(w);
    }
    jw_arr_end(w);
    return OK;
}

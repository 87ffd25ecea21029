/* approval: rows, decisions, links. */
#include "model/approval.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/approval_internal.h"
#include "model/issue.h"
#include "model/issue_card.h"
#include "rules/agent_config.h"
#include "rules/redact.h"

/* ---- reading ---- */

err_t approval_get(struct db *db, const char *id, struct approval *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_approval, out, found, "WHERE id = $1", P(V_ID(id)));
}

err_t approval_list(struct db *db, const char *company_id, const char *status, struct approval **rows, int *count)
{
    return entity_many(db, &ENTITY_approval, rows, count,
                       "WHERE company_id = $1 AND ($2 IS NULL OR status = $2) ORDER BY created_at DESC, id DESC",
                       P(V_ID(company_id), V_TEXT(status)));
}

void approval_write(struct jw *w, struct arena *a, const struct approval *x)
{
    struct approval shown = *x;
    shown.payload = json_text(a, redact_json(a, json_read(x->payload)));
    jw_obj(w);
    entity_write(w, &ENTITY_approval, &shown, VIEW_FULL);
    jw_obj_end(w);
}

err_t approval_count(struct db *db, const char *company_id, bool with_revision, int64_t *count)
{
    return db_int(db, count, 0,
                  "SELECT count(*) FROM approvals WHERE company_id = $1 AND status IN ('pending','revision_requested')"
                  " AND (status = 'pending' OR $2)",
                  P(V_ID(company_id), V_BOOL(with_revision)));
}

err_t approval_of_hire(struct db *db, const struct agent *agent, struct approval *out, bool *found)
{
    return entity_one(db, &ENTITY_approval, out, found,
                      "WHERE company_id = $1 AND type = 'hire_agent' AND status IN ('pending','revision_requested')"
                      " AND payload ->> 'agentId' = $2 ORDER BY created_at, id LIMIT 1",
                      P(V_ID(agent->company_id), V_TEXT(agent->id)));
}

err_t approval_log(struct db *db, const struct actor *actor, const struct approval *x, const char *action,
                   json_t *details)
{
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = x->company_id,
                                                 .action = action,
                                                 .entity_type = "approval",
                                                 .entity_id = x->id,
                                                 .details = details});
}

/* ---- creating ---- */

/* GV-32: a hire's environment is stored as an agent's would be. */
static err_t normalize(struct db *db, struct approval *x)
{
    json_t *payload = json_read(x->payload), *config = json_object_get(payload, "adapterConfig");
    if (!text_is(x->type, "hire_agent") || !json_is_object(config)) return OK;
    json_t *stored = adapter_config_normalize(config);
    if (stored == NULL)
        return err_new(
            db_arena(db), ERR_UNPROCESSABLE,
            "adapterConfig.env must map names to a string or a plain, secret_ref or user_secret_ref binding");
    json_object_set_new(payload, "adapterConfig", stored);
    x->payload = json_text(db_arena(db), payload);
    return OK;
}

static err_t link_issues(struct db *db, const struct actor *actor, const struct approval *x,
                         const struct id_list *issues)
{
    for (int i = 0; issues && i < issues->count; i++) {
        struct issue row;
        bool found;
        TRY(issue_get(db, issues->ids[i], &row, &found));
        if (!found) return err_new(db_arena(db), ERR_NOT_FOUND, "Issue not found");
        if (!text_is(row.company_id, x->company_id))
            return err_new(db_arena(db), ERR_UNPROCESSABLE, "issueIds not found in company");
        TRY(approval_link(db, actor, &row, x));
    }
    return OK;
}

err_t approval_create(struct db *db, const struct actor *actor, struct approval *x, const struct id_list *issues,
                      json_t *extra)
{
    if (x->id == NULL) x->id = id_new(db_arena(db));
    x->status = "pending";
    x->created_at = x->updated_at = clock_now();
    TRY(normalize(db, x));
    TRY(entity_insert(db, &ENTITY_approval, x));
    json_t *details = json_pack("{s:s}", "type", x->type);
    if (extra) json_object_update(details, extra);
    else json_object_set_new(details, "issueIds", issues ? id_list_json(issues) : json_array());
    TRY(approval_log(db, actor, x, "approval.created", details));
    return link_issues(db, actor, x, issues);
}

/* ---- deciding ---- */

static err_t refused(struct db *db, const struct approval_move *m)
{
    return err_new(db_arena(db), ERR_UNPROCESSABLE, "%s", m->refusal);
}

static err_t log_decision(struct db *db, const struct actor *actor, const struct approval *x, enum approval_verb verb)
{
    static const char *const actions[] = {[APPROVAL_APPROVE] = "approval.approved",
                                          [APPROVAL_REJECT] = "approval.rejected",
                                          [APPROVAL_REVISE] = "approval.revision_requested"};
    struct id_list linked;
    json_t *d = json_pack("{s:s}", "type", x->type);
    if (verb != APPROVAL_APPROVE) return approval_log(db, actor, x, actions[verb], d);
    TRY(approval_issue_ids(db, x->id, &linked));
    json_object_set_new(d, "requestedByAgentId",
                        x->requested_by_agent_id ? json_string(x->requested_by_agent_id) : json_null());
    json_object_set_new(d, "linkedIssueIds", id_list_json(&linked));
    return approval_log(db, actor, x, actions[verb], d);
}

err_t approval_decide(struct db *db, const struct actor *actor, struct approval *x, enum approval_verb verb,
                      const char *note)
{
    struct approval_move m = approval_move(verb, x->status);
    const char *from = x->status;
    if (m.refusal) return refused(db, &m);
    if (m.already) return OK;
    x->status = m.to;
    x->decision_note = note;
    x->decided_by_user_id = actor->user_id;
    x->decided_at = x->updated_at = clock_now();
    /* of two who decide at once, one has its effects (GV-34) */
    TRY(db_exec_one(
        db,
        "UPDATE approvals SET status = $2, decision_note = $3, decided_by_user_id = $4, decided_at = $5, updated_at = $5"
        " WHERE id = $1 AND status = $6",
        P(V_ID(x->id), V_TEXT(x->status), V_TEXT(note), V_TEXT(x->decided_by_user_id), V_TIME(x->decided_at),
          V_TEXT(from))));
    if (verb != APPROVAL_REVISE && text_is(x->type, "hire_agent")) TRY(approval_apply_hire(db, actor, x, verb));
    TRY(log_decision(db, actor, x, verb));
    return approval_wake(db, actor,
                         &(struct approval_news){.x = x, .what = x->status, .decided = verb != APPROVAL_REVISE});
}

err_t approval_resubmit(struct db *db, const struct actor *actor, struct approval *x, json_t *payload)
{
    struct approval_move m = approval_move(APPROVAL_RESUBMIT, x->status);
    if (m.refusal) return refused(db, &m);
    if (payload) x->payload = json_text(db_arena(db), payload);
    TRY(normalize(db, x));
    x->status = m.to;
    x->decision_note = x->decided_by_user_id = NULL;
    x->decided_at = INSTANT_NONE;
    x->updated_at = clock_now();
    TRY(db_exec_one(
        db,
        "UPDATE approvals SET status = 'pending', payload = $2, decision_note = NULL, decided_by_user_id = NULL,"
        " decided_at = NULL, updated_at = $3 WHERE id = $1 AND status = 'revision_requested'",
        P(V_ID(x->id), V_JSON(x->payload), V_TIME(x->updated_at))));
    return approval_log(db, actor, x, "approval.resubmitted", json_pack("{s:s}", "type", x->type));
}

err_t approval_cancel_hire(struct db *db, const struct actor *actor, const struct agent *agent)
{
    struct approval x;
    bool found;
    TRY(approval_of_hire(db, agent, &x, &found));
    if (!found) return OK;
    TRY(db_exec_one(db, "UPDATE approvals SET status = 'cancelled', updated_at = $2 WHERE id = $1",
                    P(V_ID(x.id), V_TIME(clock_now()))));
    x.status = "cancelled";
    return approval_log(db, actor, &x, "approval.cancelled",
                        json_pack("{s:s, s:s}", "type", x.type, "agentId", agent->id));
}

/* ---- comments ---- */

err_t approval_comment_list(struct db *db, const struct approval *x, struct approval_comment **rows, int *count)
{
    return entity_many(db, &ENTITY_approval_comment, rows, count, "WHERE approval_id = $1 ORDER BY created_at, id",
                       P(V_ID(x->id)));
}

err_t approval_comment_add(struct db *db, const struct actor *actor, const struct approval *x, const char *body,
                           struct approval_comment *out)
{
    *out = (struct approval_comment){.id = id_new(db_arena(db)),
                                     .company_id = x->company_id,
                                     .approval_id = x->id,
                                     .author_agent_id = actor->agent_id,
                                     .author_user_id = actor->type == ACTOR_BOARD ? actor->user_id : NULL,
                                     .body = actor->agent_id ? redact_text(db_arena(db), body) : body,
                                     .created_at = clock_now()};
    out->updated_at = out->created_at;
    TRY(entity_insert(db, &ENTITY_approval_comment, out));
    TRY(approval_log(db, actor, x, "approval.comment_added", json_pack("{s:s}", "commentId", out->id)));
    if (actor->type != ACTOR_BOARD) return OK; /* a person's word is news to who asked */
    return approval_wake(db, actor, &(struct approval_news){.x = x, .what = "commented", .comment_id = out->id});
}

/* ---- links ---- */

err_t approval_of_issue(struct db *db, const char *issue_id, struct approval **rows, int *count)
{
    return entity_many(db, &ENTITY_approval, rows, count,
                       "WHERE id IN (SELECT approval_id FROM issue_approvals WHERE issue_id = $1)"
                       " ORDER BY created_at DESC, id DESC",
                       P(V_ID(issue_id)));
}

err_t approval_issues(struct db *db, const char *approval_id, struct issue **rows, int *count)
{
    return entity_many(
        db, &ENTITY_issue, rows, count,
        "WHERE id IN (SELECT issue_id FROM issue_approvals WHERE approval_id = $1) ORDER BY issue_number",
        P(V_ID(approval_id)));
}

err_t approval_issue_ids(struct db *db, const char *approval_id, struct id_list *out)
{
    struct issue *rows;
    int n;
    TRY(approval_issues(db, approval_id, &rows, &n));
    *out = (struct id_list){.ids = arena_array(db_arena(db), const char *, n + 1)};
    for (int i = 0; i < n; i++) out->ids[out->count++] = rows[i].id;
    return OK;
}

static err_t log_link(struct db *db, const struct actor *actor, const struct issue *issue, const char *approval_id,
                      const char *action)
{
    const char *entity;
    TRY(issue_event_text(db, issue, &entity));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = issue->company_id,
                                                 .action = action,
                                                 .entity_type = "issue",
                                                 .entity_id = issue->id,
                                                 .details = json_pack("{s:s}", "approvalId", approval_id),
                                                 .entity = entity});
}

err_t approval_link(struct db *db, const struct actor *actor, const struct issue *issue, const struct approval *x)
{
    int64_t n;
    TRY(db_exec(
        db, &n,
        "INSERT INTO issue_approvals (company_id, issue_id, approval_id, linked_by_agent_id, linked_by_user_id, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (issue_id, approval_id) DO NOTHING",
        P(V_ID(issue->company_id), V_ID(issue->id), V_ID(x->id), V_ID(actor->agent_id),
          V_TEXT(actor->type == ACTOR_BOARD ? actor->user_id : NULL), V_TIME(clock_now()))));
    return n ? log_link(db, actor, issue, x->id, "issue.approval_linked") : OK;
}

err_t approval_unlink(struct db *db, const struct actor *actor, const struct issue *issue, const char *approval_id)
{
    int64_t n = 0;
    if (id_valid(approval_id))
        TRY(db_exec(db, &n, "DELETE FROM issue_approvals WHERE issue_id = $1 AND approval_id = $2",
                    P(V_ID(issue->id), V_ID(approval_id))));
    return n ? log_link(db, actor, issue, approval_id, "issue.approval_unlinked") : OK;
}

err_t approval_pending(struct db *db, const char *issue_id, int64_t *count)
{
    return db_int(
        db, count, 0,
        "SELECT count(*) FROM issue_approvals l JOIN approvals a ON a.id = l.approval_id WHERE l.issue_id = $1"
        " AND a.status IN ('pending','revision_requested')",
        P(V_ID(issue_id)));
}

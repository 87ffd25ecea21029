/* approvals: what waits for the board's decision (GV §3), and its links to issues (IS-101). */
#include "model/approval.h"

#include "api/handlers.h"
#include "api/issue_guard.h"
#include "api/schemas.h"
#include "base/text.h"
#include "model/grant.h"
#include "model/tenant.h"

static const char *const types[] = {"hire_agent", "approve_ceo_strategy", "budget_override_required",
                                    "request_board_approval", NULL};
static const struct prop id_item = {"", PROP_UUID};
static const struct prop create_props[] = {
    {"type", PROP_ENUM, REQUIRED, .options = types},
    {"requestedByAgentId", PROP_UUID, NULLABLE}, /* the board's to say; an agent asks for itself */
    {"payload", PROP_OBJECT, REQUIRED},
    {"issueIds", PROP_ARRAY, 0, .max = 100, .items = &id_item},
};
SCHEMA(APPROVAL_CREATE, create_props);

static const struct prop decide_props[] = {{"decisionNote", PROP_TEXT, NULLABLE}};
SCHEMA(APPROVAL_DECISION, decide_props);
static const struct prop resubmit_props[] = {{"payload", PROP_OBJECT}};
SCHEMA(APPROVAL_RESUBMISSION, resubmit_props);
static const struct prop comment_props[] = {{"body", PROP_TEXT, REQUIRED, .min = 1}};
SCHEMA(APPROVAL_COMMENT_CREATE, comment_props);
static const struct prop link_props[] = {{"approvalId", PROP_UUID, REQUIRED}};
SCHEMA(APPROVAL_LINK, link_props);

/* ---- lists ---- */

static void write_list(struct req *r, const struct approval *rows, int n)
{
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) approval_write(&r->w, r->arena, &rows[i]);
    jw_arr_end(&r->w);
}

err_t approvals_list(struct req *r)
{
    struct approval *rows;
    int n;
    TRY(approval_list(r->db, r->company.id, query(r, "status"), &rows, &n));
    write_list(r, rows, n);
    return OK;
}

err_t approval_show(struct req *r)
{
    approval_write(&r->w, r->arena, &r->approval);
    return OK;
}

/* The issue's plain fields (example 4). */
err_t approval_issues_list(struct req *r)
{
    static const char *const shown[] = {"id",
                                        "companyId",
                                        "projectId",
                                        "goalId",
                                        "parentId",
                                        "title",
                                        "description",
                                        "status",
                                        "priority",
                                        "assigneeAgentId",
                                        "createdByAgentId",
                                        "createdByUserId",
                                        "issueNumber",
                                        "identifier",
                                        "requestDepth",
                                        "billingCode",
                                        "startedAt",
                                        "completedAt",
                                        "cancelledAt",
                                        "createdAt",
                                        "updatedAt",
                                        NULL};
    struct issue *rows;
    int n;
    TRY(approval_issues(r->db, r->approval.id, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) {
        jw_obj(&r->w);
        for (const char *const *f = shown; *f; f++) {
            jw_key(&r->w, *f);
            entity_write_field(&r->w, entity_field(&ENTITY_issue, *f), &rows[i]);
        }
        jw_obj_end(&r->w);
    }
    jw_arr_end(&r->w);
    return OK;
}

/* ---- creating and deciding ---- */

err_t approval_create_route(struct req *r)
{
    struct approval x;
    const char *type = json_str(r->body, "type"), *asker = json_str(r->body, "requestedByAgentId");
    entity_init(&ENTITY_approval, &x);
    if (text_is(type, "budget_override_required"))
        return unprocessable(r, "Approvals of type budget_override_required are made by the server only");
    if (is_board(r)) TRY(tenant_check(r->db, "agents", r->company_id, "requestedByAgentId", asker));
    x.company_id = r->company_id;
    x.type = type;
    x.payload = json_text(r->arena, json_object_get(r->body, "payload"));
    x.requested_by_agent_id = is_agent(r) ? r->actor.agent_id : asker;
    x.requested_by_user_id = is_board(r) ? r->actor.user_id : NULL;
    TRY(approval_create(r->db, &r->actor, &x, body_ids(r, "issueIds"), NULL));
    approval_write(&r->w, r->arena, &x);
    return OK;
}

static err_t decide(struct req *r, enum approval_verb verb)
{
    TRY(approval_decide(r->db, &r->actor, &r->approval, verb, json_str(r->body, "decisionNote")));
    approval_write(&r->w, r->arena, &r->approval);
    return OK;
}

err_t approval_approve_route(struct req *r) { return decide(r, APPROVAL_APPROVE); }
err_t approval_reject_route(struct req *r) { return decide(r, APPROVAL_REJECT); }
err_t approval_revise_route(struct req *r) { return decide(r, APPROVAL_REVISE); }

err_t approval_resubmit_route(struct req *r)
{
    if (is_agent(r) && !text_is(r->approval.requested_by_agent_id, r->actor.agent_id))
        return forbidden(r, "Only requesting agent can resubmit this approval");
    TRY(approval_resubmit(r->db, &r->actor, &r->approval, json_object_get(r->body, "payload")));
    approval_write(&r->w, r->arena, &r->approval);
    return OK;
}

/* ---- comments ---- */

static void write_comment(struct jw *w, const struct approval_comment *c)
{
    jw_obj(w);
    entity_write(w, &ENTITY_approval_comment, c, VIEW_FULL);
    jw_obj_end(w);
}

err_t approval_comments_list(struct req *r)
{
    struct approval_comment *rows;
    int n;
    TRY(approval_comment_list(r->db, &r->approval, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) write_comment(&r->w, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

err_t approval_comment_route(struct req *r)
{
    struct approval_comment c;
    TRY(approval_comment_add(r->db, &r->actor, &r->approval, json_str(r->body, "body"), &c));
    write_comment(&r->w, &c);
    return OK;
}

/* ---- links (IS-101) ---- */

static err_t may_link(struct req *r)
{
    const char *reason;
    bool yes = true;
    TRY(issue_may_write(r, ACCESS_MUTATE, &reason));
    if (is_agent(r)) TRY(agent_may_create(r->db, &r->self, &yes));
    return yes ? OK : forbidden(r, "Missing permission to link approvals");
}

static err_t answer_linked(struct req *r)
{
    struct approval *rows;
    int n;
    TRY(approval_of_issue(r->db, r->issue.id, &rows, &n));
    write_list(r, rows, n);
    return OK;
}

err_t issue_approvals_list(struct req *r) { return answer_linked(r); }

err_t issue_approval_link(struct req *r)
{
    struct approval x;
    bool found;
    TRY(may_link(r));
    TRY(approval_get(r->db, json_str(r->body, "approvalId"), &x, &found));
    if (!found || !text_is(x.company_id, r->company_id)) return not_found(r, "Approval");
    TRY(approval_link(r->db, &r->actor, &r->issue, &x));
    return answer_linked(r);
}

err_t issue_approval_unlink(struct req *r)
{
    TRY(may_link(r));
    TRY(approval_unlink(r->db, &r->actor, &r->issue, r->params[1]));
    jw_obj(&r->w);
    jw_kbool(&r->w, "ok", true);
    jw_obj_end(&r->w);
    return OK;
}

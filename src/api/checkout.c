/* checkout: taking and giving up issues (IS §10). */
#include "model/checkout.h"

#include "api/handlers.h"
#include "api/issue_guard.h"
#include "api/schemas.h"
#include "base/text.h"
#include "model/agent.h"
#include "model/assignee.h"
#include "model/issue_card.h"

static const char *const statuses[] = {"backlog", "todo",    "in_progress", "in_review",
                                       "done",    "blocked", "cancelled",   NULL};
static const struct prop status_item = {"", PROP_ENUM, .options = statuses};
static const struct prop checkout_props[] = {
    {"agentId", PROP_UUID, REQUIRED},
    {"expectedStatuses", PROP_ARRAY, REQUIRED, .min = 1, .max = 7, .items = &status_item},
};
SCHEMA(ISSUE_CHECKOUT, checkout_props);

static err_t write_issue(struct req *r)
{
    struct issue_cards cards;
    TRY(issue_cards_load(r->db, &r->issue, 1, CARD_LABELS, &cards));
    jw_obj(&r->w);
    issue_write_full(&r->w, &cards.items[0]);
    jw_obj_end(&r->w);
    return OK;
}

static err_t target_agent(struct req *r, struct agent *agent)
{
    const char *id = json_str(r->body, "agentId");
    bool found;
    if (is_agent(r) && strcasecmp(id, r->actor.agent_id) != 0) return forbidden(r, "Agent can only checkout as itself");
    if (is_agent(r) && r->actor.run_id == NULL) return err_new(r->arena, ERR_UNAUTHORIZED, "Agent run id required");
    TRY(agent_get(r->db, id, agent, &found));
    if (!found || !text_is(agent->company_id, r->company_id)) return not_found(r, "Agent");
    if (text_is(agent->id, r->issue.assignee_agent_id)) return OK;
    const struct issue taken = {.assignee_agent_id = agent->id};
    TRY(assignee_check_permission(r->db, &r->actor, &r->self, &r->issue, &taken));
    return assignee_check_agent(r->db, &r->actor, r->company_id, agent->id, agent);
}

err_t issue_checkout(struct req *r)
{
    const json_t *list = json_object_get(r->body, "expectedStatuses");
    const char *expected[7];
    struct agent agent;
    int n = (int)json_array_size(list);
    for (int i = 0; i < n; i++) expected[i] = json_string_value(json_array_get(list, (size_t)i));
    TRY(target_agent(r, &agent));
    TRY(checkout_take(r->db, &r->actor, &(struct checkout_request){&agent, expected, n}, &r->issue));
    return write_issue(r);
}

err_t issue_release(struct req *r)
{
    if (is_agent(r) && r->actor.run_id == NULL) return err_new(r->arena, ERR_UNAUTHORIZED, "Agent run id required");
    TRY(checkout_release(r->db, &r->actor, &r->issue));
    return write_issue(r);
}

err_t issue_force_release(struct req *r)
{
    const char *checkout = r->issue.checkout_run_id, *execution = r->issue.execution_run_id;
    TRY(checkout_force_release(r->db, &r->actor, query_bool(r, "clearAssignee"), &r->issue));
    jw_obj(&r->w);
    jw_key(&r->w, "issue");
    TRY(write_issue(r));
    jw_kobj(&r->w, "previous");
    jw_kstr(&r->w, "checkoutRunId", checkout);
    jw_kstr(&r->w, "executionRunId", execution);
    jw_obj_end(&r->w);
    jw_obj_end(&r->w);
    return OK;
}

/* assignee: who may be given an issue. */
#include "model/assignee.h"

#include "base/text.h"
#include "model/agent.h"
#include "model/grant.h"

#define ANCESTORS_MAX 1000
#define CHAIN_MAX 50

err_t assignee_check_agent(struct db *db, const struct actor *actor, const char *company_id, const char *agent_id,
                           struct agent *out)
{
    struct arena *a = db_arena(db);
    const char *why;
    bool found;
    TRY(agent_get(db, agent_id, out, &found));
    if (!found || !text_is(out->company_id, company_id)) return err_new(a, ERR_NOT_FOUND, "Assignee agent not found");
    TRY(agent_invokable(db, out, &why));
    if (why == NULL) return OK;
    if (text_is(why, "paused")) {
        if (actor->type != ACTOR_AGENT) return OK;
        return err_with(a, ERR_CONFLICT, NULL,
                        json_text(a, json_pack("{s:s, s:s}", "assigneeAgentId", agent_id, "assigneeStatus", "paused")),
                        "%s is paused; assign the work to somebody else or ask the board to resume it", out->name);
    }
    const char *reason = text_is(why, "terminated")         ? "assignee_terminated"
                         : text_is(why, "pending_approval") ? why
                                                            : "ancestor_terminated";
    if (text_is(why, "invalid_org_chain")) reason = "ancestor_terminated";
    const char *details = json_text(a, json_pack("{s:s, s:s, s:s, s:s, s:n, s:n, s:[]}", "code", "agent_not_assignable",
                                                 "reason", reason, "companyId", company_id, "assigneeAgentId", agent_id,
                                                 "invalidAncestorAgentId", "missingAncestorAgentId", "ancestorChain"));
    return err_with(a, ERR_CONFLICT, "agent_not_assignable", details, "%s cannot be assigned work: %s", out->name,
                    reason);
}

err_t assignee_check_user(struct db *db, const char *company_id, const char *user_id)
{
    int64_t n;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM company_memberships WHERE company_id = $1 AND principal_type = 'user' AND principal_id = $2"
        " AND status = 'active'",
        P(V_ID(company_id), V_TEXT(user_id))));
    return n ? OK : err_new(db_arena(db), ERR_NOT_FOUND, "Assignee user not found");
}

err_t assignee_check_cycle(struct db *db, const struct actor *actor, const char *parent_id,
                           const char *assignee_agent_id)
{
    struct arena *a = db_arena(db);
    const char *found = NULL;
    if (actor->type != ACTOR_AGENT || parent_id == NULL || assignee_agent_id == NULL) return OK;
    TRY(db_text(
        db, &found,
        "WITH RECURSIVE up(id, parent_id, depth) AS (SELECT id, parent_id, 0 FROM issues WHERE id = $1"
        " UNION SELECT i.id, i.parent_id, up.depth + 1 FROM issues i JOIN up ON i.id = up.parent_id WHERE up.depth < $3)"
        " SELECT i.id FROM up JOIN issues i ON i.id = up.id WHERE i.created_by_agent_id = $2"
        " AND i.status NOT IN ('done','cancelled') ORDER BY up.depth LIMIT 1",
        P(V_ID(parent_id), V_ID(assignee_agent_id), V_INT(ANCESTORS_MAX))));
    if (found == NULL || text_is(assignee_agent_id, actor->agent_id)) return OK;
    const char *details = json_text(a, json_pack("{s:s, s:s, s:s}", "code", "delegation_cycle", "ancestorIssueId",
                                                 found, "assigneeAgentId", assignee_agent_id));
    return err_with(
        a, ERR_CONFLICT, "delegation_cycle", details,
        "This would hand the work back to the agent that delegated it; finish it, or comment on the parent issue instead");
}

err_t assignee_check_permission(struct db *db, const struct actor *actor, const struct agent *self,
                                const struct issue *before, const struct issue *after)
{
    struct arena *a = db_arena(db);
    bool may;
    bool same = before && text_same(before->assignee_agent_id, after->assignee_agent_id) &&
                text_same(before->assignee_user_id, after->assignee_user_id);
    bool given = after->assignee_agent_id || after->assignee_user_id;
    bool back = before && text_is(before->assignee_agent_id, actor->agent_id) && after->assignee_agent_id == NULL &&
                text_is(after->assignee_user_id, before->created_by_user_id);
    if (actor->type != ACTOR_AGENT || same || back || !given) return OK;
    TRY(agent_may_assign(db, self, &may));
    if (may) return OK;
    const char *details =
        json_text(a, json_pack("{s:s, s:s, s:s?, s:s?}", "permission", "tasks:assign", "agentId", self->id,
                               "assigneeAgentId", after->assignee_agent_id, "assigneeUserId", after->assignee_user_id));
    return err_with(a, ERR_FORBIDDEN, NULL, details, "Missing permission: tasks:assign");
}

err_t assignee_managed_by(struct db *db, const struct agent *actor, const char *assignee_agent_id, bool *yes)
{
    const char *at = assignee_agent_id;
    *yes = text_is(actor->role, "ceo") || json_bool(json_read(actor->permissions), "canCreateAgents", false);
    for (int depth = 0; !*yes && at && depth < CHAIN_MAX; depth++) {
        const char *above = NULL;
        TRY(db_text(db, &above, "SELECT reports_to FROM agents WHERE id = $1", P(V_ID(at))));
        *yes = text_is(above, actor->id);
        at = above;
    }
    return *yes ? OK : grant_has(db, actor, "tasks:manage_active_checkouts", yes);
}

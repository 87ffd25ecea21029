/* orphan: finding them, and giving them back. */
#include "model/orphan.h"

#include "base/text.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/escalate.h"
#include "model/issue.h"
#include "model/issue_card.h"
#include "model/issue_update.h"
#include "model/wake.h"

#define UNOWNED                                                                                               \
    "i.assignee_agent_id IS NULL AND i.assignee_user_id IS NULL AND i.created_by_agent_id IS NOT NULL"        \
    " AND i.status IN ('todo','blocked') AND i.hidden_at IS NULL AND EXISTS (SELECT 1 FROM issue_relations x" \
    " JOIN issues d ON d.id = x.related_issue_id WHERE x.issue_id = i.id AND x.type = 'blocks'"               \
    " AND d.status NOT IN ('done','cancelled'))"

err_t orphan_page(struct db *db, int limit, struct orphan **out, int *count)
{
    struct rows r ROWS_AUTO = {0};
    *out = arena_array(db_arena(db), struct orphan, limit);
    *count = 0;
    TRY(db_query(db, &r,
                 "SELECT i.company_id, i.id FROM issues i JOIN agents a ON a.id = i.created_by_agent_id"
                 " WHERE a.status IN ('idle','active','running','error') AND " UNOWNED " ORDER BY i.id LIMIT $1",
                 P(V_INT(limit))));
    while (rows_next(&r) && *count < limit) (*out)[(*count)++] = (struct orphan){row_text(&r, 0), row_text(&r, 1)};
    return rows_err(&r);
}

static err_t record(struct db *db, const struct issue *i)
{
    const char *entity;
    TRY(issue_event_text(db, i, &entity));
    TRY(activity_log(
        db, &recovery_actor,
        &(struct activity_entry){.company_id = i->company_id,
                                 .action = "issue.updated",
                                 .entity_type = "issue",
                                 .entity_id = i->id,
                                 .entity = entity,
                                 .details = json_pack("{s:s, s:s, s:s, s:s}", "assigneeAgentId", i->assignee_agent_id,
                                                      "status", i->status, "source", "unassigned_blocker_recovery",
                                                      "identifier", i->identifier)}));
    const struct recovery_action none = {0};
    const struct escalation e = {.cause = "unassigned_blocker"};
    return escalate_notice(
        db, i, &none, &e,
        "Assigned Orphan Blocker: open work waits for this issue and nobody owned it, so it goes back to"
        " the agent that made it.");
}

err_t orphan_adopt(struct db *db, const char *issue_id, bool *done)
{
    struct issue before, after;
    struct agent maker;
    struct wake_result ignored;
    const char *why;
    bool found;
    *done = false;
    TRY(entity_one(db, &ENTITY_issue, &before, &found,
                   "WHERE id = $1 AND id IN (SELECT i.id FROM issues i WHERE i.id = $1 AND " UNOWNED ")",
                   P(V_ID(issue_id))));
    if (!found) return OK;
    TRY(agent_get(db, before.created_by_agent_id, &maker, &found));
    if (!found) return OK;
    TRY(agent_invokable(db, &maker, &why));
    if (why || !text_is(maker.company_id, before.company_id)) return OK;
    after = before;
    after.assignee_agent_id = maker.id;
    issue_apply_effects(&before, &after, clock_now());
    after.updated_at = after.last_activity_at = clock_now();
    TRY(entity_update(db, &ENTITY_issue, &before, &after));
    TRY(record(db, &after));
    *done = true;
    return wake_enqueue(
        db, &recovery_actor,
        &(struct wake_request){
            .agent_id = maker.id,
            .source = "assignment",
            .trigger_detail = "system",
            .reason = "issue_assigned",
            .payload = json_pack("{s:s, s:s}", "issueId", after.id, "mutation", "unassigned_blocker_recovery"),
            .context = json_pack("{s:s, s:s}", "issueId", after.id, "source", "issue.unassigned_blocker_recovery")},
        &ignored);
}

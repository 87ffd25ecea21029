/* escalate: one way to say that no automatic step is left. */
#include "model/escalate.h"

#include "model/activity.h"

err_t escalate_issue(struct db *db, const struct issue *issue, const struct escalation *e)
{
    if (e->no_block) return OK;
    static const struct actor system_actor = {.type = ACTOR_SYSTEM, .source = "recovery"};
    struct arena *a = db_arena(db);
    struct issue after = *issue;
    struct buf b = {0};
    struct jw w;
    after.status = "blocked";
    after.blocked_transition_at = clock_now();
    after.unblock_descriptor = json_text(a, json_pack("{s:s, s:s}", "owner", "board", "action", e->action));
    after.checkout_run_id = after.execution_run_id = after.execution_agent_name_key = NULL;
    after.execution_locked_at = after.dispatch_expected_since = INSTANT_NONE;
    after.updated_at = after.last_activity_at = after.blocked_transition_at;
    TRY(entity_update(db, &ENTITY_issue, issue, &after));
    jw_init(&w, &b);
    jw_obj(&w);
    entity_write(&w, &ENTITY_issue, &after, VIEW_COMPACT);
    jw_obj_end(&w);
    json_t *details = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s}", "status", "blocked", "source", "recovery.escalation",
                                "cause", e->cause, "identifier", issue->identifier, "errorCode", e->error_code,
                                "previousStatus", issue->status);
    if (e->evidence) json_object_set(details, "evidence", e->evidence);
    return activity_log(db, &system_actor,
                        &(struct activity_entry){.company_id = issue->company_id,
                                                 .action = "issue.updated",
                                                 .entity_type = "issue",
                                                 .entity_id = issue->id,
                                                 .run_id = e->run_id,
                                                 .agent_id = e->agent_id,
                                                 .entity = buf_finish(&b, a),
                                                 .details = details});
}

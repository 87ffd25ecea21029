/* influence: counted writes to other issues. */
#include "model/influence.h"

#include "base/text.h"
#include "model/activity.h"
#include "model/run.h"

err_t influence_observe(struct db *db, const struct actor *actor, const struct issue *target, enum influence *out,
                        int *count)
{
    struct run run;
    bool found = false;
    int64_t n;
    *out = INFLUENCE_NO_RUN;
    *count = 0;
    if (actor->run_id) TRY(run_get(db, actor->run_id, &run, &found));
    bool fit =
        found && text_is(run.company_id, target->company_id) && text_is(run.agent_id, actor->agent_id) && run.issue_id;
    if (!fit) return OK;
    *out = INFLUENCE_OK;
    if (text_is(run.issue_id, target->id)) return OK;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM activity_log WHERE run_id = $1 AND action = 'issue.cross_issue_influence_observed'",
        P(V_ID(run.id))));
    *count = (int)n;
    *out = n < INFLUENCE_MAX ? INFLUENCE_OK : INFLUENCE_OVER;
    if (*out == INFLUENCE_OVER) return OK;
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = target->company_id,
                                                 .action = "issue.cross_issue_influence_observed",
                                                 .entity_type = "issue",
                                                 .entity_id = target->id,
                                                 .details = json_pack("{s:s, s:I}", "runIssueId", run.issue_id, "count",
                                                                      (json_int_t)n + 1)});
}

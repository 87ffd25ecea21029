/* status_only: the guard of recovery runs that do no work. */
#include "api/status_only.h"

#include "base/id.h"
#include "base/text.h"
#include "model/run.h"
#include "rules/recovery_class.h"

err_t status_only_refuse(struct req *r)
{
    struct run run;
    struct run_data data;
    bool found;
    if (!is_agent(r) || r->actor.run_id == NULL || !id_valid(r->actor.run_id)) return OK;
    TRY(run_get(r->db, r->actor.run_id, &run, &found));
    if (!found || !text_is(run.agent_id, r->actor.agent_id)) return OK;
    TRY(run_data_get(r->db, run.id, &data));
    const json_t *context = json_read(data.context_snapshot);
    if (!recovery_class_status_only(context)) return OK;
    const char *details =
        json_text(r->arena, json_pack("{s:s?, s:s, s:s?, s:s, s:b}", "issueId", run.issue_id, "runId", run.id,
                                      "modelProfile", json_str(context, "modelProfile"), "recoveryIntent",
                                      "status_only", "resumeRequiresNormalModel", 1));
    return err_with(r->arena, ERR_FORBIDDEN, NULL, details,
                    "This run may only set a status, comment, or name blockers; the work itself is for a run that was"
                    " woken for it");
}

err_t status_only_refuse_cheap(struct req *r)
{
    const json_t *overrides = json_object_get(r->body, "assigneeAdapterOverrides");
    return text_is(json_str(overrides, "modelProfile"), "cheap") ? status_only_refuse(r) : OK;
}

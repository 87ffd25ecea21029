/* monitors: an issue's later look (IS-98, IS-99), and the body it comes in. */
#include "api/handlers.h"
#include "api/issue_guard.h"
#include "api/schemas.h"
#include "base/text.h"
#include "model/monitor.h"

static const char *const kinds[] = {"external_service", NULL};
static const char *const scheduled_by[] = {"assignee", "board", NULL};
static const char *const recovery_policies[] = {"wake_owner", "create_recovery_issue", "escalate_to_board", NULL};

static const struct prop monitor_props[] = {
    {"nextCheckAt", PROP_TIME, REQUIRED},
    {"notes", PROP_TEXT, NULLABLE, .max = 500},
    {"scheduledBy", PROP_ENUM, 0, .options = scheduled_by},
    {"kind", PROP_ENUM, NULLABLE, .options = kinds},
    {"serviceName", PROP_STRING, NULLABLE, .min = 1, .max = 120},
    {"externalRef", PROP_STRING, NULLABLE, .min = 1, .max = 500},
    {"timeoutAt", PROP_TIME, NULLABLE},
    {"maxAttempts", PROP_INT, NULLABLE, .min = 1, .max = 100, .bounded = true},
    {"recoveryPolicy", PROP_ENUM, NULLABLE, .options = recovery_policies},
};
SCHEMA(ISSUE_MONITOR, monitor_props);

err_t issue_monitor_check(struct req *r)
{
    if (is_agent(r) && !text_is(r->issue.assignee_agent_id, r->actor.agent_id))
        return forbidden(r, "Only the assignee or the board may check a monitor");
    if (is_agent(r)) TRY(issue_influence(r));
    TRY(monitor_check_now(r->db, &r->actor, &r->issue));
    jw_obj(&r->w);
    jw_kbool(&r->w, "ok", true);
    jw_obj_end(&r->w);
    return OK;
}

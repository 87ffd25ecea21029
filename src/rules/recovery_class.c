/* recovery_class: the guard of status-only runs. */
#include "rules/recovery_class.h"

#include "base/text.h"

static const char *const keys[] = {"recoveryIntent",       "allowDeliverableWork",
                                   "allowDocumentUpdates", "resumeRequiresNormalModel",
                                   "modelProfile",         NULL};

static bool reason_is_status_only(const char *reason)
{
    return text_is(reason, "missing_issue_comment") || text_is(reason, "source_scoped_recovery_action") ||
           text_is(reason, "issue_monitor_recovery") || text_is(reason, "issue_monitor_recovery_issue");
}

void recovery_class_apply(json_t *context, const char *wake_reason)
{
    bool bound = recovery_class_status_only(context);
    /* a model profile that somebody asked for is not the guard's */
    for (const char *const *k = keys; *k; k++)
        if (bound || !text_is(*k, "modelProfile")) json_object_del(context, *k);
    if (!reason_is_status_only(wake_reason)) return;
    json_object_set_new(context, "recoveryIntent", json_string("status_only"));
    json_object_set_new(context, "allowDeliverableWork", json_false());
    json_object_set_new(context, "allowDocumentUpdates", json_false());
    json_object_set_new(context, "resumeRequiresNormalModel", json_true());
    json_object_set_new(context, "modelProfile", json_string("cheap"));
}

bool recovery_class_status_only(const json_t *context)
{
    return text_is(json_str(context, "recoveryIntent"), "status_only") &&
           json_is_false(json_object_get(context, "allowDeliverableWork")) &&
           json_is_false(json_object_get(context, "allowDocumentUpdates"));
}

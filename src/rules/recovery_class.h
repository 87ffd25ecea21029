/*
 * recovery_class: what an automatic run may do (EX-75). A status-only run sets a
 * status, comments or resolves; it writes no deliverable. Everything that goes on
 * with the work itself is free of that guard. Pure.
 */
#ifndef BULLDOG_RULES_RECOVERY_CLASS_H
#define BULLDOG_RULES_RECOVERY_CLASS_H

#include "base/json.h"

/* Sets or strips the guard of a run's context, as its wake reason asks. */
void recovery_class_apply(json_t *context, const char *wake_reason);
/* Is the run of this context bound to status-only work? */
bool recovery_class_status_only(const json_t *context);

#endif

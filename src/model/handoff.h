/*
 * handoff: a run that went well but left its issue in progress has to say whose
 * move it is (EX-72, EX-73): one corrective run, then somebody decides. What is
 * asked stands in issues.successful_run_handoff until the issue moves on.
 */
#ifndef BULLDOG_MODEL_HANDOFF_H
#define BULLDOG_MODEL_HANDOFF_H

#include "model/follow_up.h"

/* After release and promotion. Sets e->followed when somebody was asked. */
err_t handoff_settle(struct db *db, struct ended *e) MUST_CHECK;

/* A change of status or owner, or a monitor, answers the question: it is cleared in *after. */
void handoff_answered(const struct issue *before, struct issue *after);
/* The activity of an answered question. */
err_t handoff_log_resolved(struct db *db, const struct actor *actor, const struct issue *before,
                           const struct issue *after) MUST_CHECK;

#endif

/*
 * monitor: later looks at issues (EX-93…96, IS-98, IS-99). The columns monitor_*
 * mirror what executionPolicy.monitor asks for, so that what is due is one
 * indexed query. A look is one transaction: the wake and the end of the monitor
 * stand or fall together (EX-94 BETTER).
 */
#ifndef BULLDOG_MODEL_MONITOR_H
#define BULLDOG_MODEL_MONITOR_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

/* ---- as part of a change of the issue ---- */

struct monitor_change {
    const char *action; /* issue.monitor_scheduled, issue.monitor_cleared; NULL: nothing changed */
    const char *clear_reason;
    const json_t *monitor;
};
/* Settles *after, whose execution_policy is what the client sent when policy_sent.
 * 422: it cannot have one, or its bounds are used up; 403: not the agent's to ask. */
err_t monitor_settle(struct db *db, const struct actor *actor, const struct issue *before, struct issue *after,
                     bool policy_sent, struct monitor_change *out) MUST_CHECK;
err_t monitor_log(struct db *db, const struct actor *actor, const struct issue *issue,
                  const struct monitor_change *c) MUST_CHECK;

/* ---- the looks ---- */

struct monitor_due {
    const char *company_id, *issue_id;
};
/* The earliest due ones of active companies. *next: when the next one after now is due, INSTANT_NONE: none. */
err_t monitor_due_page(struct db *db, int limit, struct monitor_due *rows, int *count, instant_t *next) MUST_CHECK;

enum monitor_look { LOOK_NOTHING, LOOK_WOKEN, LOOK_REARMED, LOOK_CLEARED, LOOK_EXHAUSTED };
/* Reads again, and does what is due (EX-94). */
err_t monitor_look(struct db *db, const char *issue_id, enum monitor_look *did) MUST_CHECK;
/* IS-99: now, because somebody asks. 409 when there is nothing to look at, or the agent cannot be woken. */
err_t monitor_check_now(struct db *db, const struct actor *actor, const struct issue *issue) MUST_CHECK;

/* EX-96: recovery waits for a provider's quota: the review participant (or the assignee) looks again at `at`. */
err_t monitor_schedule_quota(struct db *db, const struct issue *issue, instant_t at) MUST_CHECK;

#endif

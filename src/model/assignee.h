/* assignee: who may be given an issue (IS-41, IS-43). */
#ifndef BULLDOG_MODEL_ASSIGNEE_H
#define BULLDOG_MODEL_ASSIGNEE_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

/* 404 unknown, 409 agent_not_assignable, 409 paused (agents only). *out: the agent. */
err_t assignee_check_agent(struct db *db, const struct actor *actor, const char *company_id, const char *agent_id,
                           struct agent *out) MUST_CHECK;
/* An active member of the company, else 404. */
err_t assignee_check_user(struct db *db, const char *company_id, const char *user_id) MUST_CHECK;
/* An agent may not hand work down to whoever handed it down to it: 409 delegation_cycle. */
err_t assignee_check_cycle(struct db *db, const struct actor *actor, const char *parent_id,
                           const char *assignee_agent_id) MUST_CHECK;
/* IS-42: an agent needs tasks:assign to give an issue to somebody, but not to
 * hand its own back to the person who created it. before NULL: creation. */
err_t assignee_check_permission(struct db *db, const struct actor *actor, const struct agent *self,
                                const struct issue *before, const struct issue *after) MUST_CHECK;
/* Does `actor` hold tasks:manage_active_checkouts over this agent: by grant, as
 * its manager at any height, or as one who may create agents? */
err_t assignee_managed_by(struct db *db, const struct agent *actor, const char *assignee_agent_id,
                          bool *yes) MUST_CHECK;

#endif

/* grant: an agent's membership of its company and the permissions it was given
 * (AR-14, AR-15, AR-18). */
#ifndef BULLDOG_MODEL_GRANT_H
#define BULLDOG_MODEL_GRANT_H

#include "model/actor.h"
#include "store/entity.h"

/* Membership "member", and the grants its role and permissions call for:
 * tasks:assign when can_assign; agents:configure and skills:create for a ceo.
 * Grants that a role gave go with the role. */
err_t grant_settle(struct db *db, const struct actor *actor, const struct agent *agent, bool can_assign) MUST_CHECK;
/* Everything of this agent goes. */
err_t grant_forget(struct db *db, const struct agent *agent) MUST_CHECK;

err_t grant_has(struct db *db, const struct agent *agent, const char *key, bool *yes) MUST_CHECK;
err_t grant_list(struct db *db, const struct agent *agent, struct grant **rows, int *n) MUST_CHECK;
err_t membership_get(struct db *db, const struct agent *agent, struct membership *out, bool *found) MUST_CHECK;

/* agents:create: a ceo, permissions.canCreateAgents, or the grant. */
err_t agent_may_create(struct db *db, const struct agent *agent, bool *yes) MUST_CHECK;
/* tasks:assign: a ceo, who may create agents, the grant, or simply an active member (IS-42). */
err_t agent_may_assign(struct db *db, const struct agent *agent, bool *yes) MUST_CHECK;
/* agents:configure: the grant. */
err_t agent_may_configure(struct db *db, const struct agent *agent, bool *yes) MUST_CHECK;
/* May this agent read the configuration of others: agents:configure or agents:suggest-changes? */
err_t agent_may_read_configs(struct db *db, const struct agent *agent, bool *yes) MUST_CHECK;

#endif

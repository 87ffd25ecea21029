/*
 * agent_control: an agent's life (AR-10, AR-11, AR-16): every status written by
 * hand comes through here, whichever route it came by. Each refreshes *agent.
 */
#ifndef BULLDOG_MODEL_AGENT_CONTROL_H
#define BULLDOG_MODEL_AGENT_CONTROL_H

#include "model/agent.h"
#include "rules/agent_status.h"

/* Moves the agent, or ERR_CONFLICT with the refusal. Pausing cancels its live
 * runs; terminating also revokes its keys and stops all agents below it. */
err_t agent_move(struct db *db, const struct actor *actor, struct agent *agent, enum agent_event event) MUST_CHECK;

/* From pending_approval to idle; source and approval_id (or NULL): for the activity. */
err_t agent_activate(struct db *db, const struct actor *actor, struct agent *agent, const char *source,
                     const char *approval_id) MUST_CHECK;

/* AR-11: a status in a PATCH has the effects of the event it stands for. */
err_t agent_write_status(struct db *db, const struct actor *actor, struct agent *agent, const char *status) MUST_CHECK;

/* Removes the agent; its comments stay, signed with its name. A run that is
 * still being stopped: *stopping, and the agent is only terminated for now. */
err_t agent_delete(struct db *db, const struct actor *actor, struct agent *agent, bool *stopping) MUST_CHECK;

#endif

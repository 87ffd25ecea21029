/*
 * agent_edit: creating and changing agents (AR-6, AR-12…15). The fields were
 * validated; what must hold between rows is checked here: names, managers,
 * the freeze before approval, the grants that follow role and permissions.
 */
#ifndef BULLDOG_MODEL_AGENT_EDIT_H
#define BULLDOG_MODEL_AGENT_EDIT_H

#include "model/agent.h"
#include "model/config_revision.h"

/* Inserts. Given: company_id, name, role, adapter_type and the JSON columns as
 * stored; the rest is set here, the name with a number when it is taken (AR-6).
 * desired_skills: array or NULL, for the activity agent.created. */
err_t agent_create(struct db *db, const struct actor *actor, struct agent *agent, json_t *desired_skills) MUST_CHECK;

/* The same without activity; pending: it waits for approval (AR-14b). */
err_t agent_insert(struct db *db, const struct actor *actor, struct agent *agent, bool pending) MUST_CHECK;

/* Writes what differs, except the status (agent_control has it). ERR_CONFLICT:
 * the shortname is taken, or the agent waits for approval. Activity agent.updated. */
err_t agent_update(struct db *db, const struct actor *actor, const struct agent *before,
                   struct agent *after) MUST_CHECK;

/* A change with a revision and an activity of its own; the activity is written though nothing differs. */
struct reconfiguration {
    struct revision_origin origin;
    const char *action;
    json_t *details;
};
err_t agent_reconfigure(struct db *db, const struct actor *actor, const struct agent *before, struct agent *after,
                        const struct reconfiguration *what) MUST_CHECK;
/* Back to what the revision left (AR-21): as agent_update, with its own activity. */
err_t agent_roll_back(struct db *db, const struct actor *actor, const struct agent *before,
                      const struct config_revision *to, struct agent *after) MUST_CHECK;

/* permissions as given, merged over the stored ones; the grant tasks:assign follows. */
err_t agent_set_permissions(struct db *db, const struct actor *actor, struct agent *agent, json_t *given) MUST_CHECK;

#endif

/*
 * agent_view: agents on the wire (AR-1, AR-2, AR-7, AR-18, AR-20), and their
 * activity entries, whose live events carry the changed row.
 */
#ifndef BULLDOG_MODEL_AGENT_VIEW_H
#define BULLDOG_MODEL_AGENT_VIEW_H

#include "model/agent.h"

enum agent_configs {
    AGENT_CONFIGS_FULL,   /* as stored */
    AGENT_CONFIGS_MASKED, /* secrets replaced by the marker (AR-20) */
    AGENT_CONFIGS_EMPTY,  /* {}: the reader may not see them (AR-18) */
    AGENT_CONFIGS_NONE,   /* the fields are left out (live events) */
};
/* An object: the agent with orgChainHealth. self: its index in org. */
void agent_write(struct jw *w, struct arena *a, const struct agent *agent, struct org *org, int self,
                 enum agent_configs configs);
/* The same from the database, spentMonthlyCents included. */
err_t agent_write_one(struct db *db, struct jw *w, const struct agent *agent, enum agent_configs configs) MUST_CHECK;
/* With chainOfCommand and access (AR-2). */
err_t agent_write_detail(struct db *db, struct jw *w, const struct agent *agent, enum agent_configs configs) MUST_CHECK;
/* An object: the configuration, always masked. */
void agent_write_configuration(struct jw *w, struct arena *a, const struct agent *agent);

/* Activity about this agent; the live event carries its row without configuration (UI-104). */
err_t agent_log(struct db *db, const struct actor *actor, const char *action, const struct agent *agent,
                json_t *details) MUST_CHECK;

#endif

/*
 * agent: the agents of a company and their org tree (AR §1-4, §8). Reading;
 * agent_write, agent_control and agent_delete hold the writes, agent_view the
 * wire forms.
 */
#ifndef BULLDOG_MODEL_AGENT_H
#define BULLDOG_MODEL_AGENT_H

#include "base/json.h"
#include "model/actor.h"
#include "rules/org_chain.h"
#include "store/entity.h"

/* Without the computed spentMonthlyCents; ids that are no UUID are not found. */
err_t agent_get(struct db *db, const char *id, struct agent *out, bool *found) MUST_CHECK;
/* A UUID or a shortname (AR-6): the latter inside company_id, which may be NULL
 * (then ERR_UNPROCESSABLE). Ambiguous: ERR_CONFLICT. Terminated agents match by id only. */
err_t agent_resolve(struct db *db, const char *ref, const char *company_id, struct agent *out, bool *found) MUST_CHECK;
/* All of a company, terminated ones too, oldest first, with spentMonthlyCents. */
err_t agent_list(struct db *db, const char *company_id, struct agent **rows, int *count) MUST_CHECK;
/* Computes spentMonthlyCents (AR-1). */
err_t agent_fill_spent(struct db *db, struct agent *agent) MUST_CHECK;

/* The org rows of these agents, for rules/org_chain. */
void agent_org(struct arena *a, const struct agent *rows, int count, struct org *out);
/* One agent and all above it, in one query. The agent is node 0. */
err_t agent_chain(struct db *db, const struct agent *agent, struct org *out) MUST_CHECK;

/* AR-8: may this agent run? *why: NULL when it may, else its status, or
 * "invalid_org_chain" (a manager is missing, terminated, or the chain is a cycle). */
err_t agent_invokable(struct db *db, const struct agent *agent, const char **why) MUST_CHECK;

#endif

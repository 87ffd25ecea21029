/* agent_key: API keys of agents (AR-22). Only the SHA-256 of a token is stored. */
#ifndef BULLDOG_MODEL_AGENT_KEY_H
#define BULLDOG_MODEL_AGENT_KEY_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

/* The unrevoked key with this hash. */
err_t agent_key_find(struct db *db, const char *hash, struct agent_key *out, bool *found) MUST_CHECK;
/* last_used_at, at most once a minute and never inside a request's transaction. */
err_t agent_key_touch(struct db *db, const struct agent_key *key) MUST_CHECK;

/* A new key; *token is shown this once. scope: NULL for all its agent may do.
 * ERR_CONFLICT for an agent that may not act. */
err_t agent_key_create(struct db *db, const struct actor *actor, const struct agent *agent, const char *name,
                       json_t *scope, struct agent_key *out, const char **token) MUST_CHECK;
/* Newest first, revoked ones too. */
err_t agent_key_list(struct db *db, const struct agent *agent, struct agent_key **rows, int *n) MUST_CHECK;
/* ERR_NOT_FOUND for a key of another agent; a revoked one stays as it is. */
err_t agent_key_revoke(struct db *db, const struct actor *actor, const struct agent *agent,
                       const char *key_id) MUST_CHECK;
/* With its scope, and the token when given; an object. */
void agent_key_write(struct jw *w, const struct agent_key *key, const char *token);

#endif

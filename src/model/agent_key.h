/* agent_key: API keys of agents (AR-22). Only the SHA-256 of a token is stored. */
#ifndef BULLDOG_MODEL_AGENT_KEY_H
#define BULLDOG_MODEL_AGENT_KEY_H

#include "model/actor.h"
#include "store/entity.h"

/* The unrevoked key with this hash. */
err_t agent_key_find(struct db *db, const char *hash, struct agent_key *out, bool *found) MUST_CHECK;
/* last_used_at, at most once a minute and never inside a request's transaction. */
err_t agent_key_touch(struct db *db, const struct agent_key *key) MUST_CHECK;

#endif

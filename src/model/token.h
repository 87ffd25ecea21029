/*
 * token: agent API keys and run tokens.
 *
 * Run token (AR-23, AO-43): HS256 JWT. Its key is the lower-case hex text of
 * HMAC-SHA256(secret, "jwt:<instance>:<company>"), so a token of one company
 * or instance never verifies for another. Signed with libsodium's HMAC: HS256
 * needs nothing more, and jansson allocates from arenas here, which a JWT
 * library of its own would not survive.
 */
#ifndef BULLDOG_MODEL_TOKEN_H
#define BULLDOG_MODEL_TOKEN_H

#include "base/clock.h"
#include "base/err.h"

struct run_token {
    const char *agent_id, *company_id, *adapter_type, *run_id, *responsible_user_id;
    instant_t issued_at;
};

const char *token_sign(struct arena *a, const char *secret, const struct run_token *t);
/* false: not a token of ours, tampered, expired, other instance. Does not look at the run. */
bool token_verify(struct arena *a, const char *secret, const char *jwt, struct run_token *out);

/* "pcp_" + 48 hex; what is stored is its SHA-256 hex. */
const char *key_generate(struct arena *a);
const char *key_hash(struct arena *a, const char *token);

#endif

/*
 * auth: resolves the actor of a request (AO §3) and guards the door: host names
 * (AO-24), browser origins (AO-22, AO-23), bearer tokens (AO-40…43, AR-22…24).
 */
#ifndef BULLDOG_API_AUTH_H
#define BULLDOG_API_AUTH_H

#include "api/request.h"

/* Host header and, for unsafe methods, Origin / Sec-Fetch-Site. */
err_t auth_guard(struct req *r) MUST_CHECK;
/* Fills r->actor (and r->self for agents). A bearer that matches nothing is 401. */
err_t auth_actor(struct req *r) MUST_CHECK;
/* The same for a token given in the query (WebSocket). */
err_t auth_token(struct req *r, const char *token) MUST_CHECK;

#endif

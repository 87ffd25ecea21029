/*
 * ws_link: the client's end of a WebSocket, blocking with a time limit. wslay
 * frames it, libcurl carries it (so https works too). Text messages from the
 * server only; pings are answered while waiting.
 */
#ifndef BULLDOG_HTTP_WS_LINK_H
#define BULLDOG_HTTP_WS_LINK_H

#include "base/err.h"

#include <stddef.h>

struct ws_link;

/* url: http or https; headers: "Name: value", ended by NULL, or NULL. */
err_t ws_link_open(struct arena *a, const char *url, const char *const *headers, int timeout_ms,
                   struct ws_link **out) MUST_CHECK;
/* The next message into the arena; *message is NULL when none came in time. An error means the link is dead. */
err_t ws_link_next(struct ws_link *link, struct arena *a, int timeout_ms, const char **message, size_t *len) MUST_CHECK;
void ws_link_close(struct ws_link *link); /* NULL is allowed */

#endif

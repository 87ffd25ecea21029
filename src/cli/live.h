/*
 * live: the company's live events over the WebSocket (AR-73), for commands that
 * watch. A lost connection is opened again with the last event's id, at growing
 * pauses, for as long as the watcher asks; where no socket can be had, waiting
 * simply takes its full time and the watcher looks by itself.
 */
#ifndef BULLDOG_CLI_LIVE_H
#define BULLDOG_CLI_LIVE_H

#include "cli/command.h"

struct live;
/* Never fails: a server that is away now may be there later. Lives in the command's arena. */
struct live *live_open(struct cli *c, const char *company_id);
/* The next event in the current arena, or NULL after timeout_ms. */
json_t *live_next(struct live *live, int timeout_ms);
bool live_connected(const struct live *live);
/* true once after a (re)connection: what happened before it may be unknown, so look again. */
bool live_fresh(struct live *live);
void live_close(struct live *live);

#endif

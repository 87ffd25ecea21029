/*
 * hub: WebSocket clients of the companies' live events (AR-73). One thread owns
 * all sockets; wslay frames them. Server to client only: client frames other
 * than ping, pong and close are ignored.
 *
 * Resume without a gap: the handler of the upgrade request calls
 * ws_client_new (from then on the client collects live events), reads the
 * missed events from the database, adds them with ws_client_replay, and sets
 * http_req.upgrade. The hub sends the replay first, then what was collected,
 * leaving out ids that were in the replay.
 */
#ifndef BULLDOG_HTTP_HUB_H
#define BULLDOG_HTTP_HUB_H

#include "base/clock.h"
#include "base/err.h"

struct hub;
struct ws_client;

/* queue_max: bytes that may wait for one client (1 MiB): past it run log events
 * are dropped first, then the client is closed with 1013. ping_ms: 30000; a
 * client that did not answer the previous ping is dropped. */
err_t hub_start(struct arena *a, size_t queue_max, int ping_ms, struct hub **out) MUST_CHECK;
/* Says goodbye (1001) to all clients and closes their sockets; takes no clients from now on. */
void hub_close_clients(struct hub *h);
void hub_stop(struct hub *h); /* no ws_client may be in a handler's hands any more */

/* Any thread, never blocks. id 0: an event that is not kept (run log, progress);
 * it goes out under the id of the last kept event the client got. Frame:
 * {"id":…,"companyId":…,"type":…,"createdAt":…,"payload":…} */
void hub_publish(struct hub *h, int64_t id, const char *company_id, const char *type, instant_t created_at,
                 const char *payload_json);
/* Does anybody listen to this company? Cheap; lets the engine skip log tails.
 * Never wrongly false; rarely wrongly true (companies share counters). */
bool hub_has_listeners(struct hub *h, const char *company_id);
int hub_client_count(struct hub *h);

/* The credential behind these clients is no longer good: closes them with 1008 (AO-49). */
void hub_revoke(struct hub *h, const char *owner);

/* last_id: the newest kept event id the client knows (its ?since, or the newest in the database). */
struct ws_client *ws_client_new(struct hub *h, const char *company_id, int64_t last_id);
void ws_client_replay(struct ws_client *c, int64_t id, const char *type, instant_t created_at,
                      const char *payload_json);
/* The events after ?since are gone: sends {"type":"reset"} first. */
void ws_client_reset(struct ws_client *c);
/* Whose client this is, for hub_revoke: any text of the caller's, such as "key:ID" or "user:ID". */
void ws_client_owner(struct ws_client *c, const char *owner);
/* The upgrade will not happen after all. */
void ws_client_drop(struct ws_client *c);
/* For the server: the handshake is through. fd is a connected stream socket that
 * close_fn(close_arg) closes, early the bytes that came behind the handshake. */
void ws_client_adopt(struct ws_client *c, int fd, const char *early, size_t early_len, void (*close_fn)(void *arg),
                     void *close_arg);

#endif

/*
 * actor: who acts. Resolved once per request (AO §3), or made by the engine
 * (system). Passed to every model write that leaves a trace.
 */
#ifndef BULLDOG_MODEL_ACTOR_H
#define BULLDOG_MODEL_ACTOR_H

#include <stdbool.h>

#define LOCAL_BOARD_USER "local-board" /* AO-3 */

enum actor_type { ACTOR_NONE, ACTOR_BOARD, ACTOR_AGENT, ACTOR_SYSTEM };

struct actor {
    enum actor_type type;
    const char *source;     /* local_implicit, agent_key, agent_jwt, or the engine's duty */
    const char *user_id;    /* board */
    const char *agent_id;   /* agent */
    const char *company_id; /* agent's own */
    const char *key_id;
    const char *key_scope; /* JSON of a key that may do less than its agent (AO-44), or NULL */
    const char *run_id; /* signed (agent_jwt) or claimed by header */
    const char *responsible_user_id;
    bool instance_admin;
};

static inline const char *actor_kind(const struct actor *a) /* activity_log.actor_type, AO-48 */
{
    return a->type == ACTOR_AGENT ? "agent" : a->type == ACTOR_BOARD ? "user" : "system";
}
static inline const char *actor_id(const struct actor *a)
{
    if (a->type == ACTOR_AGENT) return a->agent_id;
    if (a->type == ACTOR_BOARD) return a->user_id ? a->user_id : "board";
    return a->source ? a->source : "system";
}

#endif

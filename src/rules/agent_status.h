/* agent_status: what an agent's status allows (AR-8) and how it may change by
 * hand (AR-10, AR-11, AR-16). Pure. */
#ifndef BULLDOG_RULES_AGENT_STATUS_H
#define BULLDOG_RULES_AGENT_STATUS_H

#include <stdbool.h>

/* May an agent of this status run / be given work? Its org chain is judged apart. */
bool agent_status_invokable(const char *status);
bool agent_status_assignable(const char *status);

enum agent_event { AGENT_PAUSE, AGENT_RESUME, AGENT_CLEAR_ERROR, AGENT_APPROVE, AGENT_TERMINATE };
/* The next status, or NULL with *refusal saying why not. */
const char *agent_transition(enum agent_event event, const char *from, const char **refusal);

/* AR-11: may status be written directly? NULL, or the refusal. */
const char *agent_status_write_refusal(const char *from, const char *to);

#endif

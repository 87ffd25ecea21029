/*
 * monitor: a one-time look at an issue at a later moment, because what it waits
 * for lies outside (EX-93, EX-94, IS-98). executionPolicy.monitor says what is
 * asked, executionState.monitor what became of it. Pure; JSON lives in the
 * current arena.
 */
#ifndef BULLDOG_RULES_MONITOR_H
#define BULLDOG_RULES_MONITOR_H

#include "base/json.h"

#define MONITOR_QUOTA_SERVICE "AI provider quota" /* reserved (EX-96) */

struct monitor {
    bool there;
    instant_t next_check_at, timeout_at; /* timeout INSTANT_NONE: none */
    int64_t attempts_max;                /* 0: no bound */
    const char *notes, *scheduled_by, *recovery_policy, *service_name;
    const json_t *json;
};
/* The monitor of an execution policy's text. */
struct monitor monitor_of(const char *policy_text);
/* A client's monitor as it is kept: externalRef hidden, scheduledBy by who asks. */
json_t *monitor_normalise(const json_t *given, const char *scheduled_by);
/* The policy without or with this monitor, as text; NULL when nothing else is in it. */
const char *monitor_policy_text(struct arena *a, const char *policy_text, json_t *monitor);

/* May an issue have one? */
bool monitor_fits(const char *status, bool agent_assigned, bool user_assigned);
/* Why a change of the issue ends its monitor: done, cancelled, invalid_status, invalid_assignee; NULL: it goes on. */
const char *monitor_end_reason(const char *status, bool agent_assigned, bool user_assigned);
/* Is attempt number `attempt` one too many: timeout_exceeded, max_attempts_exhausted; or NULL. */
const char *monitor_exhausted(const struct monitor *m, int64_t attempt, instant_t now);
/* A wake was kept back: when to try again; from a minute to half an hour, by how long it is due. */
instant_t monitor_rearm(const struct monitor *m, instant_t now);

enum monitor_status { MONITOR_SCHEDULED, MONITOR_TRIGGERED, MONITOR_CLEARED };
struct monitor_event {
    enum monitor_status status;
    const json_t *monitor; /* as in the policy before */
    int64_t attempts;
    instant_t at, last_triggered_at;
    const char *clear_reason; /* of triggered and cleared */
};
/* executionState with what became of the monitor, as text. */
const char *monitor_state_text(struct arena *a, const char *state_text, const struct monitor_event *e);

#endif

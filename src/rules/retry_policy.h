/*
 * retry_policy: when a run that ended badly may be tried again (EX-61, EX-62),
 * and what its error text says about it (EX-96, EX-109). Pure: randomness and
 * time come in.
 */
#ifndef BULLDOG_RULES_RETRY_POLICY_H
#define BULLDOG_RULES_RETRY_POLICY_H

#include "base/clock.h"

#include <stdint.h>

#define TRANSIENT_ATTEMPTS_MAX 4
#define INTERACTION_ATTEMPTS_MAX 3
#define QUOTA_WAIT_MS (60 * MINUTE_MS)

enum retry_kind { RETRY_NONE, RETRY_PROCESS_LOST, RETRY_TRANSIENT, RETRY_QUOTA, RETRY_MAX_TURNS, RETRY_INTERACTION };
struct retry_facts {
    bool failed, process_lost, interrupted;
    const char *error_code, *error_family; /* or NULL */
    bool answers_interaction;              /* the run goes on after a resolved interaction */
};
enum retry_kind retry_kind(const struct retry_facts *f);

/* EX-109: what the text of a failure says that its code does not. */
enum failure_text { FAILURE_PLAIN, FAILURE_QUOTA, FAILURE_CONFIGURATION };
enum failure_text failure_text(const char *error_code, const char *text);

/* May a scheduled retry start now (EX-62)? NULL: yes. *rearm: not yet, but later. */
struct promotion_facts {
    bool agent_found, agent_invokable, agent_paused;
    bool budget_blocked;
    bool issue_scoped, issue_found;
    const char *issue_status;
    bool own;             /* the agent is still the assignee */
    bool by_comment;      /* the wake brings somebody's comment */
    bool max_turns;       /* a continuation after used-up turns … */
    bool holds_lock;      /* … must still own the issue */
    bool stage_elsewhere; /* the pending review stage is another agent's now */
    bool held;            /* an active pause hold */
    bool dependencies_ready;
};
const char *promotion_gate(const struct promotion_facts *f, bool *rearm);

/* 2, 10, 30, 120 minutes, each ±25 % by `random`; attempt from 1. */
int64_t retry_transient_delay_ms(int64_t attempt, uint32_t random);
/* A due retry that a gate keeps back is asked again: half its age, 30 s to 30 min. */
int64_t retry_rearm_ms(int64_t age_ms);

/* runtimeConfig.heartbeat.maxTurnContinuation */
struct turn_policy {
    bool enabled;
    int64_t attempts_max, delay_ms;
};
struct turn_policy turn_policy(const char *runtime_config_json);

/* "try again at 15:04", "… at 3 pm PST", "resets at …", "try again in 20 minutes": the moment, after `now`. */
bool retry_time_in(const char *text, instant_t now, instant_t *at);

#endif

/* heartbeat: an agent's runtimeConfig.heartbeat (EX-34, AR-79). Pure: wrong
 * types fall back to the defaults, numbers are clamped. */
#ifndef BULLDOG_RULES_HEARTBEAT_H
#define BULLDOG_RULES_HEARTBEAT_H

#include "base/json.h"

struct heartbeat_policy {
    bool enabled;         /* timers */
    int64_t interval_sec; /* 0: no timer */
    bool wake_on_demand;
    bool recovery; /* started again by itself after trouble; false: only shown (EX-129) */
    int64_t max_concurrent_runs;
    bool skip_timer_when_idle;
    int64_t max_daily_runs;       /* -1: none */
    int64_t max_daily_cost_cents; /* -1: none */
};
struct heartbeat_policy heartbeat_policy(const char *runtime_config_json);

#endif

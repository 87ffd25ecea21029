/* heartbeat: the policy in an agent's runtime configuration. */
#include "rules/heartbeat.h"

/* First of the aliases that is present. */
static const json_t *first(const json_t *o, const char *const *names)
{
    for (; *names; names++) {
        const json_t *v = json_object_get(o, *names);
        if (v) return v;
    }
    return NULL;
}

static int64_t number(const json_t *v, int64_t dflt, int64_t min, int64_t max)
{
    if (!json_is_number(v)) return dflt;
    double d = json_number_value(v);
    return d < (double)min ? min : d > (double)max ? max : (int64_t)d;
}

static bool flag(const json_t *v, bool dflt) { return json_is_boolean(v) ? json_is_true(v) : dflt; }

struct heartbeat_policy heartbeat_policy(const char *runtime_config_json)
{
    static const char *const on_demand[] = {"wakeOnDemand", "wakeOnAssignment", "wakeOnOnDemand", "wakeOnAutomation",
                                            NULL};
    static const char *const idle[] = {"skipTimerWhenNoActionableWork", "requireActionableTimerWork", "issueOnlyTimer",
                                       NULL};
    static const char *const daily_runs[] = {"maxDailyRuns", "dailyRunLimit", "dailyRunCap", "maxRunsPerDay", NULL};
    static const char *const daily_cost[] = {"maxDailyCostCents", "dailyCostCentsLimit", "dailySpendCentsLimit",
                                             "dailyBudgetCents", NULL};
    const json_t *h = json_object_get(json_read(runtime_config_json), "heartbeat");
    return (struct heartbeat_policy){
        .enabled = flag(json_object_get(h, "enabled"), false),
        .interval_sec = number(json_object_get(h, "intervalSec"), 0, 0, 31536000),
        .wake_on_demand = flag(first(h, on_demand), true),
        .recovery = flag(json_object_get(h, "recovery"), true),
        .max_concurrent_runs = number(json_object_get(h, "maxConcurrentRuns"), 20, 1, 50),
        .skip_timer_when_idle = flag(first(h, idle), false),
        .max_daily_runs = number(first(h, daily_runs), -1, 0, 1000000000),
        .max_daily_cost_cents = number(first(h, daily_cost), -1, 0, INT64_C(1000000000000)),
    };
}

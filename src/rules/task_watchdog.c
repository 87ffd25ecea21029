/* task_watchdog: the verdict on a watched tree. */
#include "rules/task_watchdog.h"

const char *watchdog_state_name(enum watchdog_state s)
{
    static const char *const names[WATCHDOG_STATES] = {"live", "pending_first_run", "already_reviewed",
                                                       "not_applicable", "stopped"};
    return names[s];
}

static struct watchdog_verdict rest(enum watchdog_state state)
{
    return (struct watchdog_verdict){state, WATCHDOG_REST, 0};
}

/* It stands still as it did when its watchdog was last told. */
static struct watchdog_verdict stopped_again(const struct watchdog_facts *f)
{
    if (!f->moved_since_fired || f->report_open) return rest(WATCHDOG_ALREADY_REVIEWED);
    if (f->fired_attempt >= WATCHDOG_ATTEMPTS_MAX)
        return (struct watchdog_verdict){WATCHDOG_STOPPED, WATCHDOG_ESCALATE, f->fired_attempt};
    return (struct watchdog_verdict){WATCHDOG_STOPPED, WATCHDOG_FIRE, f->fired_attempt + 1};
}

struct watchdog_verdict watchdog_judge(const struct watchdog_facts *f)
{
    if (f->open == 0) return rest(WATCHDOG_NOT_APPLICABLE);
    if (f->live > 0) {
        struct watchdog_verdict v = rest(WATCHDOG_LIVE);
        if (f->fired_attempt > 0 && !f->moved_since_fired) v.act = WATCHDOG_NOTE_MOVED;
        return v;
    }
    if (f->young_unrun > 0) return rest(WATCHDOG_PENDING_FIRST_RUN);
    if (!f->agent_can) return rest(WATCHDOG_NOT_APPLICABLE);
    if (f->same_as_fired) return stopped_again(f);
    if (f->shrunk) return rest(WATCHDOG_ALREADY_REVIEWED);
    return (struct watchdog_verdict){WATCHDOG_STOPPED, WATCHDOG_FIRE, 1};
}

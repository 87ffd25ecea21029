/* productivity: triggers and cadence. */
#include "rules/productivity.h"

#include "base/text.h"

#define REFRESH_EVERY_MS (60 * MINUTE_MS)
#define REFRESHES_MAX 3
#define AFTER_RESOLVED_MS (6 * HOUR_MS)
#define ONE_PER_MS DAY_MS
#define UNHEEDED_MAX 3

const char *productivity_trigger_name(enum productivity_trigger t)
{
    static const char *const names[PRODUCTIVITY_TRIGGERS] = {"none", "no_comment_streak", "high_churn",
                                                             "long_active_duration"};
    return names[t];
}

const char *productivity_priority(enum productivity_trigger t)
{
    return t == PRODUCTIVITY_LONG_ACTIVE ? "medium" : "high";
}

bool productivity_holds(const char *trigger_name)
{
    return text_is(trigger_name, "no_comment_streak") || text_is(trigger_name, "high_churn");
}

enum productivity_trigger productivity_judge(const struct productivity_facts *f, instant_t now)
{
    bool churn = f->runs_hour >= PRODUCTIVITY_CHURN_HOUR || f->comments_hour >= PRODUCTIVITY_CHURN_HOUR ||
                 f->runs_long >= PRODUCTIVITY_CHURN_LONG || f->comments_long >= PRODUCTIVITY_CHURN_LONG;
    if (f->no_comment_streak >= PRODUCTIVITY_STREAK) return PRODUCTIVITY_NO_COMMENTS;
    if (churn) return PRODUCTIVITY_CHURN;
    bool old = f->in_progress && f->started_at != INSTANT_NONE && now - f->started_at >= PRODUCTIVITY_ACTIVE_MS;
    return old ? PRODUCTIVITY_LONG_ACTIVE : PRODUCTIVITY_FINE;
}

static bool within(instant_t t, int64_t ms, instant_t now) { return t != INSTANT_NONE && now - t < ms; }

enum productivity_act productivity_next(const struct productivity_past *p, instant_t now)
{
    if (p->open) {
        bool due = p->refreshes < REFRESHES_MAX && !within(p->refreshed_at, REFRESH_EVERY_MS, now);
        return due ? PRODUCTIVITY_REFRESH : PRODUCTIVITY_REST;
    }
    if (within(p->last_resolved_at, AFTER_RESOLVED_MS, now) || within(p->last_created_at, ONE_PER_MS, now))
        return PRODUCTIVITY_REST;
    return p->unheeded >= UNHEEDED_MAX ? PRODUCTIVITY_REST : PRODUCTIVITY_ASK;
}

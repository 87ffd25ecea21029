/*
 * productivity: is an agent busy without getting anywhere (EX-152)? Pure: what
 * it did on one issue goes in; what looks wrong, and whether somebody is to be
 * asked now, come out.
 */
#ifndef BULLDOG_RULES_PRODUCTIVITY_H
#define BULLDOG_RULES_PRODUCTIVITY_H

#include "base/clock.h"

#include <stdbool.h>

#define PRODUCTIVITY_STREAK 10
#define PRODUCTIVITY_CHURN_HOUR 10
#define PRODUCTIVITY_CHURN_LONG 30 /* in PRODUCTIVITY_CHURN_LONG_MS */
#define PRODUCTIVITY_CHURN_LONG_MS (6 * HOUR_MS)
#define PRODUCTIVITY_ACTIVE_MS (6 * HOUR_MS)
#define PRODUCTIVITY_SAMPLE 100 /* of the assignee's last runs on the issue */

enum productivity_trigger {
    PRODUCTIVITY_FINE,
    PRODUCTIVITY_NO_COMMENTS,
    PRODUCTIVITY_CHURN,
    PRODUCTIVITY_LONG_ACTIVE,
    PRODUCTIVITY_TRIGGERS
};
const char *
productivity_trigger_name(enum productivity_trigger t); /* no_comment_streak, high_churn, long_active_duration */
const char *productivity_priority(enum productivity_trigger t);
/* Liveness continuations of the agent on the issue are held while the review is open (EX-153). */
bool productivity_holds(const char *trigger_name);

struct productivity_facts {
    int no_comment_streak;            /* ended runs, newest first, that left no comment */
    int runs_hour, runs_long;         /* runs begun within an hour, within PRODUCTIVITY_CHURN_LONG_MS */
    int comments_hour, comments_long; /* comments by runs, likewise */
    bool in_progress;
    instant_t started_at;
};
enum productivity_trigger productivity_judge(const struct productivity_facts *f, instant_t now);

/* What was asked before about the same issue. */
struct productivity_past {
    bool open;                                   /* a review is open */
    int refreshes;                               /* comments it has had */
    instant_t refreshed_at;                      /* the last of them, or its creation */
    instant_t last_created_at, last_resolved_at; /* INSTANT_NONE: never */
    int unheeded;                                /* reviews since anybody but the agent touched the issue */
};
enum productivity_act { PRODUCTIVITY_REST, PRODUCTIVITY_ASK, PRODUCTIVITY_REFRESH };
enum productivity_act productivity_next(const struct productivity_past *p, instant_t now);

#endif

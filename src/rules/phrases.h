/*
 * phrases: what a run's words give away (EX-69, EX-109, AR-58). The words are
 * data: src/tables/run_phrases.def. Pure.
 */
#ifndef BULLDOG_RULES_PHRASES_H
#define BULLDOG_RULES_PHRASES_H

#include "base/arena.h"

#include <stdbool.h>

enum phrase {
    PHRASE_BLOCKED,
    PHRASE_PLANNING,
    PHRASE_NEXT,
    PHRASE_PERSON,
    PHRASE_PLAN_TASK,
    PHRASE_NARRATION,
    PHRASE_QUOTA,
    PHRASE_CONFIG
};

/* Does any phrase of the kind stand in the text (NULL: no)? */
bool phrase_in(const char *text, enum phrase kind);
/* Does the text begin with one? */
bool phrase_begins(const char *text, enum phrase kind);
/* The next action a text names, at most NEXT_ACTION_MAX bytes; NULL: none. */
const char *phrase_next_action(struct arena *a, const char *text);
#define NEXT_ACTION_MAX 500

#endif

/*
 * history: which decisions of the engine a row tells of. A wake knows whether it
 * was admitted, coalesced, deferred, promoted or skipped; a run knows what it
 * recovers, when it was claimed, which gate stopped it, how it ended; an activity
 * of the server itself tells of recovery. Pure: a row in, its entries out.
 */
#ifndef BULLDOG_RULES_HISTORY_H
#define BULLDOG_RULES_HISTORY_H

#include "base/clock.h"

/* In the order of one wake's life: what happens in the same millisecond is told in it. */
enum history_kind {
    HISTORY_ADMITTED,
    HISTORY_COALESCED,
    HISTORY_SKIPPED,
    HISTORY_DEFERRED,
    HISTORY_PROMOTED,
    HISTORY_RECOVERED,
    HISTORY_FOLDED,
    HISTORY_GATED,
    HISTORY_CLAIMED,
    HISTORY_ENDED,
    HISTORY_KINDS
};
const char *history_kind_name(enum history_kind k); /* admitted, coalesced, … */
/* HISTORY_KINDS: an unknown word. */
enum history_kind history_kind_of(const char *name);

struct history_entry {
    enum history_kind kind;
    const char *reason; /* a reason code, or NULL */
    instant_t at;
};
#define HISTORY_PER_ROW 3

struct history_wake {
    const char *status, *reason, *error;
    bool has_run, run_is_retry;
    instant_t requested_at, finished_at, run_created_at;
};
int history_of_wake(const struct history_wake *w, struct history_entry out[HISTORY_PER_ROW]);

struct history_run {
    const char *status, *error_code, *wake_reason, *retry_reason;
    bool has_wake, is_retry;
    instant_t created_at, claimed_at, finished_at;
};
int history_of_run(const struct history_run *r, struct history_entry out[HISTORY_PER_ROW]);

/* What an activity of the server tells of; HISTORY_KINDS: nothing. source: details.source or NULL. */
enum history_kind history_of_activity(const char *action, const char *source);

#endif

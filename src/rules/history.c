/* history: from rows to decisions. */
#include "rules/history.h"

#include "base/text.h"

#include <string.h>

static const char *const NAMES[HISTORY_KINDS] = {"admitted",  "coalesced", "skipped", "deferred", "promoted",
                                                 "recovered", "folded",    "gated",   "claimed",  "ended"};

const char *history_kind_name(enum history_kind k) { return NAMES[k]; }

enum history_kind history_kind_of(const char *name)
{
    int k = 0;
    while (k < HISTORY_KINDS && !text_is(NAMES[k], name)) k++;
    return (enum history_kind)k;
}

static int add(struct history_entry *out, int n, enum history_kind kind, const char *reason, instant_t at)
{
    out[n] = (struct history_entry){kind, reason, at};
    return n + 1;
}

/* "Deferred wake could not be promoted: issue_parked" → issue_parked */
static const char *code_after_colon(const char *error)
{
    const char *at = error ? strrchr(error, ':') : NULL;
    if (at == NULL) return error;
    while (*++at == ' ') continue;
    return at;
}

int history_of_wake(const struct history_wake *w, struct history_entry out[HISTORY_PER_ROW])
{
    if (text_is(w->status, "coalesced")) return add(out, 0, HISTORY_COALESCED, w->reason, w->requested_at);
    /* a wake that a gate settled when its run was claimed was admitted first: its run tells of the gate */
    if (text_is(w->status, "skipped") && !w->has_run) return add(out, 0, HISTORY_SKIPPED, w->reason, w->requested_at);
    if (text_is(w->reason, "issue_execution_promoted")) {
        int n = add(out, 0, HISTORY_DEFERRED, "issue_execution_deferred", w->requested_at);
        return w->has_run ? add(out, n, HISTORY_PROMOTED, w->reason, w->run_created_at) : n;
    }
    if (text_is(w->reason, "issue_execution_deferred")) {
        int n = add(out, 0, HISTORY_DEFERRED, w->reason, w->requested_at);
        if (w->finished_at == INSTANT_NONE) return n;
        return add(out, n, HISTORY_GATED, w->error ? code_after_colon(w->error) : w->status, w->finished_at);
    }
    if (w->run_is_retry) return 0; /* its run tells of it */
    return add(out, 0, HISTORY_ADMITTED, w->reason, w->requested_at);
}

int history_of_run(const struct history_run *r, struct history_entry out[HISTORY_PER_ROW])
{
    int n = 0;
    bool gate =
        text_is(r->status, "cancelled") && r->claimed_at == INSTANT_NONE && !text_is(r->error_code, "cancelled");
    if (r->is_retry || !r->has_wake)
        n = add(out, n, r->is_retry ? HISTORY_RECOVERED : HISTORY_ADMITTED,
                r->retry_reason ? r->retry_reason : r->wake_reason, r->created_at);
    if (r->claimed_at != INSTANT_NONE) n = add(out, n, HISTORY_CLAIMED, r->wake_reason, r->claimed_at);
    if (r->finished_at != INSTANT_NONE)
        n = add(out, n, gate ? HISTORY_GATED : HISTORY_ENDED, r->error_code ? r->error_code : r->status,
                r->finished_at);
    return n;
}

static bool starts(const char *text, const char *with) { return text && strncmp(text, with, strlen(with)) == 0; }

enum history_kind history_of_activity(const char *action, const char *source)
{
    if (text_is(source, "source_revalidation") || text_is(action, "issue.recovery_action_resolved") ||
        text_is(action, "issue.successful_run_handoff_resolved") ||
        text_is(action, "heartbeat.output_stale_source_resolved"))
        return HISTORY_FOLDED;
    if (starts(action, "issue.tree_hold_") || text_is(action, "issue.productivity_review_continuation_held"))
        return HISTORY_GATED;
    if (starts(source, "recovery") || starts(action, "issue.recovery_") ||
        starts(action, "issue.successful_run_handoff_") || starts(action, "issue.review_path_recovery_") ||
        starts(action, "issue.harness_liveness_") || starts(action, "issue.productivity_review_") ||
        starts(action, "issue.watchdog_") || text_is(action, "issue.stale_lock_cleared") ||
        text_is(action, "issue.blockers_resolved_wake_emitted") || text_is(action, "issue.monitor_exhausted"))
        return HISTORY_RECOVERED;
    return HISTORY_KINDS;
}

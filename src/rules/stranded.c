/* stranded: the table of EX-101, and what comes before it. */
#include "rules/stranded.h"

#include "base/text.h"

#define TRANSIENT_TRIES 3
#define OTHER_TRIES 1
#define BACKOFF_MS MINUTE_MS
#define LIVENESS_TRIES 2

static bool any(const char *s, const char *const *set)
{
    for (; *set; set++)
        if (text_is(s, *set)) return true;
    return false;
}

/* A gate that is open again, or that no run can pass. */
static bool never_again(const char *code)
{
    static const char *const set[] = {"agent_not_invokable",
                                      "agent_not_found",
                                      "budget_blocked",
                                      "budget_exhausted",
                                      "issue_paused",
                                      "issue_dependencies_blocked",
                                      NULL};
    return any(code, set);
}

static int tries(const char *code)
{
    static const char *const set[] = {"adapter_failed",
                                      "codex_transient_upstream",
                                      "codex_harness_crash",
                                      "claude_transient_upstream",
                                      "provider_quota",
                                      "timeout",
                                      NULL};
    return any(code, set) ? TRANSIENT_TRIES : OTHER_TRIES;
}

static bool productive(const char *liveness)
{
    static const char *const set[] = {"advanced", "completed", "blocked", "needs_followup", NULL};
    return any(liveness, set);
}

static bool was_continuation(const struct stranded_facts *f)
{
    static const char *const set[] = {"issue_continuation_needed", "issue_assignment_recovery",
                                      "run_liveness_continuation", NULL};
    return any(f->wake_reason, set);
}

static struct stranded_verdict rest(void) { return (struct stranded_verdict){.step = STRANDED_REST}; }

static struct stranded_verdict escalate(const char *cause)
{
    return (struct stranded_verdict){.step = STRANDED_ESCALATE, .cause = cause};
}

static struct stranded_verdict wake(const struct stranded_facts *f, const char *source)
{
    return (struct stranded_verdict){.step = STRANDED_WAKE,
                                     .reason =
                                         f->in_progress ? "issue_continuation_needed" : "issue_assignment_recovery",
                                     .source = source           ? source
                                               : f->in_progress ? "issue.continuation_recovery"
                                                                : "issue.assignment_recovery"};
}

/* One wake per stall, and as long again for it to bring a run (EX-98, EX-99). */
static struct stranded_verdict one_wake(const struct stranded_facts *f, instant_t now, const char *cause,
                                        const char *source)
{
    if (f->tried_at == INSTANT_NONE) return wake(f, source);
    return now - f->tried_at < f->timeout_ms ? rest() : escalate(cause);
}

static struct stranded_verdict after_success(const struct stranded_facts *f, instant_t now)
{
    bool again = was_continuation(f);
    if (now - f->since < f->timeout_ms) return rest();
    if (!productive(f->liveness) && (again || f->continuations >= LIVENESS_TRIES))
        return escalate("liveness_exhausted");
    if (again && !f->progress) return escalate("stranded_assigned_issue");
    return one_wake(f, now, "stranded_assigned_issue", "issue.productive_terminal_continuation_recovery");
}

static struct stranded_verdict after_failure(const struct stranded_facts *f, instant_t now)
{
    const char *cause = text_is(f->code, "process_lost") ? "process_lost" : "stranded_assigned_issue";
    if (never_again(f->code) || f->same_code >= tries(f->code)) return escalate(cause);
    int64_t backoff = f->same_code > 0 ? BACKOFF_MS << (f->same_code - 1) : 0;
    if (now < f->finished_at + backoff) return rest();
    return one_wake(f, now, cause, NULL);
}

struct stranded_verdict stranded_decide(const struct stranded_facts *f, instant_t now)
{
    bool failed = f->status && !text_is(f->status, "succeeded");
    if (f->status == NULL)
        return now - f->since < f->timeout_ms ? rest() : one_wake(f, now, "stalled_at_dispatch", NULL);
    if (f->budget_spent) return escalate("incident_budget_exhausted");
    if (text_is(f->wake_reason, "finish_successful_run_handoff")) return escalate("successful_run_missing_state");
    if (f->in_progress) return failed ? after_failure(f, now) : after_success(f, now);
    if (failed && text_is(f->wake_reason, "issue_assignment_recovery")) return escalate("stranded_assigned_issue");
    return now - f->since < f->timeout_ms ? rest() : one_wake(f, now, "stranded_assigned_issue", NULL);
}

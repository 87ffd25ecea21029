/* liveness: the classification of finished runs, in the order of EX-69. */
#include "rules/liveness.h"

#include "base/text.h"
#include "rules/phrases.h"

static struct liveness_verdict verdict(const char *state, const char *reason)
{
    return (struct liveness_verdict){state, reason, NULL};
}

/* Only words are left to go by. */
static struct liveness_verdict by_words(const struct liveness_facts *f, const char *next)
{
    if (f->planning_task && f->text) return verdict("advanced", "Run produced the text that the issue asks for");
    if (next || phrase_in(f->text, PHRASE_PLANNING)) {
        bool runnable = !phrase_in(next ? next : f->text, PHRASE_PERSON);
        return runnable ? verdict("plan_only", "Run described what to do next but did not do it")
                        : verdict("needs_followup", "Run named a next step that is not the agent's alone");
    }
    if (f->output) return verdict("needs_followup", "Run produced output but no concrete action evidence");
    return verdict("empty_response", "Run produced no output and no concrete action evidence");
}

static struct liveness_verdict judge(struct arena *a, const struct liveness_facts *f, const char *next)
{
    if (f->interrupted) return verdict("needs_followup", "Run was interrupted");
    if (!f->succeeded)
        return verdict("failed", f->error_code ? arena_printf(a, "Run ended with %s (%s)", f->status, f->error_code)
                                               : arena_printf(a, "Run ended with %s", f->status));
    if (text_is(f->issue_status, "done") || text_is(f->issue_status, "cancelled"))
        return verdict("completed", arena_printf(a, "Issue is %s", f->issue_status));
    if (text_is(f->issue_status, "blocked")) return verdict("blocked", "Issue is blocked");
    if (phrase_in(f->text, PHRASE_BLOCKED))
        return verdict("blocked", "Run says that something outside keeps it from going on");
    if (!f->output && f->evidence == 0)
        return verdict("empty_response", "Run produced no output and no concrete action evidence");
    if (f->evidence > 0)
        return verdict("advanced",
                       arena_printf(a, "Run produced concrete action evidence: %d recorded action(s)", f->evidence));
    return by_words(f, next);
}

struct liveness_verdict liveness_classify(struct arena *a, const struct liveness_facts *f)
{
    const char *next = f->next_action ? f->next_action : phrase_next_action(a, f->text);
    struct liveness_verdict v = judge(a, f, next);
    v.next_action = next;
    return v;
}

bool liveness_planning_task(const char *title, const char *description)
{
    return phrase_in(title, PHRASE_PLAN_TASK) || phrase_in(description, PHRASE_PLAN_TASK);
}

bool liveness_continues(const char *state) { return text_is(state, "plan_only") || text_is(state, "empty_response"); }

bool liveness_productive(const char *state)
{
    return text_is(state, "advanced") || text_is(state, "completed") || text_is(state, "blocked") ||
           text_is(state, "needs_followup");
}

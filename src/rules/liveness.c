/* liveness: the classification of finished runs, in the order of EX-69. */
#include "rules/liveness.h"

#include "base/arena.h"

#include <string.h>

static bool is(const char *a, const char *b) { return a && strcmp(a, b) == 0; }

static struct liveness_verdict verdict(const char *state, const char *reason)
{
    return (struct liveness_verdict){state, reason};
}

struct liveness_verdict liveness_classify(struct arena *a, const struct liveness_facts *f)
{
    if (f->interrupted) return verdict("needs_followup", "Run was interrupted");
    if (!f->succeeded)
        return verdict("failed", f->error_code ? arena_printf(a, "Run ended with %s (%s)", f->status, f->error_code)
                                               : arena_printf(a, "Run ended with %s", f->status));
    if (is(f->issue_status, "done") || is(f->issue_status, "cancelled"))
        return verdict("completed", arena_printf(a, "Issue is %s", f->issue_status));
    if (is(f->issue_status, "blocked")) return verdict("blocked", "Issue is blocked");
    if (f->evidence > 0)
        return verdict("advanced",
                       arena_printf(a, "Run produced concrete action evidence: %d recorded action(s)", f->evidence));
    if (f->output) return verdict("needs_followup", "Run produced output but no concrete action evidence");
    return verdict("empty_response", "Run produced no output and no concrete action evidence");
}

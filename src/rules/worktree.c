/* worktree: facts on the wire. */
#include "rules/worktree.h"

static json_t *count(int64_t n) { return n < 0 ? json_null() : json_integer((json_int_t)n); }

json_t *tree_facts_json(const struct tree_facts *t)
{
    if (!t->git) return json_null();
    return json_pack("{s:s?, s:s?, s:I, s:I, s:o, s:o, s:s?}", "headSha", t->head_sha, "branch", t->branch,
                     "dirtyTracked", (json_int_t)t->dirty, "untracked", (json_int_t)t->untracked, "aheadOfBase",
                     count(t->ahead), "behindBase", count(t->behind), "baseSha", t->base_sha);
}

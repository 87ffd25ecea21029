/* workspace_close: reasons against, and things to know. */
#include "rules/workspace_close.h"

#include <inttypes.h>

static void say(json_t *list, const char *text) { json_array_append_new(list, json_string(text)); }

static const char *counted(struct arena *a, const char *before, int64_t n, const char *one, const char *many)
{
    return arena_printf(a, "%s %" PRId64 " %s", before, n, n == 1 ? one : many);
}

static void against(struct arena *a, const struct close_facts *f, json_t *out)
{
    const struct tree_facts *t = &f->tree;
    if (!f->readable) say(out, "The git status of this workspace could not be read.");
    if (!f->shared && f->open_issues == 1) say(out, "This workspace is still linked to an open issue.");
    if (!f->shared && f->open_issues > 1)
        say(out, arena_printf(a, "This workspace is still linked to %d open issues.", f->open_issues));
    if (f->live_run) say(out, "A run is working in this workspace.");
    if (f->force || f->shared) return;
    if (f->pending_finalize) say(out, "The last run in this workspace is not finalized.");
    if (t->git && t->dirty > 0)
        say(out, counted(a, "This workspace has", t->dirty, "modified tracked file.", "modified tracked files."));
    if (t->git && t->untracked > 0)
        say(out, counted(a, "This workspace has", t->untracked, "untracked file.", "untracked files."));
}

static void aware(struct arena *a, const struct close_facts *f, json_t *out)
{
    const struct tree_facts *t = &f->tree;
    const char *base = f->base_ref ? f->base_ref : "its base";
    if (f->path_missing) say(out, "The workspace directory does not exist any more.");
    if (f->shared) say(out, "This is the project's own checkout: only the record is archived, no file is touched.");
    if (f->shared && f->open_issues > 0)
        say(out, counted(a, "It is still linked to", f->open_issues, "open issue.", "open issues."));
    if (f->shared || !t->git) return;
    if (f->force && t->dirty + t->untracked > 0) say(out, "Uncommitted work will be kept on a rescue branch.");
    if (t->ahead > 0 && !f->merged_via_pr)
        say(out, arena_printf(a, "This workspace is %" PRId64 " commit%s ahead of %s and is not merged.", t->ahead,
                              t->ahead == 1 ? "" : "s", base));
    if (t->behind > 0)
        say(out, arena_printf(a, "This workspace is %" PRId64 " commit%s behind %s.", t->behind,
                              t->behind == 1 ? "" : "s", base));
}

struct close_verdict close_judge(struct arena *a, const struct close_facts *f)
{
    struct close_verdict v = {.blocking = json_array(), .warnings = json_array()};
    against(a, f, v.blocking);
    aware(a, f, v.warnings);
    v.state = json_array_size(v.blocking) ? "blocked" : json_array_size(v.warnings) ? "ready_with_warnings" : "ready";
    return v;
}

const char *retire_waits_for(const struct retire_facts *f)
{
    if (!f->subtree_closed) return "open_issues";
    if (f->live_run) return "live_run";
    if (f->reopen_pending) return "reopened";
    if (f->pending_finalize) return "pending_finalize";
    if (f->terminal_at == INSTANT_NONE || f->now < f->terminal_at + f->retain_ms) return "retention";
    if (f->hold_until != INSTANT_NONE && f->now < f->hold_until) return "held";
    if (!f->worktree || f->tree == NULL) return NULL;
    if (!f->tree->git) return NULL; /* the directory is gone already */
    if (f->tree->dirty > 0 || f->tree->untracked > 0 || f->tree->interrupted) return "uncommitted_work";
    return f->tree->ahead == 0 ? NULL : "unmerged_commits";
}

/*
 * workspace_close: may a workspace be closed, and what is lost if it is (WS-114…118)?
 * Pure. Closing never destroys work: what would be is a reason against it.
 */
#ifndef BULLDOG_RULES_WORKSPACE_CLOSE_H
#define BULLDOG_RULES_WORKSPACE_CLOSE_H

#include "rules/worktree.h"

struct close_facts {
    bool shared;
    bool readable; /* git status could be read, or there is nothing to read */
    bool path_missing;
    int open_issues; /* linked issues that are not done or cancelled */
    bool live_run;
    bool pending_finalize;
    bool force; /* a board user insists: dirt is put on a rescue branch */
    bool merged_via_pr;
    const char *base_ref;
    struct tree_facts tree;
};

struct close_verdict {
    const char *state;           /* ready, ready_with_warnings, blocked */
    json_t *blocking, *warnings; /* arrays of text */
};
struct close_verdict close_judge(struct arena *a, const struct close_facts *f);

/* May the sweep close it by itself (WS-124, WS-125)? */
struct retire_facts {
    bool subtree_closed, live_run, pending_finalize, reopen_pending;
    instant_t terminal_at, hold_until, now;
    int64_t retain_ms;
    bool worktree;
    const struct tree_facts *tree; /* NULL: not looked at yet; the rows come first, git last */
};
/* NULL: yes; else what it waits for. */
const char *retire_waits_for(const struct retire_facts *f);

#endif

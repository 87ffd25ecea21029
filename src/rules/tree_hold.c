/* tree_hold: pause, resume, cancel and restore, issue by issue. */
#include "rules/tree_hold.h"

#include "base/text.h"
#include "rules/issue_status.h"

const char *const TREE_MODES[] = {"pause", "resume", "cancel", "restore", NULL};

enum tree_mode tree_mode_of(const char *name)
{
    int m = 0;
    while (TREE_MODES[m + 1] && !text_is(TREE_MODES[m], name)) m++;
    return (enum tree_mode)m;
}

bool tree_mode_stays(enum tree_mode m) { return m == TREE_PAUSE || m == TREE_CANCEL; }
bool tree_mode_stops(enum tree_mode m) { return m == TREE_PAUSE || m == TREE_CANCEL; }

static const char *not_restored(const struct tree_member_facts *f)
{
    bool cancelled = text_is(f->status, "cancelled");
    if (!f->cancelled_here) return cancelled ? "not_cancelled_by_tree_control" : "not_cancelled";
    return !cancelled || f->touched_since ? "changed_after_cancel" : NULL;
}

const char *tree_skip_reason(enum tree_mode m, const struct tree_member_facts *f)
{
    switch (m) {
    case TREE_PAUSE:
        if (status_terminal(f->status)) return "terminal_status";
        return f->held ? "already_held" : NULL;
    case TREE_CANCEL: return status_terminal(f->status) ? "terminal_status" : NULL;
    case TREE_RESUME: return f->held_inside ? NULL : "not_held";
    case TREE_RESTORE: break;
    }
    return not_restored(f);
}

const char *tree_restored_status(const char *snapshot) { return text_is(snapshot, "in_progress") ? "todo" : snapshot; }

bool tree_interaction_wake(const char *reason, const char *source)
{
    static const char *const pairs[][2] = {
        {"issue_commented", "issue.comment"},
        {"issue_reopened_via_comment", "issue.comment.reopen"},
        {"issue_comment_mentioned", "comment.mention"},
    };
    for (int i = 0; i < 3; i++)
        if (text_is(reason, pairs[i][0]) && text_is(source, pairs[i][1])) return true;
    return false;
}

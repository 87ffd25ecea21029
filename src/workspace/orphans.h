/*
 * orphans: worktrees and branches of ours that no workspace's record names any
 * more: left by a crash, by deleted rows, by a restored backup. Found by looking;
 * removed only when told to, and never with anything unmerged or uncommitted in
 * it unless forced (then it is kept on a rescue branch).
 */
#ifndef BULLDOG_WORKSPACE_ORPHANS_H
#define BULLDOG_WORKSPACE_ORPHANS_H

#include "workspace/driver.h"

struct orphans_request {
    const char *const *roots; /* repositories */
    const char *const *dirs;  /* of open workspaces: not orphans; NULL-terminated, as are the others */
    const char *const *held;  /* branches of open workspaces */
    const char *const *made;  /* branches that we made for workspaces now closed */
    bool apply, force;
};
/* Array of {kind, repoRoot, path, branch, dirty, untracked, aheadOfBase, removable, removed, reason}. */
err_t orphans_find(const struct workspace_job *j, const struct orphans_request *q, json_t **found) MUST_CHECK;

#endif

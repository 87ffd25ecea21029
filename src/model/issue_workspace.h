/*
 * issue_workspace: an issue's wishes about its workspace (WS §4.2, §4.3): what a
 * new issue gets from its parent or its project, and what may be written.
 */
#ifndef BULLDOG_MODEL_ISSUE_WORKSPACE_H
#define BULLDOG_MODEL_ISSUE_WORKSPACE_H

#include "model/actor.h"
#include "store/entity.h"

/* Steps 3 and 4 for a new issue whose creator said nothing; source may be NULL. */
err_t issue_workspace_inherit(struct db *db, const struct issue *source, struct issue *row) MUST_CHECK;
/* before NULL: it is new. 422 for workspaces of elsewhere, unusable environments, overrides that the project
 * forbids, worktrees without a project (WS-31, WS-33, 4.3 step 6). settings_sent: they were named. */
err_t issue_workspace_check(struct db *db, const struct actor *actor, const struct issue *before,
                            const struct issue *after, bool settings_sent) MUST_CHECK;
/* WS-32: new settings of an issue bound to a workspace become that workspace's. */
err_t issue_workspace_settle(struct db *db, const struct issue *after) MUST_CHECK;

#endif

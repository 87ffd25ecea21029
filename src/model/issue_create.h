/*
 * issue_create: new issues (IS §4): duplicate guard, number, inheritance,
 * guards, blockers, labels, activity and the assignment wake in one transaction.
 */
#ifndef BULLDOG_MODEL_ISSUE_CREATE_H
#define BULLDOG_MODEL_ISSUE_CREATE_H

#include "base/json.h"
#include "model/actor.h"
#include "model/relation.h"
#include "store/entity.h"

struct issue_new {
    struct issue row;           /* company, title and what the caller chose; status NULL: by assignee (EX-5) */
    const struct issue *source; /* inherit project and workspace from it (IS-31), or NULL */
    const struct issue *parent; /* row.parent_id's row, or NULL */
    bool goal_sent, policy_sent, workspace_settings_sent;
    struct id_list blockers, labels;
    const char *idempotency_key;
    bool allow_duplicate;
    bool child;           /* POST …/children: guard by run, activity issue.child_created */
    bool block_parent;    /* blockParentUntilDone */
    const char *mutation; /* of the assignment wake; NULL: create, child_create */
};

struct issue_created {
    struct issue row;
    const char *dedup_reason; /* NULL: created; else idempotency_key, recent_open_title: nothing was written */
};

err_t issue_create(struct db *db, const struct actor *actor, struct issue_new *in,
                   struct issue_created *out) MUST_CHECK;
/* The project's default, else primary, else oldest workspace, when none is set. */
err_t issue_default_workspace(struct db *db, struct issue *row) MUST_CHECK;
/* Is the row's workspace one of its project, or at least of its company? */
err_t issue_workspace_fits(struct db *db, const struct issue *row, bool *yes) MUST_CHECK;

#endif

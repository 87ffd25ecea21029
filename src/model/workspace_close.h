/*
 * workspace_close: closing workspaces (WS §13.1…13.3). Closing is a row's change;
 * taking the directory away follows as a job, fenced by the row's generation, so
 * that a workspace opened again meanwhile keeps its files (WINV-14).
 */
#ifndef BULLDOG_MODEL_WORKSPACE_CLOSE_H
#define BULLDOG_MODEL_WORKSPACE_CLOSE_H

#include "base/json.h"
#include "model/actor.h"
#include "rules/worktree.h"
#include "store/entity.h"

struct linked_issue {
    const char *id, *identifier, *title, *status;
    bool terminal;
};
struct closing {
    struct execution_workspace workspace;
    struct linked_issue *issues;
    int issue_count;
    bool readable, path_missing, force;
    struct tree_facts tree;
    struct project_workspace place;
    bool has_place;
    const char *teardown;
    const char *state; /* of workspace_close_judge */
    json_t *blocking, *warnings;
};
/* Loads and judges; tree, readable, path_missing and force are the caller's. */
err_t workspace_close_judge(struct db *db, struct closing *c) MUST_CHECK;
void workspace_close_write(struct jw *w, const struct closing *c);

struct archive {
    const char *reason; /* cleanup_reason, or NULL */
    bool force;
    instant_t eligible_at; /* or INSTANT_NONE */
};
/* The row is closed and its cleanup due. ERR_CONFLICT: it was closed or opened meanwhile. */
err_t workspace_archive(struct db *db, const struct execution_workspace *before, const struct archive *how,
                        struct execution_workspace *after) MUST_CHECK;

/* ---- by itself ---- */

struct retiree {
    const char *id, *company_id, *cwd, *base_ref, *updated_key;
    bool worktree;
    instant_t updated_at;
};
/* Open workspaces of finished issues that no row speaks against, after the given place; git is asked next. */
err_t workspace_retirees(struct db *db, instant_t after, const char *after_id, int limit, struct retiree **out, int *n,
                         instant_t *last, const char **last_id) MUST_CHECK;
/* In its own transaction: judged again with what git said, then closed. *closed: it was. */
err_t workspace_retire(struct db *db, const char *id, const struct tree_facts *tree, bool *closed) MUST_CHECK;

/* ---- cleanup ---- */

struct cleaning {
    struct execution_workspace workspace;
    struct workspace_operation op;
    int64_t generation;
    struct cleanup_request request;
    const char *project_id;
};
/* Is there a closed workspace whose directory is to go? A read, for whoever asks often. */
err_t workspace_cleanup_waits(struct db *db, bool *yes) MUST_CHECK;
/* The next of them, with its `worktree_cleanup` row begun. */
err_t workspace_cleanup_next(struct db *db, struct cleaning *out, bool *found) MUST_CHECK;
err_t workspace_cleanup_end(struct db *db, struct cleaning *c, const struct cleanup_result *r, const char *log_ref,
                            int64_t log_bytes, const char *error) MUST_CHECK;

#endif

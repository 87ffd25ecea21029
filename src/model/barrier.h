/*
 * barrier: a blocker that is done lets its dependents go only when its workspace
 * is finalized (WS §10, EX-76, EX-83). The question is asked of the rows each
 * time; there is no flag that could be wrong.
 */
#ifndef BULLDOG_MODEL_BARRIER_H
#define BULLDOG_MODEL_BARRIER_H

#include "model/actor.h"
#include "store/entity.h"

/*
 * SQL over an issue with the alias b (WS-84, WS-85). Some operation of it on its
 * workspace has no succeeded finalize at or after it; a neighbour's finalize
 * counts only while no run of the issue is live. Preparations without a run (a
 * reopened workspace) do not count, nor do other phases.
 */
#define PENDING_FINALIZE(b)                                                                                           \
    "(" b ".status = 'done' AND " b                                                                                   \
    ".execution_workspace_id IS NOT NULL AND EXISTS (SELECT 1 FROM workspace_operations o"                            \
    " WHERE o.execution_workspace_id = " b ".execution_workspace_id AND o.issue_id = " b                              \
    ".id AND (o.phase = 'workspace_finalize'"                                                                         \
    " OR (o.phase IN ('worktree_prepare','workspace_provision') AND o.heartbeat_run_id IS NOT NULL))"                 \
    " AND NOT EXISTS (SELECT 1 FROM workspace_operations f WHERE f.execution_workspace_id = o.execution_workspace_id" \
    " AND f.phase = 'workspace_finalize' AND f.status = 'succeeded' AND (f.started_at, f.id) >= (o.started_at, o.id)" \
    " AND (f.issue_id = o.issue_id OR NOT EXISTS (SELECT 1 FROM heartbeat_runs l WHERE l.issue_id = o.issue_id"       \
    " AND l.status = 'running')))))"
/* Such an issue still holds its dependents back (EX-76). */
#define UNRESOLVED(b) "(" b ".status <> 'done' OR " PENDING_FINALIZE(b) ")"

err_t barrier_pending(struct db *db, const char *issue_id, bool *pending) MUST_CHECK;

/* A run is over and its workspace settled: the dependents of every done issue on
 * that workspace that may go now are woken (WS-88, WS-89). The keys of the wakes
 * are those of the blocker's own end, so that nobody is told twice. */
err_t barrier_wake_dependents(struct db *db, const struct actor *actor, const char *workspace_id) MUST_CHECK;

#endif

/*
 * workspace_operation: what was done to workspaces (WS-73…75): one row a phase,
 * written `running` before the work and terminal after it.
 */
#ifndef BULLDOG_MODEL_WORKSPACE_OPERATION_H
#define BULLDOG_MODEL_WORKSPACE_OPERATION_H

#include "base/json.h"
#include "store/entity.h"

/* Given: company, phase, and whom it is about. Fills id, times and status. */
err_t workspace_operation_start(struct db *db, struct workspace_operation *op) MUST_CHECK;
/* Terminal, with what *op holds now; finished_at is set here. Exactly one row must
 * be there and not be terminal yet. */
err_t workspace_operation_end(struct db *db, struct workspace_operation *op) MUST_CHECK;
/* The run's row of this phase. */
err_t workspace_operation_of_run(struct db *db, const char *run_id, const char *phase, struct workspace_operation *out,
                                 bool *found) MUST_CHECK;
err_t workspace_operation_get(struct db *db, const char *id, struct workspace_operation *out, bool *found) MUST_CHECK;
/* Newest first. */
err_t workspace_operation_list(struct db *db, const char *workspace_id, int limit, struct workspace_operation **rows,
                               int *n) MUST_CHECK;
/* Oldest first; with the run-less ones of its workspace. */
err_t workspace_operation_list_run(struct db *db, const char *run_id, struct workspace_operation **rows,
                                   int *n) MUST_CHECK;
void workspace_operation_write(struct jw *w, const struct workspace_operation *op);

#endif

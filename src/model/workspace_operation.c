/* workspace_operation: rows and their live event. */
#include "model/workspace_operation.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"

/* WS-167 BETTER: the board sees a finalize without asking. */
static err_t publish(struct db *db, const struct workspace_operation *op)
{
    json_t *payload = json_pack("{s:s, s:s?, s:s?, s:s?, s:s, s:s}", "operationId", op->id, "executionWorkspaceId",
                                op->execution_workspace_id, "runId", op->heartbeat_run_id, "issueId", op->issue_id,
                                "phase", op->phase, "status", op->status);
    return live_event(db, op->company_id, "workspace.operation", json_text(db_arena(db), payload));
}

/* Times rise on each workspace, so that "latest" is never a guess (WS-82). */
static err_t later_than_last(struct db *db, struct workspace_operation *op)
{
    struct rows r ROWS_AUTO = {0};
    if (op->execution_workspace_id == NULL) return OK;
    TRY(db_query(db, &r, "SELECT max(started_at) FROM workspace_operations WHERE execution_workspace_id = $1",
                 P(V_ID(op->execution_workspace_id))));
    if (rows_next(&r) && !row_null(&r, 0) && row_time(&r, 0) > op->started_at) op->started_at = row_time(&r, 0);
    return rows_err(&r);
}

err_t workspace_operation_start(struct db *db, struct workspace_operation *op)
{
    if (op->id == NULL) op->id = id_new(db_arena(db));
    op->status = "running";
    op->created_at = op->updated_at = op->started_at = clock_now();
    op->finished_at = INSTANT_NONE;
    TRY(later_than_last(db, op));
    TRY(entity_insert(db, &ENTITY_workspace_operation, op));
    return publish(db, op);
}

err_t workspace_operation_end(struct db *db, struct workspace_operation *op)
{
    struct dbv exit_code = V_INT(op->exit_code), bytes = V_INT(op->log_bytes);
    exit_code.null = op->exit_code == INT_NONE;
    bytes.null = op->log_bytes == INT_NONE;
    op->finished_at = op->updated_at = clock_now();
    if (op->finished_at < op->started_at) op->finished_at = op->started_at;
    TRY(db_exec_one(
        db,
        "UPDATE workspace_operations SET status = $2, execution_workspace_id = $3, command = $4, cwd = $5, exit_code = $6,"
        " log_store = $7, log_ref = $8, log_bytes = $9, stdout_excerpt = $10, stderr_excerpt = $11, metadata = $12,"
        " finished_at = $13, updated_at = $13 WHERE id = $1 AND status = 'running'",
        P(V_ID(op->id), V_TEXT(op->status), V_ID(op->execution_workspace_id), V_TEXT(op->command), V_TEXT(op->cwd),
          exit_code, V_TEXT(op->log_store), V_TEXT(op->log_ref), bytes, V_TEXT(op->stdout_excerpt),
          V_TEXT(op->stderr_excerpt), V_JSON(op->metadata), V_TIME(op->finished_at))));
    return publish(db, op);
}

err_t workspace_operation_of_run(struct db *db, const char *run_id, const char *phase, struct workspace_operation *out,
                                 bool *found)
{
    return entity_one(db, &ENTITY_workspace_operation, out, found,
                      "WHERE heartbeat_run_id = $1 AND phase = $2 ORDER BY started_at DESC, id DESC LIMIT 1",
                      P(V_ID(run_id), V_TEXT(phase)));
}

err_t workspace_operation_get(struct db *db, const char *id, struct workspace_operation *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_workspace_operation, out, found, "WHERE id = $1", P(V_ID(id)));
}

err_t workspace_operation_list(struct db *db, const char *workspace_id, int limit, struct workspace_operation **rows,
                               int *n)
{
    return entity_many(db, &ENTITY_workspace_operation, rows, n,
                       "WHERE execution_workspace_id = $1 ORDER BY started_at DESC, created_at DESC, id DESC LIMIT $2",
                       P(V_ID(workspace_id), V_INT(limit)));
}

err_t workspace_operation_list_run(struct db *db, const char *run_id, struct workspace_operation **rows, int *n)
{
    return entity_many(
        db, &ENTITY_workspace_operation, rows, n,
        "WHERE heartbeat_run_id = $1 OR (heartbeat_run_id IS NULL AND execution_workspace_id IN (SELECT execution_workspace_id"
        " FROM workspace_operations WHERE heartbeat_run_id = $1 AND execution_workspace_id IS NOT NULL))"
        " ORDER BY started_at, created_at, id LIMIT 500",
        P(V_ID(run_id)));
}

void workspace_operation_write(struct jw *w, const struct workspace_operation *op)
{
    jw_obj(w);
    entity_write(w, &ENTITY_workspace_operation, op, VIEW_FULL);
    jw_obj_end(w);
}

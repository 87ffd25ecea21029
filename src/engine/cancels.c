/* cancels: runs that somebody ended while their agents still work: their supervisors are told. */
#include "engine/engine_internal.h"

void cancels_pass(struct engine *e)
{
    struct rows rows ROWS_AUTO = {0};
    if (e->run_count == 0) return;
    engine_unit(e);
    err_t err = db_query(
        e->db, &rows,
        "SELECT id FROM heartbeat_runs WHERE owner_node_id = $1 AND claimed_at IS NOT NULL AND closed_at IS NULL AND status <> 'running'",
        P(V_ID(e->node.id)));
    if (err == OK) {
        while (rows_next(&rows)) supervise_cancel(e, row_text(&rows, 0));
        err = rows_err(&rows);
    }
    if (err) engine_failed(e, "cancels", err);
}

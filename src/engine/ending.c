/* ending: the one transaction that ends a run, whatever was found out about it. */
#include "engine/ending.h"

#include "base/log.h"
#include "model/workspace_life.h"

static err_t end_run(struct engine *e, void *arg)
{
    struct ending *x = arg;
    bool open =
        x->run.closed_at == INSTANT_NONE; /* else somebody was here before: nothing may be done twice (INV-10) */
    TRY(run_finalize(e->db, &x->run, &x->outcome, &x->done));
    TRY(run_close(e->db, x->run.id));
    return open ? workspace_released(e->db, &x->run) : OK; /* EX-65 step 14 */
}

bool ending_write(struct engine *e, struct ending *x)
{
    err_t err = engine_tx(e, x->run.company_id, end_run, x);
    if (err) {
        engine_failed(e, "finalize", err);
        return false;
    }
    log_info("run.ended", "run=%s status=%s", x->run.id, x->done ? x->run.status : "already ended");
    return true;
}

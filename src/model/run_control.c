/* run_control: ending runs from outside. */
#include "model/run_control.h"

#include "base/json.h"
#include "model/agent.h"
#include "model/lock.h"
#include "model/run.h"
#include "model/run_event.h"

#include <string.h>

static err_t candidates(struct db *db, const struct run_cancel *c, struct run **rows, int *n)
{
    struct arena *a = db_arena(db);
    struct dbv v[8];
    int k = 0;
    struct buf sql BUF_AUTO = {0};
    buf_printf(&sql, "WHERE status IN (%s)", c->statuses ? c->statuses : "'queued','running','scheduled_retry'");
    const struct {
        const char *value, *cond;
    } conds[] = {
        {c->company_id, " AND company_id ="},  {c->agent_id, " AND agent_id ="},
        {c->issue_id, " AND issue_id ="},      {c->run_id, " AND id ="},
        {c->not_agent_id, " AND agent_id <>"},
    };
    for (size_t i = 0; i < sizeof conds / sizeof *conds; i++) {
        if (conds[i].value == NULL) continue;
        v[k++] = V_ID(conds[i].value);
        buf_printf(&sql, "%s $%d", conds[i].cond, k);
    }
    assert(k > 0); /* never all runs of the instance */
    buf_puts(&sql, " ORDER BY created_at, id");
    return entity_many(db, &ENTITY_run, rows, n, arena_strdup(a, sql.data), v, k);
}

/* resultJson of a cancelled run (EX-52, EX-56). */
static err_t write_result(struct db *db, const struct run *run, const struct run_cancel *c)
{
    struct arena *a = db_arena(db);
    struct run_data data;
    int64_t n;
    TRY(run_data_get(db, run->id, &data));
    json_t *result = json_read(data.result_json);
    if (!json_is_object(result)) result = json_object();
    bool started = run->started_at != INSTANT_NONE;
    json_object_set_new(result, "stopReason", json_string(c->stop_reason ? c->stop_reason : "cancelled"));
    json_object_set_new(result, "timeoutFired", json_false());
    if (!started) {
        json_object_set_new(result, "timeoutConfigured", json_false());
        json_object_set_new(result, "effectiveTimeoutSec", json_integer(0));
        json_object_set_new(result, "timeoutSource", json_string("stale_queued_run_gate"));
    }
    if (c->cancelled_by_user_id) {
        json_object_set_new(result, "cancelledByActorType", json_string("user"));
        json_object_set_new(result, "cancelledByUserId", json_string(c->cancelled_by_user_id));
    }
    if (c->result_key) json_object_set(result, c->result_key, c->result);
    return db_exec(db, &n, "UPDATE heartbeat_run_data SET result_json = $2 WHERE run_id = $1",
                   P(V_ID(run->id), V_JSON(json_text(a, result))));
}

/* The agent rests unless other runs of it go on or an operator holds it (EX-55). */
static err_t settle_agent(struct db *db, const struct run *run, instant_t now)
{
    struct agent agent;
    bool found;
    int64_t running, n;
    if (run->started_at == INSTANT_NONE) return OK;
    TRY(db_int(db, &running, 0, "SELECT count(*) FROM heartbeat_runs WHERE agent_id = $1 AND status = 'running'",
               P(V_ID(run->agent_id))));
    if (running > 0) return OK;
    TRY(db_exec(db, &n,
                "UPDATE agents SET status = 'idle', error_reason = NULL, last_heartbeat_at = $2, updated_at = $2"
                " WHERE id = $1 AND status = 'running'",
                P(V_ID(run->agent_id), V_TIME(now))));
    TRY(agent_get(db, run->agent_id, &agent, &found));
    return found ? agent_publish_status(db, &agent, "cancelled") : OK;
}

static err_t cancel_one(struct db *db, struct run *run, const struct run_cancel *c, bool *done)
{
    instant_t now = clock_now();
    int64_t n;
    const char *from = run->status, *to = c->as ? c->as : "cancelled";
    const char *settled = c->wake_status ? c->wake_status : c->as && *c->as == 's' ? "completed" : "cancelled";
    *done = false;
    TRY(db_exec(
        db, &n,
        "UPDATE heartbeat_runs SET status = $6, error = $3, error_code = $4, finished_at = $5, updated_at = $5,"
        " cancel_requested_at = $5 WHERE id = $1 AND status = $2",
        P(V_ID(run->id), V_TEXT(from), V_TEXT(c->error), V_TEXT(c->error_code), V_TIME(now), V_TEXT(to))));
    if (n == 0) return OK; /* it ended by itself: leave it so (EX-50) */
    *done = true;
    run->status = to;
    run->error = c->error;
    run->error_code = c->error_code;
    run->finished_at = now;
    TRY(write_result(db, run, c));
    TRY(db_exec(db, &n,
                "UPDATE agent_wakeup_requests SET status = $2, error = $3, finished_at = $4, updated_at = $4"
                " WHERE id = $1 AND status IN ('queued','claimed')",
                P(V_ID(run->wakeup_request_id), V_TEXT(settled), V_TEXT(c->error),
                  V_TIME(now))));
    TRY(run_event_add(db, run,
                      &(struct run_event_entry){
                          .event_type = "lifecycle",
                          .level = "warn",
                          .message = arena_printf(db_arena(db), "run %s", to),
                          .payload = json_pack("{s:s, s:s?}", "status", to, "errorCode", c->error_code)}));
    TRY(run_publish_status(db, run, NULL, true));
    const char **issues;
    int count, promoted;
    TRY(lock_release(db, run, &issues, &count));
    if (!c->no_promote) TRY(lock_promote(db, run, issues, count, &promoted));
    TRY(settle_agent(db, run, now));
    db_poke(db);
    return OK;
}

err_t run_cancel_where(struct db *db, const struct run_cancel *c, int64_t *cancelled)
{
    struct run *rows;
    int n;
    *cancelled = 0;
    TRY(candidates(db, c, &rows, &n));
    for (int i = 0; i < n; i++) {
        bool done;
        TRY(cancel_one(db, &rows[i], c, &done));
        *cancelled += done;
    }
    return OK;
}

/*
 * sweep: the periodic pass (EX-113), for what a crash or an older writer left
 * behind. Each duty reads candidates by an index, in bounded batches, and is
 * idempotent; a failing one does not stop the next (EX-115).
 */
#include "base/log.h"
#include "base/rare.h"
#include "base/settings.h"
#include "engine/engine_internal.h"
#include "model/decision.h"
#include "engine/workspace.h"
#include "model/issue.h"
#include "model/lock.h"

#include <string.h>

#define BATCH 200
#define KEYS_DAYS 7

struct item {
    const char *company_id, *id;
};

static err_t read_items(struct engine *e, struct arena *keep, struct item **items, int *n, const char *sql, const struct dbv *v, int vn)
{
    struct rows r ROWS_AUTO = {0};
    *items = arena_array(keep, struct item, BATCH);
    *n = 0;
    TRY(db_query(e->db, &r, sql, v, vn));
    while (rows_next(&r) && *n < BATCH)
        (*items)[(*n)++] = (struct item){arena_strdup(keep, row_text(&r, 0)), arena_strdup(keep, row_text(&r, 1))};
    return rows_err(&r);
}

static err_t promote_item(struct engine *e, void *arg)
{
    int promoted;
    return lock_promote_issue(e->db, ((struct item *)arg)->id, &promoted);
}

/* EX-118: a deferred wake whose issue nothing live holds. */
static err_t drain_deferred(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    struct item *items;
    int n;
    TRY(read_items(e, &keep, &items, &n,
                   "SELECT DISTINCT w.company_id, w.issue_id FROM agent_wakeup_requests w JOIN agents a ON a.id = w.agent_id"
                   " WHERE w.status = 'deferred_issue_execution' AND a.status <> 'paused' AND NOT EXISTS (SELECT 1 FROM heartbeat_runs r"
                   " WHERE r.issue_id = w.issue_id AND r.status IN ('queued','running','scheduled_retry')) LIMIT $1", P(V_INT(rare_value("sweep.batch", BATCH, 1)))));
    for (int i = 0; i < n; i++) {
        engine_unit(e);
        err_t err = engine_tx(e, items[i].company_id, promote_item, &items[i]);
        if (err) engine_failed(e, "deferred", err);
    }
    return OK;
}

static err_t heal_item(struct engine *e, void *arg)
{
    struct issue issue;
    bool found;
    int promoted;
    TRY(issue_get(e->db, ((struct item *)arg)->id, &issue, &found));
    if (!found) return OK;
    TRY(lock_heal(e->db, &issue));
    return lock_promote_issue(e->db, issue.id, &promoted);
}

/* EX-26: lock columns that name an ended run. */
static err_t heal_locks(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    struct item *items;
    int n;
    TRY(read_items(e, &keep, &items, &n,
                   "SELECT i.company_id, i.id FROM issues i JOIN heartbeat_runs r ON r.id = i.execution_run_id"
                   " WHERE i.execution_run_id IS NOT NULL AND r.status NOT IN ('queued','running','scheduled_retry')"
                   " UNION SELECT i.company_id, i.id FROM issues i JOIN heartbeat_runs r ON r.id = i.checkout_run_id"
                   " WHERE i.checkout_run_id IS NOT NULL AND r.status NOT IN ('queued','running','scheduled_retry') LIMIT $1", P(V_INT(rare_value("sweep.batch", BATCH, 1)))));
    for (int i = 0; i < n; i++) {
        engine_unit(e);
        log_warn("sweep.stale_lock", "issue=%s", items[i].id);
        err_t err = engine_tx(e, items[i].company_id, heal_item, &items[i]);
        if (err) engine_failed(e, "locks", err);
    }
    return OK;
}

/* Runs whose supervision was lost to a full job queue or a failed transaction. */
static err_t resume_runs(struct engine *e)
{
    supervise_adopt(e);
    return OK;
}

static err_t prune(struct engine *e, void *arg)
{
    instant_t now = clock_now();
    int64_t n;
    (void)arg;
    TRY(db_exec(e->db, &n, "DELETE FROM live_events WHERE created_at < $1", P(V_TIME(now - settings.event_retention_sec * SECOND_MS))));
    TRY(decision_prune(e->db, now - settings.decision_retention_days * DAY_MS, &n));
    return db_exec(e->db, &n, "DELETE FROM issue_idempotency_keys WHERE created_at < $1", P(V_TIME(now - KEYS_DAYS * DAY_MS)));
}

static err_t prune_events(struct engine *e) { return engine_tx(e, NULL, prune, NULL); }

void sweep_pass(struct engine *e)
{
    static const struct {
        const char *name;
        err_t (*duty)(struct engine *e);
    } duties[] = {
        {"locks", heal_locks},
        {"deferred", drain_deferred},
        {"runs", resume_runs},
        {"actions", actions_pass},
        {"stalled", stalled_pass},
        {"graph_liveness", graph_liveness_pass},
        {"backstop", backstop_pass},
        {"task_watchdogs", task_watchdogs_pass},
        {"workspaces", workspace_settle_pass},
        {"finished workspaces", workspace_retire_pass},
        {"productivity", productivity_pass},
        {"prune", prune_events},
    };
    for (size_t i = 0; i < sizeof duties / sizeof *duties; i++) {
        engine_unit(e);
        err_t err = duties[i].duty(e);
        if (err) engine_failed(e, duties[i].name, err);
    }
}

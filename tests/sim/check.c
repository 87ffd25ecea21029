/*
 * check: the rules INV-n as SQL. Triggers see every single change, also one
 * that the next statement undoes; queries look at every committed state after a
 * step or a crash; check_end asks for what must have come true in the end.
 * Each query gives the rows that break its rule: one column, a name of the row.
 * (Triggers may not use JSON functions here: the schema is not trusted.)
 */
#include "sim.h"

#include "base/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LIVE "('queued','running','scheduled_retry')"
#define OPEN_BLOCKER(issue)                                                                                        \
    "EXISTS (SELECT 1 FROM issue_relations x JOIN issues b ON b.id = x.issue_id WHERE x.related_issue_id = " issue \
    " AND x.type = 'blocks' AND b.status <> 'done')"
#define SAYS(rule, row) " BEGIN INSERT INTO sim_broken VALUES ('" rule "', " row "); END;"

/* ---- every single change ---- */

static const char *const triggers[] = {
    "CREATE TABLE sim_broken (rule TEXT, what TEXT);"
    "CREATE TABLE sim_changed (issue_id TEXT PRIMARY KEY);" /* status or assignee written, activity owed */
    "CREATE TABLE sim_blocked (issue_id TEXT PRIMARY KEY);" /* entered blocked in this step */
    "CREATE TABLE sim_ended (issue_id TEXT PRIMARY KEY);"   /* a run of it ended in this step */
    "CREATE INDEX sim_wakes_open ON agent_wakeup_requests(status) WHERE status IN ('queued','claimed','deferred_issue_execution');",

    "CREATE TRIGGER sim_run_path AFTER UPDATE OF status ON heartbeat_runs WHEN OLD.status <> NEW.status AND NOT ("
    " (OLD.status = 'scheduled_retry' AND NEW.status IN ('queued','cancelled'))"
    " OR (OLD.status = 'queued' AND NEW.status IN ('running','cancelled'))"
    " OR (OLD.status = 'running' AND NEW.status IN ('succeeded','failed','timed_out','cancelled','interrupted')))" SAYS(
        "INV-6", "NEW.id || ' ' || OLD.status || ' to ' || NEW.status"),

    "CREATE TRIGGER sim_wake_path AFTER UPDATE OF status ON agent_wakeup_requests WHEN OLD.status <> NEW.status AND NOT ("
    " (OLD.status = 'deferred_issue_execution' AND NEW.status IN ('queued','cancelled','failed','skipped'))"
    " OR (OLD.status = 'queued' AND NEW.status IN ('claimed','cancelled','skipped'))"
    " OR (OLD.status = 'claimed' AND NEW.status IN ('completed','failed','cancelled')))" SAYS(
        "INV-12", "NEW.id || ' ' || OLD.status || ' to ' || NEW.status"),

    "CREATE TRIGGER sim_start_agent AFTER UPDATE OF status ON heartbeat_runs WHEN NEW.status = 'running' AND OLD.status <> 'running'"
    " AND EXISTS (SELECT 1 FROM agents a WHERE a.id = NEW.agent_id AND a.status IN ('paused','terminated','pending_approval'))" SAYS(
        "INV-20", "NEW.id"),

    "CREATE TRIGGER sim_start_blocked AFTER UPDATE OF status ON heartbeat_runs WHEN NEW.status = 'running' AND OLD.status <> 'running'"
    " AND NEW.issue_id IS NOT NULL AND NEW.wake_reason IS NOT 'source_scoped_recovery_action' AND " OPEN_BLOCKER(
        "NEW.issue_id") " AND (NEW.takes_lock OR NOT EXISTS (SELECT 1 FROM heartbeat_run_data d WHERE d.run_id = NEW.id"
                        "   AND d.context_snapshot LIKE '%\"wakeCommentIds\":[\"%'))"
                        " AND NOT EXISTS (SELECT 1 FROM heartbeat_run_data d WHERE d.run_id = NEW.id AND d.context_snapshot LIKE '%\"resolvedByCancellation\":true%'"
                        "   AND NOT EXISTS (SELECT 1 FROM issue_relations x JOIN issues b ON b.id = x.issue_id WHERE x.related_issue_id = NEW.issue_id"
                        "     AND b.status NOT IN ('done','cancelled')))" SAYS("INV-25", "NEW.id"),

    "CREATE TRIGGER sim_start_uncalled AFTER UPDATE OF status ON heartbeat_runs WHEN NEW.status = 'running' AND OLD.status <> 'running'"
    " AND NEW.invocation_source <> 'on_demand' AND EXISTS (SELECT 1 FROM issues i WHERE i.id = NEW.issue_id"
    "   AND (i.status IN ('backlog','done','cancelled') OR i.assignee_user_id IS NOT NULL))"
    " AND NOT EXISTS (SELECT 1 FROM heartbeat_run_data d WHERE d.run_id = NEW.id AND (d.context_snapshot LIKE '%\"wakeCommentIds\":[\"%'"
    "   OR d.context_snapshot LIKE '%\"resumeIntent\":true%' OR d.context_snapshot LIKE '%\"followUpRequested\":true%'))" SAYS(
        "INV-19", "NEW.id || ' ' || coalesce(NEW.wake_reason, '')"),

    "CREATE TRIGGER sim_swallowed AFTER INSERT ON agent_wakeup_requests WHEN NEW.status = 'coalesced'"
    " AND EXISTS (SELECT 1 FROM heartbeat_runs r WHERE r.id = NEW.run_id AND r.status = 'running')"
    " AND (NEW.payload LIKE '%\"commentId\":%' OR NEW.payload LIKE '%\"completedChildIssueId\":%'"
    "   OR NEW.payload LIKE '%\"resolvedBlockerIssueId\":%' OR NEW.payload LIKE '%\"mutation\":\"unblock_requested\"%')" SAYS(
        "INV-18", "NEW.id"),

    "CREATE TRIGGER sim_changed_add AFTER UPDATE OF status, assignee_agent_id, assignee_user_id ON issues WHEN OLD.status <> NEW.status"
    " OR OLD.assignee_agent_id IS NOT NEW.assignee_agent_id OR OLD.assignee_user_id IS NOT NEW.assignee_user_id"
    " BEGIN INSERT OR IGNORE INTO sim_changed VALUES (NEW.id); END;"
    "CREATE TRIGGER sim_changed_new AFTER INSERT ON issues BEGIN INSERT OR IGNORE INTO sim_changed VALUES (NEW.id); END;"
    "CREATE TRIGGER sim_changed_paid AFTER INSERT ON activity_log WHEN NEW.entity_type = 'issue'"
    " BEGIN DELETE FROM sim_changed WHERE issue_id = NEW.entity_id; END;",

    "CREATE TRIGGER sim_blocked_add AFTER UPDATE OF status ON issues WHEN NEW.status = 'blocked' AND OLD.status <> 'blocked'"
    " BEGIN INSERT OR IGNORE INTO sim_blocked VALUES (NEW.id); END;"
    "CREATE TRIGGER sim_blocked_new AFTER INSERT ON issues WHEN NEW.status = 'blocked' BEGIN INSERT OR IGNORE INTO sim_blocked VALUES (NEW.id); END;",

    "CREATE TRIGGER sim_ended_add AFTER UPDATE OF status ON heartbeat_runs WHEN NEW.issue_id IS NOT NULL AND OLD.status <> NEW.status"
    " AND NEW.status NOT IN " LIVE " BEGIN INSERT OR IGNORE INTO sim_ended VALUES (NEW.issue_id); END;",
};

/* ---- every committed state ---- */

struct rule {
    const char *name, *sql;
};

static const struct rule always[] = {
    {"INV-39", "SELECT issue_id FROM sim_changed"},
    {"INV-23",
     "SELECT i.id FROM sim_blocked s JOIN issues i ON i.id = s.issue_id WHERE i.status = 'blocked' AND i.unblock_descriptor IS NULL"
     " AND NOT " OPEN_BLOCKER("i.id")},
    {"INV-14",
     "SELECT w.id FROM sim_ended s JOIN agent_wakeup_requests w ON w.issue_id = s.issue_id JOIN agents a ON a.id = w.agent_id"
     " WHERE w.status = 'deferred_issue_execution' AND a.status <> 'paused' AND NOT EXISTS (SELECT 1 FROM heartbeat_runs r"
     " WHERE r.issue_id = w.issue_id AND r.status IN " LIVE
     ") AND NOT EXISTS (SELECT 1 FROM issues i JOIN heartbeat_runs r"
     " ON r.id = i.execution_run_id WHERE i.id = w.issue_id AND r.status IN " LIVE ")"},
    {"INV-1", "SELECT id FROM issues WHERE (assignee_agent_id IS NOT NULL AND assignee_user_id IS NOT NULL)"
              " OR (status = 'in_progress' AND assignee_agent_id IS NULL AND assignee_user_id IS NULL)"},
    {"INV-2",
     "SELECT issue_id FROM heartbeat_runs WHERE status = 'running' AND takes_lock GROUP BY issue_id HAVING count(*) > 1"},
    {"INV-2",
     "SELECT r.id FROM heartbeat_runs r JOIN issues i ON i.id = r.issue_id WHERE r.status = 'running' AND r.takes_lock"
     " AND i.execution_run_id IS NOT r.id AND NOT EXISTS (SELECT 1 FROM issue_run_detachments d WHERE d.run_id = r.id AND d.issue_id = i.id)"},
    {"INV-3",
     "SELECT i.id FROM issues i JOIN heartbeat_runs r ON r.id IN (i.execution_run_id, i.checkout_run_id)"
     " WHERE (i.execution_run_id IS NOT NULL OR i.checkout_run_id IS NOT NULL)"
     " AND (r.company_id <> i.company_id OR (r.status = 'running' AND i.assignee_agent_id IS NOT r.agent_id))"},
    {"INV-4",
     "SELECT i.id FROM issues i JOIN heartbeat_runs r ON r.id = i.execution_run_id WHERE i.execution_run_id IS NOT NULL AND r.status NOT IN " LIVE},
    {"INV-4",
     "SELECT i.id FROM issues i JOIN heartbeat_runs r ON r.id = i.checkout_run_id WHERE i.checkout_run_id IS NOT NULL AND r.status NOT IN " LIVE},
    {"INV-5", "SELECT id FROM issues WHERE checkout_run_id IS NOT NULL AND status <> 'in_progress'"},
    {"INV-6", "SELECT id FROM heartbeat_runs WHERE (finished_at IS NULL) <> (status IN " LIVE
              ") OR (status = 'running' AND started_at IS NULL)"
              " OR (status IN ('queued','scheduled_retry') AND started_at IS NOT NULL)"},
    {"INV-7", "SELECT a.id FROM agents a JOIN heartbeat_runs r ON r.agent_id = a.id AND r.status = 'running'"
              " GROUP BY a.id HAVING count(*) > (a.runtime_config -> 'heartbeat' ->> 'maxConcurrentRuns')"},
    {"INV-7", "SELECT count(*) FROM heartbeat_runs WHERE status = 'running' HAVING count(*) > $1"},
    {"INV-9",
     "SELECT retry_of_run_id FROM heartbeat_runs WHERE retry_of_run_id IS NOT NULL GROUP BY retry_of_run_id HAVING count(*) > 1"},
    {"INV-9", "SELECT id FROM heartbeat_runs WHERE process_loss_retry_count > 1 OR scheduled_retry_attempt > 4"},
    {"INV-9",
     "WITH RECURSIVE chain(id, earlier, n) AS (SELECT id, retry_of_run_id, 0 FROM heartbeat_runs WHERE status IN ('queued','scheduled_retry')"
     " UNION ALL SELECT p.id, p.retry_of_run_id, c.n + 1 FROM chain c JOIN heartbeat_runs p ON p.id = c.earlier WHERE NOT EXISTS"
     " (SELECT 1 FROM activity_log a WHERE a.run_id = c.id AND a.action LIKE 'issue.%' AND a.action NOT IN ('issue.checked_out','issue.read_marked')))"
     " SELECT id FROM chain WHERE n > 6"},
    {"INV-12",
     "SELECT id FROM agent_wakeup_requests WHERE (finished_at IS NULL) <> (status IN ('queued','claimed','deferred_issue_execution'))"},
    {"INV-12",
     "SELECT id FROM agent_wakeup_requests WHERE status IN ('skipped','coalesced') AND reason IS NULL AND error IS NULL"},
    {"INV-13",
     "SELECT id FROM agent_wakeup_requests w WHERE status = 'queued' AND NOT EXISTS (SELECT 1 FROM heartbeat_runs r"
     " WHERE r.id = w.run_id AND r.status IN ('queued','scheduled_retry'))"},
    {"INV-13", "SELECT r.id FROM heartbeat_runs r LEFT JOIN agent_wakeup_requests w ON w.id = r.wakeup_request_id"
               " WHERE r.status IN ('queued','scheduled_retry') AND w.status IS NOT 'queued'"},
    {"INV-15",
     "SELECT id FROM agent_wakeup_requests w WHERE status = 'claimed' AND NOT EXISTS (SELECT 1 FROM heartbeat_runs r"
     " WHERE r.id = w.run_id AND r.status = 'running')"},
    {"INV-15", "SELECT r.id FROM heartbeat_runs r LEFT JOIN agent_wakeup_requests w ON w.id = r.wakeup_request_id"
               " WHERE r.status = 'running' AND w.status IS NOT 'claimed'"},
    {"INV-16",
     "SELECT idempotency_key FROM agent_wakeup_requests WHERE idempotency_key IS NOT NULL"
     " AND status IN ('queued','deferred_issue_execution','claimed') GROUP BY idempotency_key HAVING count(*) > 1"},
    {"a detachment names a live run",
     "SELECT d.issue_id FROM issue_run_detachments d JOIN heartbeat_runs r ON r.id = d.run_id WHERE r.status NOT IN " LIVE},
};

/* ---- in the end ---- */

static const struct rule finally[] = {
    {"INV-8",
     "SELECT id FROM heartbeat_runs WHERE status = 'running' OR (claimed_at IS NOT NULL AND closed_at IS NULL)"},
    {"INV-13",
     "SELECT r.id FROM heartbeat_runs r JOIN agents a ON a.id = r.agent_id WHERE r.status IN ('queued','scheduled_retry')"
     " AND a.status NOT IN ('paused','pending_approval')"},
    {"INV-14",
     "SELECT w.id FROM agent_wakeup_requests w JOIN agents a ON a.id = w.agent_id WHERE w.status = 'deferred_issue_execution'"
     " AND a.status <> 'paused' AND NOT EXISTS (SELECT 1 FROM heartbeat_runs r WHERE r.issue_id = w.issue_id AND r.status IN " LIVE
     ")"},
    {"INV-24",
     "SELECT open_id FROM (SELECT d.id AS open_id, max(b.completed_at) AS resolved, max(x.created_at) AS blocked FROM issues d"
     " JOIN issue_relations x ON x.related_issue_id = d.id AND x.type = 'blocks' JOIN issues b ON b.id = x.issue_id"
     " WHERE d.assignee_agent_id IS NOT NULL AND d.status NOT IN ('backlog','done','cancelled') AND d.hidden_at IS NULL"
     " GROUP BY d.id HAVING sum(b.status <> 'done') = 0) WHERE blocked < resolved"
     " AND NOT EXISTS (SELECT 1 FROM agent_wakeup_requests w WHERE w.issue_id = open_id AND w.updated_at >= resolved)"
     /* or somebody took or moved it since, and knows */
     " AND NOT EXISTS (SELECT 1 FROM activity_log a WHERE a.entity_id = open_id AND a.action IN ('issue.checked_out','issue.updated') AND a.created_at >= resolved)"},
    {"INV-27",
     "SELECT open_id FROM (SELECT p.id AS open_id, max(coalesce(c.completed_at, c.cancelled_at)) AS closed FROM issues p"
     " JOIN issues c ON c.parent_id = p.id WHERE p.assignee_agent_id IS NOT NULL AND p.hidden_at IS NULL"
     " AND p.status NOT IN ('backlog','done','cancelled') GROUP BY p.id HAVING sum(c.status NOT IN ('done','cancelled')) = 0)"
     " WHERE NOT EXISTS (SELECT 1 FROM agent_wakeup_requests w WHERE w.issue_id = open_id AND w.updated_at >= closed)"
     " AND NOT EXISTS (SELECT 1 FROM activity_log a WHERE a.entity_id = open_id AND a.action IN ('issue.checked_out','issue.updated') AND a.created_at >= closed)"},
    {"INV-17", "SELECT d.run_id FROM heartbeat_run_data d, json_each(d.context_snapshot, '$.wakeCommentIds') x,"
               " json_each(d.context_snapshot, '$.wakeCommentIds') y WHERE x.key < y.key AND x.value >= y.value"},
};

/* ---- asking ---- */

static struct arena arena;
static int64_t seen_version;

static err_t ask(const struct rule *r, const char *after)
{
    struct rows rows ROWS_AUTO = {0};
    TRY(db_query(sim.db, &rows, r->sql, P(V_INT(settings.runs_max))));
    if (rows_next(&rows)) broken(r->name, "after %s: %s", after, row_text(&rows, 0));
    return rows_err(&rows);
}

static err_t ask_triggers(const char *after)
{
    struct rows rows ROWS_AUTO = {0};
    TRY(db_query(sim.db, &rows, "SELECT rule, what FROM sim_broken", P()));
    if (rows_next(&rows)) broken(row_text(&rows, 0), "after %s: %s", after, row_text(&rows, 1));
    return rows_err(&rows);
}

/* Changes with every commit of another connection: the writer's. */
static err_t unchanged(bool *yes)
{
    int64_t v;
    TRY(db_int(sim.db, &v, 0, "PRAGMA data_version", P()));
    *yes = v == seen_version;
    seen_version = v;
    return OK;
}

static err_t forget_step(void)
{
    TRY(db_begin(sim.db, NULL));
    err_t e = db_script(sim.db, "DELETE FROM sim_blocked; DELETE FROM sim_ended;");
    if (e == OK) return db_commit(sim.db);
    db_rollback(sim.db);
    return e;
}

static err_t check_all(const char *after)
{
    bool same;
    TRY(unchanged(&same));
    if (same) return OK;
    TRY(ask_triggers(after));
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) TRY(ask(&always[i], after));
    TRY(forget_step());
    return unchanged(&same);
}

/* The checks are not part of the world: they are not killed, and keep their own memory. */
static void apart(err_t (*fn)(const char *arg), const char *arg)
{
    struct arena *before = db_arena(sim.db);
    bool armed = sim.armed, poked = sim.poked;
    sim.armed = false;
    arena_reset(&arena);
    db_use(sim.db, &arena);
    err_t e = fn(arg);
    if (e) broken("the simulator itself", "check: %s", e->message);
    db_use(sim.db, before);
    sim.armed = armed;
    sim.poked = poked;
}

void check_always(const char *after) { apart(check_all, after); }

static err_t install(const char *arg)
{
    (void)arg;
    TRY(db_begin(sim.db, NULL));
    for (size_t i = 0; i < sizeof triggers / sizeof *triggers; i++) TRY(db_script(sim.db, triggers[i]));
    return db_commit(sim.db);
}

void check_install(void) { apart(install, NULL); }

/* INV-17: it reached a run that started, or a row that says why not, or waits at a gate. */
static err_t check_comment(const char *id)
{
    int64_t n;
    const char *like = arena_printf(&arena, "%%%s%%", id);
    TRY(db_int(
        sim.db, &n, 0,
        "SELECT count(*) FROM heartbeat_run_data d JOIN heartbeat_runs r ON r.id = d.run_id WHERE d.context_snapshot LIKE $1"
        " AND (r.started_at IS NOT NULL OR (r.status = 'cancelled' AND r.error_code IS NOT NULL) OR r.status IN ('queued','scheduled_retry'))",
        P(V_TEXT(like))));
    if (n > 0) return OK;
    TRY(db_int(
        sim.db, &n, 0,
        "SELECT count(*) FROM agent_wakeup_requests w WHERE w.payload LIKE $1 AND ((w.status = 'skipped' AND w.reason IS NOT NULL)"
        " OR (w.status IN ('failed','cancelled') AND w.error IS NOT NULL) OR w.status = 'deferred_issue_execution')",
        P(V_TEXT(like))));
    if (n == 0) broken("INV-17", "the comment %s reached nobody", id);
    return OK;
}

static err_t check_last(const char *arg)
{
    (void)arg;
    for (size_t i = 0; i < sizeof finally / sizeof *finally; i++) TRY(ask(&finally[i], "the end"));
    for (int i = 0; i < sim.comment_count; i++) TRY(check_comment(sim.comments[i]));
    TRY(db_int(sim.db, &sim.totals.wakes, 0, "SELECT count(*) FROM agent_wakeup_requests", P()));
    return db_int(sim.db, &sim.totals.runs, 0, "SELECT count(*) FROM heartbeat_runs", P());
}

void check_end(void) { apart(check_last, NULL); }

static int64_t volume;

static err_t count_rows(const char *arg)
{
    (void)arg;
    return db_int(
        sim.db, &volume, 0,
        "SELECT (SELECT count(*) FROM heartbeat_runs) + (SELECT count(*) FROM issue_comments) + (SELECT count(*) FROM activity_log)"
        " + (SELECT count(*) FROM issues) + (SELECT count(*) + sum(coalesced_count) FROM agent_wakeup_requests)"
        " + (SELECT count(*) FROM heartbeat_run_events)",
        P());
}

int64_t check_volume(void)
{
    apart(count_rows, NULL);
    return volume;
}

static uint64_t digest;

static err_t digest_rows(const char *arg)
{
    struct rows r ROWS_AUTO = {0};
    (void)arg;
    digest = 14695981039346656037u;
    TRY(db_query(
        sim.db, &r,
        "SELECT id || status || coalesce(execution_run_id, '') FROM issues UNION ALL SELECT id || status || updated_at FROM heartbeat_runs"
        " UNION ALL SELECT id || status || coalesced_count || coalesce(reason, '') FROM agent_wakeup_requests ORDER BY 1",
        P()));
    while (rows_next(&r))
        for (const char *s = row_text(&r, 0); *s; s++) digest = (digest ^ (unsigned char)*s) * 1099511628211u;
    return rows_err(&r);
}

uint64_t check_digest(void)
{
    apart(digest_rows, NULL);
    return digest;
}

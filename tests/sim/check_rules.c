/*
 * check_rules: the rules INV-n as SQL, one text for SQLite and PostgreSQL.
 *
 * Triggers see every single change, also one that the next statement undoes, and
 * remember what a step touched; the queries then look at what was touched only,
 * so that a check costs the same in a young company as in an old one. Each query
 * gives the rows that break its rule: one column, a name of the row.
 */
#include "check.h"

#include "model/barrier.h"

#define LIVE "('queued','running','scheduled_retry')"
#define OPEN_BLOCKER(issue)                                                                                        \
    "EXISTS (SELECT 1 FROM issue_relations x JOIN issues b ON b.id = x.issue_id WHERE x.related_issue_id = " issue \
    " AND x.type = 'blocks' AND b.status <> 'done')"
/* A JSON column as both engines would write it. */
#define TXT(col) "replace(CAST(" col " AS text), '\": ', '\":')"
#define SAYS(rule, row) "INSERT INTO sim_broken VALUES ('" rule "', " row ")"
#define ID(col) "CAST(" col " AS text)"
#define TOUCH(set, id) "INSERT INTO sim_" set " SELECT " id " WHERE " id " IS NOT NULL ON CONFLICT DO NOTHING"

/* {id}, {time}: the engine's types. */
const char check_tables[] =
    "CREATE TABLE sim_broken (rule text, what text);"
    "CREATE TABLE sim_owed (id {id} PRIMARY KEY);"              /* issues written, activity owed */
    "CREATE TABLE sim_blocked (id {id} PRIMARY KEY);"           /* issues that entered blocked */
    "CREATE TABLE sim_ended (id {id} PRIMARY KEY);"             /* issues of which a run ended */
    "CREATE TABLE sim_closed (id {id} PRIMARY KEY, at {time});" /* when an open issue became done or cancelled */
    "CREATE TABLE sim_issues (id {id} PRIMARY KEY);"            /* touched */
    "CREATE TABLE sim_runs (id {id} PRIMARY KEY);"
    "CREATE TABLE sim_wakes (id {id} PRIMARY KEY);"
    "CREATE TABLE sim_agents (id {id} PRIMARY KEY);"
    "CREATE INDEX sim_wakes_run ON agent_wakeup_requests(run_id);"
    "CREATE INDEX sim_runs_wake ON heartbeat_runs(wakeup_request_id);";

/* ---- every single change ---- */

#define TOUCH_ISSUE TOUCH("issues", "NEW.id")
#define TOUCH_RUN                                                                                                                       \
    TOUCH("runs", "NEW.id")                                                                                                             \
    ";" TOUCH("agents", "NEW.agent_id") ";" TOUCH("issues", "NEW.issue_id") ";" TOUCH(                                                  \
        "wakes",                                                                                                                        \
        "NEW.wakeup_request_id") ";"                                                                                                    \
                                 "INSERT INTO sim_issues SELECT id FROM issues WHERE execution_run_id = NEW.id ON CONFLICT DO NOTHING;" \
                                 "INSERT INTO sim_issues SELECT id FROM issues WHERE checkout_run_id = NEW.id ON CONFLICT DO NOTHING"
#define TOUCH_WAKE TOUCH("wakes", "NEW.id") ";" TOUCH("runs", "NEW.run_id")
#define STARTS "NEW.status = 'running' AND OLD.status <> 'running'"

const struct check_trigger check_triggers[] = {
    {"sim_issue_new", "INSERT ON issues", NULL, TOUCH_ISSUE ";" TOUCH("owed", "NEW.id")},
    {"sim_issue", "UPDATE ON issues", NULL, TOUCH_ISSUE},
    {"sim_run_new", "INSERT ON heartbeat_runs", NULL, TOUCH_RUN},
    {"sim_run", "UPDATE ON heartbeat_runs", NULL, TOUCH_RUN},
    {"sim_wake_new", "INSERT ON agent_wakeup_requests", NULL, TOUCH_WAKE},
    {"sim_wake", "UPDATE ON agent_wakeup_requests", NULL, TOUCH_WAKE},

    {"sim_owed_add", "UPDATE OF status, assignee_agent_id, assignee_user_id ON issues",
     "OLD.status <> NEW.status OR OLD.assignee_agent_id IS DISTINCT FROM NEW.assignee_agent_id"
     " OR OLD.assignee_user_id IS DISTINCT FROM NEW.assignee_user_id",
     TOUCH("owed", "NEW.id")},
    {"sim_owed_paid", "INSERT ON activity_log", "NEW.entity_type = 'issue'",
     "DELETE FROM sim_owed WHERE " ID("id") " = NEW.entity_id"},
    {"sim_blocked_new", "INSERT ON issues", "NEW.status = 'blocked'", TOUCH("blocked", "NEW.id")},
    {"sim_blocked_add", "UPDATE OF status ON issues", "NEW.status = 'blocked' AND OLD.status <> 'blocked'",
     TOUCH("blocked", "NEW.id")},
    {"sim_closed_new", "INSERT ON issues", "NEW.status IN ('done','cancelled')",
     "INSERT INTO sim_closed VALUES (NEW.id, NEW.created_at)"},
    {"sim_closed_add", "UPDATE OF status ON issues",
     "NEW.status IN ('done','cancelled') AND OLD.status NOT IN ('done','cancelled')",
     "INSERT INTO sim_closed VALUES (NEW.id, NEW.updated_at) ON CONFLICT (id) DO UPDATE SET at = excluded.at"},
    {"sim_ended_add", "UPDATE OF status ON heartbeat_runs", "OLD.status <> NEW.status AND NEW.status NOT IN " LIVE,
     TOUCH(
         "ended",
         "NEW.issue_id") ";INSERT INTO sim_ended SELECT issue_id FROM issue_run_detachments WHERE run_id = NEW.id ON CONFLICT DO NOTHING;"
                         "INSERT INTO sim_ended SELECT id FROM issues WHERE execution_run_id = NEW.id ON CONFLICT DO NOTHING;"
                         "INSERT INTO sim_ended SELECT id FROM issues WHERE checkout_run_id = NEW.id ON CONFLICT DO NOTHING"},

    {"sim_lock_taken", "UPDATE OF execution_run_id ON issues",
     "NEW.execution_run_id IS NOT NULL AND NEW.execution_run_id <> OLD.execution_run_id"
     " AND EXISTS (SELECT 1 FROM heartbeat_runs r WHERE r.id = OLD.execution_run_id AND r.status IN " LIVE ")",
     SAYS("INV-2", ID("NEW.id") " || ': a live run loses its lock to another'")},
    {"sim_run_path", "UPDATE OF status ON heartbeat_runs",
     "OLD.status <> NEW.status AND NOT ("
     " (OLD.status = 'scheduled_retry' AND NEW.status IN ('queued','cancelled'))"
     " OR (OLD.status = 'queued' AND NEW.status IN ('running','cancelled'))"
     " OR (OLD.status = 'running' AND NEW.status IN ('succeeded','failed','timed_out','cancelled','interrupted')))",
     SAYS("INV-6", ID("NEW.id") " || ' ' || OLD.status || ' to ' || NEW.status")},
    {"sim_wake_path", "UPDATE OF status ON agent_wakeup_requests",
     "OLD.status <> NEW.status AND NOT ("
     " (OLD.status = 'deferred_issue_execution' AND NEW.status IN ('queued','cancelled','failed','skipped'))"
     " OR (OLD.status = 'queued' AND NEW.status IN ('claimed','cancelled','skipped'))"
     " OR (OLD.status = 'claimed' AND NEW.status IN ('completed','failed','cancelled')))",
     SAYS("INV-12", ID("NEW.id") " || ' ' || OLD.status || ' to ' || NEW.status")},

    {"sim_action_closed", "INSERT ON issue_recovery_actions",
     "EXISTS (SELECT 1 FROM issues i WHERE i.id = NEW.source_issue_id AND i.status IN ('done','cancelled'))",
     SAYS("INV-32", ID("NEW.source_issue_id") " || ' is closed'")},
    {"sim_action_nested", "INSERT ON issue_recovery_actions",
     "EXISTS (SELECT 1 FROM issues i WHERE i.id = NEW.source_issue_id AND i.origin_kind IN ('stranded_issue_recovery',"
     "'harness_liveness_escalation','stale_active_run_evaluation','issue_productivity_review','task_watchdog'))",
     SAYS("INV-32", ID("NEW.source_issue_id") " || ' is itself a recovery'")},
    {"sim_action_bound", "UPDATE ON issue_recovery_actions", "NEW.attempt_count < OLD.attempt_count",
     SAYS("INV-31", ID("NEW.id") " || ': its attempts began anew'")},
    {"sim_action_ended", "UPDATE OF status ON issue_recovery_actions",
     "OLD.status IN ('resolved','cancelled') OR (OLD.status = 'escalated' AND NEW.status = 'active')",
     SAYS("INV-31", ID("NEW.id") " || ' ' || OLD.status || ' to ' || NEW.status")},
    {"sim_stale_twice", "INSERT ON issue_recovery_actions",
     "NEW.cause = 'adapter_heartbeat_stale' AND EXISTS (SELECT 1 FROM issue_recovery_actions a WHERE a.id <> NEW.id"
     " AND a.fingerprint = NEW.fingerprint AND a.status IN ('active','escalated'))",
     SAYS("INV-34", "NEW.fingerprint")},
    {"sim_silence_asked", "INSERT ON issue_recovery_actions",
     "NEW.cause = 'run_output_silence' AND NOT EXISTS (SELECT 1 FROM heartbeat_runs r WHERE r.issue_id = NEW.source_issue_id"
     " AND r.status = 'running' AND NOT r.silence_dismissed)",
     SAYS("INV-35", "NEW.fingerprint")},
    {"sim_start_agent", "UPDATE OF status ON heartbeat_runs",
     STARTS " AND EXISTS (SELECT 1 FROM agents a WHERE a.id = NEW.agent_id"
            " AND a.status IN ('paused','terminated','pending_approval'))",
     SAYS("INV-20", ID("NEW.id"))},
    {"sim_start_blocked", "UPDATE OF status ON heartbeat_runs",
     STARTS
     " AND NEW.issue_id IS NOT NULL AND (NEW.takes_lock OR NOT EXISTS (SELECT 1 FROM heartbeat_run_data d WHERE d.run_id = NEW.id"
     "   AND " TXT("d.context_snapshot") " LIKE '%\"recoveryActionId\":%')) AND " OPEN_BLOCKER(
         "NEW.issue_id") " AND (NEW.takes_lock OR NOT EXISTS (SELECT 1 FROM heartbeat_run_data d WHERE d.run_id = NEW.id"
                         "   AND " TXT(
                             "d.context_snapshot") " LIKE '%\"wakeCommentIds\":[\"%'))"
                                                   " AND NOT EXISTS (SELECT 1 FROM heartbeat_run_data d WHERE d.run_id = NEW.id AND " TXT(
                                                       "d.context_snapshot") " LIKE '%\"resolvedByCancellation\":true%'"
                                                                             "   AND NOT EXISTS (SELECT 1 FROM issue_relations x JOIN issues b ON b.id = x.issue_id WHERE x.related_issue_id = NEW.issue_id"
                                                                             "     AND b.status NOT IN ('done','cancelled')))",
     SAYS("INV-25", ID("NEW.id"))},
    {"sim_start_uncalled", "UPDATE OF status ON heartbeat_runs",
     STARTS " AND NEW.invocation_source <> 'on_demand' AND EXISTS (SELECT 1 FROM issues i WHERE i.id = NEW.issue_id"
            "   AND (i.status IN ('backlog','done','cancelled') OR i.assignee_user_id IS NOT NULL))"
            " AND NOT EXISTS (SELECT 1 FROM heartbeat_run_data d WHERE d.run_id = NEW.id AND (" TXT(
                "d.context_snapshot") " LIKE '%\"wakeCommentIds\":[\"%'"
                                      "   OR " TXT("d.context_snapshot") " LIKE '%\"resumeIntent\":true%' OR " TXT(
                                          "d.context_snapshot") " LIKE '%\"followUpRequested\":true%'))",
     SAYS("INV-19", ID("NEW.id") " || ' ' || coalesce(NEW.wake_reason, '')")},
    {"sim_start_unsettled", "UPDATE OF status ON heartbeat_runs",
     STARTS
     " AND NEW.takes_lock AND EXISTS (SELECT 1 FROM issue_relations x JOIN heartbeat_runs b ON b.issue_id = x.issue_id"
     " AND b.status = 'running' AND b.takes_lock JOIN workspace_operations o ON o.heartbeat_run_id = b.id"
     " AND o.execution_workspace_id IS NOT NULL WHERE x.related_issue_id = NEW.issue_id AND x.type = 'blocks')",
     SAYS("WINV-5", ID("NEW.id"))},
    {"sim_swallowed", "INSERT ON agent_wakeup_requests",
     "NEW.status = 'coalesced' AND EXISTS (SELECT 1 FROM heartbeat_runs r WHERE r.id = NEW.run_id AND r.status = 'running')"
     " AND (" TXT("NEW.payload") " LIKE '%\"commentId\":%' OR " TXT(
         "NEW.payload") " LIKE '%\"completedChildIssueId\":%'"
                        "   OR " TXT("NEW.payload") " LIKE '%\"resolvedBlockerIssueId\":%' OR " TXT(
                            "NEW.payload") " LIKE '%\"mutation\":\"unblock_requested\"%')",
     SAYS("INV-18", ID("NEW.id"))},
};
const int check_trigger_count = sizeof check_triggers / sizeof *check_triggers;

/* ---- every committed state ---- */

#define ISSUES(columns, join, where) \
    "SELECT " columns " FROM sim_issues d JOIN issues i ON i.id = d.id " join " WHERE " where
#define RUNS(columns, join, where) \
    "SELECT " columns " FROM sim_runs d JOIN heartbeat_runs r ON r.id = d.id " join " WHERE " where
#define WAKES(columns, join, where) \
    "SELECT " columns " FROM sim_wakes d JOIN agent_wakeup_requests w ON w.id = d.id " join " WHERE " where

const struct check_rule check_always_rules[] = {
    {"INV-39", ANY_TOUCHED, "SELECT id FROM sim_owed"},
    {"INV-23", ISSUE_TOUCHED,
     "SELECT i.id FROM sim_blocked s JOIN issues i ON i.id = s.id WHERE i.status = 'blocked' AND i.unblock_descriptor IS NULL"
     " AND NOT " OPEN_BLOCKER("i.id") /* a done blocker whose workspace is not settled is one, too (EX-76) */
     " AND NOT EXISTS (SELECT 1 FROM issue_relations x JOIN issues b ON b.id = x.issue_id WHERE x.related_issue_id = i.id"
     " AND x.type = 'blocks' AND b.status = 'done' AND " PENDING_FINALIZE("b") ")"},
    {"INV-14", ISSUE_TOUCHED,
     "SELECT w.id FROM sim_ended s JOIN agent_wakeup_requests w ON w.issue_id = s.id JOIN agents a ON a.id = w.agent_id"
     " WHERE w.status = 'deferred_issue_execution' AND a.status <> 'paused' AND NOT EXISTS (SELECT 1 FROM heartbeat_runs r"
     " WHERE r.issue_id = w.issue_id AND r.status IN " LIVE
     ") AND NOT EXISTS (SELECT 1 FROM issues i JOIN heartbeat_runs r"
     " ON r.id = i.execution_run_id WHERE i.id = w.issue_id AND r.status IN " LIVE ")"},
    {"INV-1", ISSUE_TOUCHED,
     ISSUES("i.id", "",
            "(i.assignee_agent_id IS NOT NULL AND i.assignee_user_id IS NOT NULL)"
            " OR (i.status = 'in_progress' AND i.assignee_agent_id IS NULL AND i.assignee_user_id IS NULL)")},
    {"INV-2", ISSUE_TOUCHED,
     "SELECT d.id FROM sim_issues d JOIN heartbeat_runs r ON r.issue_id = d.id WHERE r.status = 'running' AND r.takes_lock"
     " GROUP BY d.id HAVING count(*) > 1"},
    {"INV-2", ISSUE_TOUCHED,
     ISSUES("r.id", "JOIN heartbeat_runs r ON r.issue_id = i.id AND r.status = 'running' AND r.takes_lock",
            "i.execution_run_id IS DISTINCT FROM r.id"
            " AND NOT EXISTS (SELECT 1 FROM issue_run_detachments x WHERE x.run_id = r.id AND x.issue_id = i.id)")},
    {"INV-3", ISSUE_TOUCHED,
     ISSUES(
         "i.id", "JOIN heartbeat_runs r ON r.id IN (i.execution_run_id, i.checkout_run_id)",
         "r.company_id <> i.company_id OR (r.status = 'running' AND i.assignee_agent_id IS DISTINCT FROM r.agent_id)")},
    {"INV-4", ISSUE_TOUCHED,
     ISSUES("i.id", "JOIN heartbeat_runs r ON r.id IN (i.execution_run_id, i.checkout_run_id)",
            "r.status NOT IN " LIVE)},
    {"INV-5", ISSUE_TOUCHED, ISSUES("i.id", "", "i.checkout_run_id IS NOT NULL AND i.status <> 'in_progress'")},
    {"INV-6", RUN_TOUCHED,
     RUNS("r.id", "",
          "(r.finished_at IS NULL) <> (r.status IN " LIVE ") OR (r.status = 'running' AND r.started_at IS NULL)"
          " OR (r.status IN ('queued','scheduled_retry') AND r.started_at IS NOT NULL)")},
    {"INV-7", RUN_TOUCHED,
     "SELECT a.id FROM sim_agents d JOIN agents a ON a.id = d.id JOIN heartbeat_runs r ON r.agent_id = a.id AND r.status = 'running'"
     " GROUP BY a.id HAVING count(*) > CAST(coalesce(a.runtime_config -> 'heartbeat' ->> 'maxConcurrentRuns', '20') AS integer)"},
    {"INV-7", RUN_TOUCHED, "SELECT count(*) FROM heartbeat_runs WHERE status = 'running' HAVING count(*) > $1",
     LIMIT_RUNS},
    {"INV-9", RUN_TOUCHED,
     RUNS("r.retry_of_run_id", "JOIN heartbeat_runs o ON o.retry_of_run_id = r.retry_of_run_id", "o.id <> r.id")},
    {"INV-9", RUN_TOUCHED, RUNS("r.id", "", "r.process_loss_retry_count > 1 OR r.scheduled_retry_attempt > 4")},
    {"INV-9", RUN_TOUCHED,
     "WITH RECURSIVE chain(id, earlier, n) AS (SELECT r.id, r.retry_of_run_id, 0 FROM sim_runs d JOIN heartbeat_runs r"
     " ON r.id = d.id AND r.status IN ('queued','scheduled_retry')"
     " UNION ALL SELECT p.id, p.retry_of_run_id, c.n + 1 FROM chain c JOIN heartbeat_runs p ON p.id = c.earlier WHERE NOT EXISTS"
     " (SELECT 1 FROM activity_log a WHERE a.run_id = c.id AND a.action LIKE 'issue.%' AND a.action NOT IN ('issue.checked_out','issue.read_marked')))"
     " SELECT id FROM chain WHERE n > $1",
     LIMIT_INCIDENT},
    /* a look that is scheduled stands in the policy, too, and in a place where it can happen */
    {"INV-28", ISSUE_TOUCHED,
     ISSUES("i.id", "",
            "i.monitor_next_check_at IS NOT NULL AND (i.execution_policy -> 'monitor' ->> 'nextCheckAt' IS NULL"
            " OR i.status IN ('done','cancelled'))")},
    /* one that was used up woke somebody */
    {"INV-28", ISSUE_TOUCHED,
     ISSUES("i.id", "",
            "i.execution_state -> 'monitor' ->> 'status' = 'triggered' AND NOT EXISTS (SELECT 1 FROM agent_wakeup_requests w"
            " WHERE w.issue_id = i.id AND w.status <> 'skipped')")},
    {"INV-12", WAKE_TOUCHED,
     WAKES("w.id", "", "(w.finished_at IS NULL) <> (w.status IN ('queued','claimed','deferred_issue_execution'))")},
    {"INV-12", WAKE_TOUCHED,
     WAKES("w.id", "", "w.status IN ('skipped','coalesced') AND w.reason IS NULL AND w.error IS NULL")},
    {"INV-13", WAKE_TOUCHED,
     WAKES("w.id", "",
           "w.status = 'queued' AND NOT EXISTS (SELECT 1 FROM heartbeat_runs r"
           " WHERE r.id = w.run_id AND r.status IN ('queued','scheduled_retry'))")},
    {"INV-13", RUN_TOUCHED,
     RUNS("r.id", "LEFT JOIN agent_wakeup_requests w ON w.id = r.wakeup_request_id",
          "r.status IN ('queued','scheduled_retry') AND w.status IS DISTINCT FROM 'queued'")},
    {"INV-15", WAKE_TOUCHED,
     WAKES("w.id", "",
           "w.status = 'claimed' AND NOT EXISTS (SELECT 1 FROM heartbeat_runs r"
           " WHERE r.id = w.run_id AND r.status = 'running')")},
    {"INV-15", RUN_TOUCHED,
     RUNS("r.id", "LEFT JOIN agent_wakeup_requests w ON w.id = r.wakeup_request_id",
          "r.status = 'running' AND w.status IS DISTINCT FROM 'claimed'")},
    {"INV-16", WAKE_TOUCHED,
     WAKES("w.idempotency_key",
           "JOIN agent_wakeup_requests o ON o.company_id = w.company_id AND o.idempotency_key = w.idempotency_key",
           "o.id <> w.id AND w.status IN ('queued','deferred_issue_execution','claimed')"
           " AND o.status IN ('queued','deferred_issue_execution','claimed')")},
    {"WINV-3", RUN_TOUCHED,
     "SELECT d.id FROM sim_runs d JOIN workspace_operations o ON o.heartbeat_run_id = d.id WHERE o.phase = 'workspace_finalize'"
     " AND o.status <> 'running' GROUP BY d.id HAVING count(*) > 1"},
    {"WINV-4", RUN_TOUCHED,
     RUNS("r.id", "JOIN workspace_operations o ON o.heartbeat_run_id = r.id AND o.execution_workspace_id IS NOT NULL",
          "r.status = 'succeeded' AND NOT EXISTS (SELECT 1 FROM workspace_operations f WHERE f.heartbeat_run_id = r.id"
          " AND f.phase = 'workspace_finalize' AND f.status = 'succeeded' AND f.finished_at <= r.finished_at)")},
    {"a detachment names a live run", RUN_TOUCHED,
     "SELECT x.issue_id FROM issue_run_detachments x JOIN heartbeat_runs r ON r.id = x.run_id WHERE r.status NOT IN " LIVE},
};
const int check_always_count = sizeof check_always_rules / sizeof *check_always_rules;

/* ---- in the end ---- */

#define KNOWS(issue, when)                                                                                          \
    " AND NOT EXISTS (SELECT 1 FROM agent_wakeup_requests w WHERE w.issue_id = " issue " AND w.updated_at >= " when \
    ")"                                                                                                             \
    " AND NOT EXISTS (SELECT 1 FROM activity_log a WHERE a.entity_type = 'issue' AND a.entity_id = CAST(" issue     \
    " AS text)"                                                                                                     \
    " AND a.action IN ('issue.checked_out','issue.updated') AND a.created_at >= " when                              \
    ")" /* somebody took or moved it since */

const struct check_rule check_end_rules[] = {
    {"INV-8", ANY_TOUCHED,
     "SELECT id FROM heartbeat_runs WHERE status = 'running' OR (claimed_at IS NOT NULL AND closed_at IS NULL)"},
    {"INV-13", ANY_TOUCHED,
     "SELECT r.id FROM heartbeat_runs r JOIN agents a ON a.id = r.agent_id WHERE r.status IN ('queued','scheduled_retry')"
     " AND a.status NOT IN ('paused','pending_approval')"
     /* a retry waits for the blockers of its issue, however long (EX-62 BETTER) */
     " AND NOT (r.status = 'scheduled_retry' AND r.issue_id IS NOT NULL AND " OPEN_BLOCKER("r.issue_id") ")"},
    {"INV-30", ANY_TOUCHED,
     "SELECT x.id FROM issue_recovery_actions x LEFT JOIN agents a ON a.id = x.owner_agent_id WHERE x.status IN ('active','escalated')"
     " AND x.owner_type = 'agent' AND (a.id IS NULL OR a.status IN ('paused','terminated','pending_approval'))"},
    {"INV-31", ANY_TOUCHED, "SELECT id FROM issue_recovery_actions WHERE status = 'active'"}, /* every bound is over */
    {"INV-34", ANY_TOUCHED,
     "SELECT a.id FROM agents a WHERE a.heartbeat_stale_since IS NOT NULL AND a.last_heartbeat_at > a.heartbeat_stale_since"},
    {"INV-14", ANY_TOUCHED,
     "SELECT w.id FROM agent_wakeup_requests w JOIN agents a ON a.id = w.agent_id WHERE w.status = 'deferred_issue_execution'"
     " AND a.status <> 'paused' AND NOT EXISTS (SELECT 1 FROM heartbeat_runs r WHERE r.issue_id = w.issue_id AND r.status IN " LIVE
     ")"},
    {"WINV-3", ANY_TOUCHED,
     "SELECT r.id FROM heartbeat_runs r JOIN workspace_operations o ON o.heartbeat_run_id = r.id AND o.execution_workspace_id IS NOT NULL"
     " WHERE r.status NOT IN " LIVE
     " AND NOT EXISTS (SELECT 1 FROM workspace_operations f WHERE f.heartbeat_run_id = r.id"
     " AND f.phase = 'workspace_finalize' AND f.status <> 'running')"},
    {"WINV-12", ANY_TOUCHED,
     "SELECT o.id FROM workspace_operations o JOIN heartbeat_runs r ON r.id = o.heartbeat_run_id"
     " WHERE o.status = 'running' AND r.status NOT IN " LIVE},
    {"INV-24", ANY_TOUCHED,
     "SELECT open_id FROM (SELECT d.id AS open_id, max(b.completed_at) AS resolved, max(x.created_at) AS blocked FROM issues d"
     " JOIN issue_relations x ON x.related_issue_id = d.id AND x.type = 'blocks' JOIN issues b ON b.id = x.issue_id"
     " WHERE d.assignee_agent_id IS NOT NULL AND d.status NOT IN ('backlog','done','cancelled') AND d.hidden_at IS NULL"
     " GROUP BY d.id HAVING count(CASE WHEN b.status <> 'done' THEN 1 END) = 0) AS ready WHERE blocked < resolved" KNOWS(
         "open_id", "resolved")},
    {"INV-27", ANY_TOUCHED,
     "SELECT open_id FROM (SELECT p.id AS open_id, max(s.at) AS closed FROM issues p"
     " JOIN issues c ON c.parent_id = p.id AND c.origin_kind NOT IN ('task_watchdog','issue_productivity_review'," /* look at work, are none */
     "'harness_liveness_escalation') LEFT JOIN sim_closed s ON s.id = c.id WHERE p.assignee_agent_id IS NOT NULL AND p.hidden_at IS NULL"
     " AND p.status NOT IN ('backlog','done','cancelled') GROUP BY p.id"
     " HAVING count(CASE WHEN c.status NOT IN ('done','cancelled') THEN 1 END) = 0) AS ready WHERE closed IS NOT NULL" KNOWS(
         "open_id", "closed")},
};
const int check_end_count = sizeof check_end_rules / sizeof *check_end_rules;

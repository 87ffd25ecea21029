-- An agent that is told when the tree below an issue stands still (EX-149).
CREATE TABLE issue_watchdogs (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL UNIQUE REFERENCES issues(id) ON DELETE CASCADE,
    watchdog_agent_id {id} NOT NULL REFERENCES agents(id) ON DELETE CASCADE,
    instructions text,
    status text NOT NULL DEFAULT 'active',
    watchdog_issue_id {id} REFERENCES issues(id) ON DELETE SET NULL,
    last_observed_fingerprint text,
    last_reviewed_fingerprint text,
    last_triggered_at {time},
    last_completed_at {time},
    trigger_count {int} NOT NULL DEFAULT 0,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    created_by_agent_id {id},
    created_by_user_id text,
    created_by_run_id {id},
    updated_by_agent_id {id},
    updated_by_user_id text,
    updated_by_run_id {id},
    last_observed_stop_snapshot {json},
    last_reviewed_stop_snapshot {json},
    fired_fingerprint text,           -- what the watchdog was last woken for …
    fired_attempt {int} NOT NULL DEFAULT 0, -- … and how often
    moved_since_fired {bool} NOT NULL DEFAULT false
){strict};
CREATE INDEX issue_watchdogs_company ON issue_watchdogs(company_id);
CREATE INDEX issues_in_review ON issues(company_id, id)
    WHERE status IN ('blocked','in_review') AND hidden_at IS NULL;

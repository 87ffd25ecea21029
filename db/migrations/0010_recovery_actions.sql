-- What is being done about an issue that nothing moved any more, and whose move it is.
CREATE TABLE issue_recovery_actions (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    source_issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    recovery_issue_id {id} REFERENCES issues(id) ON DELETE SET NULL,
    kind text NOT NULL CHECK (kind IN ('missing_disposition','stranded_assigned_issue','workspace_validation','configuration_validation','active_run_watchdog','issue_graph_liveness')),
    status text NOT NULL CHECK (status IN ('active','escalated','resolved','cancelled')),
    owner_type text NOT NULL CHECK (owner_type IN ('agent','user','board','system')),
    owner_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    owner_user_id text,
    previous_owner_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    return_owner_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    cause text NOT NULL,
    fingerprint text NOT NULL,
    evidence {json} NOT NULL DEFAULT '{}',
    next_action text NOT NULL CHECK (next_action <> ''),
    wake_policy {json},
    monitor_policy {json},
    attempt_count {int} NOT NULL DEFAULT 1,
    max_attempts {int},
    timeout_at {time},
    last_attempt_at {time},
    outcome text CHECK (outcome IN ('restored','handed_back','owner_completed','delegated','false_positive','blocked','escalated','cancelled')),
    resolution_note text,
    resolved_at {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    blocks_source {bool} NOT NULL DEFAULT false,
    fold_reason text,
    CHECK (attempt_count >= 1),
    CHECK (max_attempts IS NULL OR attempt_count <= max_attempts)
){strict};

CREATE UNIQUE INDEX recovery_actions_open ON issue_recovery_actions(source_issue_id) WHERE status IN ('active','escalated');
CREATE UNIQUE INDEX recovery_actions_fingerprint ON issue_recovery_actions(company_id, source_issue_id, cause, fingerprint)
    WHERE status IN ('active','escalated');
CREATE INDEX recovery_actions_open_company ON issue_recovery_actions(company_id, created_at) WHERE status IN ('active','escalated');
CREATE INDEX recovery_actions_history ON issue_recovery_actions(source_issue_id, created_at);

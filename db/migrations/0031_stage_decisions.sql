-- What reviewers and approvers decided (EX-135).
CREATE TABLE issue_execution_decisions (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    stage_id text NOT NULL,
    stage_type text NOT NULL CHECK (stage_type IN ('review','approval')),
    actor_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    actor_user_id text,
    outcome text NOT NULL CHECK (outcome IN ('approved','changes_requested')),
    body text,
    created_by_run_id {id} REFERENCES heartbeat_runs(id) ON DELETE SET NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE INDEX issue_execution_decisions_issue ON issue_execution_decisions(issue_id, created_at);

-- A restored issue takes its stage up where the cancel found it.
ALTER TABLE issue_tree_hold_members ADD COLUMN execution_state {json};

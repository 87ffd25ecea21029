-- Work that an agent should be doing, for the pass that looks after what nothing moves.
CREATE INDEX issues_open_work ON issues(company_id, id)
    WHERE status IN ('todo','in_progress') AND assignee_agent_id IS NOT NULL AND hidden_at IS NULL;

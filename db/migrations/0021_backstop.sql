-- Blocked work of agents, for the pass that tells dependents that the way is free (EX-79).
CREATE INDEX issues_blocked_work ON issues(id)
    WHERE status = 'blocked' AND assignee_agent_id IS NOT NULL AND hidden_at IS NULL;

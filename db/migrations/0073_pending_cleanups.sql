-- Closed workspaces, some with files still to be taken away: looked through at every step of the engine.
CREATE INDEX execution_workspaces_archived ON execution_workspaces(updated_at, id) WHERE status = 'archived';

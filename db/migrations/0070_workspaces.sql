-- Where runs work (WS §9, §13, §15): environments, execution workspaces, and what was done to them.

CREATE TABLE environments (
    id {id} PRIMARY KEY NOT NULL,
    name text NOT NULL UNIQUE,
    description text,
    driver text NOT NULL CHECK (driver IN ('local','ssh','sandbox','plugin')),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active','archived')),
    config {json} NOT NULL,
    env_vars {json} NOT NULL,
    metadata {json},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE UNIQUE INDEX environments_local ON environments(driver) WHERE driver = 'local';

CREATE TABLE execution_workspaces (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    project_id {id} NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    project_workspace_id {id} REFERENCES project_workspaces(id) ON DELETE SET NULL,
    source_issue_id {id} REFERENCES issues(id) ON DELETE SET NULL,
    mode text NOT NULL,
    strategy_type text NOT NULL,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active','idle','in_review','archived','cleanup_failed')),
    cwd text,
    repo_url text,
    base_ref text,
    branch_name text,
    provider_type text NOT NULL DEFAULT 'local_fs',
    provider_ref text,
    derived_from_execution_workspace_id {id} REFERENCES execution_workspaces(id) ON DELETE SET NULL,
    last_used_at {time} NOT NULL,
    opened_at {time} NOT NULL,
    closed_at {time},
    cleanup_eligible_at {time},
    cleanup_reason text,
    metadata {json},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    CHECK ((closed_at IS NULL) = (status IN ('active','idle','in_review')))
){strict};
CREATE INDEX execution_workspaces_project ON execution_workspaces(company_id, project_id, status);
CREATE INDEX execution_workspaces_place ON execution_workspaces(company_id, project_workspace_id, status);
CREATE INDEX execution_workspaces_source ON execution_workspaces(company_id, source_issue_id);
CREATE INDEX execution_workspaces_used ON execution_workspaces(company_id, last_used_at);
CREATE INDEX execution_workspaces_branch ON execution_workspaces(company_id, branch_name);
CREATE INDEX execution_workspaces_open ON execution_workspaces(updated_at, id) WHERE closed_at IS NULL;
CREATE INDEX issues_execution_workspace ON issues(execution_workspace_id) WHERE execution_workspace_id IS NOT NULL;

CREATE TABLE workspace_operations (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    execution_workspace_id {id} REFERENCES execution_workspaces(id) ON DELETE SET NULL,
    heartbeat_run_id {id} REFERENCES heartbeat_runs(id) ON DELETE SET NULL,
    issue_id {id} REFERENCES issues(id) ON DELETE SET NULL,
    phase text NOT NULL CHECK (phase IN ('worktree_prepare','workspace_config_freshness','workspace_provision',
        'workspace_runtime_provision','workspace_teardown','worktree_cleanup','workspace_finalize')),
    command text,
    cwd text,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running','succeeded','failed','skipped')),
    exit_code {int},
    log_store text,
    log_ref text,
    log_bytes {int},
    log_sha256 text,
    log_compressed {bool} NOT NULL DEFAULT false,
    stdout_excerpt text,
    stderr_excerpt text,
    metadata {json},
    started_at {time} NOT NULL,
    finished_at {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE INDEX workspace_operations_run ON workspace_operations(company_id, heartbeat_run_id, started_at);
CREATE INDEX workspace_operations_workspace ON workspace_operations(company_id, execution_workspace_id, started_at);
CREATE INDEX workspace_operations_issue ON workspace_operations(company_id, execution_workspace_id, issue_id, started_at);
-- The barrier's question: what happened on this workspace, last?
CREATE INDEX workspace_operations_barrier ON workspace_operations(execution_workspace_id, phase, started_at, id);
CREATE INDEX workspace_operations_of_run ON workspace_operations(heartbeat_run_id);
CREATE INDEX workspace_operations_of_issue ON workspace_operations(issue_id);
CREATE INDEX workspace_operations_running ON workspace_operations(started_at) WHERE status = 'running';
-- One preparation and one finalize per run (WS-77, WS-78).
CREATE UNIQUE INDEX workspace_operations_one_prepare ON workspace_operations(heartbeat_run_id)
    WHERE phase = 'worktree_prepare' AND heartbeat_run_id IS NOT NULL;
CREATE UNIQUE INDEX workspace_operations_one_finalize ON workspace_operations(heartbeat_run_id)
    WHERE phase = 'workspace_finalize' AND heartbeat_run_id IS NOT NULL;

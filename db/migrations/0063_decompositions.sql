-- An accepted plan turned into children, once (IS-123).
CREATE TABLE accepted_plan_decompositions (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    source_issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    accepted_plan_revision_id {id} NOT NULL,
    accepted_interaction_id {id},
    status text NOT NULL CHECK (status IN ('in_flight','completed')),
    request_fingerprint text NOT NULL,
    requested_child_count {int} NOT NULL,
    child_issue_ids {json} NOT NULL,
    owner_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    owner_user_id text,
    owner_run_id {id},
    completed_at {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    UNIQUE (source_issue_id, accepted_plan_revision_id)
){strict};

-- What an issue's work produced: previews, branches, pull requests, artifacts (IS-113).
CREATE TABLE issue_work_products (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    project_id {id} REFERENCES projects(id) ON DELETE SET NULL,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    execution_workspace_id {id},
    runtime_service_id {id},
    type text NOT NULL,
    provider text NOT NULL,
    external_id text,
    title text NOT NULL,
    url text,
    status text NOT NULL,
    review_state text NOT NULL,
    is_primary {bool} NOT NULL DEFAULT false,
    health_status text NOT NULL,
    summary text,
    metadata {json},
    created_by_run_id {id} REFERENCES heartbeat_runs(id) ON DELETE SET NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE INDEX work_products_issue ON issue_work_products(issue_id, is_primary, updated_at);
CREATE UNIQUE INDEX work_products_primary ON issue_work_products(issue_id, type) WHERE is_primary;

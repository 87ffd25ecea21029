-- Foundation: companies, agents, goals, projects, issues, wakes, runs, activity, live events.
-- Kinds in braces are replaced per engine (see src/store/migrate.c).

CREATE TABLE companies (
    id {id} PRIMARY KEY NOT NULL,
    name text NOT NULL,
    description text,
    status text NOT NULL CHECK (status IN ('active','paused','archived')),
    issue_prefix text NOT NULL UNIQUE,
    issue_counter {int} NOT NULL DEFAULT 0,
    budget_monthly_cents {int} NOT NULL DEFAULT 0,
    attachment_max_bytes {int} NOT NULL DEFAULT 10485760,
    default_responsible_user_id text,
    require_board_approval_for_new_agents {bool} NOT NULL DEFAULT false,
    interaction_resolver_governance {json} NOT NULL DEFAULT '{}',
    feedback_data_sharing_enabled {bool} NOT NULL DEFAULT false,
    feedback_data_sharing_consent_at {time},
    feedback_data_sharing_consent_by_user_id text,
    feedback_data_sharing_terms_version text,
    brand_color text,
    logo_asset_id {id},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    pause_reason text,
    paused_at {time}
){strict};

CREATE TABLE agents (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    name text NOT NULL,
    role text NOT NULL,
    title text,
    icon text,
    status text NOT NULL CHECK (status IN ('active','paused','idle','running','error','pending_approval','terminated')),
    reports_to {id} REFERENCES agents(id) ON DELETE SET NULL,
    capabilities text,
    adapter_type text NOT NULL,
    adapter_config {json} NOT NULL DEFAULT '{}',
    runtime_config {json} NOT NULL DEFAULT '{}',
    default_environment_id {id},
    budget_monthly_cents {int} NOT NULL DEFAULT 0,
    pause_reason text,
    paused_at {time},
    error_reason text,
    permissions {json} NOT NULL DEFAULT '{}',
    last_heartbeat_at {time},
    metadata {json},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    url_key text NOT NULL
){strict};

CREATE TABLE agent_api_keys (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    agent_id {id} NOT NULL REFERENCES agents(id) ON DELETE CASCADE,
    name text NOT NULL,
    key_hash text NOT NULL UNIQUE,
    scope_config {json},
    responsible_user_id text,
    last_used_at {time},
    revoked_at {time},
    created_at {time} NOT NULL
){strict};

CREATE TABLE company_memberships (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    principal_type text NOT NULL,
    principal_id text NOT NULL,
    status text NOT NULL,
    membership_role text,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    UNIQUE (company_id, principal_type, principal_id)
){strict};

CREATE TABLE principal_permission_grants (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    principal_type text NOT NULL,
    principal_id text NOT NULL,
    permission_key text NOT NULL,
    scope {json},
    granted_by_user_id text,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    UNIQUE (company_id, principal_type, principal_id, permission_key)
){strict};

CREATE TABLE goals (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    title text NOT NULL,
    description text,
    level text NOT NULL,
    status text NOT NULL,
    parent_id {id} REFERENCES goals(id) ON DELETE SET NULL,
    owner_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};

CREATE TABLE projects (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    goal_id {id} REFERENCES goals(id) ON DELETE SET NULL,
    name text NOT NULL,
    description text,
    status text NOT NULL,
    lead_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    target_date text,
    color text,
    icon text,
    env {json},
    pause_reason text,
    paused_at {time},
    execution_workspace_policy {json},
    archived_at {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    url_key text NOT NULL,
    UNIQUE (company_id, url_key)
){strict};

CREATE TABLE project_goals (
    project_id {id} NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    goal_id {id} NOT NULL REFERENCES goals(id) ON DELETE CASCADE,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    position {int} NOT NULL,
    PRIMARY KEY (project_id, goal_id)
){strict};
CREATE INDEX project_goals_goal ON project_goals(goal_id);
CREATE INDEX project_goals_company ON project_goals(company_id);

CREATE TABLE project_workspaces (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    project_id {id} NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    name text NOT NULL,
    source_type text NOT NULL,
    cwd text,
    repo_url text,
    repo_ref text,
    default_ref text,
    visibility text NOT NULL DEFAULT 'default',
    setup_command text,
    cleanup_command text,
    remote_provider text,
    remote_workspace_ref text,
    shared_workspace_key text,
    metadata {json},
    is_primary {bool} NOT NULL DEFAULT false,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};

CREATE TABLE agent_wakeup_requests (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    agent_id {id} NOT NULL REFERENCES agents(id) ON DELETE CASCADE,
    source text NOT NULL,
    trigger_detail text,
    reason text,
    payload {json},
    status text NOT NULL,
    coalesced_count {int} NOT NULL DEFAULT 0,
    requested_by_actor_type text,
    requested_by_actor_id text,
    idempotency_key text,
    run_id {id},
    requested_at {time} NOT NULL,
    claimed_at {time},
    finished_at {time},
    error text,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    issue_id {id}
){strict};

CREATE TABLE heartbeat_runs (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    agent_id {id} NOT NULL REFERENCES agents(id) ON DELETE CASCADE,
    invocation_source text NOT NULL,
    trigger_detail text,
    status text NOT NULL CHECK (status IN ('queued','scheduled_retry','running','succeeded','interrupted','failed','cancelled','timed_out')),
    responsible_user_id text,
    started_at {time},
    finished_at {time},
    error text,
    wakeup_request_id {id} REFERENCES agent_wakeup_requests(id) ON DELETE SET NULL,
    exit_code {int},
    signal text,
    session_id_before text,
    session_id_after text,
    log_store text,
    log_ref text,
    log_bytes {int},
    log_sha256 text,
    log_compressed {bool} NOT NULL DEFAULT false,
    error_code text,
    external_run_id text,
    process_pid {int},
    process_group_id {int},
    process_started_at {time},
    last_output_at {time},
    last_output_seq {int} NOT NULL DEFAULT 0,
    last_output_stream text,
    last_output_bytes {int},
    retry_of_run_id {id},
    process_loss_retry_count {int} NOT NULL DEFAULT 0,
    scheduled_retry_at {time},
    scheduled_retry_attempt {int} NOT NULL DEFAULT 0,
    scheduled_retry_reason text,
    issue_comment_status text NOT NULL DEFAULT 'not_applicable',
    issue_comment_satisfied_by_comment_id {id},
    issue_comment_retry_queued_at {time},
    liveness_state text,
    liveness_reason text,
    continuation_attempt {int} NOT NULL DEFAULT 0,
    last_useful_action_at {time},
    next_action text,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    issue_id {id},
    task_key text,
    wake_reason text,
    takes_lock {bool} NOT NULL DEFAULT false,
    cancel_requested_at {time},
    cancel_reason {json},
    owner_node_id {id},
    owner_epoch {int} NOT NULL DEFAULT 0,
    owner_lease_until {time},
    closed_at {time},
    claimed_at {time}
){strict};

CREATE TABLE heartbeat_run_data (
    run_id {id} PRIMARY KEY NOT NULL REFERENCES heartbeat_runs(id) ON DELETE CASCADE,
    context_snapshot {json},
    result_json {json},
    usage_json {json},
    stdout_excerpt text,
    stderr_excerpt text
){strict};

CREATE TABLE heartbeat_run_events (
    id {serial},
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    run_id {id} NOT NULL REFERENCES heartbeat_runs(id) ON DELETE CASCADE,
    agent_id {id} NOT NULL,
    seq {int} NOT NULL,
    event_type text NOT NULL,
    stream text,
    level text,
    color text,
    message text,
    payload {json},
    created_at {time} NOT NULL,
    UNIQUE (run_id, seq)
){strict};

CREATE TABLE issues (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    project_id {id} REFERENCES projects(id),
    project_workspace_id {id} REFERENCES project_workspaces(id) ON DELETE SET NULL,
    goal_id {id} REFERENCES goals(id) ON DELETE SET NULL,
    parent_id {id} REFERENCES issues(id),
    title text NOT NULL,
    description text,
    status text NOT NULL CHECK (status IN ('backlog','todo','in_progress','in_review','done','blocked','cancelled')),
    work_mode text NOT NULL DEFAULT 'standard',
    harness_kind text,
    priority text NOT NULL DEFAULT 'medium',
    review_policy text,
    assignee_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    assignee_user_id text,
    checkout_run_id {id} REFERENCES heartbeat_runs(id) ON DELETE SET NULL,
    execution_run_id {id} REFERENCES heartbeat_runs(id) ON DELETE SET NULL,
    execution_agent_name_key text,
    execution_locked_at {time},
    created_by_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    created_by_user_id text,
    responsible_user_id text,
    issue_number {int} NOT NULL,
    identifier text NOT NULL UNIQUE,
    origin_kind text NOT NULL DEFAULT 'manual',
    origin_id text,
    origin_run_id {id},
    origin_fingerprint text NOT NULL DEFAULT 'default',
    request_depth {int} NOT NULL DEFAULT 0,
    billing_code text,
    assignee_adapter_overrides {json},
    execution_policy {json},
    execution_state {json},
    monitor_next_check_at {time},
    monitor_wake_requested_at {time},
    monitor_last_triggered_at {time},
    monitor_attempt_count {int} NOT NULL DEFAULT 0,
    monitor_notes text,
    monitor_scheduled_by text,
    execution_workspace_id {id},
    execution_workspace_preference text,
    execution_workspace_settings {json},
    source_trust {json},
    unblock_descriptor {json},
    blocked_transition_at {time},
    blocked_owner_notified_at {time},
    started_at {time},
    completed_at {time},
    cancelled_at {time},
    hidden_at {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    last_activity_at {time} NOT NULL,
    priority_rank {int} NOT NULL DEFAULT 2,
    title_key text NOT NULL,
    dispatch_expected_since {time},
    CHECK (assignee_agent_id IS NULL OR assignee_user_id IS NULL),
    CHECK (status <> 'in_progress' OR assignee_agent_id IS NOT NULL OR assignee_user_id IS NOT NULL)
){strict};

CREATE TABLE issue_comments (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    author_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    author_user_id text,
    on_behalf_of_user_id text,
    author_type text NOT NULL,
    created_by_run_id {id},
    derived_author_agent_id {id},
    derived_created_by_run_id {id},
    derived_author_source text,
    body text NOT NULL,
    presentation {json},
    metadata {json},
    deleted_at {time},
    deleted_by_type text,
    deleted_by_agent_id {id},
    deleted_by_user_id text,
    deleted_by_run_id {id},
    source_trust {json},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};

CREATE TABLE labels (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    name text NOT NULL,
    color text NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    UNIQUE (company_id, name)
){strict};

CREATE TABLE activity_log (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    actor_type text NOT NULL,
    actor_id text NOT NULL,
    action text NOT NULL,
    entity_type text NOT NULL,
    entity_id text NOT NULL,
    agent_id {id},
    run_id {id},
    responsible_user_id text,
    details {json},
    created_at {time} NOT NULL
){strict};

CREATE TABLE agent_runtime_state (
    agent_id {id} PRIMARY KEY NOT NULL REFERENCES agents(id) ON DELETE CASCADE,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    adapter_type text,
    session_id text,
    state_json {json} NOT NULL DEFAULT '{}',
    last_run_id {id},
    last_run_status text,
    total_input_tokens {int} NOT NULL DEFAULT 0,
    total_output_tokens {int} NOT NULL DEFAULT 0,
    total_cached_input_tokens {int} NOT NULL DEFAULT 0,
    total_cost_cents {int} NOT NULL DEFAULT 0,
    last_error text,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};

-- One name per company among agents that are not terminated (AR-6).
CREATE UNIQUE INDEX agents_url_key ON agents(company_id, url_key) WHERE status <> 'terminated';
CREATE INDEX agents_company ON agents(company_id, created_at);
CREATE INDEX agents_reports_to ON agents(reports_to);
CREATE INDEX agent_api_keys_agent ON agent_api_keys(agent_id);
CREATE INDEX goals_company ON goals(company_id, created_at);
CREATE INDEX goals_parent ON goals(parent_id);
CREATE INDEX projects_company ON projects(company_id, created_at);
CREATE INDEX project_workspaces_project ON project_workspaces(project_id);
CREATE UNIQUE INDEX project_workspaces_primary ON project_workspaces(project_id) WHERE is_primary;
CREATE UNIQUE INDEX project_workspaces_remote ON project_workspaces(project_id, remote_provider, remote_workspace_ref);

-- The order of lists, whole; origin_kind lets a count stay inside the index.
CREATE INDEX issues_list ON issues(company_id, priority_rank, last_activity_at DESC, updated_at DESC, id DESC, origin_kind)
    WHERE hidden_at IS NULL AND harness_kind IS NULL;
CREATE INDEX issues_activity ON issues(company_id, last_activity_at);
CREATE INDEX issues_status ON issues(company_id, status);
CREATE INDEX issues_parent ON issues(parent_id);
CREATE INDEX issues_assignee ON issues(assignee_agent_id, status);
CREATE INDEX issues_title_key ON issues(company_id, title_key) WHERE hidden_at IS NULL AND status NOT IN ('done','cancelled');
CREATE INDEX issues_execution_run ON issues(execution_run_id) WHERE execution_run_id IS NOT NULL;
CREATE INDEX issues_checkout_run ON issues(checkout_run_id) WHERE checkout_run_id IS NOT NULL;
CREATE INDEX issues_project ON issues(project_id);
CREATE INDEX issues_goal ON issues(goal_id);
CREATE INDEX issues_hidden ON issues(company_id) WHERE hidden_at IS NOT NULL;

-- One open issue per recovery origin (IS-13).
CREATE UNIQUE INDEX issues_open_origin ON issues(company_id, origin_kind, origin_id, origin_fingerprint)
    WHERE origin_kind IN ('harness_liveness_escalation','stale_active_run_evaluation','task_watchdog','issue_productivity_review','stranded_issue_recovery')
      AND status NOT IN ('done','cancelled') AND hidden_at IS NULL AND origin_id IS NOT NULL;

CREATE TABLE issue_idempotency_keys (
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    key text NOT NULL,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    created_at {time} NOT NULL,
    PRIMARY KEY (company_id, key)
){strict};
CREATE INDEX issue_idempotency_keys_age ON issue_idempotency_keys(company_id, created_at);
CREATE INDEX issue_idempotency_keys_issue ON issue_idempotency_keys(issue_id);

-- issue_id blocks related_issue_id (IS-80).
CREATE TABLE issue_relations (
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    related_issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    type text NOT NULL DEFAULT 'blocks',
    created_at {time} NOT NULL,
    PRIMARY KEY (related_issue_id, issue_id, type),
    CHECK (issue_id <> related_issue_id)
){strict};
CREATE INDEX issue_relations_blocker ON issue_relations(issue_id);

CREATE TABLE issue_labels (
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    label_id {id} NOT NULL REFERENCES labels(id) ON DELETE CASCADE,
    PRIMARY KEY (issue_id, label_id)
){strict};
CREATE INDEX issue_labels_label ON issue_labels(label_id);

-- What an issue's texts name (IS-93): one row per source and named issue.
-- source_record_id: the comment, or the issue itself for title and description.
CREATE TABLE issue_references (
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    source_issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    target_issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    source_kind text NOT NULL CHECK (source_kind IN ('title','description','comment','document')),
    source_record_id {id} NOT NULL,
    matched_text text NOT NULL,
    mention_count {int} NOT NULL,
    created_at {time} NOT NULL,
    PRIMARY KEY (source_issue_id, target_issue_id, source_kind, source_record_id)
){strict};
CREATE INDEX issue_references_target ON issue_references(target_issue_id);

CREATE INDEX issue_comments_issue ON issue_comments(issue_id, created_at, id);
CREATE INDEX issue_comments_run ON issue_comments(created_by_run_id) WHERE created_by_run_id IS NOT NULL;

-- Issues a live run held when the issue moved away from under it (EX-7 BETTER):
-- the run's end still promotes their deferred wakes.
CREATE TABLE issue_run_detachments (
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    run_id {id} NOT NULL REFERENCES heartbeat_runs(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    created_at {time} NOT NULL,
    PRIMARY KEY (run_id, issue_id)
){strict};
CREATE INDEX issue_run_detachments_issue ON issue_run_detachments(issue_id);

CREATE INDEX wakes_company_status ON agent_wakeup_requests(company_id, agent_id, status);
CREATE INDEX wakes_deferred ON agent_wakeup_requests(issue_id, requested_at) WHERE status = 'deferred_issue_execution';
-- One deferred row per (agent, issue): later wakes merge into it (AR-45).
CREATE UNIQUE INDEX wakes_deferred_once ON agent_wakeup_requests(agent_id, issue_id) WHERE status = 'deferred_issue_execution';
-- One delivery per idempotency key (EX-30).
CREATE UNIQUE INDEX wakes_idempotency ON agent_wakeup_requests(company_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL AND status IN ('queued','deferred_issue_execution','claimed','completed');
CREATE INDEX wakes_issue ON agent_wakeup_requests(issue_id, requested_at);

CREATE INDEX runs_company ON heartbeat_runs(company_id, created_at);
CREATE INDEX runs_agent ON heartbeat_runs(agent_id, created_at);
CREATE INDEX runs_issue ON heartbeat_runs(issue_id, created_at) WHERE issue_id IS NOT NULL;
CREATE INDEX runs_live ON heartbeat_runs(status, agent_id) WHERE status IN ('queued','running','scheduled_retry');
CREATE INDEX runs_live_issue ON heartbeat_runs(issue_id) WHERE status IN ('queued','running','scheduled_retry');
CREATE INDEX runs_retry_due ON heartbeat_runs(scheduled_retry_at) WHERE status = 'scheduled_retry';
CREATE INDEX runs_retry_of ON heartbeat_runs(retry_of_run_id) WHERE retry_of_run_id IS NOT NULL;
-- Claimed runs whose processes are not yet proven gone: what a server must supervise.
CREATE INDEX runs_open ON heartbeat_runs(owner_node_id) WHERE claimed_at IS NOT NULL AND closed_at IS NULL;
CREATE INDEX runs_open_issue ON heartbeat_runs(issue_id) WHERE claimed_at IS NOT NULL AND closed_at IS NULL;
-- At most one running lock-taking run per issue (INV-2): enforced here, not hoped for.
CREATE UNIQUE INDEX runs_one_execution ON heartbeat_runs(issue_id) WHERE status = 'running' AND takes_lock;

CREATE INDEX activity_company ON activity_log(company_id, created_at);
CREATE INDEX activity_entity ON activity_log(entity_type, entity_id, created_at);
CREATE INDEX activity_run ON activity_log(run_id) WHERE run_id IS NOT NULL;
CREATE INDEX activity_agent ON activity_log(company_id, agent_id, created_at);

-- Durable live events, kept for a bounded time, so that a socket can resume (AR-73).
CREATE TABLE live_events (
    id {serial},
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    type text NOT NULL,
    payload {json} NOT NULL,
    created_at {time} NOT NULL
){strict};
CREATE INDEX live_events_company ON live_events(company_id, id);
CREATE INDEX live_events_age ON live_events(created_at);

CREATE TABLE cost_events (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    agent_id {id} REFERENCES agents(id) ON DELETE SET NULL, -- what a deleted agent spent stays spent
    issue_id {id} REFERENCES issues(id) ON DELETE SET NULL,
    project_id {id} REFERENCES projects(id) ON DELETE SET NULL,
    goal_id {id} REFERENCES goals(id) ON DELETE SET NULL,
    heartbeat_run_id {id} REFERENCES heartbeat_runs(id) ON DELETE SET NULL,
    billing_code text,
    provider text NOT NULL,
    biller text NOT NULL,
    billing_type text NOT NULL,
    cost_status text NOT NULL,
    model text NOT NULL,
    input_tokens {int} NOT NULL DEFAULT 0,
    cached_input_tokens {int} NOT NULL DEFAULT 0,
    output_tokens {int} NOT NULL DEFAULT 0,
    cost_cents {int} NOT NULL DEFAULT 0,
    occurred_at {time} NOT NULL,
    created_at {time} NOT NULL
){strict};
CREATE INDEX cost_events_agent ON cost_events(agent_id, occurred_at);
CREATE INDEX cost_events_company ON cost_events(company_id, occurred_at);

-- One process = one node with a lease; a run is owned by (node, epoch) (AO-220…223).
CREATE TABLE server_nodes (
    node_id {id} PRIMARY KEY NOT NULL,
    instance_id text NOT NULL,
    hostname text NOT NULL,
    pid {int} NOT NULL,
    boot_id text NOT NULL,
    data_dir text NOT NULL,
    version text NOT NULL,
    epoch {int} NOT NULL,
    started_at {time} NOT NULL,
    lease_expires_at {time} NOT NULL,
    draining {bool} NOT NULL DEFAULT false
){strict};
CREATE TABLE leases (
    name text PRIMARY KEY NOT NULL,
    holder_node_id {id},
    epoch {int} NOT NULL DEFAULT 0,
    expires_at {time} NOT NULL
){strict};

CREATE TABLE instance_settings (
    key text PRIMARY KEY NOT NULL,
    value {json} NOT NULL,
    updated_at {time} NOT NULL
){strict};

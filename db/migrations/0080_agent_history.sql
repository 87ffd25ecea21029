-- How agents were configured before (AR-21), and the sessions they keep for their tasks (AR-75).
CREATE TABLE agent_config_revisions (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    agent_id {id} NOT NULL REFERENCES agents(id) ON DELETE CASCADE,
    created_by_agent_id {id},
    created_by_user_id text,
    source text NOT NULL,
    rolled_back_from_revision_id {id},
    changed_keys {json} NOT NULL,
    before_config {json} NOT NULL,
    after_config {json} NOT NULL,
    created_at {time} NOT NULL
){strict};
CREATE INDEX agent_config_revisions_agent ON agent_config_revisions(agent_id, created_at, id);

CREATE TABLE agent_task_sessions (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    agent_id {id} NOT NULL REFERENCES agents(id) ON DELETE CASCADE,
    adapter_type text NOT NULL,
    task_key text NOT NULL,
    session_params_json {json},
    session_display_id text,
    last_run_id {id},
    last_error text,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    UNIQUE (company_id, agent_id, adapter_type, task_key)
){strict};
CREATE INDEX agent_task_sessions_agent ON agent_task_sessions(agent_id, updated_at);

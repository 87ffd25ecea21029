-- Thread interactions: what an agent or the board asks on an issue, and the answer (IS §15).
CREATE TABLE issue_thread_interactions (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    kind text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending','accepted','rejected','answered','cancelled','expired','failed')),
    continuation_policy text NOT NULL,
    requested_resolver_policy text NOT NULL,
    effective_resolver_policy text NOT NULL,
    resolver_policy_provenance text NOT NULL,
    effective_resolver_policy_source text NOT NULL,
    idempotency_key text,
    source_comment_id {id} REFERENCES issue_comments(id) ON DELETE SET NULL,
    source_run_id {id} REFERENCES heartbeat_runs(id) ON DELETE SET NULL,
    title text,
    summary text,
    created_by_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    addressee_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    created_by_user_id text,
    resolved_by_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    resolved_by_run_id {id} REFERENCES heartbeat_runs(id) ON DELETE SET NULL,
    resolved_by_user_id text,
    payload {json} NOT NULL,
    result {json},
    resolved_at {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE INDEX interactions_issue ON issue_thread_interactions(issue_id, created_at, id);
CREATE INDEX interactions_pending ON issue_thread_interactions(issue_id) WHERE status = 'pending';
CREATE INDEX interactions_pending_company ON issue_thread_interactions(company_id, created_at) WHERE status = 'pending';
CREATE INDEX interactions_addressee ON issue_thread_interactions(addressee_agent_id) WHERE status = 'pending';
-- One interaction per key and issue (IS-115).
CREATE UNIQUE INDEX interactions_key ON issue_thread_interactions(issue_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Documents of an issue by key, and every revision they ever had (IS-102 to 107).
CREATE TABLE documents (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    key text NOT NULL,
    title text,
    format text NOT NULL,
    body text NOT NULL,
    latest_revision_id {id},
    latest_revision_number {int} NOT NULL,
    created_by_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    created_by_user_id text,
    updated_by_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    updated_by_user_id text,
    locked_at {time},
    locked_by_agent_id {id},
    locked_by_user_id text,
    source_trust {json},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    UNIQUE (issue_id, key)
){strict};

CREATE TABLE document_revisions (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    document_id {id} NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL,
    key text NOT NULL,
    revision_number {int} NOT NULL,
    title text,
    format text NOT NULL,
    body text NOT NULL,
    change_summary text,
    created_by_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    created_by_user_id text,
    created_by_run_id {id},
    created_at {time} NOT NULL,
    UNIQUE (document_id, revision_number)
){strict};
CREATE INDEX document_revisions_run ON document_revisions(created_by_run_id) WHERE created_by_run_id IS NOT NULL;

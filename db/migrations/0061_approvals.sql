-- Approvals: what waits for the board's decision (GV §3), the issues it is about, and what was said about it.
CREATE TABLE approvals (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    type text NOT NULL,
    requested_by_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    requested_by_user_id text,
    status text NOT NULL CHECK (status IN ('pending','revision_requested','approved','rejected','cancelled')),
    payload {json} NOT NULL,
    decision_note text,
    decided_by_user_id text,
    decided_at {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE INDEX approvals_company ON approvals(company_id, created_at);
CREATE INDEX approvals_open ON approvals(company_id) WHERE status IN ('pending','revision_requested');

CREATE TABLE approval_comments (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    approval_id {id} NOT NULL REFERENCES approvals(id) ON DELETE CASCADE,
    author_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    author_user_id text,
    body text NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE INDEX approval_comments_approval ON approval_comments(approval_id, created_at, id);

CREATE TABLE issue_approvals (
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    approval_id {id} NOT NULL REFERENCES approvals(id) ON DELETE CASCADE,
    linked_by_agent_id {id},
    linked_by_user_id text,
    created_at {time} NOT NULL,
    PRIMARY KEY (issue_id, approval_id)
){strict};
CREATE INDEX issue_approvals_approval ON issue_approvals(approval_id, created_at);

-- What the board asked of an issue and all below it (EX-130), and how it found them.
CREATE TABLE issue_tree_holds (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    root_issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    mode text NOT NULL CHECK (mode IN ('pause','resume','cancel','restore')),
    status text NOT NULL CHECK (status IN ('active','released')),
    reason text,
    release_policy {json},
    created_by_actor_type text NOT NULL,
    created_by_agent_id {id},
    created_by_user_id text,
    created_by_run_id {id},
    released_at {time},
    released_by_actor_type text,
    released_by_agent_id {id},
    released_by_user_id text,
    released_by_run_id {id},
    release_reason text,
    release_metadata {json},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    CHECK ((status = 'released') = (released_at IS NOT NULL))
){strict};
-- The gate asks for the active holds of an issue and its ancestors, and first whether the company has any.
CREATE INDEX issue_tree_holds_active ON issue_tree_holds(root_issue_id, mode) WHERE status = 'active';
CREATE INDEX issue_tree_holds_company ON issue_tree_holds(company_id, mode) WHERE status = 'active';
CREATE INDEX issue_tree_holds_root ON issue_tree_holds(root_issue_id, created_at);

CREATE TABLE issue_tree_hold_members (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    hold_id {id} NOT NULL REFERENCES issue_tree_holds(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    parent_issue_id {id},
    depth {int} NOT NULL,
    issue_identifier text,
    issue_title text NOT NULL,
    issue_status text NOT NULL,
    assignee_agent_id {id},
    assignee_user_id text,
    active_run_id {id},
    active_run_status text,
    skipped {bool} NOT NULL,
    skip_reason text,
    created_at {time} NOT NULL,
    unblock_descriptor {json},
    UNIQUE (hold_id, issue_id)
){strict};
CREATE INDEX issue_tree_hold_members_issue ON issue_tree_hold_members(issue_id);

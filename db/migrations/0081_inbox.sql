-- What people have read, put away and dismissed (IS-129…131, GV-102), and how they order their board (GV-104).
CREATE TABLE issue_read_states (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    user_id text NOT NULL,
    last_read_at {time} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    UNIQUE (issue_id, user_id)
){strict};

CREATE TABLE issue_inbox_archives (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    user_id text NOT NULL,
    archived_by_actor_type text NOT NULL,
    archived_by_agent_id {id},
    archived_by_run_id {id},
    archived_at {time} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    UNIQUE (issue_id, user_id)
){strict};

CREATE TABLE inbox_dismissals (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    user_id text NOT NULL,
    item_key text NOT NULL,
    kind text NOT NULL,
    dismissed_at {time} NOT NULL,
    snoozed_until {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    UNIQUE (company_id, user_id, item_key)
){strict};

CREATE TABLE sidebar_preferences (
    id {id} PRIMARY KEY NOT NULL,
    user_id text NOT NULL,
    company_id {id} REFERENCES companies(id) ON DELETE CASCADE,
    ordered_ids {json} NOT NULL,
    updated_at {time} NOT NULL
){strict};
CREATE UNIQUE INDEX sidebar_preferences_user ON sidebar_preferences(user_id) WHERE company_id IS NULL;
CREATE UNIQUE INDEX sidebar_preferences_company ON sidebar_preferences(user_id, company_id) WHERE company_id IS NOT NULL;

-- What a productivity review is about (EX-152); its issue is an issue like any other.
CREATE TABLE issue_productivity_reviews (
    review_issue_id {id} PRIMARY KEY NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    source_issue_id {id} NOT NULL REFERENCES issues(id) ON DELETE CASCADE,
    agent_id {id} NOT NULL,
    trigger_kind text NOT NULL,
    no_comment_streak {int} NOT NULL DEFAULT 0,
    refresh_count {int} NOT NULL DEFAULT 0,
    refreshed_at {time} NOT NULL,
    created_at {time} NOT NULL
){strict};
CREATE INDEX productivity_reviews_source ON issue_productivity_reviews(source_issue_id, created_at);
-- Where to look for agents that are busy: what was started of late, and what is long in progress.
CREATE INDEX runs_recent ON heartbeat_runs(created_at) WHERE issue_id IS NOT NULL;
CREATE INDEX issues_in_progress ON issues(started_at) WHERE status = 'in_progress' AND assignee_agent_id IS NOT NULL;

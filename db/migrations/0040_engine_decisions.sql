-- Decisions of the engine that leave no row of their own (bulldog issue history).
-- subject: names what must be told once only, however often it is found again.
CREATE TABLE engine_decisions (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    issue_id {id} REFERENCES issues(id) ON DELETE CASCADE,
    agent_id {id},
    run_id {id},
    wake_id {id},
    decision text NOT NULL,
    reason text NOT NULL,
    details {json},
    subject text,
    created_at {time} NOT NULL
){strict};
CREATE INDEX engine_decisions_issue ON engine_decisions(issue_id, created_at);
CREATE INDEX engine_decisions_age ON engine_decisions(created_at);
CREATE UNIQUE INDEX engine_decisions_once ON engine_decisions(subject);

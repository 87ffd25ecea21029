-- Heartbeats keep their own clock beside the timers'; a silent agent is reported once per silence.
ALTER TABLE agents ADD COLUMN last_timer_at {time};
ALTER TABLE agents ADD COLUMN heartbeat_stale_since {time};
CREATE INDEX agents_stale ON agents(id) WHERE heartbeat_stale_since IS NOT NULL;

-- What somebody decided about a run that says nothing.
ALTER TABLE heartbeat_runs ADD COLUMN silence_snoozed_until {time};
ALTER TABLE heartbeat_runs ADD COLUMN silence_dismissed {bool} NOT NULL DEFAULT false;
CREATE TABLE heartbeat_run_watchdog_decisions (
    id {id} PRIMARY KEY NOT NULL,
    company_id {id} NOT NULL REFERENCES companies(id) ON DELETE CASCADE,
    run_id {id} NOT NULL REFERENCES heartbeat_runs(id) ON DELETE CASCADE,
    evaluation_issue_id {id} REFERENCES issues(id) ON DELETE SET NULL,
    decision text NOT NULL CHECK (decision IN ('snooze','continue','dismissed_false_positive')),
    snoozed_until {time},
    reason text,
    created_by_agent_id {id} REFERENCES agents(id) ON DELETE SET NULL,
    created_by_user_id text,
    created_by_run_id {id},
    created_at {time} NOT NULL
){strict};
CREATE INDEX watchdog_decisions_run ON heartbeat_run_watchdog_decisions(run_id, created_at);

-- Blockers that nobody owns, for the pass that gives them back to who made them.
CREATE INDEX issues_unowned ON issues(id) WHERE assignee_agent_id IS NULL AND assignee_user_id IS NULL
    AND created_by_agent_id IS NOT NULL AND status IN ('todo','blocked') AND hidden_at IS NULL;

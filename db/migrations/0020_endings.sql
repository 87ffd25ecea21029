-- A run that went well left the issue without a disposition (EX-72): who was
-- asked, and for which run; null when nothing is asked.
ALTER TABLE issues ADD COLUMN successful_run_handoff {json};
-- Monitors that are due (EX-94).
CREATE INDEX issues_monitor_due ON issues(monitor_next_check_at) WHERE monitor_next_check_at IS NOT NULL;

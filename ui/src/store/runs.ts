// Runs as the board keeps them: several answers and frames spell a run
// differently, here they become one shape; and the words for why one exists.
import type { Run, RunStatus, WireRun } from '../api/types';
import { plain } from './log';

export function isLive(status: RunStatus): boolean {
  return status === 'running' || status === 'queued';
}

/** Null when the answer does not say which run or whose. */
export function toRun(wire: WireRun): Run | null {
  const id = wire.id ?? wire.runId;
  if (!id || !wire.agentId || !wire.status) return null;
  const result = wire.resultJson;
  const said = wire.lastOutputLine ?? wire.lastLine ?? wire.lastAssistantSnippet ?? null;
  return {
    id,
    agentId: wire.agentId,
    issueId: wire.issueId ?? wire.contextSnapshot?.issueId ?? null,
    status: wire.status,
    invocationSource: wire.invocationSource ?? null,
    triggerDetail: wire.triggerDetail ?? null,
    wakeReason: wire.wakeReason ?? wire.contextSnapshot?.wakeReason ?? null,
    createdAt: wire.createdAt ?? wire.startedAt ?? new Date().toISOString(),
    startedAt: wire.startedAt ?? null,
    finishedAt: wire.finishedAt ?? null,
    error: wire.error ?? null,
    errorCode: wire.errorCode ?? null,
    exitCode: wire.exitCode ?? null,
    logBytes: wire.logBytes ?? 0,
    lastOutputAt: wire.lastOutputAt ?? null,
    lastLine: said ? plain(said) : (result?.summary ?? result?.message ?? result?.result ?? null),
  };
}

const REASONS: Record<string, string> = {
  issue_assigned: 'Assigned',
  issue_commented: 'New comment',
  issue_comment_mentioned: 'Mentioned in a comment',
  issue_reopened_via_comment: 'Reopened by a comment',
  issue_status_changed: 'Status changed',
  issue_checked_out: 'Checked out',
  issue_blockers_resolved: 'Blockers are done',
  issue_children_completed: 'All sub-tasks are done',
  issue_tree_restored: 'Work resumed',
  issue_recovery_action_restored: 'Recovery finished',
  issue_continuation_needed: 'Work was left unfinished',
  issue_assignment_recovery: 'Assigned work was stranded',
  issue_monitor_due: 'A scheduled check is due',
  heartbeat_timer: 'Regular heartbeat',
  execution_review_requested: 'Review requested',
  execution_approval_requested: 'Approval requested',
  execution_changes_requested: 'Changes requested',
  approval_approved: 'Approval granted',
  process_lost_retry: 'Retry: the process was lost',
  transient_failure_retry: 'Retry after a passing failure',
  workspace_busy_retry: 'Retry: the workspace was busy',
  source_scoped_recovery_action: 'Recovery',
};

const SOURCES: Record<string, string> = {
  timer: 'Regular heartbeat',
  on_demand: 'Started by hand',
  assignment: 'Assigned',
  automation: 'Automation',
};

/** One short phrase for why the agent is (or was) awake. */
export function wakeWords(run: Run): string {
  if (run.wakeReason) return REASONS[run.wakeReason] ?? humanise(run.wakeReason);
  return SOURCES[run.invocationSource ?? ''] ?? 'Woken';
}

/** `timed_out` → `Timed out`. */
export function humanise(code: string): string {
  const words = code.replace(/[_.]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

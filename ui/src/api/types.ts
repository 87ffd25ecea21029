// Wire shapes the board reads, as far as it reads them (UI-2: only the public
// API). Fields marked optional are not in every answer or frame.

export type IssueStatus = 'backlog' | 'todo' | 'in_progress' | 'in_review' | 'blocked' | 'done' | 'cancelled';

export type RunStatus =
  | 'queued'
  | 'scheduled_retry'
  | 'running'
  | 'succeeded'
  | 'interrupted'
  | 'failed'
  | 'cancelled'
  | 'timed_out';

export interface Company {
  id: string;
  name: string;
  issuePrefix: string;
  status: string;
}

export interface Agent {
  id: string;
  name: string;
  role: string;
  title: string | null;
  status: string;
  reportsTo: string | null;
  urlKey: string;
  adapterType: string;
  pauseReason: string | null;
  errorReason: string | null;
  lastHeartbeatAt: string | null;
}

export interface Project {
  id: string;
  name: string;
}

export interface IssueRef {
  id: string;
  identifier: string;
  title: string;
  status: IssueStatus;
}

/** Compact row (IS-14) with blockedBy; the detail answer adds blocks. */
export interface Issue {
  id: string;
  identifier: string;
  issueNumber: number;
  parentId: string | null;
  projectId: string | null;
  title: string;
  description: string | null;
  status: IssueStatus;
  priority: string;
  assigneeAgentId: string | null;
  assigneeUserId: string | null;
  startedAt: string | null;
  completedAt: string | null;
  createdAt: string;
  updatedAt: string;
  hiddenAt?: string | null;
  blockedBy?: IssueRef[];
  blocks?: IssueRef[];
  blockerAttention?: { state: string; sampleBlockerIdentifier: string | null } | null;
}

export interface Comment {
  id: string;
  issueId: string;
  body: string;
  authorType?: string | null;
  authorAgentId: string | null;
  authorUserId: string | null;
  createdAt: string;
  deletedAt?: string | null;
}

/** What every place that shows a run needs; live-run items (AR-70) and frames fill it. */
export interface Run {
  id: string;
  agentId: string;
  issueId: string | null;
  status: RunStatus;
  invocationSource: string | null;
  triggerDetail: string | null;
  wakeReason: string | null;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  error: string | null;
  errorCode: string | null;
  exitCode: number | null;
  logBytes: number;
  lastOutputAt: string | null;
  lastLine: string | null;
}

export interface Dashboard {
  agents: { active: number; running: number; paused: number; error: number };
  tasks: { open: number; inProgress: number; blocked: number; done: number };
  costs: { monthSpendCents: number; monthBudgetCents: number; monthUtilizationPercent: number };
  pendingApprovals: number;
}

export interface Bootstrap {
  session: { userId: string | null; mode: string };
  company: Company;
  companies: Company[];
  agents: Agent[];
  projects: Project[];
  issues: Issue[];
  liveRuns: WireRun[];
  recentRuns: WireRun[];
  dashboard: Dashboard;
  lastEventId: number;
}

/** A run as the several answers spell it; store/runs.ts makes a Run of it. */
export type WireRun = Partial<Omit<Run, 'id'>> & {
  id?: string;
  runId?: string;
  agentId?: string;
  lastAssistantSnippet?: string | null;
  currentStatusMessage?: string | null;
  lastOutputLine?: string | null;
  contextSnapshot?: { issueId?: string; wakeReason?: string } | null;
  resultJson?: { summary?: string; result?: string; message?: string } | null;
};

export interface LogPage {
  content: string;
  nextOffset?: number;
  endOffset?: number;
  totalBytes?: number;
}

export interface Frame {
  id: number;
  companyId: string;
  type: string;
  createdAt: string;
  payload: Record<string, unknown>;
}

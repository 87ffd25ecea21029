// Applying live frames to the tables (UI-104): a frame that carries the changed
// row costs no request; one that only says that something changed costs one GET
// of that entity, however many frames said so meanwhile.
import { batch } from '@preact/signals';
import { ApiError, get, serverNow } from '../api/client';
import type { Agent, Company, Dashboard, Frame, Issue, Run, RunStatus } from '../api/types';
import { announce } from './announce';
import { plain } from './log';
import { humanise, toRun, wakeWords } from './runs';
import { agents, company, heardAt, issues, projects, runs, takeDashboard } from './tables';

type Listener = (frame: Frame) => void;
const listeners = new Set<Listener>();

/** For what is open beside the tables: a task's thread, a run's log. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function applyFrame(frame: Frame): void {
  heardAt.value = serverNow();
  batch(() => {
    HANDLERS[frame.type]?.(frame);
    for (const listener of listeners) listener(frame);
  });
}

const HANDLERS: Record<string, (frame: Frame) => void> = {
  'heartbeat.run.queued': applyRun,
  'heartbeat.run.status': applyRun,
  'heartbeat.run.log': applyLog,
  'heartbeat.run.progress': applyProgress,
  'agent.status': applyAgentStatus,
  'activity.logged': applyActivity,
};

function applyRun(frame: Frame): void {
  const said = frame.payload as Partial<Run> & { runId: string; agentId: string; status?: RunStatus };
  const known = runs.peek(said.runId);
  const status = said.status ?? (frame.type === 'heartbeat.run.queued' ? 'queued' : known?.status);
  if (!status) return;
  const { runId, ...fields } = said;
  const change = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
  const run = known
    ? { ...known, ...(change as Partial<Run>), status }
    : toRun({ ...change, id: runId, agentId: said.agentId, status, createdAt: frame.createdAt });
  if (!run) return;
  runs.put(run);
  if (known?.status !== status) announceRun(run);
}

function announceRun(run: Run): void {
  const agent = agents.peek(run.agentId)?.name ?? 'An agent';
  const issue = run.issueId ? issues.peek(run.issueId)?.identifier : undefined;
  const on = issue ? ` on ${issue}` : '';
  if (run.status === 'running') announce(`${agent} is awake${on}: ${wakeWords(run)}.`);
  else if (run.status === 'succeeded') announce(`${agent} finished${on}.`);
  else if (run.status !== 'queued') announce(`Run of ${agent}${on}: ${humanise(run.status)}.`);
}

// Output may come hundreds of lines a second; a row shows the newest ten times a second.
const LINES_EVERY_MS = 100;
const newestLine = new Map<string, Partial<Run>>();
let lineTimer: ReturnType<typeof setTimeout> | undefined;

function showLine(runId: string, change: Partial<Run>): void {
  newestLine.set(runId, change);
  lineTimer ??= setTimeout(() => {
    lineTimer = undefined;
    batch(() => newestLine.forEach((latest, id) => runs.patch(id, latest)));
    newestLine.clear();
  }, LINES_EVERY_MS);
}

function applyLog(frame: Frame): void {
  const { runId, chunk, ts } = frame.payload as { runId: string; chunk?: string; ts?: string };
  const known = runs.peek(runId);
  if (known && known.logBytes === 0) runs.patch(runId, { logBytes: 1 }); // there is a log now
  const line = (chunk ?? '').split('\n').map(plain).filter((text) => text.trim() !== '').at(-1);
  if (line) showLine(runId, { lastLine: line, lastOutputAt: ts ?? frame.createdAt });
}

function applyProgress(frame: Frame): void {
  const said = frame.payload as { runId: string; lastAssistantSnippet?: string | null; lastEventAt?: string };
  if (said.lastAssistantSnippet) {
    showLine(said.runId, { lastLine: said.lastAssistantSnippet, lastOutputAt: said.lastEventAt ?? frame.createdAt });
  }
}

function applyAgentStatus(frame: Frame): void {
  const said = frame.payload as { agentId: string; status: string; lastHeartbeatAt?: string };
  const change: Partial<Agent> = { status: said.status };
  if (said.lastHeartbeatAt) change.lastHeartbeatAt = said.lastHeartbeatAt;
  if (!agents.patch(said.agentId, change)) refetch('agents', said.agentId);
}

interface Activity {
  action: string;
  entityType: string;
  entityId: string;
  entity?: unknown;
}

function applyActivity(frame: Frame): void {
  const said = frame.payload as unknown as Activity;
  const { entityType: kind, entityId: id, action } = said;
  if (kind === 'issue') {
    if (action === 'issue.deleted') {
      issues.remove(id);
    } else if (said.entity) {
      // A row the snapshot left out: what it was before is counted elsewhere.
      if (!issues.peek(id) && action !== 'issue.created') refetchCounts();
      putIssue(said.entity as Issue);
    } else if (!QUIET.has(action)) refetch('issues', id);
  } else if (kind === 'agent') {
    if (action === 'agent.deleted') agents.remove(id);
    else if (said.entity) agents.put(said.entity as Agent);
    else if (!QUIET.has(action)) refetch('agents', id);
  } else if (kind === 'project') {
    refetch('projects', id);
  } else if (kind === 'company' && id === company.peek()?.id) {
    refetch('companies', id);
  }
}

/** Actions that change nothing the board shows. */
const QUIET = new Set([
  'issue.read_marked',
  'issue.read_unmarked',
  'issue.blockers_resolved_wake_emitted',
  'issue.children_completed_wake_emitted',
  'agent.key_created',
  'agent.key_revoked',
]);

export function putIssue(row: Issue): void {
  const before = issues.peek(row.id);
  // A GET may have overtaken the frames that are still on their way.
  if (before && row.updatedAt < before.updatedAt) return;
  issues.put(row);
  if (!before) announce(`New task ${row.identifier}: ${row.title}.`);
  else if (before.status !== row.status) announce(`${row.identifier} is now ${humanise(row.status).toLowerCase()}.`);
}

const GATHER_MS = 60;
const pending = new Map<string, ReturnType<typeof setTimeout>>();

function refetchCounts(): void {
  const id = company.peek()?.id;
  const key = 'dashboard';
  if (!id || pending.has(key)) return;
  const timer = setTimeout(() => {
    pending.delete(key);
    get<Dashboard>(`/companies/${id}/dashboard`).then(takeDashboard, () => undefined);
  }, GATHER_MS);
  pending.set(key, timer);
}

function refetch(noun: 'issues' | 'agents' | 'projects' | 'companies', id: string): void {
  const key = `${noun}/${id}`;
  if (pending.has(key)) return;
  const timer = setTimeout(() => {
    pending.delete(key);
    get<unknown>(`/${key}`).then(
      (row) => {
        if (noun === 'issues') putIssue(row as Issue);
        else if (noun === 'agents') agents.put(row as Agent);
        else if (noun === 'projects') projects.put(row as { id: string; name: string });
        else company.value = row as Company;
      },
      (error: unknown) => {
        if (!(error instanceof ApiError) || error.status !== 404) return; // the next frame tells again
        if (noun === 'issues') issues.remove(id);
        else if (noun === 'agents') agents.remove(id);
      },
    );
  }, GATHER_MS);
  pending.set(key, timer);
}

/** A fresh snapshot is newer than anything still waiting to be fetched. */
export function dropPending(): void {
  for (const timer of pending.values()) clearTimeout(timer);
  pending.clear();
  newestLine.clear();
}

// What the board knows of the chosen company. Filled by load.ts from one
// bootstrap answer, kept true by frames.ts.
import { computed, signal } from '@preact/signals';
import type { LinkState } from '../api/socket';
import type { Agent, Bootstrap, Company, Dashboard, Issue, IssueStatus, Project, Run } from '../api/types';
import { isLive } from './runs';
import { Table } from './table';

export const companies = signal<Company[]>([]);
export const company = signal<Company | null>(null);
export const dashboard = signal<Dashboard | null>(null);
export const session = signal<Bootstrap['session'] | null>(null);

export const agents = new Table<Agent>(['name', 'reportsTo', 'status']);
export const projects = new Table<Project>([]);
export const issues = new Table<Issue>(['parentId', 'issueNumber', 'status', 'hiddenAt', 'assigneeAgentId']);
export const runs = new Table<Run>(['status', 'startedAt', 'finishedAt', 'issueId']);

export const link = signal<LinkState>('connecting');
/** Server time of the newest thing we heard, for "last update 12 s ago". */
export const heardAt = signal(0);

export type Phase =
  | { at: 'loading' }
  | { at: 'empty' } // no company yet
  | { at: 'ready' }
  | { at: 'gone'; message: string } // the address names no company we may see
  | { at: 'failed'; message: string };
export const phase = signal<Phase>({ at: 'loading' });

export interface TreeRow {
  issue: Issue;
  depth: number;
  children: number;
  position: number; // among its siblings, from 1
  siblings: number;
}

/** Folded parents, by issue id. */
export const folded = signal<ReadonlySet<string>>(new Set());

export function setFolded(id: string, fold: boolean): void {
  const next = new Set(folded.peek());
  if (fold) next.add(id);
  else next.delete(id);
  folded.value = next;
}

const childrenOf = computed(() => {
  const known = issues.all().filter((issue) => !issue.hiddenAt);
  const ids = new Set(known.map((issue) => issue.id));
  const children = new Map<string | null, Issue[]>();
  for (const issue of known) {
    const parent = issue.parentId && ids.has(issue.parentId) ? issue.parentId : null;
    const list = children.get(parent);
    if (list) list.push(issue);
    else children.set(parent, [issue]);
  }
  for (const [parent, list] of children) {
    // Newest work on top; within a plan, the order in which it was laid out.
    list.sort((a, b) => (parent ? a.issueNumber - b.issueNumber : b.issueNumber - a.issueNumber));
  }
  return children;
});

export function subtasks(id: string): Issue[] {
  return childrenOf.value.get(id) ?? [];
}

/** The issue tree, flattened in display order, folded parents closed. */
export const tree = computed(() => {
  const children = childrenOf.value;
  const closed = folded.value;
  const rows: TreeRow[] = [];
  const walk = (parent: string | null, depth: number): void => {
    const list = children.get(parent) ?? [];
    list.forEach((issue, index) => {
      const count = children.get(issue.id)?.length ?? 0;
      rows.push({ issue, depth, children: count, position: index + 1, siblings: list.length });
      if (count > 0 && !closed.has(issue.id)) walk(issue.id, depth + 1);
    });
  };
  walk(null, 0);
  return rows;
});

export interface TaskCounts {
  open: number;
  inProgress: number;
  blocked: number;
  done: number;
}

const countsHere = computed((): TaskCounts => {
  const counts = { open: 0, inProgress: 0, blocked: 0, done: 0 };
  for (const issue of issues.all()) {
    if (issue.hiddenAt || issue.status === 'cancelled') continue;
    if (issue.status === 'done') counts.done++;
    else counts.open++;
    if (issue.status === 'in_progress') counts.inProgress++;
    if (issue.status === 'blocked') counts.blocked++;
  }
  return counts;
});

/** The server's counts less ours: what a long list's snapshot leaves out. */
const countsElsewhere = signal<TaskCounts>({ open: 0, inProgress: 0, blocked: 0, done: 0 });

/** Call when the tables stand where the answer stood. */
export function takeDashboard(answer: Dashboard): void {
  const here = countsHere.peek();
  const { tasks } = answer;
  dashboard.value = answer;
  countsElsewhere.value = {
    open: tasks.open - here.open,
    inProgress: tasks.inProgress - here.inProgress,
    blocked: tasks.blocked - here.blocked,
    done: tasks.done - here.done,
  };
}

export const taskCounts = computed((): TaskCounts => {
  const here = countsHere.value;
  const elsewhere = countsElsewhere.value;
  return {
    open: here.open + elsewhere.open,
    inProgress: here.inProgress + elsewhere.inProgress,
    blocked: here.blocked + elsewhere.blocked,
    done: here.done + elsewhere.done,
  };
});

export function isOver(status: IssueStatus): boolean {
  return status === 'done' || status === 'cancelled';
}

/** Identifiers of what an unfinished task still waits for. */
export function waitsFor(issue: Issue): string[] {
  if (isOver(issue.status)) return [];
  const open = (issue.blockedBy ?? [])
    .map((blocker) => issues.get(blocker.id) ?? blocker)
    .filter((blocker) => !isOver(blocker.status))
    .map((blocker) => blocker.identifier);
  const sample = issue.blockerAttention?.sampleBlockerIdentifier;
  return open.length === 0 && sample && !issue.blockedBy ? [sample] : open;
}

/** By agent: an assigned task that cannot go on yet. */
export const waitingTasks = computed(() => {
  const waiting = new Map<string, Issue>();
  for (const { id, assigneeAgentId: agent, status } of issues.all()) {
    if (!agent || isOver(status) || waiting.has(agent)) continue;
    const issue = issues.get(id);
    if (issue && waitsFor(issue).length > 0) waiting.set(agent, issue);
  }
  return waiting;
});

/** Queued and running runs, oldest first, by agent. */
export const liveRuns = computed(() => {
  const byAgent = new Map<string, Run[]>();
  const live = runs.all().filter((run) => isLive(run.status));
  live.sort((a, b) => (a.startedAt ?? a.createdAt).localeCompare(b.startedAt ?? b.createdAt));
  for (const run of live) {
    const list = byAgent.get(run.agentId);
    if (list) list.push(run);
    else byAgent.set(run.agentId, [run]);
  }
  return byAgent;
});

/** Issues something is running on now. */
export const liveIssues = computed(() => {
  const ids = new Set<string>();
  for (const list of liveRuns.value.values()) {
    for (const run of list) if (run.status === 'running' && run.issueId) ids.add(run.issueId);
  }
  return ids;
});

/** Newest first, the live ones on top. */
export const runList = computed(() => {
  const list = runs.all();
  const at = (run: Run): string => run.finishedAt ?? run.startedAt ?? run.createdAt;
  return list.sort((a, b) => {
    const live = Number(isLive(b.status)) - Number(isLive(a.status));
    return live || at(b).localeCompare(at(a));
  });
});

export interface AgentRow {
  agent: Agent;
  depth: number;
}

/** The org tree, flattened: managers above the people who report to them. */
export const orgRows = computed(() => {
  const known = agents.all().filter((agent) => agent.status !== 'terminated');
  const ids = new Set(known.map((agent) => agent.id));
  const rows: AgentRow[] = [];
  const seen = new Set<string>();
  const walk = (manager: string | null, depth: number): void => {
    known
      .filter((agent) => (agent.reportsTo && ids.has(agent.reportsTo) ? agent.reportsTo : null) === manager)
      .sort((a, b) => a.name.localeCompare(b.name))
      .forEach((agent) => {
        if (seen.has(agent.id)) return;
        seen.add(agent.id);
        rows.push({ agent, depth });
        walk(agent.id, depth + 1);
      });
  };
  walk(null, 0);
  // A cycle in reportsTo has no top; its members must not vanish.
  for (const agent of known) if (!seen.has(agent.id)) rows.push({ agent, depth: 0 });
  return rows;
});

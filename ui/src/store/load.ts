// Choosing a company and loading it: one bootstrap answer (UI-144), then the
// socket from exactly that snapshot on.
import { batch, effect } from '@preact/signals';
import { ApiError, get, serverNow } from '../api/client';
import { EventSocket } from '../api/socket';
import type { Bootstrap, Company, LogPage } from '../api/types';
import { applyFrame, dropPending } from './frames';
import { textLines } from './log';
import { homeHref, navigate, route } from './route';
import { toRun } from './runs';
import { agents, companies, company, heardAt, issues, link, phase, projects, runs, session, takeDashboard } from './tables';

const STORED = 'bulldog.company';
/** How often a board without any company looks whether there is one now. */
const EMPTY_LOOK_MS = 2_000;
const TAILS_MAX = 4;
const TAIL_BYTES = 4_096;

let socket: EventSocket | null = null;
let loading: AbortController | null = null;

export function start(): void {
  effect(() => {
    const { prefix } = route.value;
    const current = company.peek();
    if (!prefix && current) return;
    if (prefix && current?.issuePrefix.toLowerCase() === prefix.toLowerCase()) return;
    void choose(prefix);
  });
}

export function retry(): void {
  void choose(route.peek().prefix);
}

/** The list as it is now; another window may have made a company meanwhile. */
export async function refreshCompanies(): Promise<void> {
  companies.value = await get<Company[]>('/companies');
}

async function choose(prefix: string | null): Promise<void> {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  socket?.close();
  socket = null;
  try {
    const id = await pick(prefix, signal);
    if (id) await open(id, signal);
  } catch (error) {
    if (signal.aborted) return;
    phase.value = { at: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

/** The company the address or the last visit names; the stored id saves a request. */
async function pick(prefix: string | null, signal: AbortSignal): Promise<string | null> {
  const stored = readStored();
  if (stored && (!prefix || prefix.toLowerCase() === stored.prefix.toLowerCase())) return stored.id;
  const all = await get<Company[]>('/companies', signal);
  companies.value = all;
  const active = all.filter((one) => one.status !== 'archived');
  const chosen = prefix
    ? all.find((one) => one.issuePrefix.toLowerCase() === prefix.toLowerCase())
    : (active[0] ?? all[0]);
  if (chosen) return chosen.id;
  company.value = null;
  phase.value =
    all.length === 0 ? { at: 'empty' } : { at: 'gone', message: `No company has the prefix ${prefix ?? ''}.` };
  if (all.length === 0) lookAgain(signal);
  return null;
}

/**
 * With no company there is no socket to hear of one, and a newcomer is just now
 * typing `bulldog demo` next to this page. The only timed request there is.
 */
function lookAgain(signal: AbortSignal): void {
  setTimeout(() => {
    if (signal.aborted) return;
    if (document.hidden) lookAgain(signal);
    else void choose(route.peek().prefix);
  }, EMPTY_LOOK_MS);
}

async function open(id: string, signal: AbortSignal): Promise<void> {
  let lastEventId: number;
  try {
    lastEventId = await load(id, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 403)) throw error;
    const stored = readStored();
    if (stored?.id !== id) {
      phase.value = { at: 'gone', message: error.message };
      return;
    }
    forget(); // what we remembered from the last visit is no longer there
    return choose(route.peek().prefix);
  }
  if (signal.aborted) return;
  socket = new EventSocket(id, lastEventId, {
    frame: applyFrame,
    state: (state) => {
      if (state === 'open') {
        heardAt.value = serverNow();
        if (link.peek() === 'lost') void fillTails(signal);
      }
      link.value = state;
    },
    reset: () => load(id, signal),
  });
}

/** Fills the store from one snapshot and gives the event id it stands at. */
async function load(id: string, signal: AbortSignal): Promise<number> {
  const answer = await get<Bootstrap>(`/companies/${id}/bootstrap`, signal);
  dropPending();
  batch(() => {
    company.value = answer.company;
    companies.value = answer.companies;
    session.value = answer.session;
    agents.replace(answer.agents);
    projects.replace(answer.projects);
    issues.replace(answer.issues);
    takeDashboard(answer.dashboard);
    const all = [...answer.recentRuns, ...answer.liveRuns].map(toRun).filter((run) => run !== null);
    runs.replace(all);
    heardAt.value = serverNow();
    phase.value = { at: 'ready' };
  });
  store(answer.company);
  if (!route.peek().prefix || location.pathname === '/') navigate(homeHref(answer.company.issuePrefix), 'replace');
  void fillTails(signal);
  return answer.lastEventId;
}

/**
 * Output is not replayed, so after loading and after a break the ends of the live
 * runs' logs are read once; from then on frames bring every line.
 */
async function fillTails(signal: AbortSignal): Promise<void> {
  const talking = runs.all().filter((run) => run.status === 'running' && run.logBytes > 0);
  for (const run of talking.slice(0, TAILS_MAX)) {
    const before = runs.peek(run.id)?.lastLine;
    try {
      const last = await lastLine(run.id, Math.max(0, run.logBytes - TAIL_BYTES), signal);
      if (last && runs.peek(run.id)?.lastLine === before) runs.patch(run.id, { lastLine: last });
    } catch {
      return; // the line will come with the next output
    }
  }
}

/** `from` is near the end as far as we know; a log that has grown much is asked for its real end. */
async function lastLine(runId: string, from: number, signal: AbortSignal): Promise<string | undefined> {
  const read = (offset: number) => get<LogPage>(`/heartbeat-runs/${runId}/log?offset=${offset}&limitBytes=64000`, signal);
  let page = await read(from);
  if (page.nextOffset !== undefined && page.totalBytes) page = await read(Math.max(0, page.totalBytes - TAIL_BYTES));
  return textLines(page.content).at(-1);
}

function readStored(): { id: string; prefix: string } | null {
  try {
    const value = JSON.parse(localStorage.getItem(STORED) ?? 'null') as { id?: unknown; prefix?: unknown } | null;
    if (typeof value?.id === 'string' && typeof value.prefix === 'string') return { id: value.id, prefix: value.prefix };
  } catch {
    // Unreadable or forbidden storage only costs a request.
  }
  return null;
}

function store(chosen: Company): void {
  try {
    localStorage.setItem(STORED, JSON.stringify({ id: chosen.id, prefix: chosen.issuePrefix }));
  } catch {
    // As above.
  }
}

function forget(): void {
  try {
    localStorage.removeItem(STORED);
  } catch {
    // As above.
  }
}

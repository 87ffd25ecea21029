// The address is the view (Q7): which company, and what the side panel shows.
//   /PFX/dashboard             the overview
//   /PFX/issues/HAR-3          the overview with that task's panel
//   /PFX/agents/KEY/runs/ID    the overview with that run's panel
import { computed, signal } from '@preact/signals';
import type { Agent, Issue, Run } from '../api/types';
import { agents, company } from './tables';

export type Panel = { kind: 'issue'; key: string } | { kind: 'run'; id: string };

export interface Route {
  prefix: string | null;
  panel: Panel | null;
  known: boolean;
}

const path = signal(location.pathname);

/** True once the address has changed in this page: focus may then follow it. */
export let moved = false;

function follow(): void {
  moved = true;
  path.value = location.pathname;
}

export function parseRoute(pathname: string): Route {
  const parts = pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const [prefix = null, page, key, sub, id] = parts;
  if (parts.length === 0) return { prefix: null, panel: null, known: true };
  if (prefix === 'issues' && page && parts.length === 2) {
    // Addresses without a company: the identifier itself names it.
    return { prefix: page.split('-')[0] ?? null, panel: { kind: 'issue', key: page }, known: true };
  }
  if (parts.length === 1 || (parts.length === 2 && page === 'dashboard')) return { prefix, panel: null, known: true };
  if (page === 'issues' && key && parts.length === 3) return { prefix, panel: { kind: 'issue', key }, known: true };
  if (page === 'agents' && sub === 'runs' && id && parts.length === 5) {
    return { prefix, panel: { kind: 'run', id }, known: true };
  }
  return { prefix, panel: null, known: false };
}

export const route = computed(() => parseRoute(path.value));

export function navigate(to: string, how: 'push' | 'replace' = 'push'): void {
  if (to === location.pathname) return;
  if (how === 'push') history.pushState(null, '', to);
  else history.replaceState(null, '', to);
  if (how === 'push') follow();
  else path.value = location.pathname;
}

function prefix(): string {
  return company.value?.issuePrefix ?? '';
}

export function homeHref(issuePrefix = prefix()): string {
  return `/${issuePrefix}/dashboard`;
}

export function issueHref(issue: Pick<Issue, 'identifier'>): string {
  return `/${prefix()}/issues/${issue.identifier}`;
}

export function runHref(run: Pick<Run, 'id' | 'agentId'>): string {
  const agent: Agent | undefined = agents.get(run.agentId);
  return `/${prefix()}/agents/${agent?.urlKey ?? run.agentId}/runs/${run.id}`;
}

/** Plain clicks on our own links stay in the page. */
export function startRouter(): void {
  addEventListener('popstate', follow);
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const anchor = (event.target as Element).closest?.('a[href^="/"]');
    if (!anchor || anchor.hasAttribute('target') || anchor.hasAttribute('download')) return;
    event.preventDefault();
    navigate(anchor.getAttribute('href')!);
  });
}

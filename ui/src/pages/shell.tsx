// The frame around every page: skip link, header with the company's counts,
// connection bar, live region, help, and the keys that work everywhere.
import { effect } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { announcement } from '../store/announce';
import { agoWords, now } from '../store/clock';
import { focusSection, moveTask } from '../store/cursor';
import { refreshCompanies, retry } from '../store/load';
import { homeHref, navigate, route } from '../store/route';
import { companies, company, dashboard, heardAt, issues, link, liveRuns, orgRows, phase, taskCounts } from '../store/tables';
import { type Theme, chooseTheme, theme } from '../store/theme';
import { CompanyBadge } from '../ui/avatar';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { Menu } from '../ui/menu';
import { ErrorBox, Skeleton } from '../ui/states';
import { Overview } from './overview';
import { Welcome } from './welcome';

export function Shell() {
  const [help, setHelp] = useState(false);
  useEffect(() => effect(titlePage), []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (handleKey(event, () => setHelp(true))) event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Header onHelp={() => setHelp(true)} />
      <ConnectionBar />
      <Page />
      <div class="visually-hidden" role="status" aria-live="polite">
        {announcement}
      </div>
      {help && <Help onClose={() => setHelp(false)} />}
    </>
  );
}

/** `● HAR-3 Title • Harbor Labs • Bulldog`, the dot while something runs (UI-5). */
function titlePage(): void {
  const parts = ['Bulldog'];
  if (company.value) parts.unshift(company.value.name);
  const { panel } = route.value;
  if (panel?.kind === 'issue') {
    const issue = issues.all().find((one) => one.identifier === panel.key || one.id === panel.key);
    parts.unshift(issue ? `${issue.identifier} ${issue.title}` : panel.key);
  }
  const live = [...liveRuns.value.values()].some((list) => list.some((run) => run.status === 'running'));
  document.title = (live ? '● ' : '') + parts.join(' • ');
}

/** True when the key was ours. Single keys are left alone while typing or in a dialog. */
function handleKey(event: KeyboardEvent, openHelp: () => void): boolean {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  if (target.closest('input, textarea, select, [contenteditable], dialog, [role=menu]')) return false;
  switch (event.key) {
    case '?':
      openHelp();
      return true;
    case 'j':
      return moveTask(1);
    case 'k':
      return moveTask(-1);
    case 'a':
      return focusSection('agents');
    case 't':
      return focusSection('tasks');
    case 'r':
      return focusSection('runs');
    case 'Escape':
      if (!route.peek().panel) return false;
      navigate(homeHref());
      return true;
    default:
      return false;
  }
}

function Page() {
  const state = phase.value;
  switch (state.at) {
    case 'loading':
      return (
        <main id="main" tabIndex={-1} class="plain">
          <h1 class="visually-hidden">Bulldog</h1>
          <Skeleton rows={8} />
        </main>
      );
    case 'empty':
      return <Welcome />;
    case 'failed':
    case 'gone':
      return (
        <main id="main" tabIndex={-1} class="plain">
          <h1>{state.at === 'gone' ? 'Not found' : 'The board could not be loaded'}</h1>
          <ErrorBox message={state.message} onRetry={retry} />
          {state.at === 'gone' && companies.value.length > 0 && (
            <p>
              Companies here:{' '}
              {companies.value.map((one) => (
                <a key={one.id} href={homeHref(one.issuePrefix)}>
                  {one.name}{' '}
                </a>
              ))}
            </p>
          )}
        </main>
      );
    case 'ready':
      if (route.value.known) return <Overview />;
      return (
        <main id="main" tabIndex={-1} class="plain">
          <h2>Not found</h2>
          <p>
            There is no page at this address. <a href={homeHref()}>Back to the overview</a>
          </p>
        </main>
      );
  }
}

function Header({ onHelp }: { onHelp: () => void }) {
  const chosen = phase.value.at === 'ready' ? company.value : null;
  return (
    <header class="top">
      {chosen ? (
        <>
          <CompanyBadge id={chosen.id} />
          <h1>{chosen.name}</h1>
          <Switcher />
          <Counts />
        </>
      ) : (
        <strong class="brand">Bulldog</strong>
      )}
      <div class="top-end">
        {chosen && <LinkState />}
        <ThemeMenu />
        <button type="button" class="ghost" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={onHelp}>
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

function Switcher() {
  if (companies.value.length < 2) return null;
  return (
    <Menu
      label="Switch company"
      button={<Icon name="updown" />}
      items={companies.value.map((one) => ({
        id: one.issuePrefix,
        checked: one.id === company.value?.id,
        label: (
          <>
            {one.name} <span class="mono faint">{one.issuePrefix}</span>
          </>
        ),
      }))}
      onOpen={() => void refreshCompanies().catch(() => undefined)}
      onChoose={(prefix) => navigate(homeHref(prefix))}
    />
  );
}

function Counts() {
  const rows = orgRows.value;
  const awake = [...liveRuns.value.values()].filter((list) => list.some((run) => run.status === 'running')).length;
  const count = taskCounts.value;
  const board = dashboard.value;
  const spent = (board?.costs.monthSpendCents ?? 0) / 100;
  return (
    <ul class="counts" aria-label="Company at a glance">
      <Count n={awake} of={`of ${rows.length} awake`} live={awake > 0} />
      <Count n={count.open} of="open" />
      <Count n={count.inProgress} of="in progress" />
      <Count n={count.blocked} of="blocked" warn={count.blocked > 0} />
      <Count n={count.done} of="done" />
      {!!board?.pendingApprovals && <Count n={board.pendingApprovals} of="to approve" warn />}
      {spent > 0 && <Count n={`$${spent.toFixed(2)}`} of="this month" />}
    </ul>
  );
}

function Count({ n, of, live = false, warn = false }: { n: number | string; of: string; live?: boolean; warn?: boolean }) {
  return (
    <li class={live ? 'live' : warn ? 'warn' : ''}>
      <b class="num">{n}</b> {of}
    </li>
  );
}

function LinkState() {
  const open = link.value === 'open';
  return (
    <span class={`link-state ${open ? 'on' : ''}`}>
      <span class="dot" aria-hidden="true" />
      {open ? 'Live' : link.value === 'lost' ? 'Offline' : 'Connecting'}
    </span>
  );
}

function ThemeMenu() {
  const icons = { light: 'sun', dark: 'moon', system: 'screen' } as const;
  const themes: Theme[] = ['light', 'dark', 'system'];
  return (
    <Menu
      label="Theme"
      align="end"
      button={<Icon name={icons[theme.value]} />}
      items={themes.map((id) => ({ id, label: id.charAt(0).toUpperCase() + id.slice(1), checked: theme.value === id }))}
      onChoose={(id) => chooseTheme(id as Theme)}
    />
  );
}

function ConnectionBar() {
  if (link.value !== 'lost' || phase.value.at !== 'ready') return null;
  const silentMs = Math.max(0, now.value - heardAt.value);
  return (
    <div class="connection" role="status">
      Reconnecting…{' '}
      <span aria-hidden="true">
        (last update {silentMs < 60_000 ? `${Math.floor(silentMs / 1_000)} s ago` : agoWords(silentMs)})
      </span>
    </div>
  );
}

const KEYS: [string[], string][] = [
  [['j', '↓'], 'Next task'],
  [['k', '↑'], 'Previous task'],
  [['←', '→'], 'Fold and unfold sub-tasks'],
  [['Enter'], 'Open the task'],
  [['Esc'], 'Close the panel'],
  [['a'], 'Go to the agents'],
  [['t'], 'Go to the tasks'],
  [['r'], 'Go to the runs'],
  [['?'], 'This help'],
];

function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([keys, words]) => (
          <div key={words}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

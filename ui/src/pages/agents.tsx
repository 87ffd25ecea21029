// Who is awake, on what, and why. One row per agent; a strip at its end shows the
// recent runs of all agents on one time axis, so that a hand-over can be seen.
import { computed } from '@preact/signals';
import type { Agent, Issue, Run } from '../api/types';
import { now } from '../store/clock';
import { issueHref, runHref } from '../store/route';
import { humanise, isLive, wakeWords } from '../store/runs';
import { agents, issues, liveRuns, orgRows, runs, waitingTasks, waitsFor } from '../store/tables';
import { Avatar } from '../ui/avatar';
import { Empty } from '../ui/states';
import { Ago, Elapsed } from '../ui/time';

/** Silence worth saying: a run without output for this long. */
const SILENT_MS = 60_000;
const STRIP_MIN_MS = 60_000;
const STRIP_MAX_MS = 30 * 60_000;

export function Agents() {
  const rows = orgRows.value;
  return (
    <section id="agents" class="agents scroll" aria-labelledby="agents-title">
      <h2 id="agents-title">Agents</h2>
      {rows.length === 0 ? (
        <Empty>No agents yet. An agent is hired with “bulldog agent create”.</Empty>
      ) : (
        <ul>
          {rows.map(({ agent, depth }) => (
            <AgentRow key={agent.id} id={agent.id} depth={depth} />
          ))}
        </ul>
      )}
    </section>
  );
}

function AgentRow({ id, depth }: { id: string; depth: number }) {
  const agent = agents.get(id);
  if (!agent) return null;
  const live = liveRuns.value.get(id) ?? [];
  const run = live.find((one) => one.status === 'running') ?? live[0];
  const state = agentState(agent, run);
  return (
    <li class={`agent a-${state}`} style={{ '--depth': depth }}>
      <div class="who">
        <Avatar id={agent.id} name={agent.name} />
        <div>
          <span class="name">{agent.name}</span>
          <span class="faint">{agent.title ?? humanise(agent.role)}</span>
        </div>
      </div>
      <div class="state">
        <span class={`dot ${state === 'running' ? 'pulse' : ''}`} aria-hidden="true" />
        {STATE_WORDS[state] ?? humanise(state)}
      </div>
      <div class="why">{run ? <Why id={run.id} more={live.length - 1} /> : <Asleep agent={agent} />}</div>
      <Strip agentId={id} />
      <div class="elapsed">{run && <Elapsed since={run.startedAt ?? run.createdAt} until={null} />}</div>
    </li>
  );
}

const STATE_WORDS: Record<string, string> = {
  running: 'Awake',
  queued: 'Waking',
  idle: 'Asleep',
  paused: 'Paused',
  error: 'Error',
  pending_approval: 'To approve',
};

/** Never “running” without a run to show for it (Q12). */
function agentState(agent: Agent, run: Run | undefined): string {
  if (run) return run.status;
  return agent.status === 'running' || agent.status === 'active' ? 'idle' : agent.status;
}

function Why({ id, more }: { id: string; more: number }) {
  const run = runs.get(id);
  if (!run) return null;
  const issue = issues.get(run.issueId);
  return (
    <>
      <p class="reason">
        <a class="reason-run" href={runHref(run)}>
          {wakeWords(run)}
        </a>
        {issue && (
          <a class="task-link" href={issueHref(issue)}>
            <span class="mono">{issue.identifier}</span> {issue.title}
          </a>
        )}
        {more > 0 && <span class="faint">+{more} more</span>}
      </p>
      <LastLine run={run} />
    </>
  );
}

function LastLine({ run }: { run: Run }) {
  const quietMs = now.value - Date.parse(run.lastOutputAt ?? run.startedAt ?? run.createdAt);
  if (run.status === 'queued') return <p class="line faint">Waiting for a place to run</p>;
  return (
    <p class="line">
      {run.lastLine ? <span class="mono">{run.lastLine}</span> : <span class="faint">No output yet</span>}
      {quietMs > SILENT_MS && (
        <span class="quiet">
          quiet for <Elapsed since={run.lastOutputAt ?? run.startedAt} until={null} />
        </span>
      )}
    </p>
  );
}

function Asleep({ agent }: { agent: Agent }) {
  const last = lastRuns.value.get(agent.id);
  if (agent.status === 'error') return <p class="reason bad">{agent.errorReason ?? 'Stopped by an error'}</p>;
  if (agent.status === 'paused') return <p class="reason">{pauseWords(agent.pauseReason)}</p>;
  const waiting = waitingTasks.value.get(agent.id);
  if (waiting) return <Waits issue={waiting} />;
  if (!last) return <p class="reason faint">Not woken yet</p>;
  const issue = issues.get(last.issueId);
  return (
    <p class="reason faint">
      <a class="reason-run" href={runHref(last)}>
        {last.status === 'succeeded' ? 'Finished' : humanise(last.status)}
      </a>
      {issue && (
        <a class="task-link" href={issueHref(issue)}>
          <span class="mono">{issue.identifier}</span> {issue.title}
        </a>
      )}
      {last.finishedAt && <Ago at={last.finishedAt} />}
    </p>
  );
}

function Waits({ issue }: { issue: Issue }) {
  const [first, ...others] = waitsFor(issue);
  return (
    <p class="reason faint">
      <span class="reason-run">
        Waits for {first}
        {others.length > 0 && ` +${others.length}`}
      </span>
      <a class="task-link" href={issueHref(issue)}>
        <span class="mono">{issue.identifier}</span> {issue.title}
      </a>
    </p>
  );
}

function pauseWords(reason: string | null): string {
  if (reason === 'budget') return 'Paused: the budget is used up';
  if (reason === 'manual' || !reason) return 'Paused by the board';
  return `Paused: ${humanise(reason).toLowerCase()}`;
}

const lastRuns = computed(() => {
  const newest = new Map<string, Run>();
  for (const run of runs.all()) {
    if (isLive(run.status) || !run.finishedAt) continue;
    const known = newest.get(run.agentId);
    if (!known?.finishedAt || known.finishedAt < run.finishedAt) newest.set(run.agentId, run);
  }
  return newest;
});

/** Where the strips' time axis begins: the oldest recent run, within bounds. */
const stripSpanMs = computed(() => {
  let span = STRIP_MIN_MS;
  for (const run of runs.all()) {
    const age = run.startedAt ? now.value - Date.parse(run.startedAt) : 0;
    if (age > span && age < STRIP_MAX_MS) span = age;
  }
  return span;
});

function Strip({ agentId }: { agentId: string }) {
  const span = stripSpanMs.value;
  const from = now.value - span;
  const bars = runs
    .all()
    .filter((run) => run.agentId === agentId && run.startedAt)
    .map((run) => {
      const start = Math.max(from, Date.parse(run.startedAt!));
      const end = run.finishedAt ? Date.parse(run.finishedAt) : now.value;
      if (end < from) return null;
      const style = { left: `${((start - from) / span) * 100}%`, width: `${(Math.max(0, end - start) / span) * 100}%` };
      return <span key={run.id} class={`bar r-${run.status}`} style={style} />;
    });
  return (
    <div class="strip" aria-hidden="true">
      {bars}
    </div>
  );
}

// Every recent run, live ones on top: who, why, on what, for how long, last line.
import type { Run } from '../api/types';
import { route, runHref } from '../store/route';
import { humanise, isLive, wakeWords } from '../store/runs';
import { agents, issues, runList, runs } from '../store/tables';
import { Empty } from '../ui/states';
import { RunStatusIcon } from '../ui/status';
import { Ago, Elapsed } from '../ui/time';

const SHOWN_MAX = 60;

export function Runs() {
  const list = runList.value;
  return (
    <section id="runs" class="runs scroll" aria-labelledby="runs-title">
      <h2 id="runs-title">Runs</h2>
      {list.length === 0 ? (
        <Empty>No runs yet. A run starts when an agent is given work.</Empty>
      ) : (
        <ul>
          {list.slice(0, SHOWN_MAX).map((run) => (
            <li key={run.id}>
              <RunRow id={run.id} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

export function RunRow({ id, showTask = true }: { id: string; showTask?: boolean }) {
  const run = runs.get(id);
  if (!run) return null;
  const agent = agents.get(run.agentId);
  const issue = issues.get(run.issueId);
  const { panel } = route.value;
  const open = panel?.kind === 'run' && panel.id === id;
  return (
    <a class={`run ${open ? 'open' : ''} ${isLive(run.status) ? 'live' : ''}`} href={runHref(run)} aria-current={open ? 'true' : undefined}>
      <RunStatusIcon status={run.status} />
      <span class="run-head">
        <span class="name">{agent?.name ?? 'Unknown agent'}</span>
        {showTask && issue && <span class="mono faint">{issue.identifier}</span>}
        <span class="reason faint">{wakeWords(run)}</span>
      </span>
      <span class="elapsed">
        <Elapsed since={run.startedAt} until={run.finishedAt} />
      </span>
      <span class="line">
        <RunLine run={run} />
      </span>
      <span class="when faint">{run.finishedAt && <Ago at={run.finishedAt} />}</span>
    </a>
  );
}

function RunLine({ run }: { run: Run }) {
  if (run.status === 'queued') return <span class="faint">Waiting for a place to run</span>;
  const failed = run.status === 'failed' || run.status === 'timed_out';
  if (failed && run.error) return <span class="bad">{run.error}</span>;
  if (run.lastLine) return <span class="mono">{run.lastLine}</span>;
  return <span class="faint">{isLive(run.status) ? 'No output yet' : humanise(run.status)}</span>;
}

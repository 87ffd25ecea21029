// One run: who, why, on what, how it went, and its log as it is written.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { get } from '../api/client';
import type { WireRun } from '../api/types';
import { issueHref } from '../store/route';
import { isLive, toRun, wakeWords } from '../store/runs';
import { agents, issues, runs } from '../store/tables';
import { Tail } from '../store/tail';
import { Avatar } from '../ui/avatar';
import { Icon } from '../ui/icon';
import { Panel } from '../ui/panel';
import { ErrorBox, Skeleton } from '../ui/states';
import { IssueStatusIcon, RunBadge } from '../ui/status';
import { Ago, Elapsed } from '../ui/time';
import { VirtualList } from '../ui/virtual';

const LINE_PX = 20;

export function RunPanel({ runId }: { runId: string }) {
  const run = runs.get(runId);
  const agent = agents.get(run?.agentId);
  const issue = issues.get(run?.issueId);
  const failure = useMissingRun(runId, run !== undefined);
  const name = agent?.name ?? 'Agent';
  return (
    <Panel
      fill
      label={`Run of ${name}`}
      head={
        <>
          {run && <RunBadge status={run.status} />}
          <span class="mono faint">{runId.slice(0, 8)}</span>
        </>
      }
      title={
        <>
          {agent && <Avatar id={agent.id} name={agent.name} />} {name}
        </>
      }
    >
      {failure && <ErrorBox message={failure} onRetry={() => location.reload()} />}
      {run && (
        <dl class="facts">
          <div>
            <dt>Woken by</dt>
            <dd>{wakeWords(run)}</dd>
          </div>
          {issue && (
            <div>
              <dt>Task</dt>
              <dd>
                <a class="task-link" href={issueHref(issue)}>
                  <IssueStatusIcon status={issue.status} />
                  <span class="mono">{issue.identifier}</span> <span class="title">{issue.title}</span>
                </a>
              </dd>
            </div>
          )}
          <div>
            <dt>{isLive(run.status) ? 'Running for' : 'Took'}</dt>
            <dd>{run.startedAt ? <Elapsed since={run.startedAt} until={run.finishedAt} /> : 'Not started'}</dd>
          </div>
          <div>
            <dt>{run.finishedAt ? 'Finished' : 'Started'}</dt>
            <dd>
              <Ago at={run.finishedAt ?? run.startedAt ?? run.createdAt} />
            </dd>
          </div>
          {run.exitCode !== null && run.exitCode !== 0 && (
            <div>
              <dt>Exit code</dt>
              <dd class="num">{run.exitCode}</dd>
            </div>
          )}
        </dl>
      )}
      {run?.error && <p class="error-box">{run.error}</p>}
      {run && <Log runId={runId} live={isLive(run.status)} />}
    </Panel>
  );
}

/** An old run reached by its address is not in the tables: fetch it once. */
function useMissingRun(runId: string, known: boolean): string | null {
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    if (known) return;
    const abort = new AbortController();
    get<WireRun>(`/heartbeat-runs/${encodeURIComponent(runId)}`, abort.signal).then(
      (wire) => {
        const run = toRun(wire);
        if (run) runs.put(run);
        else setFailure('This run could not be read.');
      },
      (error: unknown) => !abort.signal.aborted && setFailure(error instanceof Error ? error.message : String(error)),
    );
    return () => abort.abort();
  }, [runId, known]);
  return failure;
}

function Log({ runId, live }: { runId: string; live: boolean }) {
  const tail = useMemo(() => new Tail(runId), [runId]);
  useEffect(() => () => tail.close(), [tail]);
  const scroller = useRef<HTMLDivElement>(null);
  const [follow, setFollow] = useState(true);
  const lines = tail.lines.value;

  useLayoutEffect(() => {
    if (follow && scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  }, [lines.length, follow]);

  const onScroll = (): void => {
    const box = scroller.current!;
    setFollow(box.scrollHeight - box.scrollTop - box.clientHeight < LINE_PX * 2);
  };

  return (
    <section class="log" aria-labelledby="log-title">
      <h3 id="log-title">
        Log <span class="faint num">{lines.length > 0 && `${lines.length} ${lines.length === 1 ? 'line' : 'lines'}`}</span>
        {!follow && live && (
          <button type="button" class="button small" onClick={() => setFollow(true)}>
            <Icon name="down" /> Follow
          </button>
        )}
      </h3>
      {tail.failure.value && <ErrorBox message={tail.failure.value} onRetry={() => location.reload()} />}
      <div ref={scroller} class="log-box scroll" role="log" aria-live="off" aria-label="Output" tabIndex={0} onScroll={onScroll}>
        {tail.cut.value && <p class="faint">The beginning of this long log is not shown.</p>}
        {tail.state.value === 'loading' && <Skeleton rows={3} />}
        {tail.state.value !== 'loading' && lines.length === 0 && (
          <p class="faint">{live ? 'No output yet.' : 'This run wrote nothing.'}</p>
        )}
        <VirtualList
          count={lines.length}
          rowPx={LINE_PX}
          row={(index) => {
            const line = lines[index]!;
            return (
              <div key={index} class={`log-line ${line.stream}`} style={{ top: `${index * LINE_PX}px` }}>
                <span class="at">{clockTime(line.ts)}</span>
                <span class="text">{line.text || ' '}</span>
              </div>
            );
          }}
        />
      </div>
    </section>
  );
}

function clockTime(ts: string): string {
  return new Date(ts).toLocaleTimeString([], { hour12: false });
}

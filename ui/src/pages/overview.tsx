// One company at work: agents on top (who is awake, on what, why), the task tree,
// the runs, and a side panel for one task or one run.
import { route } from '../store/route';
import { Agents } from './agents';
import { IssuePanel } from './issue-panel';
import { RunPanel } from './run-panel';
import { Runs } from './runs';
import { Tasks } from './tasks';

export function Overview() {
  const { panel } = route.value;
  return (
    <div class={`body ${panel ? 'with-panel' : ''}`}>
      <main id="main" tabIndex={-1} class="scroll-narrow">
        <Agents />
        <div class="split">
          <Tasks />
          <Runs />
        </div>
      </main>
      {panel?.kind === 'issue' && <IssuePanel key={panel.key} issueKey={panel.key} />}
      {panel?.kind === 'run' && <RunPanel key={panel.id} runId={panel.id} />}
    </div>
  );
}

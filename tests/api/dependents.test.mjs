// Dependents that nobody told: the level behind the edge (EX-79, INV-24).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activity, company, eventually, server } from './harness.mjs';
import { run, shell } from './kit.mjs';

const s = await server({ env: { BULLDOG_SCHEDULER_INTERVAL_MS: '10000' } });
const DONE = `printf 'Authorization: Bearer %s\\n' "$PAPERCLIP_API_KEY" | curl -sS -X PATCH -H @- -H "X-Paperclip-Run-Id: $PAPERCLIP_RUN_ID" -H 'content-type: application/json' -d '{"status":"done","comment":"done"}' "$PAPERCLIP_API_URL/api/issues/$PAPERCLIP_TASK_ID"`;

test('a wake that was skipped while the agent was paused comes after all, once', async () => {
  const c = await company(s);
  const a = await shell(s, c, DONE);
  const issue = (body) => s.ok('POST', `/companies/${c.id}/issues`, body);
  const blocker = await issue({ title: 'First' });
  const next = await issue({ title: 'Then', assigneeAgentId: a.id, status: 'blocked', blockedByIssueIds: [blocker.id] });
  await s.ok('POST', `/agents/${a.id}/pause`, {});
  await s.ok('PATCH', `/issues/${blocker.id}`, { status: 'done' });
  await s.ok('POST', `/agents/${a.id}/resume`, {});
  assert.equal((await s.ok('GET', `/issues/${next.id}`)).status, 'blocked', 'nobody was told');
  await eventually(async () => (await s.ok('GET', `/issues/${next.id}`)).status === 'done', { timeoutMs: 40000, message: 'the dependent was never woken' });
  const runs = await s.ok('GET', `/issues/${next.id}/runs`);
  assert.equal(runs.length, 1);
  const { wakeReason, source } = (await run(s, runs[0].runId)).contextSnapshot;
  assert.deepEqual([wakeReason, source], ['issue_blockers_resolved', 'issue_graph_liveness.backstop']);
  const told = (await activity(s, c)).filter((e) => e.action === 'issue.blockers_resolved_wake_emitted' && e.details.source);
  assert.equal(told.length, 1);
});

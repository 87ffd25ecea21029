// What becomes of wakes: keys, merging, repeated skips, caps, the pause of the whole server (EX-30 … EX-37, EX-43).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { company, eventually, server } from './harness.mjs';
import { bulldog } from './cli.mjs';
import { ran, shell, until } from './kit.mjs';

const s = await server();
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, { title: 'Work', ...body });
const wakeup = (a, body) => s.ok('POST', `/agents/${a.id}/wakeup`, body);
const runsOf = (i) => s.ok('GET', `/issues/${i.id}/runs`);
const wakesOf = async (i) => (await s.ok('GET', `/issues/${i.id}/diagnostics/wakes`)).wakes;
const explain = (i) => s.ok('GET', `/issues/${i.id}/explain`);
const running = (i) => eventually(async () => (await runsOf(i)).find((r) => r.status === 'running'), { message: 'no run started' });
const cancelAll = async (i) => { for (const r of await s.ok('GET', `/issues/${i.id}/live-runs`)) { await s.ok('POST', `/heartbeat-runs/${r.id}/cancel`, {}); await until(s, r.id); } };

test('a key that was delivered gives the same run again, and says so once (EX-30)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60');
  const i = await create(c, { assigneeAgentId: a.id, status: 'backlog' });
  const body = { source: 'on_demand', reason: 'please', payload: { issueId: i.id }, idempotencyKey: 'once' };
  const first = await wakeup(a, body), second = await wakeup(a, body), third = await wakeup(a, body);
  assert.equal(second.id, first.id, JSON.stringify(second));
  assert.equal(third.id, first.id);
  assert.equal((await runsOf(i)).length, 1);
  const h = await s.ok('GET', `/issues/${i.id}/history`);
  assert.equal(h.entries.filter((e) => e.reason === 'idempotency_key').length, 1);
  assert.equal((await wakesOf(i)).length, 1);
  assert.equal((await wakesOf(i))[0].coalescedCount, 2);
  await cancelAll(i);
  assert.notEqual((await wakeup(a, body)).id, first.id, 'a cancelled delivery is none');
  await cancelAll(i);
});

test('into a running run goes only what it would not miss (EX-32, INV-18)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60');
  const i = await create(c, { assigneeAgentId: a.id });
  const run = await running(i);
  await wakeup(a, { reason: 'issue_continuation_needed', payload: { issueId: i.id } });
  assert.equal((await wakesOf(i))[0].status, 'coalesced');
  await wakeup(a, { reason: 'issue_status_changed', payload: { issueId: i.id } });
  await wakeup(a, { reason: 'issue_children_completed', payload: { issueId: i.id } });
  const [deferred] = await wakesOf(i);
  assert.deepEqual([deferred.status, deferred.coalescedCount], ['deferred_issue_execution', 1], 'two wakes, one row');
  assert.equal((await runsOf(i)).length, 1);
  await s.ok('POST', `/heartbeat-runs/${run.runId}/cancel`, {});
  const next = await eventually(async () => (await runsOf(i)).find((r) => r.runId !== run.runId), { message: 'the deferred wake was lost' });
  const context = (await s.ok('GET', `/heartbeat-runs/${next.runId}`)).contextSnapshot;
  assert.equal(context.wakeReason, 'issue_children_completed', 'the later overlays the earlier (EX-31)');
  await cancelAll(i);
});

test('a timer never has a second run while one is live, and none when idle (EX-43, EX §5.2 step 10)', async () => {
  const c = await company(s);
  const idle = await shell(s, c, 'true', {}, { runtimeConfig: { heartbeat: { enabled: true, intervalSec: 1, skipTimerWhenNoActionableWork: true } } });
  const busy = await shell(s, c, 'sleep 60', {}, { runtimeConfig: { heartbeat: { enabled: true, intervalSec: 1 } } });
  const runs = async (a) => (await s.ok('GET', `/companies/${c.id}/heartbeat-runs?agentId=${a.id}`));
  const other = await shell(s, c, 'true'); // its runs make the engine look at the timers, too
  const looked = (ask, message) => eventually(async () => { await ran(s, other); return ask(); }, { everyMs: 300, timeoutMs: 40000, message });
  await looked(async () => (await runs(busy)).length > 0, 'no timer run');
  const beats = async (a) => Date.parse((await s.ok('GET', `/agents/${a.id}`)).lastHeartbeatAt ?? 0);
  const start = [await beats(idle), await beats(busy)];
  await looked(async () => (await beats(idle)) > start[0] + 2500, 'the idle one beats no more');
  assert.equal((await runs(busy)).filter((r) => ['queued', 'running'].includes(r.status)).length, 1);
  assert.equal((await runs(idle)).length, 0);
  for (const r of await runs(busy)) if (r.status === 'running') { await s.ok('PATCH', `/agents/${busy.id}`, { runtimeConfig: {} }); await s.ok('POST', `/heartbeat-runs/${r.id}/cancel`, {}); }
  await s.ok('PATCH', `/agents/${idle.id}`, { runtimeConfig: {} });
});

test('a cap of the day is a gate with a name, not a loss (EX-35, EX-107)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'true', {}, { runtimeConfig: { heartbeat: { maxDailyRuns: 1 } } });
  await ran(s, a);
  const i = await create(c, { assigneeAgentId: a.id });
  assert.equal((await runsOf(i)).length, 0);
  assert.equal((await wakesOf(i))[0].reason, 'heartbeat.daily_run_limit');
  const e = await explain(i);
  assert.deepEqual([e.state, e.reason, e.needsAttention], ['waiting', 'daily_run_limit', false]);
  await s.ok('PATCH', `/agents/${a.id}`, { runtimeConfig: { heartbeat: { maxDailyRuns: 5 } } });
  await wakeup(a, { payload: { issueId: i.id } });
  await eventually(async () => (await runsOf(i)).length === 1, { message: 'a higher cap did not help' });
});

test('the board pauses the whole server, and lets it go on (EX-36, execution.paused)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'true');
  assert.equal((await s.ok('GET', '/instance/settings')).executionPaused, false);
  const paused = await s.ok('PATCH', '/instance/settings', { executionPaused: true });
  assert.equal(paused.executionPaused, true);
  const i = await create(c, { assigneeAgentId: a.id });
  assert.equal((await runsOf(i)).length, 0);
  assert.equal((await wakesOf(i))[0].reason, 'heartbeat.scheduling_suppressed');
  const h = await s.ok('GET', `/issues/${i.id}/history`);
  assert.equal(h.entries[0].details.reason, 'operator_paused');
  const e = await explain(i);
  assert.deepEqual([e.state, e.reason, e.needsAttention], ['waiting', 'operator_paused', true]);
  assert.match((await bulldog(s, ['why', i.identifier])).out, /paused this server/);
  await s.restart();
  assert.equal((await s.ok('GET', '/instance/settings')).executionPaused, true, 'it outlives the server');
  await s.ok('POST', `/issues/${i.id}/comments`, { body: 'still?' });
  assert.equal((await runsOf(i)).length, 0);
  await s.ok('PATCH', '/instance/settings', { executionPaused: false });
  await s.ok('POST', `/issues/${i.id}/comments`, { body: 'go' });
  await eventually(async () => (await runsOf(i)).length === 1, { message: 'it never went on' });
});

// Monitors: a later look at an issue that waits for something outside (EX-93…96, IS-98, IS-99).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activity, agent, company, eventually, key, refused, server } from './harness.mjs';
import { ENDED, run, shell } from './kit.mjs';

const s = await server();
const soon = (ms = 300) => new Date(Date.now() + ms).toISOString();
const later = () => soon(3600e3);
const monitor = (m) => ({ executionPolicy: { monitor: m } });
const show = (i) => s.ok('GET', `/issues/${i.id}`);
const patch = (i, body) => s.ok('PATCH', `/issues/${i.id}`, body);
const check = (i) => s.api('POST', `/issues/${i.id}/monitor/check-now`, {});
const actions = async (c, name) => (await activity(s, c)).filter((e) => e.action === name);
const runsOf = async (i) => Promise.all((await s.ok('GET', `/issues/${i.id}/runs`)).map((r) => run(s, r.runId)));

let count = 0;
/** Work in progress of an agent that has rested: its first run is over. */
async function waiting(c, m, script = 'echo looked', body = {}) {
  const a = await shell(s, c, script);
  const i = await s.ok('POST', `/companies/${c.id}/issues`, { title: `Waits ${++count}`, assigneeAgentId: a.id, status: 'in_progress', ...monitor(m), ...body });
  await eventually(async () => {
    const first = (await runsOf(i)).at(-1);
    return first && ENDED.has(first.status);
  });
  return { a, i: await show(i) };
}
const looks = async (i) => (await runsOf(i)).filter((r) => r.contextSnapshot.wakeReason === 'issue_monitor_due');

test('scheduled with the issue: columns, state, record; nothing else moves it (IS-98, P6)', async () => {
  const c = await company(s);
  const at = later();
  const { i } = await waiting(c, { nextCheckAt: at, notes: 'the vendor answers', kind: 'external_service', serviceName: 'Vendor', externalRef: 'https://x/?token=1', maxAttempts: 3, scheduledBy: 'assignee' });
  assert.deepEqual([i.monitorNextCheckAt, i.monitorNotes, i.monitorScheduledBy, i.monitorAttemptCount], [at, 'the vendor answers', 'board', 0]);
  assert.deepEqual(i.executionPolicy.monitor, { nextCheckAt: at, notes: 'the vendor answers', scheduledBy: 'board', kind: 'external_service',
    serviceName: 'Vendor', externalRef: '[redacted]', timeoutAt: null, maxAttempts: 3, recoveryPolicy: null });
  assert.deepEqual([i.executionState.status, i.executionState.monitor.status, i.executionState.monitor.nextCheckAt, i.executionState.monitor.clearReason], ['idle', 'scheduled', at, null]);
  assert.equal((await actions(c, 'issue.monitor_scheduled')).length, 1);
  const why = await s.ok('GET', `/issues/${i.id}/explain`);
  assert.deepEqual([why.state, why.reason, why.evidence.primitive], ['waiting', 'monitor_scheduled', 'P6']);
});

test('who may have one, and what is asked of it (IS-98)', async () => {
  const c = await company(s);
  const a = await agent(s, c);
  const create = (body) => s.api('POST', `/companies/${c.id}/issues`, { title: 'x', ...monitor({ nextCheckAt: later() }), ...body });
  const only = 'Monitor can only be scheduled on issues assigned to an agent in in_progress or in_review';
  refused(await create({}), 422, only);
  refused(await create({ assigneeAgentId: a.id }), 422, only);
  refused(await create({ assigneeUserId: 'local-board', status: 'in_progress' }), 422, only);
  const bad = (m) => create({ assigneeAgentId: a.id, status: 'in_progress', ...monitor(m) });
  for (const m of [{}, { nextCheckAt: 'soon' }, { nextCheckAt: later(), notes: 'x'.repeat(501) }, { nextCheckAt: later(), maxAttempts: 0 },
    { nextCheckAt: later(), maxAttempts: 101 }, { nextCheckAt: later(), kind: 'x' }, { nextCheckAt: later(), serviceName: '' },
    { nextCheckAt: later(), externalRef: 'x'.repeat(501) }, { nextCheckAt: later(), recoveryPolicy: 'hope' }]) refused(await bad(m), 400, 'Validation error');
  const spent = await bad({ nextCheckAt: later(), timeoutAt: soon(-1000) });
  assert.deepEqual([spent.status, spent.json.error, spent.json.details], [422, 'Monitor bounds are already exhausted', { clearReason: 'timeout_exceeded' }]);
});

test('an agent schedules for itself only, and it is a review path (EX-10)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60');
  const i = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Mine', assigneeAgentId: a.id });
  const live = await eventually(async () => (await s.ok('GET', `/issues/${i.id}/runs`)).find((r) => r.status === 'running'));
  const me = s.as(await key(s, a), live.runId);
  refused(await me('PATCH', `/issues/${i.id}`, { status: 'in_review' }), 422, /invalid_issue_disposition/);
  const mine = await me('PATCH', `/issues/${i.id}`, { status: 'in_review', ...monitor({ nextCheckAt: later() }) });
  assert.equal(mine.status, 200, mine.text);
  assert.deepEqual([mine.json.status, mine.json.monitorScheduledBy], ['in_review', 'assignee']);
  assert.equal((await show(i)).reviewAttention.paths.find((p) => p.kind === 'monitor').kind, 'monitor');
  await s.ok('POST', `/heartbeat-runs/${live.runId}/cancel`, {});
});

test('when it is due the assignee is woken once, and the monitor is used up (EX-94)', async () => {
  const c = await company(s);
  const { i } = await waiting(c, { nextCheckAt: soon(1500), notes: 'look' });
  const [look] = await eventually(async () => {
    const list = await looks(i);
    return list.length && ENDED.has(list[0].status) && list;
  });
  assert.deepEqual([look.invocationSource, look.contextSnapshot.monitor.notes, look.contextSnapshot.monitorAttempt], ['automation', 'look', 1]);
  const end = await show(i);
  assert.deepEqual([end.monitorNextCheckAt, end.monitorAttemptCount, end.executionPolicy], [null, 1, null]);
  assert.deepEqual([end.executionState.monitor.status, end.executionState.monitor.clearReason, end.executionState.monitor.attemptCount], ['triggered', 'triggered', 1]);
  assert.ok(end.monitorLastTriggeredAt);
  assert.equal((await actions(c, 'issue.monitor_triggered')).length, 1);
  assert.equal((await looks(i)).length, 1);
});

test('check-now does not wait; a second one finds nothing (IS-99)', async () => {
  const c = await company(s);
  const { i } = await waiting(c, { nextCheckAt: later() });
  assert.deepEqual((await check(i)).json, { ok: true });
  refused(await check(i), 409, 'Issue has no scheduled monitor');
  const [look] = await eventually(async () => (await looks(i)).length && looks(i));
  assert.deepEqual([look.invocationSource, look.triggerDetail], ['on_demand', 'manual']);
  const plain = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'plain' });
  refused(await check(plain), 409, 'Issue has no scheduled monitor');
});

test('a paused agent is not looked for: asked by hand it is refused, by time it waits (EX-94 BETTER)', async () => {
  const c = await company(s);
  const { a, i } = await waiting(c, { nextCheckAt: soon(1500) });
  await s.ok('POST', `/agents/${a.id}/pause`, {});
  assert.equal((await check(i)).status, 409);
  const due = (await show(i)).monitorNextCheckAt;
  const moved = await eventually(async () => {
    const x = await show(i);
    return x.monitorNextCheckAt !== due && x;
  }, { message: 'a skipped look was not put off' });
  assert.ok(Date.parse(moved.monitorNextCheckAt) > Date.now());
  assert.equal(moved.executionState.monitor.status, 'scheduled');
});

test('it ends when the issue moves on, with the reason (IS-98)', async () => {
  const c = await company(s);
  const other = await agent(s, c);
  const cases = { done: { status: 'done' }, cancelled: { status: 'cancelled' }, invalid_status: { status: 'todo' },
    invalid_assignee: { assigneeAgentId: other.id }, manual: monitor(null) };
  for (const [reason, change] of Object.entries(cases)) {
    const { i } = await waiting(c, { nextCheckAt: later() });
    await patch(i, change);
    const end = await show(i);
    assert.deepEqual([end.monitorNextCheckAt, end.executionPolicy, end.executionState.monitor.status, end.executionState.monitor.clearReason],
      [null, null, 'cleared', reason], reason);
  }
  assert.deepEqual((await actions(c, 'issue.monitor_cleared')).map((e) => e.details.clearReason).sort(), Object.keys(cases).sort());
});

test('a policy sent back as it was read changes nothing', async () => {
  const c = await company(s);
  const { i } = await waiting(c, { nextCheckAt: later(), externalRef: 'secret' });
  const same = await patch(i, { executionPolicy: i.executionPolicy });
  assert.deepEqual(same.executionPolicy, i.executionPolicy);
  assert.deepEqual(same.executionState, i.executionState);
  assert.equal((await actions(c, 'issue.monitor_scheduled')).length, 1);
});

test('a count that is used up is not armed again; a wider bound goes on counting (EX-93)', async () => {
  const c = await company(s);
  const { i } = await waiting(c, { nextCheckAt: soon(1200), maxAttempts: 1 });
  await eventually(async () => (await looks(i)).length === 1 && ENDED.has((await looks(i))[0].status));
  const again = await s.api('PATCH', `/issues/${i.id}`, { status: 'in_progress', ...monitor({ nextCheckAt: later(), maxAttempts: 1 }) });
  assert.deepEqual([again.status, again.json.details], [422, { clearReason: 'max_attempts_exhausted' }]);
  const more = await patch(i, { status: 'in_progress', ...monitor({ nextCheckAt: later(), maxAttempts: 2 }) });
  assert.equal(more.monitorAttemptCount, 1);
});

test('a bound that passed: what its recovery policy says (EX-94)', async () => {
  const c = await company(s);
  const late = (recoveryPolicy) => ({ nextCheckAt: soon(2000), timeoutAt: soon(2000), recoveryPolicy });
  const [told, child, asked] = await Promise.all([waiting(c, late('wake_owner')), waiting(c, late('create_recovery_issue')), waiting(c, late('escalate_to_board'))]);
  for (const { i } of [told, child, asked])
    await eventually(async () => (await show(i)).executionState.monitor.clearReason === 'timeout_exceeded');
  assert.equal((await actions(c, 'issue.monitor_exhausted')).length, 3);
  const wake = await eventually(async () => (await runsOf(told.i)).find((r) => r.contextSnapshot.wakeReason === 'issue_monitor_recovery'));
  assert.equal(wake.contextSnapshot.recoveryIntent, 'status_only');
  const made = (await s.ok('GET', `/companies/${c.id}/issues?parentId=${child.i.id}`))[0];
  assert.deepEqual([made.originKind, made.originId, made.assigneeAgentId, made.status === 'backlog'], ['stranded_issue_recovery', child.i.id, child.a.id, false]);
  assert.equal((await looks(asked.i)).length, 0);
});

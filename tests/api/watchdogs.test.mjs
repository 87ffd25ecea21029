// Watchdogs of issue trees: routes, the look, what they are told (EX-149 … EX-151, IS-124).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, activity, agent, company, eventually, refused, server } from './harness.mjs';
import { shell } from './kit.mjs';

const s = await server();
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, { title: 'Work', ...body });
const patch = (i, body) => s.ok('PATCH', `/issues/${i.id}`, body);
const put = (i, agentId, instructions) => s.ok('PUT', `/issues/${i.id}/watchdog`, { agentId, instructions });
const quiet = (i) => eventually(async () => (await s.ok('GET', `/issues/${i.id}/live-runs`)).length === 0, { message: 'its run never ended' });
const FIELDS = ['id', 'companyId', 'issueId', 'watchdogAgentId', 'instructions', 'status', 'watchdogIssueId', 'lastObservedFingerprint', 'lastReviewedFingerprint',
  'lastTriggeredAt', 'lastCompletedAt', 'triggerCount', 'createdAt', 'updatedAt', 'createdByAgentId', 'createdByUserId', 'createdByRunId', 'updatedByAgentId', 'updatedByUserId', 'updatedByRunId'];

test('a stopped tree is reported at once: one child issue, one wake of the watchdog', async () => {
  const c = await company(s);
  const dog = await shell(s, c, 'true');
  const top = await create(c, { title: 'Top', status: 'todo' });
  const child = await create(c, { title: 'Child', status: 'todo', parentId: top.id });
  assert.equal(await s.ok('GET', `/issues/${top.id}/watchdog`), null);
  assert.equal((await s.ok('GET', `/issues/${top.id}`)).watchdog, null);
  await eventually(() => Date.now() - Date.parse(child.createdAt) > 15100, { timeoutMs: 30000, everyMs: 500 }); // younger ones are given time (EX-150)
  const d = await put(top, dog.id, 'Ask Mia.');
  assert.deepEqual(Object.keys(d), FIELDS);
  assert.deepEqual([d.watchdogAgentId, d.instructions, d.status, d.triggerCount, d.createdByUserId], [dog.id, 'Ask Mia.', 'active', 1, 'local-board']);
  const report = await s.ok('GET', `/issues/${d.watchdogIssueId}`);
  assert.deepEqual([report.title, report.originKind, report.originId, report.parentId, report.assigneeAgentId],
    [`Watchdog review for ${top.identifier}`, 'task_watchdog', d.id, top.id, dog.id]);
  assert.match(report.description, /Ask Mia\./);
  const run = await eventually(async () => (await s.ok('GET', `/issues/${report.id}/runs`))[0], { message: 'the watchdog was never woken' });
  assert.equal((await s.ok('GET', `/heartbeat-runs/${run.runId}`)).contextSnapshot.wakeReason, 'task_watchdog_stopped_subtree');
  // the row is part of every form of the issue
  for (const got of [await s.ok('GET', `/issues/${top.id}`), (await s.ok('GET', `/companies/${c.id}/issues?parentId=`)).find((i) => i.id === top.id) ?? (await s.ok('GET', `/companies/${c.id}/issues`)).find((i) => i.id === top.id), await patch(top, { priority: 'high' })])
    assert.equal(got.watchdog?.id, d.id);
  const actions = (await activity(s, c)).filter((a) => a.entityId === top.id).map((a) => a.action);
  assert.ok(actions.includes('issue.watchdog_created') && actions.includes('issue.watchdog_triggered'), actions.join());
  const h = await s.ok('GET', `/issues/${top.id}/history`);
  assert.ok(h.entries.some((e) => e.decision === 'recovered' && e.reason === 'issue.watchdog_triggered'));
  // the same stop again: nothing new; a change of the watchdog makes the review void
  await quiet(report);
  await patch(report, { status: 'done' });
  const again = await put(top, dog.id, 'Ask Tom.');
  assert.deepEqual([again.id, again.triggerCount, again.watchdogIssueId], [d.id, 2, report.id]);
  assert.ok(['todo', 'in_progress'].includes((await s.ok('GET', `/issues/${report.id}`)).status), 'the same issue again');
});

test('a tree that moves, is young, is over, or whose watchdog cannot run: nothing', async () => {
  const c = await company(s);
  const dog = await agent(s, c);
  const worker = await shell(s, c, 'sleep 60');
  const busy = await create(c, { title: 'Busy', assigneeAgentId: worker.id });
  assert.equal((await put(busy, dog.id)).triggerCount, 0);
  const young = await create(c, { title: 'Young', status: 'todo' });
  assert.equal((await put(young, dog.id)).triggerCount, 0);
  const over = await create(c, { title: 'Over', status: 'done' });
  assert.equal((await put(over, dog.id)).triggerCount, 0);
  for (const r of await s.ok('GET', `/issues/${busy.id}/live-runs`)) await s.ok('POST', `/heartbeat-runs/${r.id}/cancel`, {});
});

test('set on create, removed, and what is refused', async () => {
  const c = await company(s), other = await company(s);
  const dog = await agent(s, c), stranger = await agent(s, other);
  const i = await create(c, { watchdog: { agentId: dog.id, instructions: 'Look.' } });
  assert.deepEqual([i.watchdog.watchdogAgentId, i.watchdog.instructions], [dog.id, 'Look.']);
  assert.ok((await activity(s, c)).some((a) => a.action === 'issue.watchdog_created' && a.entityId === i.id));
  assert.deepEqual(await s.ok('DELETE', `/issues/${i.id}/watchdog`), { ok: true });
  assert.deepEqual(await s.ok('DELETE', `/issues/${i.id}/watchdog`), { ok: true });
  assert.equal(await s.ok('GET', `/issues/${i.id}/watchdog`), null);
  assert.equal((await activity(s, c)).filter((a) => a.action === 'issue.watchdog_removed').length, 1);
  refused(await s.api('PUT', `/issues/${i.id}/watchdog`, { agentId: stranger.id }), 422, 'agentId not found in company');
  refused(await s.api('POST', `/companies/${c.id}/issues`, { title: 'x', watchdog: { agentId: stranger.id } }), 422, 'agentId not found in company');
  for (const body of [{}, { agentId: 'dog' }, { agentId: dog.id, colour: 'red' }]) assert.equal((await s.api('PUT', `/issues/${i.id}/watchdog`, body)).status, 400);
  assert.equal((await s.api('POST', `/companies/${c.id}/issues`, { title: 'x', watchdog: { agentId: dog.id, loud: true } })).status, 400);
  refused(await s.api('GET', `/issues/${NOBODY}/watchdog`), 404, 'Issue not found');
});

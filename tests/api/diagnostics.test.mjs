// Who was woken for an issue, and what goes on below it (IS-135).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, company, eventually, refused, server } from './harness.mjs';
import { shell } from './kit.mjs';

const s = await server();
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, { title: 'Work', ...body });
const get = (i, what) => s.ok('GET', `/issues/${i.identifier}/diagnostics/${what}`);
const ref = (i) => ({ id: i.id, identifier: i.identifier, title: i.title, status: i.status, priority: i.priority, assigneeAgentId: i.assigneeAgentId, assigneeUserId: i.assigneeUserId });

test('wakes: the newest first, without the text of errors', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'true', {}, { runtimeConfig: { heartbeat: { wakeOnDemand: false } } });
  const i = await create(c, { assigneeAgentId: a.id });
  for (let n = 0; n < 52; n++) await s.ok('POST', `/issues/${i.id}/comments`, { body: `word ${n}` });
  const got = await get(i, 'wakes');
  assert.deepEqual(got.issue, ref(i));
  assert.deepEqual([got.wakes.length, got.activities.length, got.truncated], [50, 50, true]);
  assert.deepEqual(Object.keys(got.wakes[0]), ['id', 'agentId', 'source', 'triggerDetail', 'reason', 'status', 'coalescedCount', 'runId', 'requestedAt', 'claimedAt', 'finishedAt', 'hasError']);
  const times = got.wakes.map((w) => w.requestedAt);
  assert.deepEqual(times, [...times].sort().reverse());
  assert.match(got.diagnosis, /^53 wakes in 14 days, of which 53 were skipped\.$/);
  const none = await create(c, { title: 'Nobody asked' });
  assert.deepEqual((await get(none, 'wakes')).wakes, []);
});

test('subtree: each issue with its state, blockers, wakes and activities', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60');
  const top = await create(c, { title: 'Top', status: 'todo' });
  const busy = await create(c, { title: 'Busy', parentId: top.id, assigneeAgentId: a.id });
  const parked = await create(c, { title: 'Parked', parentId: busy.id, status: 'backlog' });
  const held = await create(c, { title: 'Held', parentId: top.id, status: 'blocked', blockedByIssueIds: [parked.id] });
  await eventually(async () => (await get(top, 'subtree')).nodes.find((n) => n.id === busy.id).state === 'live', { message: 'never live' });
  const got = await get(top, 'subtree');
  assert.deepEqual(got.nodes.map((n) => [n.id, n.depth, n.parentId]), [[top.id, 0, null], [busy.id, 1, top.id], [held.id, 1, top.id], [parked.id, 2, busy.id]]);
  assert.deepEqual(got.nodes.map((n) => n.state), ['waiting', 'live', 'waiting', 'parked']);
  assert.deepEqual(got.nodes[2].blockers.map((b) => [b.id, b.isUnresolved]), [[parked.id, true]]);
  assert.equal(got.nodes[1].wakes[0].agentId, a.id);
  assert.ok(got.nodes[0].activities.some((x) => x.action === 'issue.created'));
  assert.ok(got.nodes.every((n) => n.diagnosis.length > 5 && n.wakes.length <= 5 && n.activities.length <= 5));
  assert.deepEqual(got.caps, { maxDepth: 8, maxNodes: 100, maxBlockersPerNode: 20, maxWakesPerNode: 5, maxActivitiesPerNode: 5 });
  assert.equal(got.truncated, false);
  for (const what of ['wakes', 'subtree']) refused(await s.api('GET', `/issues/${NOBODY}/diagnostics/${what}`), 404, 'Issue not found');
  for (const r of await s.ok('GET', `/issues/${busy.id}/live-runs`)) await s.ok('POST', `/heartbeat-runs/${r.id}/cancel`, {});
});

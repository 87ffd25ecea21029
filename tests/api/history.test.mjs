// The engine's decisions about an issue, in order, each with its reason code (bulldog issue history).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, company, eventually, refused, server } from './harness.mjs';
import { bulldog } from './cli.mjs';
import { shell, until } from './kit.mjs';

const s = await server();
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, { title: 'Work', ...body });
const patch = (i, body) => s.ok('PATCH', `/issues/${i.id}`, body);
const history = (i, query = '') => s.ok('GET', `/issues/${i.id}/history${query}`);
const lines = (h) => h.entries.map((e) => `${e.decision} ${e.reason}`);
const runsOf = (i) => s.ok('GET', `/issues/${i.id}/runs`);
const running = (i) => eventually(async () => (await runsOf(i)).find((r) => r.status === 'running'), { message: 'no run started' });

test('a wake is admitted, claimed and ended; further wakes are deferred, merged and promoted', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'test -f done || { touch done; sleep 60; }');
  const i = await create(c, { assigneeAgentId: a.id });
  const run = await running(i);
  await s.ok('POST', `/issues/${i.id}/comments`, { body: 'one' });
  await s.ok('POST', `/issues/${i.id}/comments`, { body: 'two' });
  await s.ok('POST', `/heartbeat-runs/${run.runId}/cancel`, {});
  await until(s, run.runId);
  const h = await eventually(async () => {
    const got = await history(i);
    return got.entries.some((e) => e.decision === 'promoted') && got.entries.at(-1).decision === 'ended' && got;
  }, { message: 'the deferred wake was never promoted' });
  assert.deepEqual(lines(h).slice(0, 6), [
    'admitted issue_assigned', 'claimed issue_assigned', 'deferred issue_execution_deferred',
    'coalesced issue_execution_deferred', 'ended cancelled', 'promoted issue_execution_promoted']);
  const times = h.entries.map((e) => Date.parse(e.at));
  assert.deepEqual(times, [...times].sort((x, y) => x - y), 'in order');
  const [admitted, claimed, deferred, merged] = h.entries;
  assert.deepEqual([admitted.agentId, admitted.agentName, admitted.runId, claimed.runId], [a.id, a.name, run.runId, run.runId]);
  assert.equal(merged.wakeId, deferred.wakeId, 'both comments are one wake');
  assert.deepEqual([h.issueId, h.identifier, h.more], [i.id, i.identifier, false]);
});

test('skips tell their reason and how often; the same automatic one is one entry (EX-33)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'true', {}, { runtimeConfig: { heartbeat: { wakeOnDemand: false } } });
  const i = await create(c, { assigneeAgentId: a.id });
  assert.deepEqual(lines(await history(i)), ['skipped heartbeat.wakeOnDemand.disabled']);
  const b = await create(c, { assigneeAgentId: a.id, status: 'blocked', blockedByIssueIds: [i.id] });
  const [e] = (await history(b)).entries;
  assert.deepEqual([e.decision, e.runId, e.count, e.lastAt], ['skipped', null, 1, null]);
});

test('the newest of many, a wrong id, and the command', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'true', {}, { runtimeConfig: { heartbeat: { wakeOnDemand: false } } });
  const i = await create(c, { assigneeAgentId: a.id });
  for (let n = 0; n < 4; n++) await s.ok('POST', `/issues/${i.id}/comments`, { body: `word ${n}` });
  const all = await history(i);
  assert.equal(all.entries.length, 5);
  const few = await history(i, '?limit=2');
  assert.deepEqual([few.entries.map((e) => e.wakeId), few.more], [all.entries.slice(3).map((e) => e.wakeId), true]);
  refused(await s.api('GET', `/issues/${NOBODY}/history`), 404, 'Issue not found');
  const shown = await bulldog(s, ['issue', 'history', i.identifier]);
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, new RegExp(`skipped\\s+heartbeat.wakeOnDemand.disabled.*${a.name}`));
  const json = await bulldog(s, ['issue', 'history', i.identifier, '--json']);
  assert.equal(JSON.parse(json.out).entries.length, 5);
});

// Stalled ends of chains of blockers and reviews nobody does: findings, the issue filed about each, its end (EX-111, EX-112).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activity, agent, company, eventually, key, refused, server } from './harness.mjs';
import { shell } from './kit.mjs';

const s = await server();
const ROUTE = '/instance/settings/experimental/issue-graph-liveness-auto-recovery';
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, { title: 'Work', ...body });
const patch = (i, body) => s.ok('PATCH', `/issues/${i.id}`, body);
const preview = async (c, body = {}) => {
  const p = await s.ok('POST', `${ROUTE}/preview`, body);
  return { ...p, items: p.items.filter((i) => i.companyId === c.id) };
};
const run = (body = {}) => s.ok('POST', `${ROUTE}/run`, body);
const filed = async (c) => (await s.ok('GET', `/companies/${c.id}/issues?originKind=harness_liveness_escalation&status=backlog,todo,in_progress,in_review,blocked,done,cancelled`))
  .filter((i) => i.originKind === 'harness_liveness_escalation');
const lazy = (c) => shell(s, c, 'true');

test('each finding, of the top of a chain only, with the path to what stalls it', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'true', {}, { runtimeConfig: { heartbeat: { wakeOnDemand: false } } }); // nothing moves by itself
  const want = new Map();
  const blocked = async (state, leaf, depth = 1) => {
    let below = leaf;
    for (let n = 0; n < depth; n++) below = await create(c, { title: `${state} ${n}`, status: 'blocked', assigneeAgentId: a.id, blockedByIssueIds: [below.id] });
    want.set(below.id, [state, leaf.id, depth + 1]);
  };
  await blocked('blocked_by_assigned_backlog_issue', await create(c, { title: 'parked', status: 'backlog', assigneeAgentId: a.id }), 3);
  await blocked('blocked_by_unassigned_issue', await create(c, { title: 'nobody', status: 'todo' }));
  const cancelled = await create(c, { title: 'stopped', status: 'todo', assigneeUserId: 'local-board' });
  await blocked('blocked_by_cancelled_issue', cancelled);
  await patch(cancelled, { status: 'cancelled' });
  const review = await create(c, { title: 'who looks?', status: 'in_review', assigneeAgentId: a.id });
  want.set(review.id, ['in_review_without_action_path', review.id, 1]);
  const person = await create(c, { title: 'mine', status: 'backlog', assigneeUserId: 'local-board' });
  await create(c, { title: 'waits for a person', status: 'blocked', assigneeAgentId: a.id, blockedByIssueIds: [person.id] });
  const p = await preview(c);
  assert.deepEqual(new Map(p.items.map((i) => [i.issueId, [i.state, i.recoveryIssueId, i.dependencyPath.length]])), want);
  assert.equal(p.lookbackHours, 24);
  for (const i of p.items) {
    assert.equal(i.dependencyPath[0].issueId, i.issueId);
    assert.equal(i.dependencyPath.at(-1).issueId, i.recoveryIssueId);
    assert.equal(i.incidentKey, `harness_liveness:${c.id}:${i.issueId}:${i.state}:${i.recoveryIssueId}`);
    assert.match(i.reason, new RegExp(`^${i.recoveryIdentifier}: `));
  }
  assert.equal((await filed(c)).length, 0, 'looking files nothing');
});

test('a run files one issue for a chain, blocks its top on it, and takes it back when the chain moves', async () => {
  const c = await company(s);
  const boss = await lazy(c);
  const a = await shell(s, c, 'true', {}, { reportsTo: boss.id });
  const leaf = await create(c, { title: 'parked', status: 'backlog', assigneeAgentId: a.id });
  const top = await create(c, { title: 'top', status: 'blocked', assigneeAgentId: a.id, blockedByIssueIds: [leaf.id] });
  const first = await run();
  assert.deepEqual([first.autoRecoveryEnabled, first.escalationsCreated >= 1], [false, true]);
  const [esc] = await filed(c);
  assert.deepEqual([esc.title, esc.priority, esc.parentId, esc.assigneeAgentId], [`Unblock liveness incident for ${top.identifier}`, 'high', leaf.id, a.id]);
  const detail = await s.ok('GET', `/issues/${top.id}`);
  assert.deepEqual(detail.blockedBy.map((b) => b.id).sort(), [leaf.id, esc.id].sort());
  const words = await s.ok('GET', `/issues/${top.id}/comments`);
  assert.match(words[0].body, new RegExp(esc.identifier));
  const h = await s.ok('GET', `/issues/${top.id}/history`);
  assert.ok(h.entries.some((e) => e.decision === 'recovered' && e.reason === 'blocked_by_assigned_backlog_issue'), JSON.stringify(h.entries));
  const again = await run();
  assert.ok(again.existingEscalations >= 1);
  assert.equal((await filed(c)).length, 1, 'one open per incident');
  // its run ends; then the chain moves, and the issue is taken back
  await eventually(async () => (await s.ok('GET', `/issues/${esc.id}/live-runs`)).length === 0, { message: 'the owner never ran' });
  await patch(leaf, { status: 'todo', assigneeAgentId: null, assigneeUserId: 'local-board' });
  assert.ok((await run()).obsoleteCancelled >= 1);
  assert.equal((await s.ok('GET', `/issues/${esc.id}`)).status, 'cancelled');
  assert.deepEqual((await s.ok('GET', `/issues/${top.id}`)).blockedBy.map((b) => b.id), [leaf.id]);
  // within the hour the same incident is not filed anew
  await patch(leaf, { status: 'backlog', assigneeAgentId: a.id, assigneeUserId: null });
  assert.ok((await run()).skippedCooldown >= 1);
  assert.equal((await filed(c)).length, 1);
});

test('bounds and rights', async () => {
  const c = await company(s);
  for (const path of ['preview', 'run']) {
    for (const lookbackHours of [0, 721, 'x', 1.5]) assert.equal((await s.api('POST', `${ROUTE}/${path}`, { lookbackHours })).status, 400, `${path} ${lookbackHours}`);
    assert.equal((await s.ok('POST', `${ROUTE}/${path}`, { lookbackHours: 3 })).lookbackHours, 3);
    refused(await s.as(await key(s, await agent(s, c)))('POST', `${ROUTE}/${path}`, {}), 403, 'Instance admin required');
  }
  assert.equal((await activity(s, c)).filter((x) => x.action === 'issue.harness_liveness_escalation_created').length, 0);
});

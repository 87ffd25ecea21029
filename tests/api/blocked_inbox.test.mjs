// Stuck work, as the inbox lists it (IS-73), and what lists tell beside an issue (IS §2.2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agent, company, server } from './harness.mjs';
import { shell, until } from './kit.mjs';

const s = await server();
const issue = (c, title, body = {}) => s.ok('POST', `/companies/${c.id}/issues`, { title, ...body });
const stuck = (c, q = '') => s.ok('GET', `/companies/${c.id}/issues?attention=blocked${q}`);

test('each stuck issue says why, what holds it up, and whose move it is (IS-73)', async () => {
  const c = await company(s);
  const idle = await agent(s, c, { adapterConfig: { command: '/bin/true' } });
  const nobody = await issue(c, 'Nobody’s', { status: 'todo' });
  const parked = await issue(c, 'Parked', { status: 'backlog', assigneeAgentId: idle.id });
  const dropped = await issue(c, 'Dropped', { status: 'todo' });
  const behind = {};
  for (const b of [nobody, parked, dropped]) behind[b.title] = await issue(c, `Behind ${b.title}`, { status: 'blocked', blockedByIssueIds: [b.id] });
  await s.ok('PATCH', `/issues/${dropped.id}`, { status: 'cancelled' });
  const review = await issue(c, 'Reviewed by nobody', { status: 'in_review' });
  const outside = await issue(c, 'Waits outside', { status: 'blocked', unblockDescriptor: { owner: 'board', action: 'call them' } });

  const rows = await stuck(c);
  const of = (title) => rows.find((r) => r.title === title)?.blockedInboxAttention;
  assert.equal(of('Behind Nobody’s').reason, 'blocked_by_unassigned_issue');
  assert.equal(of('Behind Parked').reason, 'blocked_by_assigned_backlog_issue');
  assert.equal(of('Behind Dropped').reason, 'blocked_by_cancelled_issue');
  assert.equal(of('Reviewed by nobody').reason, 'in_review_without_action_path');
  assert.deepEqual([of('Waits outside').state, of('Waits outside').reason], ['external_wait', 'external_owner_action']);
  assert.equal(of('Parked'), undefined, 'what nobody has begun is not stuck');

  const a = of('Behind Parked');
  assert.deepEqual(Object.keys(a).sort(), ['action', 'approvalId', 'interactionId', 'kind', 'leafIssue', 'owner', 'reason', 'recoveryIssue', 'redaction', 'sampleIssueIdentifier', 'severity', 'sourceIssue', 'state', 'stoppedSinceAt']);
  assert.deepEqual([a.kind, a.state, a.severity, a.recoveryIssue], ['blocked', 'needs_attention', 'high', null]);
  assert.deepEqual(a.owner, { type: 'agent', agentId: idle.id, userId: null, label: idle.name });
  assert.deepEqual([a.sourceIssue.id, a.leafIssue.id, a.sampleIssueIdentifier], [behind.Parked.id, parked.id, parked.identifier]);
  assert.ok(a.action.label && a.action.detail);
  assert.deepEqual(a.redaction, { externalDetailsRedacted: false, secretFieldsOmitted: true });
  assert.deepEqual(rows.find((r) => r.title === 'Behind Parked').blockedBy.map((b) => b.id), [parked.id]);

  assert.equal(rows.at(-1).id, outside.id, 'the mildest comes last');
  assert.deepEqual(await s.ok('GET', `/companies/${c.id}/issues/count?attention=blocked`), { count: rows.length });
  assert.deepEqual((await stuck(c, '&limit=2&offset=1')).map((r) => r.id), rows.slice(1, 3).map((r) => r.id), 'paged after it was judged');
  const all = await s.ok('GET', `/companies/${c.id}/issues?includeBlockedInboxAttention=true`);
  assert.equal(all.find((r) => r.id === review.id).blockedInboxAttention.reason, 'in_review_without_action_path');
  assert.equal(all.find((r) => r.id === nobody.id)?.blockedInboxAttention === undefined, false);
  assert.equal('blockedInboxAttention' in (await s.ok('GET', `/companies/${c.id}/issues`))[0], false);
});

test('how much is at work below an issue is told on demand (IS §2.2)', async () => {
  const c = await company(s);
  const sleeper = await shell(s, c, 'sleep 60');
  const top = await issue(c, 'Top');
  const mid = await issue(c, 'Mid', { parentId: top.id });
  const leaf = await issue(c, 'Leaf', { parentId: mid.id, assigneeAgentId: sleeper.id });
  const [run] = await s.ok('GET', `/issues/${leaf.id}/runs`);
  await until(s, run.runId, 'running');
  const rows = await s.ok('GET', `/companies/${c.id}/issues?includeLiveDescendantSummary=true`);
  assert.deepEqual(Object.fromEntries(rows.map((r) => [r.title, r.liveDescendantCount])), { Top: 1, Mid: 1, Leaf: 0 });
  assert.equal('liveDescendantCount' in (await s.ok('GET', `/companies/${c.id}/issues`))[0], false);
  await s.ok('POST', `/heartbeat-runs/${run.runId}/cancel`);
});

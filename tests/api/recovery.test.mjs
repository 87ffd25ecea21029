// recovery: what is done about an issue that got stuck, whose move it is, and how it ends (EX §15, IS §17).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, activity, agent, company, eventually, key, refused, server, sleep } from './harness.mjs';
import { ENDED, shell } from './kit.mjs';

const s = await server({ env: { BULLDOG_SCHEDULER_INTERVAL_MS: '10000' } });
const show = (i) => s.ok('GET', `/issues/${i.id}`);
const runsOf = (i) => s.ok('GET', `/issues/${i.id}/runs`);
const actions = (i) => s.ok('GET', `/issues/${i.id}/recovery-actions`);
const resolve = (i, body, call = (...a) => s.api(...a)) => call('POST', `/issues/${i.id}/recovery-actions/resolve`, body);
let count = 0;
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, { title: `Work ${++count}`, ...body });

/** An issue whose agent always fails, and its open action; manager: who is asked. */
async function stuck(script = 'exit 1', body = {}) {
  const c = await company(s);
  const manager = await shell(s, c, 'exit 0', {}, { name: 'Boss' });
  const worker = await shell(s, c, script, {}, { name: 'Worker', reportsTo: manager.id });
  const issue = await create(c, { assigneeAgentId: worker.id, ...body });
  const active = await eventually(async () => (await actions(issue)).active, { message: 'no recovery action was opened' });
  return { c, manager, worker, issue, active };
}

const FIELDS = ['attemptCount', 'cause', 'companyId', 'createdAt', 'evidence', 'fingerprint', 'id', 'kind', 'lastAttemptAt', 'maxAttempts',
  'monitorPolicy', 'nextAction', 'outcome', 'ownerAgentId', 'ownerType', 'ownerUserId', 'previousOwnerAgentId', 'recoveryIssueId',
  'resolutionNote', 'resolvedAt', 'returnOwnerAgentId', 'sourceIssueId', 'status', 'timeoutAt', 'updatedAt', 'wakePolicy'];

test('an issue without trouble has none', async () => {
  const c = await company(s);
  const i = await create(c, {});
  assert.deepEqual(await actions(i), { active: null, actions: [] });
  assert.equal((await show(i)).activeRecoveryAction, null);
  refused(await resolve(i, { outcome: 'restored', sourceIssueStatus: 'todo' }), 404, 'Active recovery action not found');
});

test('a run that fails twice opens one action, owned by the manager, and blocks the issue (EX-110, EX-123)', async () => {
  const { c, manager, worker, issue, active } = await stuck();
  assert.deepEqual(Object.keys(active).sort(), FIELDS);
  assert.deepEqual(
    [active.kind, active.status, active.cause, active.ownerType, active.ownerAgentId, active.previousOwnerAgentId, active.returnOwnerAgentId],
    ['stranded_assigned_issue', 'active', 'stranded_assigned_issue', 'agent', manager.id, worker.id, worker.id]);
  assert.equal(active.fingerprint, `source_scoped_recovery:${c.id}:${issue.id}:stranded_assigned_issue`);
  assert.deepEqual(active.wakePolicy, { type: 'wake_owner', reason: 'source_scoped_recovery_action', ownerAgentId: manager.id });
  assert.deepEqual([active.attemptCount, active.maxAttempts, active.outcome, active.resolvedAt], [1, 3, null, null]);
  assert.equal(active.evidence.latestRunErrorCode, 'adapter_failed');
  assert.equal(active.evidence.previousStatus, 'in_progress');
  const now = await show(issue);
  assert.equal(now.status, 'blocked');
  assert.equal(now.assigneeAgentId, worker.id, 'the assignee stays (EX-14)');
  assert.deepEqual(now.unblockDescriptor, { owner: { agentId: manager.id }, action: active.nextAction });
  assert.deepEqual(now.activeRecoveryAction, active);
  const notices = (await s.ok('GET', `/issues/${issue.id}/comments`)).filter((k) => k.authorType === 'system');
  assert.equal(notices.length, 1, 'one notice');
  assert.equal(notices[0].presentation.kind, 'system_notice');
  assert.equal(notices[0].metadata.sections[0].rows[0].value, active.id);
  const seen = (await activity(s, c)).filter((a) => a.entityId === issue.id).map((a) => a.action);
  for (const a of ['issue.recovery_action_opened', 'issue.comment_added']) assert.ok(seen.includes(a), `${a} is in ${seen}`);
});

test("the owner's wake carries the action and takes no lock (EX-124)", async () => {
  const { manager, issue, active } = await stuck();
  const r = await eventually(async () => (await runsOf(issue)).find((x) => x.agentId === manager.id && ENDED.has(x.status)));
  const run = await s.ok('GET', `/heartbeat-runs/${r.runId}`);
  const x = run.contextSnapshot;
  assert.deepEqual(
    [x.issueId, x.taskId, x.recoveryActionId, x.sourceIssueId, x.recoveryCause, x.skipIssueComment, x.source, x.wakeReason],
    [issue.id, issue.id, active.id, issue.id, 'stranded_assigned_issue', true, 'issue_recovery_action', 'source_scoped_recovery_action']);
  assert.equal(x.strandedRunId, active.evidence.latestRunId);
  assert.deepEqual([x.recoveryIntent, x.allowDeliverableWork, x.allowDocumentUpdates, x.resumeRequiresNormalModel], ['status_only', false, false, true]);
  const now = await show(issue);
  assert.deepEqual([now.status, now.executionRunId, now.checkoutRunId], ['blocked', null, null]);
  await sleep(300);
  assert.equal((await runsOf(issue)).filter((k) => k.agentId === manager.id).length, 1, 'one wake');
});

test('lists, the inbox and explain show it', async () => {
  const { c, worker, issue, active } = await stuck();
  for (const view of ['', '?view=compact']) {
    const row = (await s.ok('GET', `/companies/${c.id}/issues${view}`)).find((x) => x.id === issue.id);
    assert.deepEqual(row.activeRecoveryAction, active, view);
  }
  const token = await key(s, worker);
  const inbox = await s.as(token)('GET', '/agents/me/inbox-lite');
  assert.deepEqual(inbox.json.find((x) => x.id === issue.id).activeRecoveryAction, active);
  assert.deepEqual((await s.ok('GET', `/issues/${issue.id}/heartbeat-context`)).issue.activeRecoveryAction, active);
  const dependent = await create(c, { blockedByIssueIds: [issue.id] });
  assert.deepEqual((await show(dependent)).blockedBy[0].activeRecoveryAction, active);
  const e = await eventually(async () => {
    const x = await s.ok('GET', `/issues/${issue.id}/explain`);
    return x.state === 'recovering' && x;
  });
  assert.deepEqual([e.reason, e.evidence.primitive, e.waitingOn[0].type, e.waitingOn[0].name], ['recovery_action', 'P9', 'agent', 'Boss']);
  assert.match(e.sentence, /Boss/);
  assert.deepEqual(e.evidence.recoveryAction, { id: active.id, ownerId: active.ownerAgentId, text: active.nextAction, since: active.createdAt, due: active.timeoutAt });
});

test('restored to todo hands it back and wakes the assignee (EX-126)', async () => {
  const { c, worker, issue, active } = await stuck('test -e again || { touch again; exit 1; }; [ "$(ls | wc -l)" -gt 1 ] || { touch twice; exit 1; }; exit 0');
  const { status, json } = await resolve(issue, { actionId: active.id, outcome: 'restored', sourceIssueStatus: 'todo', resolutionNote: 'the disk is back' });
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(json).sort(), ['issue', 'recoveryAction']);
  assert.equal(json.issue.status, 'todo');
  assert.equal(json.issue.unblockDescriptor, null);
  const a = json.recoveryAction;
  assert.deepEqual([a.id, a.status, a.outcome, a.resolutionNote], [active.id, 'resolved', 'handed_back', 'the disk is back']);
  assert.ok(a.resolvedAt);
  const woken = await eventually(async () => {
    const list = await s.ok('GET', `/companies/${c.id}/heartbeat-runs?agentId=${worker.id}`);
    return list.find((r) => r.contextSnapshot?.wakeReason === 'issue_recovery_action_restored');
  }, { message: 'the assignee was not woken' });
  assert.equal(woken.contextSnapshot.issueId, issue.id);
  const log = (await activity(s, c)).filter((x) => x.entityId === issue.id);
  assert.equal(log.find((x) => x.action === 'issue.recovery_action_resolved').details.source, 'recovery_action_resolution');
  assert.ok(log.some((x) => x.action === 'issue.updated' && x.details.source === 'recovery_action_resolution'));
  refused(await resolve(issue, { actionId: active.id, outcome: 'restored', sourceIssueStatus: 'todo' }), 404, 'Active recovery action not found');
});

test('the ends and what they need', async () => {
  const { c, issue } = await stuck();
  for (const [outcome, status] of [['restored', 'blocked'], ['blocked', 'todo'], ['false_positive', 'todo'], ['cancelled', 'blocked'], ['nonsense', 'todo'], ['restored', 'backlog']])
    refused(await resolve(issue, { outcome, sourceIssueStatus: status }), 400);
  refused(await resolve(issue, { outcome: 'restored', sourceIssueStatus: 'todo', extra: 1 }), 400);
  refused(await resolve(issue, { actionId: NOBODY, outcome: 'restored', sourceIssueStatus: 'todo' }), 404, 'Active recovery action not found');
  refused(await resolve(issue, { outcome: 'blocked', sourceIssueStatus: 'blocked' }), 422);
  const blocker = await create(c, {});
  const other = await stuck();
  await s.ok('PATCH', `/issues/${issue.id}`, { title: 'A new title folds nothing' });
  assert.ok((await actions(issue)).active);
  const done = await resolve(issue, { outcome: 'restored', sourceIssueStatus: 'done' });
  assert.deepEqual([done.json.recoveryAction.outcome, done.json.recoveryAction.status, done.json.issue.status], ['owner_completed', 'resolved', 'done']);
  const gone = await resolve(other.issue, { outcome: 'cancelled', sourceIssueStatus: 'done' });
  assert.deepEqual([gone.json.recoveryAction.outcome, gone.json.recoveryAction.status], ['cancelled', 'cancelled']);
  assert.ok(blocker);
});

test('who may decide (EX-17, IS-58)', async () => {
  const { c, manager, worker, issue } = await stuck();
  const stranger = await agent(s, c);
  const as = async (a) => s.as(await key(s, a));
  refused(await resolve(issue, { outcome: 'restored', sourceIssueStatus: 'done' }, await as(stranger)), 403, "Agent cannot resolve another owner's recovery action");
  refused(await (await as(stranger))('PATCH', `/issues/${issue.id}`, { status: 'todo' }), 403, "Agent cannot resolve another owner's recovery action");
  refused(await (await as(stranger))('POST', `/issues/${issue.id}/comments`, { body: 'go on', resume: true }), 403, "Agent cannot resolve another owner's recovery action");
  refused(await resolve(issue, { outcome: 'cancelled', sourceIssueStatus: 'done' }, await as(manager)), 403);
  assert.ok((await actions(issue)).active, 'nothing changed');
  const mine = (await runsOf(issue)).find((r) => r.agentId === worker.id);
  const done = await s.as(await key(s, worker), mine.runId)('POST', `/issues/${issue.id}/recovery-actions/resolve`, { outcome: 'restored', sourceIssueStatus: 'done' });
  assert.equal(done.status, 200, done.text);
});

test('a person who moves the issue on folds the action (EX-127)', async () => {
  const { c, worker, issue, active } = await stuck();
  await s.ok('POST', `/issues/${issue.id}/comments`, { body: 'I am looking', presentation: { kind: 'message', tone: 'neutral' } }); // reopens: a person's word
  const log = (await activity(s, c)).find((x) => x.entityId === issue.id && x.action === 'issue.recovery_action_resolved');
  assert.deepEqual([log.details.source, log.details.outcome, log.details.recoveryActionId], ['source_revalidation', 'cancelled', active.id]);
  const next = await eventually(async () => (await actions(issue)).active, { message: 'it failed again, and nothing was opened' });
  assert.notEqual(next.id, active.id);
  assert.equal(next.attemptCount, 1, "a person's hand starts anew");
  await s.ok('PATCH', `/issues/${issue.id}`, { status: 'done' });
  assert.equal((await actions(issue)).active, null);
  assert.ok(worker);
});

test('without a manager the agent itself is asked, and paused agents are not', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'exit 1');
  const i = await create(c, { assigneeAgentId: a.id });
  const active = await eventually(async () => (await actions(i)).active);
  assert.equal(active.ownerAgentId, a.id);
  const boss = await shell(s, c, 'exit 0');
  const b = await shell(s, c, 'exit 1', {}, { reportsTo: boss.id });
  await s.ok('POST', `/agents/${boss.id}/pause`, {});
  const j = await create(c, { assigneeAgentId: b.id });
  const next = await eventually(async () => (await actions(j)).active);
  assert.equal(next.ownerAgentId, b.id);
});

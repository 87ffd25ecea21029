// Review and approval stages (EX-135…138, IS-87, IS-94…97) through the real server.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { NOBODY, company, eventually, refused, server } from './harness.mjs';
import { run, shell, until } from './kit.mjs';

const s = await server({ env: { BULLDOG_MAX_CONCURRENT_RUNS: '64' } });
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, { title: 'Work', allowDuplicate: true, ...body });
const show = (i) => s.ok('GET', `/issues/${i.id}`);
const patch = (i, body) => s.ok('PATCH', `/issues/${i.id}`, body);
const tries = (i, body) => s.api('PATCH', `/issues/${i.id}`, body);
const acts = async (i, action) => (await s.ok('GET', `/issues/${i.id}/activity`)).filter((x) => x.action === action);
const runsOf = (i) => s.ok('GET', `/issues/${i.id}/runs`);
const atWork = (i, agent) => eventually(async () => (await runsOf(i)).find((r) => r.status === 'running' && r.agentId === agent.id), { message: 'no run at work' });
const byAgent = (a) => ({ type: 'agent', agentId: a.id });
const ME = { type: 'user', userId: 'local-board' };
const review = (...participants) => ({ type: 'review', participants });
const approval = (...participants) => ({ type: 'approval', participants });
const idle = (c) => shell(s, c, 'sleep 60');
/** An agent that keeps its token, and the api of its run on an issue. */
const worker = (c) => shell(s, c, 'printf %s "$PAPERCLIP_API_KEY" > "$PAPERCLIP_RUN_ID"; sleep 60');
async function runApi(i, a) {
  const r = await atWork(i, a);
  const token = await eventually(() => { try { return readFileSync(`${s.dataDir}/workspaces/${a.id}/${r.runId}`, 'utf8'); } catch { return null; } });
  return { r, api: s.as(token, r.runId) };
}

test('a policy is normalised, kept, and said back on the issue only (IS-94)', async () => {
  const c = await company(s);
  const a = await idle(c);
  const i = await create(c, { executionPolicy: { stages: [review(byAgent(a), byAgent(a)), { type: 'approval', participants: [] }] } });
  const p = i.executionPolicy;
  assert.deepEqual([p.mode, p.commentRequired, p.stages.length, p.stages[0].type, p.stages[0].approvalsNeeded], ['normal', true, 1, 'review', 1]);
  assert.match(p.stages[0].id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(p.stages[0].participants.map((x) => [x.type, x.agentId, x.userId]), [['agent', a.id, null]]);
  assert.equal(i.executionState, null);
  assert.deepEqual((await patch(i, { executionPolicy: p })).executionPolicy, p); // sent back, nothing is new
  const [row] = await s.ok('GET', `/companies/${c.id}/issues`);
  assert.deepEqual([row.executionPolicy, row.executionState], [null, null]);
  await patch(i, { executionPolicy: { ...p, stages: [...p.stages, approval(ME)] } });
  const [log] = await acts(i, 'issue.approvers_updated');
  assert.deepEqual([log.details.participants, log.details.addedParticipants, log.details.removedParticipants],
    [[{ type: 'user', agentId: null, userId: 'local-board' }], [{ type: 'user', agentId: null, userId: 'local-board' }], []]);
  assert.equal((await acts(i, 'issue.reviewers_updated')).length, 0);
  assert.equal((await patch(i, { executionPolicy: { stages: [] } })).executionPolicy, null);
  refused(await tries(i, { executionPolicy: { stages: [review({ type: 'agent', agentId: NOBODY })] } }), 422);
  refused(await tries(i, { executionPolicy: { stages: [review({ type: 'user', userId: 'nobody' })] } }), 422);
  refused(await tries(i, { executionPolicy: { stages: [review({ type: 'agent' })] } }), 400);
  refused(await tries(i, { executionPolicy: { stages: [{ type: 'audit', participants: [ME] }] } }), 400);
  refused(await tries(i, { executionPolicy: { maxReviewRounds: 51 } }), 400);
});

test('the whole way: done starts the review, approvals lead to done (EX-136, EX-138)', async () => {
  const c = await company(s);
  const [w, r1] = [await worker(c), await worker(c)];
  const i = await create(c, { assigneeAgentId: w.id, executionPolicy: { stages: [review(byAgent(r1)), approval(ME)] } });
  const first = await runApi(i, w);
  const sent = await first.api('PATCH', `/issues/${i.id}`, { status: 'done', comment: 'finished', reviewRequest: { instructions: 'mind the edges' } });
  assert.equal(sent.status, 200, sent.text);
  const st = sent.json.executionState;
  assert.deepEqual([sent.json.status, sent.json.assigneeAgentId, sent.json.executionRunId], ['in_review', r1.id, null]);
  assert.deepEqual(Object.keys(st).sort(), ['changesRequestedCount', 'completedStageIds', 'currentParticipant', 'currentStageId', 'currentStageIndex',
    'currentStageType', 'lastDecisionId', 'lastDecisionOutcome', 'monitor', 'returnAssignee', 'reviewRequest', 'status']);
  assert.deepEqual([st.status, st.currentStageIndex, st.currentStageType, st.currentParticipant, st.returnAssignee, st.reviewRequest],
    ['pending', 0, 'review', { type: 'agent', agentId: r1.id, userId: null }, { type: 'agent', agentId: w.id, userId: null }, { instructions: 'mind the edges' }]);
  refused(await first.api('PATCH', `/issues/${i.id}`, { status: 'done', comment: 'really' }), 422, 'Only the active reviewer or approver can advance the current execution stage');
  await s.ok('POST', `/heartbeat-runs/${first.r.runId}/cancel`, {}); // then the reviewer's wake, which waited, starts
  const second = await runApi(i, r1);
  const full = await run(s, second.r.runId);
  assert.equal(full.contextSnapshot.wakeReason, 'execution_review_requested');
  assert.deepEqual([full.contextSnapshot.executionStage.wakeRole, full.contextSnapshot.executionStage.stageType, full.contextSnapshot.executionStage.reviewRequest],
    ['reviewer', 'review', { instructions: 'mind the edges' }]);
  assert.equal((await show(i)).status, 'in_review'); // a reviewer's run does not check it out
  assert.equal((await s.ok('GET', `/issues/${i.id}/explain`)).reason, 'run_running');
  refused(await second.api('PATCH', `/issues/${i.id}`, { status: 'done' }), 422, 'Approving a review or approval stage requires a comment');
  const approved = await second.api('PATCH', `/issues/${i.id}`, { status: 'done', comment: 'good' });
  assert.deepEqual([approved.json.status, approved.json.assigneeUserId, approved.json.executionState.currentStageType, approved.json.executionState.lastDecisionOutcome],
    ['in_review', 'local-board', 'approval', 'approved']);
  await s.ok('POST', `/heartbeat-runs/${second.r.runId}/cancel`, {});
  const e = await s.ok('GET', `/issues/${i.id}/explain`);
  assert.equal(e.reason, 'review_participant', e.sentence);
  assert.equal(e.evidence.primitive, 'P3');
  refused(await tries(i, { status: 'done' }), 422);
  const done = await patch(i, { status: 'done', comment: 'ship it' });
  assert.deepEqual([done.status, done.executionState.status, done.executionState.completedStageIds.length], ['done', 'completed', 2]);
  assert.ok(done.completedAt);
  assert.equal((await patch(i, { status: 'todo', assigneeUserId: null, assigneeAgentId: w.id })).executionState, null); // reopened: it begins anew
});

test('changes go back to the worker, with the words (EX-136, EX-138)', async () => {
  const c = await company(s);
  const [w, r1] = [await worker(c), await idle(c)];
  const i = await create(c, { status: 'todo', executionPolicy: { stages: [review(byAgent(r1), ME)] } });
  await patch(i, { status: 'in_progress', assigneeAgentId: w.id });
  const st = await patch(i, { status: 'in_review', assigneeAgentId: null, assigneeUserId: 'local-board' }); // the reviewer one wishes for
  assert.deepEqual([st.assigneeUserId, st.executionState.returnAssignee.agentId], ['local-board', w.id]);
  refused(await tries(i, { status: 'todo' }), 422, 'Requesting changes requires a comment');
  const back = await patch(i, { status: 'todo', comment: 'the edges are sharp' });
  assert.deepEqual([back.status, back.assigneeAgentId, back.assigneeUserId, back.executionState.status, back.executionState.lastDecisionOutcome, back.executionState.changesRequestedCount],
    ['in_progress', w.id, null, 'changes_requested', 'changes_requested', 0]);
  const first = (await runsOf(i)).at(-1); // it was woken for the assignment; then what waited behind it starts
  await s.api('POST', `/heartbeat-runs/${first.runId}/cancel`, {});
  const r = await eventually(async () => (await runsOf(i)).find((x) => x.agentId === w.id && x.runId !== first.runId && x.status === 'running'));
  const full = await run(s, r.runId);
  assert.equal(full.contextSnapshot.wakeReason, 'execution_changes_requested');
  assert.equal(full.contextSnapshot.executionStage.wakeRole, 'executor');
  assert.deepEqual(full.contextSnapshot.wakeCommentIds, [back.comment.id]);
  const again = await patch(i, { status: 'done' }); // the same reviewer looks again
  assert.equal(again.assigneeUserId, 'local-board');
});

test('the board overrides; what drifts is put right; a removed policy gives the work back (IS-96)', async () => {
  const c = await company(s);
  const [w, r1, r2] = [await idle(c), await idle(c), await idle(c)];
  const start = async (policy = { stages: [review(byAgent(r1), byAgent(r2))] }) => {
    const i = await create(c, { status: 'todo', executionPolicy: policy });
    await patch(i, { status: 'in_progress', assigneeAgentId: w.id });
    return patch(i, { status: 'done' });
  };
  let i = await start();
  assert.equal(i.status, 'in_review');
  assert.deepEqual([(await patch(i, { status: 'done' })).status, (await show(i)).executionState], ['done', null]);
  i = await start();
  let x = await patch(i, { status: 'todo' });
  assert.deepEqual([x.status, x.assigneeAgentId, x.executionState], ['todo', w.id, null]);
  i = await start();
  x = await patch(i, { assigneeAgentId: r2.id });
  assert.deepEqual([x.status, x.assigneeAgentId, x.executionState.currentParticipant.agentId], ['in_review', r2.id, r2.id]);
  x = await patch(i, { assigneeAgentId: w.id });
  assert.deepEqual([x.status, x.assigneeAgentId, x.executionState], ['in_progress', w.id, null]);
  i = await start();
  x = await patch(i, { executionPolicy: null });
  assert.deepEqual([x.status, x.assigneeAgentId, x.executionState], ['in_progress', w.id, null]);
  i = await start();
  refused(await tries(await create(c), { reviewRequest: { instructions: 'x' } }), 422, 'reviewRequest requires an active review or approval stage');
  assert.equal((await tries(await create(c), { reviewRequest: null })).status, 200);
  assert.deepEqual((await patch(i, { reviewRequest: { instructions: 'look' } })).executionState.reviewRequest, { instructions: 'look' });
  const own = await create(c, { status: 'todo', executionPolicy: { stages: [review(byAgent(w))] } });
  await patch(own, { status: 'in_progress', assigneeAgentId: w.id });
  refused(await tries(own, { status: 'in_review' }), 422, 'No eligible review participant is configured for this issue');
  assert.equal((await patch(own, { status: 'done' })).status, 'done'); // nobody reviews one's own work
});

test('a comment approves when it says so (IS-87)', async () => {
  const c = await company(s);
  const w = await idle(c);
  const i = await create(c, { status: 'todo', executionPolicy: { stages: [review(ME)] } });
  await patch(i, { status: 'in_progress', assigneeAgentId: w.id });
  await patch(i, { status: 'done' });
  await s.ok('POST', `/issues/${i.id}/comments`, { body: '## Review: NOT APPROVED' });
  assert.equal((await show(i)).status, 'in_review');
  await s.ok('POST', `/issues/${i.id}/comments`, { body: '## Review: WEB-1 APPROVED\nall good' });
  const x = await show(i);
  assert.deepEqual([x.status, x.executionState.status], ['done', 'completed']);
  assert.equal((await acts(i, 'issue.updated'))[0].details.source, 'auto_approval_comment');
});

test('agents that never agree leave it to a person (EX-137)', async () => {
  const c = await company(s);
  const [w, r1] = [await idle(c), await worker(c)];
  const i = await create(c, { status: 'todo', executionPolicy: { maxReviewRounds: 1, stages: [review(byAgent(r1))] } });
  await patch(i, { status: 'in_progress', assigneeAgentId: w.id });
  await patch(i, { status: 'done' });
  for (const r of await runsOf(i)) if (r.agentId === w.id) await s.api('POST', `/heartbeat-runs/${r.runId}/cancel`, {});
  const { api } = await runApi(i, r1);
  const x = (await api('PATCH', `/issues/${i.id}`, { status: 'in_progress', comment: 'no' })).json;
  assert.deepEqual([x.status, x.assigneeUserId, x.executionState.status, x.executionState.changesRequestedCount], ['in_review', 'local-board', 'pending', 1]);
  refused(await api('PATCH', `/issues/${i.id}`, { status: 'done', comment: 'yes' }), 422, 'Only the escalated reviewer can advance the current execution stage');
  assert.equal((await patch(i, { status: 'done', comment: 'enough' })).status, 'done');
});

test('a participant who is gone traps nobody; one who is paused is named as the gate', async () => {
  const c = await company(s);
  const [w, r1, r2] = [await idle(c), await idle(c), await idle(c)];
  const i = await create(c, { status: 'todo', executionPolicy: { stages: [review(byAgent(r1), byAgent(r2))] } });
  await patch(i, { status: 'in_progress', assigneeAgentId: w.id });
  assert.equal((await patch(i, { status: 'done' })).assigneeAgentId, r1.id);
  await s.ok('POST', `/agents/${r1.id}/pause`, {});
  for (const r of await runsOf(i)) await s.api('POST', `/heartbeat-runs/${r.runId}/cancel`, {});
  const e = await eventually(async () => { const x = await s.ok('GET', `/issues/${i.id}/explain`); return x.state === 'waiting' && x; });
  assert.deepEqual([e.reason, e.needsAttention], ['agent_paused', true]);
  await s.ok('POST', `/agents/${r1.id}/terminate`, {});
  let x = await show(i);
  assert.deepEqual([x.status, x.assigneeAgentId, x.executionState.currentParticipant.agentId], ['in_review', r2.id, r2.id]);
  await atWork(i, r2);
  await s.ok('POST', `/agents/${r2.id}/terminate`, {});
  x = await show(i);
  assert.deepEqual([x.assigneeUserId, x.executionState.status], ['local-board', 'pending']);
  assert.equal((await patch(i, { status: 'done', comment: 'then I do' })).status, 'done');
});

test('a cancelled tree takes its stages up again when it is restored (EX-133)', async () => {
  const c = await company(s);
  const [w, r1] = [await idle(c), await idle(c)];
  const i = await create(c, { status: 'todo', executionPolicy: { stages: [review(byAgent(r1))] } });
  await patch(i, { status: 'in_progress', assigneeAgentId: w.id });
  const before = await patch(i, { status: 'done' });
  await s.ok('POST', `/issues/${i.id}/tree-holds`, { mode: 'cancel' });
  assert.deepEqual([(await show(i)).status, (await show(i)).executionState], ['cancelled', null]);
  await s.ok('POST', `/issues/${i.id}/tree-holds`, { mode: 'restore' });
  const x = await show(i);
  assert.deepEqual([x.status, x.assigneeAgentId, x.executionState], ['in_review', r1.id, before.executionState]);
  await s.ok('POST', `/issues/${i.id}/tree-holds`, { mode: 'pause' });
  await s.ok('POST', `/issues/${i.id}/tree-holds`, { mode: 'resume' });
  const r = await atWork(i, r1); // the reviewer is asked again
  assert.equal((await run(s, r.runId)).contextSnapshot.wakeReason, 'execution_review_requested');
});

test('a new blocked issue says who frees it, and that one is told once (EX-9)', async () => {
  const c = await company(s);
  const a = await idle(c);
  const attempt = (body) => s.api('POST', `/companies/${c.id}/issues`, { title: 'Stuck', allowDuplicate: true, status: 'blocked', ...body });
  refused(await attempt({}), 422, 'Entering blocked requires unresolved blockers, a pending interaction/approval, or unblockDescriptor');
  refused(await attempt({ unblockDescriptor: { owner: { agentId: NOBODY }, action: 'x' } }), 422);
  refused(await attempt({ unblockDescriptor: { owner: { userId: 'nobody' }, action: 'x' } }), 422);
  refused(await attempt({ status: 'todo', unblockDescriptor: { owner: 'board', action: 'x' } }), 400);
  const i = (await attempt({ unblockDescriptor: { owner: { agentId: a.id }, action: 'open the gate' } })).json;
  assert.ok(i.blockedTransitionAt);
  const row = await show(i);
  assert.ok(row.blockedOwnerNotifiedAt);
  const told = await s.ok('GET', `/companies/${c.id}/heartbeat-runs?limit=50`);
  await patch(i, { description: 'more' });
  assert.equal((await s.ok('GET', `/companies/${c.id}/heartbeat-runs?limit=50`)).length, told.length);
  const free = await patch(i, { status: 'todo' });
  assert.deepEqual([free.unblockDescriptor, free.blockedTransitionAt, free.blockedOwnerNotifiedAt], [null, null, null]);
});

test('what waits for an agent that gives its issue up never starts (EX-16)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60', {}, { runtimeConfig: { heartbeat: { maxConcurrentRuns: 1 } } });
  const busy = await create(c, { assigneeAgentId: a.id });
  await atWork(busy, a);
  const i = await create(c, { assigneeAgentId: a.id });
  const [queued] = await runsOf(i);
  assert.equal(queued.status, 'queued');
  await s.ok('POST', `/issues/${i.id}/release`, {});
  const ended = await until(s, queued.runId);
  assert.deepEqual([ended.status, ended.errorCode], ['cancelled', 'issue_reassigned']);
});

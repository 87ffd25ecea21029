// The loop: assignment → wake → run → issue → next wake (EX §5-10, the worked traces).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { company, eventually, refused, server, sleep } from './harness.mjs';
import { ENDED, log, run, shell, text, until } from './kit.mjs';

const s = await server({ env: { BULLDOG_MAX_CONCURRENT_RUNS: '64' } });

// What an agent's script says to the API, as itself.
const API = `api() { m=$1; p=$2; shift 2; printf 'Authorization: Bearer %s\\nX-Paperclip-Run-Id: %s\\n' "$PAPERCLIP_API_KEY" "$PAPERCLIP_RUN_ID" | curl -sS -X "$m" -H @- -H 'content-type: application/json' "$PAPERCLIP_API_URL/api$p" "$@"; }
`;
const worker = (c, script, config, body) => shell(s, c, API + script, config, body);
const issue = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, body);
const show = (i) => s.ok('GET', `/issues/${i.id ?? i}`);
const runsOf = (i) => s.ok('GET', `/issues/${i.id}/runs`);
const wakes = (c, filter) => s.ok('GET', `/companies/${c.id}/heartbeat-runs?limit=500`).then((list) => (filter ? list.filter(filter) : list));
const DONE = `api PATCH /issues/$PAPERCLIP_TASK_ID -d '{"status":"done","comment":"finished"}'`;

test('happy path: assigned, checked out, done by its own run (trace 1)', async () => {
  const c = await company(s);
  const a = await worker(c, `api GET /issues/$PAPERCLIP_TASK_ID > seen.json; echo "reason $PAPERCLIP_WAKE_REASON"; ${DONE}`);
  const i = await issue(c, { title: 'Do it', assigneeAgentId: a.id });
  assert.equal(i.status, 'todo');
  const end = await eventually(async () => {
    const x = await show(i);
    return x.status === 'done' && x;
  });
  assert.deepEqual([end.checkoutRunId, end.executionRunId, end.executionLockedAt], [null, null, null]);
  assert.ok(end.startedAt && end.completedAt);
  const [r] = await runsOf(i);
  const full = await until(s, r.runId);
  assert.equal(full.status, 'succeeded');
  assert.equal(full.livenessState, 'completed');
  assert.equal(full.contextSnapshot.wakeReason, 'issue_assigned');
  assert.equal(full.contextSnapshot.paperclipHarnessCheckedOut, true);
  const out = text(await log(s, r.runId));
  assert.match(out, /reason issue_assigned/);
  const seen = JSON.parse((await import('node:fs')).readFileSync(`${s.dataDir}/workspaces/${a.id}/seen.json`, 'utf8'));
  assert.equal(seen.status, 'in_progress');
  assert.equal(seen.checkoutRunId, r.runId);
  assert.equal(seen.executionRunId, r.runId);
  const comments = await s.ok('GET', `/issues/${i.id}/comments`);
  assert.equal(comments[0].createdByRunId, r.runId);
});

test('the agent is told why it runs (AR-52)', async () => {
  const c = await company(s);
  const a = await worker(c, `printf %s "$PAPERCLIP_WAKE_PAYLOAD_JSON" > wake.json; ${DONE}`);
  const i = await issue(c, { title: 'Tell me', description: 'the whole story', priority: 'high', assigneeAgentId: a.id });
  await eventually(async () => (await show(i)).status === 'done');
  const wake = JSON.parse((await import('node:fs')).readFileSync(`${s.dataDir}/workspaces/${a.id}/wake.json`, 'utf8'));
  assert.equal(wake.reason, 'issue_assigned');
  assert.deepEqual(wake.issue, { id: i.id, identifier: i.identifier, title: 'Tell me', description: 'the whole story', descriptionTruncated: false, status: 'in_progress', workMode: 'standard', priority: 'high' });
  assert.equal(wake.checkedOutByHarness, true);
  assert.equal(wake.requestedCount, 0);
  assert.equal(wake.commentWindow, undefined);
});

test('an assignment to backlog wakes nobody; leaving backlog does (EX §2)', async () => {
  const c = await company(s);
  const a = await worker(c, DONE);
  const i = await issue(c, { title: 'Later', assigneeAgentId: a.id, status: 'backlog' });
  await sleep(300);
  assert.equal((await runsOf(i)).length, 0);
  await s.ok('PATCH', `/issues/${i.id}`, { status: 'todo' });
  await eventually(async () => (await show(i)).status === 'done');
  assert.equal((await run(s, (await runsOf(i))[0].runId)).contextSnapshot.wakeReason, 'issue_status_changed');
});

test('a dependent waits for its blocker and is woken once by its end (trace 4)', async () => {
  const c = await company(s);
  const slow = await worker(c, `sleep 0.5; ${DONE}`);
  const next = await worker(c, DONE);
  const first = await issue(c, { title: 'First', assigneeAgentId: slow.id });
  const second = await issue(c, { title: 'Second', assigneeAgentId: next.id, blockedByIssueIds: [first.id], status: 'blocked' });
  refused(await s.api('POST', `/issues/${second.id}/checkout`, { agentId: next.id, expectedStatuses: ['blocked'] }), 422, 'Issue is blocked by unresolved blockers');
  assert.equal((await runsOf(second)).length, 0);
  await eventually(async () => (await show(second)).status === 'done');
  const runs = await runsOf(second);
  assert.equal(runs.length, 1);
  assert.equal((await run(s, runs[0].runId)).contextSnapshot.wakeReason, 'issue_blockers_resolved');
});

test('two comments during a run are one deferred wake that brings both, after it (trace 4, INV-17)', async () => {
  const c = await company(s);
  const a = await worker(c, `echo "$PAPERCLIP_WAKE_PAYLOAD_JSON" >> wakes; if [ "$PAPERCLIP_WAKE_REASON" = issue_assigned ]; then sleep 1; fi; api PATCH /issues/$PAPERCLIP_TASK_ID -d '{"status":"in_progress","comment":"step"}'`);
  const i = await issue(c, { title: 'Chat', assigneeAgentId: a.id });
  await eventually(async () => (await show(i)).status === 'in_progress');
  const k1 = await s.ok('POST', `/issues/${i.id}/comments`, { body: 'one' });
  const k2 = await s.ok('POST', `/issues/${i.id}/comments`, { body: 'two' });
  const runs = await eventually(async () => {
    const list = await runsOf(i);
    return list.length === 2 && list.every((r) => ENDED.has(r.status)) && list;
  });
  const second = await run(s, runs[0].runId);
  assert.deepEqual(second.contextSnapshot.wakeCommentIds, [k1.id, k2.id]);
  const told = (await import('node:fs')).readFileSync(`${s.dataDir}/workspaces/${a.id}/wakes`, 'utf8').trim().split('\n').map((l) => JSON.parse(l));
  assert.deepEqual(told[1].comments.map((x) => x.body), ['one', 'two']);
});

test('a comment made while a run is live starts the agent again', async () => {
  const c = await company(s);
  const a = await worker(c, `sleep 0.4; ${DONE}`);
  const i = await issue(c, { title: 'Again', assigneeAgentId: a.id });
  await eventually(async () => (await show(i)).status === 'in_progress');
  await s.ok('POST', `/issues/${i.id}/comments`, { body: 'one more thing' });
  const runs = await eventually(async () => {
    const list = await runsOf(i);
    return list.length === 2 && list.every((r) => ENDED.has(r.status)) && list;
  });
  assert.equal(runs[0].status, 'succeeded');
  assert.equal((await show(i)).status, 'done');
});

test('reassigning during a run does not strand the new owner (EX-7)', async () => {
  const c = await company(s);
  const first = await worker(c, 'sleep 1');
  const second = await worker(c, DONE);
  const i = await issue(c, { title: 'Hand over', assigneeAgentId: first.id });
  await eventually(async () => (await show(i)).status === 'in_progress');
  await s.ok('PATCH', `/issues/${i.id}`, { assigneeAgentId: second.id, status: 'todo' });
  await eventually(async () => (await show(i)).status === 'done', { message: 'the new owner never worked' });
  assert.equal((await show(i)).assigneeAgentId, second.id);
});

test('an always failing agent: one continuation, then blocked in the open, then it is asked to decide (trace 3)', async () => {
  const c = await company(s);
  const a = await worker(c, 'exit 1');
  const i = await issue(c, { title: 'Hopeless', assigneeAgentId: a.id });
  const end = await eventually(async () => {
    const x = await show(i);
    return x.status === 'blocked' && x;
  });
  assert.deepEqual(end.unblockDescriptor.owner, { agentId: a.id }, 'nobody else could be asked');
  assert.equal(end.activeRecoveryAction.cause, 'stranded_assigned_issue');
  assert.ok(end.blockedTransitionAt);
  const runs = await eventually(async () => {
    const list = await runsOf(i);
    return list.length === 3 && list.every((r) => ENDED.has(r.status)) && list;
  });
  await sleep(500);
  assert.equal((await runsOf(i)).length, 3, 'bounded');
  assert.ok(runs.every((r) => r.status === 'failed'));
  assert.deepEqual([end.checkoutRunId, end.executionRunId], [null, null]);
});

test('all children done wakes the parent with their summaries (EX-80)', async () => {
  const c = await company(s);
  const boss = await worker(c, `if [ "$PAPERCLIP_WAKE_REASON" = issue_children_completed ]; then echo "$PAPERCLIP_WAKE_PAYLOAD_JSON" > done.json; ${DONE}; else api PATCH /issues/$PAPERCLIP_TASK_ID -d '{"comment":"waiting for the children"}'; fi`);
  const hand = await worker(c, DONE);
  const parent = await issue(c, { title: 'Parent', assigneeAgentId: boss.id });
  const child = await issue(c, { title: 'Child', parentId: parent.id, assigneeAgentId: hand.id });
  await eventually(async () => (await show(child)).status === 'done');
  await eventually(async () => (await show(parent)).status === 'done', { message: 'the parent was not woken' });
  const wake = JSON.parse((await import('node:fs')).readFileSync(`${s.dataDir}/workspaces/${boss.id}/done.json`, 'utf8'));
  assert.equal(wake.childIssueSummaries[0].identifier, child.identifier);
  assert.equal(wake.childIssueSummaries[0].summary, 'finished');
});

test("cancelling an issue cancels its run (EX-8); nothing is left locked", async () => {
  const c = await company(s);
  const a = await worker(c, 'sleep 60');
  const i = await issue(c, { title: 'Stop', assigneeAgentId: a.id });
  await eventually(async () => (await show(i)).status === 'in_progress');
  await s.ok('PATCH', `/issues/${i.id}`, { status: 'cancelled' });
  const [r] = await runsOf(i);
  assert.equal((await until(s, r.runId)).status, 'cancelled');
  assert.deepEqual([(await show(i)).checkoutRunId, (await show(i)).executionRunId], [null, null]);
});

test('a mention wakes the mentioned agent, which takes no lock (EX-24)', async () => {
  const c = await company(s);
  const owner = await worker(c, 'sleep 0.8');
  const other = await worker(c, `api POST /issues/$PAPERCLIP_TASK_ID/comments -d '{"body":"here I am"}'`);
  const i = await issue(c, { title: 'Ask', assigneeAgentId: owner.id });
  await eventually(async () => (await show(i)).status === 'in_progress');
  await s.ok('POST', `/issues/${i.id}/comments`, { body: `[@other](agent://${other.id}) what do you think?` });
  const answer = await eventually(async () => (await s.ok('GET', `/issues/${i.id}/comments`)).find((k) => k.authorAgentId === other.id), { message: 'no answer' });
  assert.equal(answer.body, 'here I am');
  const mention = (await wakes(c, (r) => r.agentId === other.id))[0];
  assert.equal(mention.contextSnapshot.wakeReason, 'issue_comment_mentioned');
});

test('32 agents race for one issue: one run, one lock', async () => {
  const c = await company(s);
  const a = await worker(c, 'sleep 2');
  const i = await issue(c, { title: 'Race', assigneeAgentId: a.id });
  await Promise.all(Array.from({ length: 16 }, () => s.api('POST', `/agents/${a.id}/wakeup`, { reason: 'issue_assigned', payload: { issueId: i.id } })));
  await sleep(200);
  const live = (await wakes(c)).filter((r) => r.status === 'running');
  assert.equal(live.length, 1);
  await eventually(async () => (await wakes(c)).every((r) => ENDED.has(r.status)));
});

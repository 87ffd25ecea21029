// Holds on an issue and all below it: pause, resume, cancel, restore (EX-130…134, IS-126…128).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { NOBODY, company, eventually, key, refused, server, sleep } from './harness.mjs';
import { run, shell, until } from './kit.mjs';

const s = await server({ env: { BULLDOG_MAX_CONCURRENT_RUNS: '64' } });
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, { title: 'Work', allowDuplicate: true, ...body });
const show = (i) => s.ok('GET', `/issues/${i.id}`);
const patch = (i, body) => s.ok('PATCH', `/issues/${i.id}`, body);
const comment = (i, body) => s.ok('POST', `/issues/${i.id}/comments`, { body });
const hold = (i, mode, body = {}) => s.ok('POST', `/issues/${i.id}/tree-holds`, { mode, ...body });
const state = async (i) => (await s.ok('GET', `/issues/${i.id}/tree-control/state`)).activePauseHold;
const explain = (i) => s.ok('GET', `/issues/${i.id}/explain`);
const acts = async (i, action) => (await s.ok('GET', `/issues/${i.id}/activity`)).filter((x) => x.action === action);
const runsOf = (i) => s.ok('GET', `/issues/${i.id}/runs`);
const at_work = (i) => eventually(async () => (await runsOf(i)).find((r) => r.status === 'running'), { message: 'no run at work' });
const ACTOR = ['createdByActorType', 'createdByAgentId', 'createdByUserId', 'createdByRunId', 'releasedAt', 'releasedByActorType',
  'releasedByAgentId', 'releasedByUserId', 'releasedByRunId', 'releaseReason', 'releaseMetadata'];

async function tree() {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60');
  const root = await create(c, { title: 'Root', status: 'todo' });
  const child = await create(c, { title: 'Child', parentId: root.id, assigneeAgentId: a.id });
  const leaf = await create(c, { title: 'Leaf', parentId: child.id, status: 'done' });
  return { c, a, root, child, leaf };
}

test('a preview says what a pause would do, and does nothing (IS-126)', async () => {
  const { c, a, root, child, leaf } = await tree();
  const r = await at_work(child);
  const p = await s.ok('POST', `/issues/${root.id}/tree-control/preview`, { mode: 'pause' });
  assert.deepEqual(Object.keys(p), ['companyId', 'rootIssueId', 'mode', 'generatedAt', 'releasePolicy', 'totals', 'countsByStatus', 'issues',
    'skippedIssues', 'activeRuns', 'affectedAgents', 'warnings']);
  assert.deepEqual([p.companyId, p.rootIssueId, p.mode, p.releasePolicy], [c.id, root.id, 'pause', { strategy: 'manual' }]);
  assert.deepEqual(p.totals, { totalIssues: 3, affectedIssues: 2, skippedIssues: 1, activeRuns: 1, queuedRuns: 0, affectedAgents: 1 });
  assert.deepEqual(p.countsByStatus, { todo: 1, in_progress: 1, done: 1 });
  assert.deepEqual(p.issues.map((i) => [i.id, i.depth, i.skipped, i.skipReason]),
    [[root.id, 0, false, null], [child.id, 1, false, null], [leaf.id, 2, true, 'terminal_status']]);
  assert.deepEqual(Object.keys(p.issues[0]), ['id', 'identifier', 'title', 'status', 'parentId', 'depth', 'assigneeAgentId', 'assigneeUserId',
    'activeRun', 'activeHoldIds', 'action', 'skipped', 'skipReason']);
  assert.deepEqual(p.skippedIssues.map((i) => i.id), [leaf.id]);
  assert.deepEqual(p.activeRuns.map((x) => x.id), [r.runId]);
  assert.deepEqual(p.affectedAgents, [{ agentId: a.id, issueCount: 1, activeRunCount: 1 }]);
  assert.deepEqual(p.warnings.map((w) => [w.code, w.issueIds]), [['running_runs_present', [child.id]]]);
  assert.equal((await acts(root, 'issue.tree_control_previewed')).length, 1);
  assert.equal((await run(s, r.runId)).status, 'running');
  assert.equal(await state(root), null);
});

test('a pause ends runs, keeps wakes and checkouts out, also of issues filed later; a resume starts again (EX-131, EX-132)', async () => {
  const { c, a, root, child } = await tree();
  const r = await at_work(child);
  const done = await s.api('POST', `/issues/${root.identifier}/tree-holds`, { mode: 'pause', reason: 'Wait for legal' });
  assert.equal(done.status, 201, done.text);
  const h = done.json.hold;
  assert.deepEqual(Object.keys(h), ['id', 'companyId', 'rootIssueId', 'mode', 'status', 'reason', 'releasePolicy', ...ACTOR, 'createdAt', 'updatedAt', 'members']);
  assert.deepEqual([h.mode, h.status, h.reason, h.createdByUserId, h.releasedAt], ['pause', 'active', 'Wait for legal', 'local-board', null]);
  assert.deepEqual(h.members.map((m) => [m.issueTitle, m.depth, m.skipped, m.activeRunStatus]),
    [['Root', 0, false, null], ['Child', 1, false, 'running'], ['Leaf', 2, true, null]]);
  assert.equal(done.json.preview.totals.affectedIssues, 2);
  const ended = await until(s, r.runId);
  assert.deepEqual([ended.status, ended.error, ended.errorCode], ['cancelled', 'Cancelled by control plane', 'issue_tree_hold_active']);
  const [cut] = await acts(child, 'issue.tree_hold_run_interrupted');
  assert.deepEqual([cut.details.runId, cut.details.holdId], [r.runId, h.id]);
  assert.equal((await show(child)).status, 'in_progress');

  const later = await create(c, { title: 'Filed later', parentId: child.id, assigneeAgentId: a.id });
  const [kept] = await acts(later, 'issue.tree_hold_wakeup_deferred');
  assert.deepEqual([kept.details.holdId, kept.details.agentId], [h.id, a.id]);
  const e = await explain(later);
  assert.deepEqual([e.state, e.reason, e.evidence.primitive, e.evidence.lastSkipReason], ['held', 'pause_hold', 'P11', 'issue_tree_hold_active']);
  assert.deepEqual([e.evidence.hold.id, e.evidence.hold.text], [h.id, 'Wait for legal']);
  assert.match(e.sentence, /Wait for legal/);
  assert.deepEqual(e.waitingOn.map((w) => w.type), ['board']);
  assert.deepEqual(await state(later), { holdId: h.id, rootIssueId: root.id, issueId: later.id, isRoot: false, mode: 'pause', reason: 'Wait for legal', releasePolicy: { strategy: 'manual' } });
  const no = refused(await s.api('POST', `/issues/${later.id}/checkout`, { agentId: a.id, expectedStatuses: ['todo'] }), 409, 'Issue checkout blocked by active subtree pause hold');
  assert.deepEqual([no.details.issueId, no.details.holdId, no.details.rootIssueId, no.details.mode], [later.id, h.id, root.id, 'pause']);

  const again = await hold(root, 'pause');
  assert.deepEqual(again.preview.warnings.map((w) => w.code), ['no_affected_issues']);
  assert.deepEqual([...new Set(again.preview.skippedIssues.map((i) => i.skipReason))].sort(), ['already_held', 'terminal_status']);

  const above = await s.api('POST', `/issues/${later.id}/tree-holds`, { mode: 'resume' });
  assert.equal(above.status, 200); // what is held from above is not resumed from below
  assert.deepEqual([above.json.resumedPauseHoldIds, above.json.preview.warnings.map((w) => w.code), above.json.preview.issues[0].skipReason],
    [[], ['no_affected_issues', 'no_active_pause_holds'], 'not_held']);
  assert.equal((await explain(later)).state, 'held');

  const back = await s.api('POST', `/issues/${root.id}/tree-holds`, { mode: 'resume' });
  assert.equal(back.status, 200);
  assert.deepEqual([back.json.resumedPauseHoldIds.sort(), back.json.hold.status], [[h.id, again.hold.id].sort(), 'released']);
  assert.equal(await state(later), null);
  await at_work(child); // nobody said a word: the release looked after it
  await at_work(later);
  const [restarted] = await runsOf(child);
  assert.equal((await run(s, restarted.runId)).contextSnapshot.wakeReason, 'issue_continuation_needed');
});

test('what waits behind a hold: queued, retrying and deferred work is called off (EX-131)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60', {}, { runtimeConfig: { heartbeat: { maxConcurrentRuns: 1 } } });
  const first = await create(c, { assigneeAgentId: a.id });
  await at_work(first);
  const second = await create(c, { assigneeAgentId: a.id });
  const [queued] = await runsOf(second);
  assert.equal(queued.status, 'queued');
  const p = await s.ok('POST', `/issues/${second.id}/tree-control/preview`, { mode: 'pause' });
  assert.deepEqual([p.totals.queuedRuns, p.warnings.map((w) => w.code)], [1, ['queued_runs_present']]);
  await hold(second, 'pause');
  assert.equal((await run(s, queued.runId)).status, 'cancelled');
  await hold(second, 'resume');
  assert.equal((await runsOf(second))[0].status, 'queued');
  await hold(second, 'pause');
  const parked = await create(c, { title: 'another', parentId: second.id }); // held, too, wherever it stands
  assert.deepEqual((await s.ok('GET', `/companies/${c.id}/explain?state=held`)).groups.flatMap((g) => g.issues.map((i) => i.id)), [second.id, parked.id]);
});

test('runs are let finish when the release policy says so (EX-131 BETTER)', async () => {
  const { a, c, root, child } = await tree();
  const r = await at_work(child);
  const h = await hold(root, 'pause', { releasePolicy: { strategy: 'after_active_runs_finish' } });
  assert.deepEqual(h.hold.releasePolicy, { strategy: 'after_active_runs_finish' });
  await sleep(300);
  assert.equal((await run(s, r.runId)).status, 'running');
  assert.equal((await explain(child)).reason, 'run_running');
  const other = await create(c, { parentId: root.id, assigneeAgentId: a.id });
  assert.deepEqual(await runsOf(other), []);
  await s.ok('POST', `/heartbeat-runs/${r.runId}/cancel`, {});
  await until(s, r.runId);
  assert.equal((await explain(child)).state, 'held');
});

test("somebody's own words pass a pause, to be answered only (EX-134)", async () => {
  const c = await company(s);
  const a = await shell(s, c, 'printf %s "$PAPERCLIP_WAKE_PAYLOAD_JSON" > wake.json; sleep 60');
  const i = await create(c, { title: 'Held', status: 'backlog' });
  const h = (await hold(i, 'pause')).hold;
  await patch(i, { status: 'todo', assigneeAgentId: a.id });
  assert.deepEqual(await runsOf(i), []);
  await comment(i, 'how far is it?');
  const r = await at_work(i);
  const full = await run(s, r.runId);
  assert.deepEqual([full.contextSnapshot.treeHoldInteraction, full.contextSnapshot.activeTreeHold.holdId], [true, h.id]);
  assert.equal(full.contextSnapshot.paperclipHarnessCheckedOut, undefined);
  const row = await show(i);
  assert.deepEqual([row.status, row.executionRunId], ['todo', null]);
  const wake = await eventually(() => { try { return JSON.parse(readFileSync(`${s.dataDir}/workspaces/${a.id}/wake.json`, 'utf8')); } catch { return null; } });
  assert.deepEqual([wake.treeHoldInteraction, wake.activeTreeHold.holdId], [true, h.id]);
  await s.ok('POST', `/heartbeat-runs/${r.runId}/cancel`, {});
  await until(s, r.runId);
  // a wake that only says it is a comment does not pass
  const token = await key(s, a);
  const forged = await s.as(token)('POST', `/agents/${a.id}/wakeup`, { reason: 'issue_commented', payload: { issueId: i.id, commentId: NOBODY } });
  assert.equal(forged.json.status, 'skipped', forged.text);
  assert.equal((await runsOf(i)).length, 1);
});

test('an agent does not bring held work back (IS-56)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60');
  const b = await shell(s, c, `printf %s "$PAPERCLIP_API_KEY" > token; sleep 60`);
  const i = await create(c, { status: 'done', assigneeAgentId: a.id });
  const mine = await create(c, { assigneeAgentId: b.id });
  const r = await at_work(mine);
  await hold(i, 'pause');
  const token = await eventually(() => { try { return readFileSync(`${s.dataDir}/workspaces/${b.id}/token`, 'utf8'); } catch { return null; } });
  const no = refused(await s.as(token, r.runId)('PATCH', `/issues/${i.id}`, { status: 'todo', comment: 'again', resume: true }), 409);
  assert.equal(no.details.mode, 'pause');
});

test('cancel takes the whole tree through the normal status change; restore brings it back (EX-133)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60');
  const root = await create(c, { title: 'Root', assigneeAgentId: a.id });
  const r = await at_work(root);
  const review = await create(c, { title: 'Review', parentId: root.id, status: 'in_review', assigneeUserId: 'local-board' });
  const blocked = await create(c, { title: 'Blocked', parentId: root.id, status: 'blocked', unblockDescriptor: { owner: 'board', action: 'Pay' } });
  const changed = await create(c, { title: 'Changed', parentId: root.id, status: 'todo' });
  const closed = await create(c, { title: 'Closed', parentId: root.id, status: 'done' });
  const waits = await create(c, { title: 'Outside', status: 'blocked', blockedByIssueIds: [changed.id], assigneeAgentId: a.id });
  const done = await s.api('POST', `/issues/${root.id}/tree-holds`, { mode: 'cancel', reason: 'no budget' });
  assert.equal(done.status, 201);
  assert.equal(done.json.hold.status, 'active');
  assert.equal((await until(s, r.runId)).status, 'cancelled');
  for (const i of [root, review, blocked, changed]) {
    const row = await show(i);
    assert.deepEqual([row.status, row.executionRunId, row.unblockDescriptor], ['cancelled', null, null]);
    assert.ok(row.cancelledAt);
    const [u] = await acts(i, 'issue.updated');
    assert.deepEqual([u.details.status, u.details.source], ['cancelled', 'tree_control']);
  }
  assert.equal((await show(closed)).status, 'done');
  assert.deepEqual((await acts(root, 'issue.tree_cancel_status_updated'))[0].details.issueIds.length, 4);
  // the dependent outside hears of it, as of every cancelled blocker
  assert.ok((await acts(waits, 'issue.blockers_resolved_wake_emitted')).length > 0);
  assert.equal(await state(root), null); // a cancel is no gate

  await patch(changed, { status: 'todo' });
  const preview = await s.ok('POST', `/issues/${root.id}/tree-control/preview`, { mode: 'restore' });
  assert.deepEqual(preview.issues.map((i) => [i.title, i.skipReason]), [['Root', null], ['Review', null], ['Blocked', null],
    ['Changed', 'changed_after_cancel'], ['Closed', 'not_cancelled']]);
  assert.deepEqual(preview.warnings.map((w) => w.code), ['restore_conflicts_present']);
  const back = await s.api('POST', `/issues/${root.id}/tree-holds`, { mode: 'restore' });
  assert.equal(back.status, 200);
  assert.equal(back.json.hold.status, 'released');
  assert.deepEqual(await Promise.all([root, review, blocked].map(async (i) => (await show(i)).status)), ['todo', 'in_review', 'blocked']);
  assert.deepEqual((await show(blocked)).unblockDescriptor, { owner: 'board', action: 'Pay' });
  assert.equal((await runsOf(root)).length, 1); // nobody is woken unless asked for
  assert.deepEqual((await s.ok('GET', `/issues/${root.id}/tree-holds?mode=cancel`)).map((h) => h.status), ['released']);
  const twice = await hold(root, 'restore');
  assert.deepEqual(twice.preview.warnings.map((w) => w.code), ['no_affected_issues']);

  await hold(root, 'cancel');
  await hold(root, 'restore', { metadata: { wakeAgents: true } });
  const woken = await at_work(root);
  assert.equal((await run(s, woken.runId)).contextSnapshot.wakeReason, 'issue_tree_restored');
  assert.equal((await acts(root, 'issue.tree_restore_wakeup_requested')).length, 1);
});

test('a review policy does not keep the board from cancelling a tree', async () => {
  const c = await company(s);
  const i = await create(c, { status: 'todo', reviewPolicy: 'not_creator' });
  await patch(i, { status: 'in_review' });
  refused(await s.api('PATCH', `/issues/${i.id}`, { status: 'cancelled' }), 403);
  await hold(i, 'cancel');
  assert.equal((await show(i)).status, 'cancelled');
});

test('listing, showing and releasing holds, and what is refused (IS-128)', async () => {
  const c = await company(s);
  const i = await create(c);
  const a = (await hold(i, 'pause', { reason: 'one' })).hold;
  const b = (await hold(i, 'pause')).hold;
  const list = (q = '') => s.ok('GET', `/issues/${i.id}/tree-holds${q}`);
  assert.deepEqual((await list()).map((h) => h.id), [b.id, a.id]);
  assert.equal((await list())[0].members, undefined);
  assert.equal((await list('?includeMembers=true'))[1].members[0].issueId, i.id);
  assert.deepEqual(Object.keys((await list('?includeMembers=true'))[1].members[0]), ['id', 'companyId', 'holdId', 'issueId', 'parentIssueId', 'depth',
    'issueIdentifier', 'issueTitle', 'issueStatus', 'assigneeAgentId', 'assigneeUserId', 'activeRunId', 'activeRunStatus', 'skipped', 'skipReason', 'createdAt']);
  const one = (id) => s.api('GET', `/issues/${i.id}/tree-holds/${id}`);
  assert.equal((await one(a.id)).json.members.length, 1);
  refused(await one('nonsense'), 400, 'Invalid hold ID');
  refused(await one(NOBODY), 404);
  const release = (body) => s.api('POST', `/issues/${i.id}/tree-holds/${a.id}/release`, body);
  const gone = await release({ reason: 'enough', metadata: { ticket: 7 } });
  assert.deepEqual([gone.status, gone.json.status, gone.json.releaseReason, gone.json.releaseMetadata, gone.json.releasedByUserId],
    [200, 'released', 'enough', { ticket: 7 }, 'local-board']);
  refused(await release({}), 409);
  assert.equal((await acts(i, 'issue.tree_hold_released')).length, 1);
  assert.deepEqual((await list('?status=active')).map((h) => h.id), [b.id]);
  assert.equal((await state(i)).holdId, b.id);
  const bad = (where, body) => s.api('POST', `/issues/${i.id}/${where}`, body);
  refused(await bad('tree-holds', {}), 400);
  refused(await bad('tree-holds', { mode: 'stop' }), 400);
  refused(await bad('tree-holds', { mode: 'pause', reason: 'x'.repeat(1001) }), 400);
  refused(await bad('tree-holds', { mode: 'pause', releasePolicy: { strategy: 'never' } }), 400);
  refused(await bad('tree-control/preview', { mode: 'pause', more: 1 }), 400);
  const agent = await shell(s, c, 'true');
  refused(await s.as(await key(s, agent))('GET', `/issues/${i.id}/tree-control/state`), 403);
});

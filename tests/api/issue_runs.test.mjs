// Issues and the runs that work on them: checkout, release, comments, who may write (IS §1, §5, §10, §11).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, activity, agent, company, eventually, key, refused, server } from './harness.mjs';
import { shell, until } from './kit.mjs';

const s = await server();
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, body);
const show = (i) => s.ok('GET', `/issues/${i.id ?? i}`);
const say = (i, body, more = {}) => s.ok('POST', `/issues/${i.id}/comments`, { body, ...more });
const runsOf = async (c, a) => (await s.ok('GET', `/companies/${c.id}/heartbeat-runs`)).filter((r) => r.agentId === a.id);
const actions = async (c) => (await activity(s, c)).map((e) => e.action);

/** An agent at work on an issue of its own: a live run, and the words it speaks with. */
async function atWork(c, body = {}) {
  const a = await shell(s, c, 'sleep 60');
  const i = await create(c, { title: `Work of ${a.name}`, assigneeAgentId: a.id, ...body });
  const run = await eventually(async () => (await runsOf(c, a)).find((r) => r.status === 'running'));
  const token = await key(s, a);
  return { a, i: await show(i), run, token, me: s.as(token, run.id), anonymous: s.as(token) };
}
const rest = (w) => s.ok('POST', `/heartbeat-runs/${w.run.id}/cancel`, {});

test('a started run finds its issue checked out; taking it again changes nothing (EX-46, IS-65)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  assert.deepEqual([w.i.status, w.i.checkoutRunId, w.i.executionRunId], ['in_progress', w.run.id, w.run.id]);
  const before = (await activity(s, c)).length;
  const again = await w.me('POST', `/issues/${w.i.id}/checkout`, { agentId: w.a.id, expectedStatuses: ['todo'] });
  assert.equal(again.status, 200, again.text);
  assert.equal(again.json.startedAt, w.i.startedAt);
  assert.equal((await activity(s, c)).length, before, 'an idempotent checkout is not recorded again');
  await rest(w);
});

test('checkout: who may, and what the loser is told (IS-63, IS-65, example 6)', async () => {
  const c = await company(s);
  const [w, v] = [await atWork(c), await atWork(c)];
  const body = { agentId: v.a.id, expectedStatuses: ['todo', 'in_progress'] };
  const lost = await v.me('POST', `/issues/${w.i.identifier}/checkout`, body);
  assert.equal(lost.status, 409);
  assert.equal(lost.json.error, 'Issue checkout conflict');
  assert.deepEqual(lost.json.details, {
    issueId: w.i.id, status: 'in_progress', assigneeAgentId: w.a.id, checkoutRunId: w.run.id, executionRunId: w.run.id,
    holderRunStatus: 'running', holderRunAgentId: w.a.id, holderRunIsLive: true, conflictReason: 'live_other_agent_run' });
  refused(await v.me('POST', `/issues/${w.i.id}/checkout`, { ...body, agentId: w.a.id }), 403, 'Agent can only checkout as itself');
  refused(await v.anonymous('POST', `/issues/${w.i.id}/checkout`, body), 401, 'Agent run id required');
  const free = await create(c, { title: 'free', status: 'todo' });
  const dead = await s.as(v.token, NOBODY)('POST', `/issues/${free.id}/checkout`, body);
  assert.deepEqual([dead.status, dead.json.code], [409, 'checkout_run_not_live']);
  const foreign = await s.as(v.token, w.run.id)('POST', `/issues/${free.id}/checkout`, body);
  assert.deepEqual([foreign.status, foreign.json.code], [409, 'checkout_run_not_live']);
  const mismatch = await v.me('POST', `/issues/${free.id}/checkout`, { ...body, expectedStatuses: ['backlog'] });
  assert.deepEqual([mismatch.status, mismatch.json.details.conflictReason], [409, 'no_run_lock']);
  const blocker = await create(c, { title: 'blocker' });
  const blocked = await create(c, { title: 'blocked', status: 'todo', blockedByIssueIds: [blocker.id] });
  refused(await v.me('POST', `/issues/${blocked.id}/checkout`, body), 422, 'Issue is blocked by unresolved blockers');
  const taken = await v.me('POST', `/issues/${free.id}/checkout`, body);
  assert.deepEqual([taken.json.status, taken.json.assigneeAgentId, taken.json.checkoutRunId, taken.json.executionAgentNameKey],
    ['in_progress', v.a.id, v.run.id, v.a.name.toLowerCase()]);
  assert.equal((await s.api('POST', `/issues/${free.id}/checkout`, { agentId: v.a.id, expectedStatuses: [] })).status, 400);
  await Promise.all([rest(w), rest(v)]);
});

test('32 checkouts at once: one winner, and 31 who are told its name (INV-2)', async () => {
  const c = await company(s);
  const workers = await Promise.all(Array.from({ length: 32 }, () => agent(s, c)));
  const i = await create(c, { title: 'The one', status: 'todo' });
  const answers = await Promise.all(workers.map((a) => s.api('POST', `/issues/${i.id}/checkout`, { agentId: a.id, expectedStatuses: ['todo'] })));
  const won = answers.filter((r) => r.status === 200);
  assert.equal(won.length, 1);
  const lost = answers.filter((r) => r.status === 409);
  assert.equal(lost.length, 31);
  for (const r of lost) assert.equal(r.json.details.assigneeAgentId, won[0].json.assigneeAgentId);
  const taken = (await activity(s, c)).filter((e) => e.action === 'issue.checked_out' && e.actorType === 'user');
  assert.deepEqual(taken.map((e) => e.details.agentId), [won[0].json.assigneeAgentId]);
});

test('release gives the issue back (IS-67)', async () => {
  const c = await company(s);
  const [w, v] = [await atWork(c), await atWork(c)];
  refused(await v.me('POST', `/issues/${w.i.id}/release`, {}), 409, 'Only assignee can release issue');
  refused(await w.anonymous('POST', `/issues/${w.i.id}/release`, {}), 401, 'Agent run id required');
  const other = await s.as(w.token, NOBODY)('POST', `/issues/${w.i.id}/release`, {});
  assert.deepEqual([other.status, other.json.error, other.json.details.checkoutRunId], [409, 'Only checkout run can release issue', w.run.id]);
  const r = await w.me('POST', `/issues/${w.i.id}/release`, {});
  assert.deepEqual([r.json.status, r.json.assigneeAgentId, r.json.checkoutRunId, r.json.executionRunId], ['todo', null, null, null]);
  assert.ok((await actions(c)).includes('issue.released'));
  await Promise.all([rest(w), rest(v)]);
});

test('the board clears a lock by force (IS-68)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  refused(await w.me('POST', `/issues/${w.i.id}/admin/force-release`, {}), 403);
  const r = await s.ok('POST', `/issues/${w.i.id}/admin/force-release?clearAssignee=true`, {});
  assert.deepEqual(r.previous, { checkoutRunId: w.run.id, executionRunId: w.run.id });
  assert.deepEqual([r.issue.checkoutRunId, r.issue.executionRunId, r.issue.assigneeAgentId], [null, null, null]);
  assert.notEqual(r.issue.status, 'in_progress', 'work in progress is somebody’s');
  assert.equal((await s.ok('GET', `/heartbeat-runs/${w.run.id}`)).status, 'running', 'the run goes on');
  await rest(w);
});

test('agents write their own work from its run, and others’ idle work only (IS §1)', async () => {
  const c = await company(s);
  const [w, v] = [await atWork(c), await atWork(c)];
  refused(await w.anonymous('PATCH', `/issues/${w.i.id}`, { priority: 'low' }), 401, 'Agent run id required');
  assert.equal((await w.me('PATCH', `/issues/${w.i.id}`, { priority: 'low' })).status, 200);
  const lock = await v.me('PATCH', `/issues/${w.i.id}`, { priority: 'high' });
  assert.equal(lock.status, 409);
  assert.equal(lock.json.code, 'issue_write_assignee_run_lock');
  assert.deepEqual(Object.keys(lock.json.details),
    ['code', 'boundary', 'whoCanAct', 'sanctionedPath', 'issueId', 'assigneeAgentId', 'actorAgentId']);
  const stranger = await s.as(w.token, v.run.id)('PATCH', `/issues/${w.i.id}`, { priority: 'low' });
  assert.deepEqual([stranger.status, stranger.json.error], [409, 'Issue run ownership conflict']);
  const idle = await create(c, { title: 'idle', assigneeAgentId: v.a.id, status: 'backlog' });
  assert.equal((await w.me('PATCH', `/issues/${idle.id}`, { priority: 'low' })).status, 200);
  const del = await w.me('DELETE', `/issues/${idle.id}`);
  assert.equal(del.status, 403);
  const foreign = await company(s);
  const theirs = await create(foreign, { title: 'theirs' });
  refused(await w.me('GET', `/issues/${theirs.id}`), 404, 'Issue not found');
  refused(await w.me('GET', `/companies/${foreign.id}/issues`), 403);
  await Promise.all([rest(w), rest(v)]);
});

test('influence beyond one’s own issue needs a run and is bounded (IS-10)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  const no = await w.anonymous('POST', `/issues/${w.i.id}/comments`, { body: 'x' });
  assert.deepEqual([no.status, no.json.code], [403, 'cross_issue_influence_run_context_required']);
  const other = await create(c, { title: 'other' });
  for (let n = 0; n < 20; n++) assert.equal((await w.me('POST', `/issues/${other.id}/comments`, { body: `note ${n}` })).status, 201);
  const over = await w.me('POST', `/issues/${other.id}/comments`, { body: 'one more' });
  assert.deepEqual([over.status, over.json.code, over.json.details.cap, over.json.details.count],
    [429, 'cross_issue_influence_cap_exceeded', 20, 20]);
  assert.ok((await actions(c)).includes('issue.cross_issue_influence_cap_rejected'));
  assert.equal((await w.me('POST', `/issues/${w.i.id}/comments`, { body: 'own' })).status, 201, 'its own issue stays open to it');
  await rest(w);
});

test('an agent’s review, its end, and its follow-ups are guarded (IS-54, IS-56, §23.9)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  const review = await w.me('PATCH', `/issues/${w.i.id}`, { status: 'in_review' });
  assert.deepEqual([review.status, review.json.code, review.json.details.missing], [422, 'invalid_issue_disposition', 'review_path']);
  const b = await create(c, { title: 'b' });
  await s.ok('PATCH', `/issues/${w.i.id}`, { blockedByIssueIds: [b.id] });
  const early = await w.me('PATCH', `/issues/${w.i.id}`, { status: 'done' });
  assert.deepEqual([early.status, early.json.code], [422, 'issue_done_with_open_blockers']);
  const done = await w.me('PATCH', `/issues/${w.i.id}`, { status: 'done', blockedByIssueIds: [], comment: 'done' });
  assert.equal(done.status, 200, done.text);
  assert.equal(done.json.comment.createdByRunId, w.run.id);
  assert.equal(done.json.comment.metadata.authorizationReason, 'allow_self');
  const cancelled = await create(c, { title: 'gone', status: 'cancelled' });
  refused(await w.me('PATCH', `/issues/${cancelled.id}`, { status: 'todo' }), 409, /dedicated restore flow/);
  const closed = await create(c, { title: 'closed', status: 'done' });
  refused(await w.me('PATCH', `/issues/${closed.id}`, { status: 'todo' }), 409, 'Issue follow-up requires an assigned agent');
  refused(await w.me('PATCH', `/issues/${w.i.id}`, { resume: true }), 400, 'Follow-up intent requires a comment');
  refused(await w.me('PATCH', `/issues/${w.i.id}`, { interrupt: true, comment: 'x' }), 403);
  await rest(w);
});

test('agents speak in their own name (IS-33, IS-84)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  refused(await w.me('POST', `/companies/${c.id}/issues`, { title: 'x', responsibleUserId: 'boss' }), 422, 'Agent-created issues cannot set responsibleUserId');
  assert.ok((await actions(c)).includes('issue.attribution_spoof_rejected'));
  const made = await w.me('POST', `/companies/${c.id}/issues`, { title: 'mine', createdByUserId: 'boss' });
  assert.deepEqual([made.json.createdByAgentId, made.json.createdByUserId, made.json.originRunId], [w.a.id, null, w.run.id]);
  refused(await w.me('POST', `/issues/${w.i.id}/comments`, { body: 'x', presentation: { kind: 'message', tone: 'info' } }), 403);
  refused(await w.me('POST', `/issues/${w.i.id}/comments`, { body: 'x', authorType: 'user' }), 422, 'Comment authorType must match authenticated actor');
  refused(await w.me('POST', `/companies/${c.id}/issues`, { title: 'x', parentId: NOBODY }), 404, 'Parent issue not found');
  await rest(w);
});

test('work is not handed back up to who handed it down (IS-43)', async () => {
  const c = await company(s);
  const [boss, w] = [await atWork(c), await atWork(c)];
  const task = await boss.me('POST', `/companies/${c.id}/issues`, { title: 'task', assigneeAgentId: w.a.id, status: 'backlog' });
  const back = await w.me('POST', `/issues/${task.json.id}/children`, { title: 'you do it', assigneeAgentId: boss.a.id });
  assert.deepEqual([back.status, back.json.code, back.json.details.ancestorIssueId], [409, 'delegation_cycle', task.json.id]);
  const person = await s.api('POST', `/issues/${task.json.id}/children`, { title: 'you do it', assigneeAgentId: boss.a.id, status: 'backlog' });
  assert.equal(person.status, 201, 'people may');
  await Promise.all([rest(boss), rest(w)]);
});

test('children in bursts: the same run makes the same child once (IS-22 BETTER)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  const one = await w.me('POST', `/issues/${w.i.id}/children`, { title: 'Part' });
  const two = await w.me('POST', `/issues/${w.i.id}/children`, { title: 'part ' });
  assert.deepEqual([one.status, two.status, two.json.id], [201, 200, one.json.id]);
  assert.equal((await w.me('POST', `/issues/${w.i.id}/children`, { title: 'Part', allowDuplicate: true })).status, 201);
  await rest(w);
});

test('a person’s comment on closed work brings it back; the agent’s own does not (IS-85, EX-39, example 9)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  await w.me('PATCH', `/issues/${w.i.id}`, { status: 'done' });
  assert.equal((await w.me('POST', `/issues/${w.i.id}/comments`, { body: 'my last words' })).status, 201);
  assert.equal((await w.me('POST', `/issues/${w.i.id}/comments`, { body: 'again', reopen: true })).status, 201);
  assert.equal((await show(w.i)).status, 'done', 'without resume it stays closed');
  await rest(w);
  const note = await say(w.i, 'please continue');
  assert.deepEqual([note.authorType, note.authorUserId, note.metadata], ['user', 'local-board', null]);
  const now = await eventually(async () => {
    const i = await show(w.i);
    return i.status !== 'done' && i;
  });
  assert.equal(now.completedAt, null);
  const log = (await activity(s, c)).find((e) => e.action === 'issue.updated' && e.details.reopened);
  assert.deepEqual(log.details, { status: 'todo', reopened: true, reopenedFrom: 'done', source: 'comment', identifier: w.i.identifier });
  const [run] = await runsOf(c, w.a);
  const ctx = (await s.ok('GET', `/heartbeat-runs/${run.id}`)).contextSnapshot;
  assert.deepEqual([ctx.wakeReason, ctx.wakeCommentId], ['issue_reopened_via_comment', note.id]);
  await until(s, run.id, 'running');
  await s.ok('POST', `/heartbeat-runs/${run.id}/cancel`, {});
});

test('a comment under the board’s name from the assignee’s run wakes nobody (§23.4)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  await w.me('PATCH', `/issues/${w.i.id}`, { status: 'done' });
  const r = await s.api('POST', `/issues/${w.i.id}/comments`, { body: 'from my script' }, { headers: { 'x-paperclip-run-id': w.run.id } });
  assert.deepEqual([r.status, r.json.derivedAuthorAgentId, r.json.derivedAuthorSource], [201, w.a.id, 'run_id']);
  assert.equal((await show(w.i)).status, 'done');
  assert.equal((await runsOf(c, w.a)).length, 1);
  await rest(w);
});

test('blocked work with open blockers stays blocked (IS-85)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  const b = await create(c, { title: 'b' });
  const mine = await create(c, { title: 'mine', status: 'blocked', assigneeAgentId: w.a.id, blockedByIssueIds: [b.id] });
  await say(mine, 'any news?');
  assert.equal((await show(mine)).status, 'blocked');
  refused(await w.me('POST', `/issues/${mine.id}/comments`, { body: 'go on', resume: true }), 409, 'Issue follow-up blocked by unresolved blockers');
  await rest(w);
});

test('a mention wakes, by link or by name, outside code and never oneself (IS-92)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  const [ada, bob, eve] = [await agent(s, c, { name: 'Ada Lovelace' }), await agent(s, c, { name: 'Bob' }), await agent(s, c, { name: 'Eve' })];
  const i = await create(c, { title: 'x' });
  await w.me('POST', `/issues/${i.id}/comments`, { body: `hello @ada-lovelace and [b](agent://${bob.id}?i=x), not \`@Eve\` nor @${w.a.name}` });
  const woken = async (a) => (await runsOf(c, a)).length;
  await eventually(async () => (await woken(ada)) === 1 && (await woken(bob)) === 1, { message: 'one after the other, for one issue has one run' });
  assert.deepEqual([await woken(eve), await woken(w.a)], [0, 1]);
  const [run] = await runsOf(c, ada);
  assert.equal((await s.ok('GET', `/heartbeat-runs/${run.id}`)).contextSnapshot.wakeReason, 'issue_comment_mentioned');
  await rest(w);
});

test('comments during a run wait as one wake; taking one back takes it out (IS-91)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  const [one, two] = [await say(w.i, 'first'), await say(w.i, 'second')];
  const back = await s.ok('DELETE', `/issues/${w.i.id}/comments/${two.id}`);
  assert.equal(back.body, 'second');
  assert.deepEqual((await s.ok('GET', `/issues/${w.i.id}/comments`)).map((k) => k.id), [one.id]);
  assert.ok((await actions(c)).includes('issue.comment_cancelled'));
  await rest(w);
  const next = await eventually(async () => (await runsOf(c, w.a)).find((r) => r.id !== w.run.id));
  const ctx = (await s.ok('GET', `/heartbeat-runs/${next.id}`)).contextSnapshot;
  assert.deepEqual(ctx.wakeCommentIds, [one.id]);
  await until(s, next.id, 'running');
  await s.ok('POST', `/heartbeat-runs/${next.id}/cancel`, {});
});

test('a person interrupts with a comment (IS-86)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  await say(w.i, 'stop, do it the other way', { interrupt: true });
  const run = await until(s, w.run.id);
  assert.deepEqual([run.status, run.errorCode], ['cancelled', 'operator_interrupted']);
  const log = (await activity(s, c)).find((e) => e.action === 'heartbeat.cancelled' && e.details.source === 'issue_comment_interrupt');
  assert.equal(log.details.operatorInterrupted, true);
  const next = await eventually(async () => (await runsOf(c, w.a)).find((r) => r.id !== w.run.id && r.status === 'running'));
  await s.ok('POST', `/heartbeat-runs/${next.id}/cancel`, {});
});

test('the same words of the same run within a minute are one comment (§23.10)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  const one = await w.me('POST', `/issues/${w.i.id}/comments`, { body: 'status: half way' });
  const two = await w.me('POST', `/issues/${w.i.id}/comments`, { body: 'status: half way' });
  assert.deepEqual([one.status, two.status, two.json.id], [201, 200, one.json.id]);
  assert.equal((await s.ok('GET', `/issues/${w.i.id}/comments`)).length, 1);
  await rest(w);
});

test('comments: pages, tombstones, bad ids (IS-83, IS-91)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'x' });
  const made = [];
  for (const n of [1, 2, 3]) made.push(await say(i, `n${n}\\nline`));
  assert.equal(made[0].body, 'n1\nline', 'escaped newlines become real (IS-8)');
  const list = (q = '') => s.api('GET', `/issues/${i.id}/comments${q}`);
  assert.deepEqual((await list()).json.map((k) => k.id), made.map((k) => k.id).reverse());
  assert.deepEqual((await list(`?order=asc&after=${made[0].id}`)).json.map((k) => k.id), [made[1].id, made[2].id]);
  assert.deepEqual((await list(`?afterCommentId=${made[1].id}`)).json.map((k) => k.id), [made[0].id]);
  assert.deepEqual((await list(`?after=${NOBODY}`)).json, []);
  const page = await list('?limit=2');
  assert.deepEqual([page.json.length, page.headers.get('x-has-more')], [2, 'true']);
  const gone = await s.ok('DELETE', `/issues/${i.id}/comments/${made[1].id}`);
  assert.deepEqual([gone.body, gone.deletedByUserId], ['', 'local-board']);
  assert.equal((await s.ok('DELETE', `/issues/${i.id}/comments/${made[1].id}`)).deletedAt, gone.deletedAt);
  assert.equal((await list()).json.length, 3);
  refused(await s.api('GET', `/issues/${i.id}/comments/${NOBODY}`), 404, 'Comment not found');
  refused(await s.api('GET', `/issues/${i.id}/comments/nonsense`), 404, 'Comment not found');
  assert.equal((await s.api('POST', `/issues/${i.id}/comments`, { body: '' })).status, 400);
  refused(await s.api('DELETE', `/issues/${i.id}/comments/${made[0].id}?mode=cancel`), 409, 'Queued comment can no longer be canceled');
});

test('a cancelled issue stops its run; a reassigned one lets it end (EX-8, EX-7 BETTER)', async () => {
  const c = await company(s);
  const [w, v] = [await atWork(c), await atWork(c)];
  await s.ok('PATCH', `/issues/${w.i.id}`, { status: 'cancelled' });
  assert.deepEqual([(await until(s, w.run.id)).errorCode, (await show(w.i)).executionRunId], ['issue_cancelled', null]);
  const next = await shell(s, c, 'sleep 60');
  const moved = await s.ok('PATCH', `/issues/${v.i.id}`, { assigneeAgentId: next.id });
  assert.deepEqual([moved.checkoutRunId, moved.executionRunId], [null, null]);
  assert.equal((await s.ok('GET', `/heartbeat-runs/${v.run.id}`)).status, 'running', 'it is let end');
  await rest(v);
  const run = await eventually(async () => (await runsOf(c, next)).find((r) => r.status === 'running'), { message: 'the new assignee never started' });
  await s.ok('POST', `/heartbeat-runs/${run.id}/cancel`, {});
});

test('every change is told with the row it left behind (UI-104)', async () => {
  const { socket } = await import('./kit.mjs');
  const c = await company(s);
  const ws = await socket(s, c);
  const i = await create(c, { title: 'x' });
  const note = await say(i, 'hello');
  const seen = (action) => eventually(() => ws.frames.find((f) => f.type === 'activity.logged' && f.payload.action === action));
  assert.equal((await seen('issue.created')).payload.entity.identifier, i.identifier);
  const told = (await seen('issue.comment_added')).payload;
  assert.equal(told.comment.id, note.id);
  assert.equal(told.entity.id, i.id);
  assert.equal(told.entity.updatedAt, (await show(i)).updatedAt);
  ws.close?.();
});

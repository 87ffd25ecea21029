// Named regressions: people answer, and whoever waits for it goes on (peer #13720, #4996, #10519, #3780, #10104).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { company, eventually, key, server } from './harness.mjs';
import { shell, until } from './kit.mjs';

const s = await server({ env: { BULLDOG_MAX_CONCURRENT_RUNS: '64' } });
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, body);
const runsOf = async (c, a) => (await s.ok('GET', `/companies/${c.id}/heartbeat-runs`)).filter((r) => r.agentId === a.id).sort((x, y) => (x.createdAt < y.createdAt ? -1 : 1));
const context = async (r) => (await s.ok('GET', `/heartbeat-runs/${r.id}`)).contextSnapshot;
const QUESTION = { kind: 'ask_user_questions', payload: { version: 1, questions: [{ id: 'q', prompt: 'Which?', selectionMode: 'single', options: [{ id: 'a', label: 'A' }] }] } };
const ANSWER = { answers: [{ questionId: 'q', optionIds: ['a'] }] };

/** A running agent whose run ends when told. */
async function atWork(c, body = {}) {
  const a = await shell(s, c, 'echo started; while [ ! -e go ]; do sleep 0.05; done');
  const i = await create(c, { title: `Work of ${a.name}`, assigneeAgentId: a.id, ...body });
  const run = await eventually(async () => (await runsOf(c, a)).find((r) => r.status === 'running'));
  const end = async () => {
    await eventually(() => import('node:fs').then((fs) => (fs.writeFileSync(`${s.dataDir}/workspaces/${a.id}/go`, ''), true)));
    return until(s, run.id);
  };
  return { a, i, run, end, me: s.as(await key(s, a), run.id) };
}
/** The run that was told of this interaction; other follow-ups of a run may come before it. */
const knowing = (c, a, x) => eventually(async () => {
  for (const r of await runsOf(c, a)) if ((await context(r)).interactionId === x.id) return r;
  return undefined;
}, { message: `no run knows of ${x.id}` });
const second = (c, a) => eventually(async () => (await runsOf(c, a))[1], { message: 'no second run' });

test('answering a question always wakes the asker', async () => {
  const c = await company(s);
  // the asker owns the issue
  const own = await atWork(c);
  const x = (await own.me('POST', `/issues/${own.i.id}/interactions`, QUESTION)).json;
  await own.end();
  await s.ok('POST', `/issues/${own.i.id}/interactions/${x.id}/respond`, ANSWER);
  await knowing(c, own.a, x);
  // the issue was given to a person meanwhile, and is blocked besides
  const gone = await atWork(c);
  const y = (await gone.me('POST', `/issues/${gone.i.id}/interactions`, QUESTION)).json;
  await gone.end();
  const blocker = await create(c, { title: 'In the way' });
  await s.ok('PATCH', `/issues/${gone.i.id}`, { assigneeAgentId: null, assigneeUserId: 'local-board', status: 'blocked', blockedByIssueIds: [blocker.id] });
  await s.ok('POST', `/issues/${gone.i.id}/interactions/${y.id}/respond`, ANSWER);
  const told = await knowing(c, gone.a, y);
  await until(s, told.id);
});

test('an answer given while a run is live is not swallowed by it', async () => {
  const c = await company(s);
  const w = await atWork(c);
  const x = (await w.me('POST', `/issues/${w.i.id}/interactions`, QUESTION)).json;
  await s.ok('POST', `/issues/${w.i.id}/interactions/${x.id}/respond`, ANSWER);
  assert.equal((await context(w.run)).interactionId, undefined, 'the live run’s record stays what it was');
  const ended = await w.end();
  const next = await knowing(c, w.a, x);
  assert.equal((await context(next)).interactionStatus, 'answered');
  const full = await until(s, next.id);
  assert.ok(full.startedAt >= ended.finishedAt);
});

test('a comment made while a run is live starts the agent again', async () => {
  const c = await company(s);
  const w = await atWork(c);
  const said = await s.ok('POST', `/issues/${w.i.id}/comments`, { body: 'One more thing' });
  await w.end();
  assert.deepEqual((await context(await second(c, w.a))).wakeCommentIds, [said.id]);
});

test('approving never leaves the requester asleep', async () => {
  const c = await company(s);
  const ask = async (w, issueIds) => (await w.me('POST', `/companies/${c.id}/approvals`, { type: 'request_board_approval', payload: { title: 'x' }, issueIds })).json;
  const told = (a, x) => eventually(async () => {
    for (const r of await runsOf(c, a)) if ((await context(r)).approvalId === x.id) return r;
    return undefined;
  }, { message: `no run knows of ${x.id}` });
  // its own issue, while its run is still live
  const live = await atWork(c);
  const x = await ask(live, [live.i.id]);
  await s.ok('POST', `/approvals/${x.id}/approve`, {});
  await live.end();
  await told(live.a, x);
  // an issue that is a person's by now, and blocked
  const gone = await atWork(c);
  const y = await ask(gone, [gone.i.id]);
  await gone.end();
  const blocker = await create(c, { title: 'In the way' });
  await s.ok('PATCH', `/issues/${gone.i.id}`, { assigneeAgentId: null, assigneeUserId: 'local-board', status: 'blocked', blockedByIssueIds: [blocker.id] });
  await s.ok('POST', `/approvals/${y.id}/approve`, {});
  await told(gone.a, y);
  // an issue that is done
  const done = await atWork(c);
  const z = await ask(done, [done.i.id]);
  await done.end();
  await s.ok('PATCH', `/issues/${done.i.id}`, { status: 'done' });
  await s.ok('POST', `/approvals/${z.id}/reject`, { decisionNote: 'no' });
  await told(done.a, z);
  // no issue at all
  const none = await atWork(c);
  const n = await ask(none, []);
  await s.ok('POST', `/approvals/${n.id}/approve`, {});
  await told(none.a, n);
});

// Why an issue moves, or does not: each state over HTTP and by the command (EX-2, EX-3, EX-107).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, company, eventually, refused, server } from './harness.mjs';
import { bulldog } from './cli.mjs';
import { shell, until } from './kit.mjs';

const s = await server();
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, { title: 'Work', ...body });
const patch = (i, body) => s.ok('PATCH', `/issues/${i.id}`, body);
const explain = (i) => s.ok('GET', `/issues/${i.id}/explain`);
const is = async (i, state, reason, primitive) => {
  const e = await explain(i);
  assert.deepEqual([e.state, e.reason, e.evidence.primitive], [state, reason, primitive], e.sentence);
  assert.ok(e.sentence.length > 5 && e.sentence.length < 400, e.sentence);
  return e;
};
const became = (i, reason) => eventually(async () => { const e = await explain(i); return e.reason === reason && e; }, { message: `never ${reason}` });

test('a running run, and what is left when it is cancelled (P1, EX-104)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60');
  const i = await create(c, { assigneeAgentId: a.id });
  const live = await became(i, 'run_running');
  assert.deepEqual([live.state, live.evidence.primitive, live.evidence.runAgentId], ['live', 'P1', a.id]);
  assert.equal(live.sentence, `${a.name} works on it.`);
  assert.ok(Date.parse(live.since) <= Date.now() + 1000);
  await s.ok('POST', `/heartbeat-runs/${live.evidence.runId}/cancel`, {});
  await until(s, live.evidence.runId);
  const e = await is(i, 'waiting', 'run_cancelled', 'EX-104');
  assert.deepEqual([e.waitingOn.map((w) => w.type), e.needsAttention], [['board'], true]);
  assert.equal(e.evidence.lastRunId, live.evidence.runId);
});

test('a skipped wake is explained by its gate, and by the next gate when that opens (EX-107)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60', {}, { runtimeConfig: { heartbeat: { wakeOnDemand: false } } });
  const i = await create(c, { assigneeAgentId: a.id });
  const e = await is(i, 'waiting', 'wake_on_demand_off', 'EX-107');
  assert.equal(e.evidence.lastSkipReason, 'heartbeat.wakeOnDemand.disabled');
  assert.equal(e.evidence.runCount, 0);
  assert.match(e.sentence, new RegExp(`^Not started: ${a.name} .*wakeOnDemand`));
  await s.ok('POST', `/agents/${a.id}/pause`, {});
  await is(i, 'waiting', 'agent_paused', 'EX-107');
  await s.ok('PATCH', `/companies/${c.id}`, { status: 'paused' });
  await is(i, 'waiting', 'company_paused', 'EX-107');
  await s.ok('PATCH', `/companies/${c.id}`, { status: 'active' });
  await s.ok('POST', `/agents/${a.id}/resume`, {});
  await s.ok('PATCH', `/agents/${a.id}`, { runtimeConfig: {} });
  const dead = await is(i, 'dead', 'stalled_at_dispatch', null);
  assert.equal(dead.since, dead.evidence.dispatchExpectedSince);
});

test('people, parked and closed issues, and the unblock descriptor (P7, P10, P12)', async () => {
  const c = await company(s);
  const i = await create(c, {});
  await is(i, 'parked', 'backlog', 'P12');
  await patch(i, { status: 'todo' });
  assert.equal((await is(i, 'waiting', 'unassigned', null)).waitingOn[0].type, 'board');
  await patch(i, { assigneeUserId: 'local-board' });
  const e = await is(i, 'waiting', 'human_owner', 'P7');
  assert.deepEqual([e.waitingOn[0].type, e.waitingOn[0].id], ['user', 'local-board']);
  await patch(i, { assigneeUserId: null, status: 'blocked', unblockDescriptor: { owner: 'board', action: 'Pay the bill' } });
  const b = await is(i, 'waiting', 'unblock_requested', 'P10');
  assert.match(b.sentence, /Pay the bill/);
  await patch(i, { status: 'done' });
  await is(i, 'terminal', 'done', null);
});

test('chains of blockers are followed to their leaves (P8)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60');
  const leaf = await create(c, { title: 'Leaf', status: 'backlog' });
  const middle = await create(c, { title: 'Middle', status: 'todo', assigneeAgentId: a.id, blockedByIssueIds: [leaf.id] });
  const top = await create(c, { title: 'Top', status: 'blocked', blockedByIssueIds: [middle.id] });
  const e = await is(top, 'waiting', 'blocked_by_issue', 'P8');
  assert.deepEqual(e.chain.map((x) => x.identifier), [middle.identifier, leaf.identifier]);
  assert.deepEqual(e.waitingOn.map((w) => [w.type, w.id, w.state]), [['issue', leaf.id, 'parked']]);
  assert.equal(e.needsAttention, true);
  assert.match(e.sentence, new RegExp(`${leaf.identifier}: It is parked in backlog`));
  await is(middle, 'waiting', 'blocked_by_parked_issue', 'P8');
  await patch(leaf, { status: 'todo', assigneeAgentId: a.id });
  await became(leaf, 'run_running');
  const now = await is(top, 'waiting', 'blocked_by_issue', 'P8');
  assert.deepEqual([now.needsAttention, now.waitingOn[0].state], [false, 'live']);
  for (const r of await s.ok('GET', `/issues/${leaf.id}/runs`)) await s.ok('POST', `/heartbeat-runs/${r.runId}/cancel`, {});
});

test('a company in groups: all open issues, one state, pages, a wrong word', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'true', {}, { runtimeConfig: { heartbeat: { wakeOnDemand: false } } });
  for (let n = 0; n < 3; n++) await create(c, { title: `Parked ${n}` });
  const review = await create(c, { title: 'Looks done', status: 'in_review', assigneeAgentId: a.id });
  await create(c, { title: 'Nobody', status: 'todo' });
  await create(c, { title: 'Over', status: 'done' });
  const all = await s.ok('GET', `/companies/${c.id}/explain`);
  assert.deepEqual(all.counts, { live: 0, waiting: 1, recovering: 0, held: 0, parked: 3, terminal: 0, dead: 1 });
  assert.deepEqual(all.groups.map((g) => [g.state, g.reason, g.issues.length]),
    [['dead', 'review_without_path', 1], ['waiting', 'unassigned', 1], ['parked', 'backlog', 3]]);
  assert.equal(all.groups[0].issues[0].identifier, review.identifier);
  assert.deepEqual([all.total, all.examined, all.more], [5, 5, false]);
  const parked = await s.ok('GET', `/companies/${c.id}/explain?state=parked&limit=2`);
  assert.deepEqual([parked.groups.length, parked.groups[0].issues.length, parked.total, parked.more], [1, 2, 3, true]);
  const rest = await s.ok('GET', `/companies/${c.id}/explain?state=parked&limit=2&offset=2`);
  assert.deepEqual([rest.groups[0].issues.length, rest.more], [1, false]);
  assert.equal((await s.ok('GET', `/companies/${c.id}/explain?state=terminal`)).groups[0].reason, 'done');
  refused(await s.api('GET', `/companies/${c.id}/explain?state=sad`), 422, 'Unknown state "sad": live, waiting, recovering, held, parked, terminal or dead');
  refused(await s.api('GET', `/issues/${NOBODY}/explain`), 404, 'Issue not found');
});

test('bulldog why says it in words', async () => {
  const c = await company(s);
  const leaf = await create(c, { title: 'Leaf', status: 'todo' });
  const top = await create(c, { title: 'Top', status: 'blocked', blockedByIssueIds: [leaf.id] });
  const why = await bulldog(s, ['why', top.identifier]);
  assert.equal(why.code, 0, why.err);
  assert.match(why.out, new RegExp(`^${top.identifier}: waiting \\(blocked_by_unassigned_issue\\), since `));
  assert.match(why.out, new RegExp(`-> ${leaf.identifier} Leaf: waiting \\(unassigned\\)`));
  assert.match(why.out, /primitive: P8/);
  const same = await bulldog(s, ['issue', 'explain', top.id, '--json']);
  assert.deepEqual(JSON.parse(same.out), await explain(top));
  const all = await bulldog(s, ['company', 'explain', '-C', c.id, '--state', 'waiting']);
  assert.match(all.out, /^waiting \(\w+\): 1$/m);
  assert.equal((await bulldog(s, ['company', 'explain', '-C', c.id, '--state', 'live'])).out, '(none)\n');
});

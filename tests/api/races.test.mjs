// What must hold however many ask at once. (Sixteen agents of one name: agents.test;
// numbers and twins of issues: issues.test; 32 checkouts by the board: issue_runs.test.)

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activity, agent, company, key, server } from './harness.mjs';
import { invoke, shell, until } from './kit.mjs';

const s = await server({ env: { BULLDOG_MAX_CONCURRENT_RUNS: '64' } });
const at_once = (n, f) => Promise.all(Array.from({ length: n }, (_, i) => f(i)));
const make = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, body);
const only = (answers, status) => answers.filter((r) => r.status === status);

test('32 runs of 32 agents take one issue at once: one has it, 31 are told who (IS-63, INV-2)', async () => {
  const c = await company(s);
  const agents = await at_once(32, () => shell(s, c, 'sleep 100'));
  const tokens = await at_once(32, (n) => key(s, agents[n]));
  const runs = await at_once(32, (n) => invoke(s, agents[n]));
  await Promise.all(runs.map((r) => until(s, r.id, 'running', 60000)));
  const i = await make(c, { title: 'Wanted' });
  const take = (n) => s.as(tokens[n], runs[n].id)('POST', `/issues/${i.id}/checkout`, { agentId: agents[n].id, expectedStatuses: ['backlog', 'todo'] });
  const answers = await at_once(32, take);
  const winner = answers.findIndex((r) => r.status === 200);
  assert.deepEqual([only(answers, 200).length, only(answers, 409).length], [1, 31], answers.map((r) => r.status).join());
  for (const r of only(answers, 409)) {
    assert.equal(r.json.error, 'Issue checkout conflict');
    assert.deepEqual([r.json.details.assigneeAgentId, r.json.details.checkoutRunId, r.json.details.conflictReason], [agents[winner].id, runs[winner].id, 'live_other_agent_run']);
  }
  const now = await s.ok('GET', `/issues/${i.id}`);
  assert.deepEqual([now.assigneeAgentId, now.checkoutRunId, now.executionRunId], [agents[winner].id, runs[winner].id, runs[winner].id]);
  assert.equal((await activity(s, c, `?entityId=${i.id}&limit=500`)).filter((x) => x.action === 'issue.checked_out').length, 1);
  await Promise.all(agents.map((x) => s.ok('POST', `/agents/${x.id}/terminate`, {})));
  await Promise.all(runs.map((r) => until(s, r.id, undefined, 60000)));
});

test('issues, children and comments at once in one company: numbers without gap, counts without loss (IS-17)', async () => {
  const c = await company(s);
  const root = await make(c, { title: 'Root' });
  const answers = await at_once(60, (n) =>
    n % 3 === 0 ? s.api('POST', `/companies/${c.id}/issues`, { title: `Task ${n}` })
      : n % 3 === 1 ? s.api('POST', `/issues/${root.id}/children`, { title: `Child ${n}` })
        : s.api('POST', `/issues/${root.id}/comments`, { body: `Word ${n}` }));
  assert.equal(only(answers, 201).length, 60);
  const numbers = answers.filter((r) => r.json.issueNumber).map((r) => r.json.issueNumber);
  assert.deepEqual(numbers.sort((a, b) => a - b), Array.from({ length: 40 }, (_, n) => n + 2));
  assert.equal((await s.ok('GET', `/issues/${root.id}/comments`)).length, 20);
  assert.equal((await s.ok('GET', `/companies/${c.id}`)).issueCounter, 41);
});

test('one idempotency key, 16 times at once: one issue (IS-22)', async () => {
  const c = await company(s);
  const made = await at_once(16, (n) => s.api('POST', `/companies/${c.id}/issues`, { title: `Title ${n}`, idempotencyKey: 'k', allowDuplicate: true }));
  assert.equal(new Set(made.map((r) => r.json.id)).size, 1);
  assert.equal(only(made, 201).length, 1);
  assert.equal(only(made, 200).length, 15);
});

test('one label, 16 times at once: one is made, the rest is told (IS-139)', async () => {
  const c = await company(s);
  const answers = await at_once(16, () => s.api('POST', `/companies/${c.id}/labels`, { name: 'urgent', color: '#ff0000' }));
  assert.deepEqual([only(answers, 201).length, only(answers, 409).length], [1, 15]);
});

test('companies of one name at once get prefixes of their own', async () => {
  const made = await at_once(16, () => s.ok('POST', '/companies', { name: 'Twins' }));
  assert.equal(new Set(made.map((x) => x.issuePrefix)).size, 16);
});

test('no circle closes, from whatever side it is tied at once (AR-13, IS-80)', async () => {
  const c = await company(s);
  const agents = await at_once(4, () => agent(s, c));
  const issues = await at_once(4, (n) => make(c, { title: `Issue ${n}` }));
  const next = (list, n) => list[(n + 1) % list.length].id;
  for (let round = 0; round < 5; round++) {
    const managers = await at_once(4, (n) => s.api('PATCH', `/agents/${agents[n].id}`, { reportsTo: next(agents, n) }));
    assert.deepEqual([only(managers, 200).length, only(managers, 422).length], [3, 1]);
    const blockers = await at_once(4, (n) => s.api('PATCH', `/issues/${issues[n].id}`, { blockedByIssueIds: [next(issues, n)] }));
    assert.deepEqual([only(blockers, 200).length, only(blockers, 422).length], [3, 1]);
    const parents = await at_once(4, (n) => s.api('PATCH', `/issues/${issues[n].id}`, { parentId: next(issues, n) }));
    assert.deepEqual([only(parents, 200).length, only(parents, 422).length], [3, 1]);
    for (const a of agents) await s.ok('PATCH', `/agents/${a.id}`, { reportsTo: null });
    for (const i of issues) await s.ok('PATCH', `/issues/${i.id}`, { parentId: null, blockedByIssueIds: [] });
  }
});

test('changes of different fields at once all stay', async () => {
  const c = await company(s);
  const i = await make(c, { title: 'Many hands' });
  const a = await agent(s, c);
  const mine = { description: 'd', priority: 'low', billingCode: 'b', requestDepth: 5, reviewPolicy: 'human_only', workMode: 'planning' };
  const its = { title: 't', capabilities: 'c', budgetMonthlyCents: 9, icon: 'crown', role: 'qa', metadata: { m: 1 } };
  await Promise.all([
    ...Object.entries(mine).map(([k, v]) => s.ok('PATCH', `/issues/${i.id}`, { [k]: v })),
    ...Object.entries(its).map(([k, v]) => s.ok('PATCH', `/agents/${a.id}`, { [k]: v })),
  ]);
  const issue = await s.ok('GET', `/issues/${i.id}`), now = await s.ok('GET', `/agents/${a.id}`);
  for (const [k, v] of Object.entries(mine)) assert.deepEqual(issue[k], v, k);
  for (const [k, v] of Object.entries(its)) assert.deepEqual(now[k], v, k);
});

test('a thing deleted while others write to it is gone, and nobody sees a failure', async () => {
  const c = await company(s);
  for (let round = 0; round < 5; round++) {
    const i = await make(c, { title: `Doomed ${round}` });
    const goal = await s.ok('POST', `/companies/${c.id}/goals`, { title: 'Doomed' });
    const answers = await at_once(16, (n) => [
      () => s.api('DELETE', `/issues/${i.id}`),
      () => s.api('PATCH', `/issues/${i.id}`, { priority: 'low', goalId: goal.id }),
      () => s.api('POST', `/issues/${i.id}/comments`, { body: 'x' }),
      () => s.api('DELETE', `/goals/${goal.id}`),
    ][n % 4]());
    for (const r of answers) assert.ok([200, 201, 404, 422].includes(r.status), `${r.status} ${r.text}`);
    assert.equal((await s.api('GET', `/issues/${i.id}`)).status, 404);
  }
});

// Approvals and hires: who decides, what it does, and who learns of it (GV §3, AR-14b, AR-14c, IS-101).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, activity, agent, company, eventually, key, refused, server } from './harness.mjs';
import { shell, until } from './kit.mjs';

const s = await server({ env: { BULLDOG_MAX_CONCURRENT_RUNS: '64' } });
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, body);
const request = (c, body = {}) => s.ok('POST', `/companies/${c.id}/approvals`, { type: 'request_board_approval', payload: { title: 'Buy it' }, ...body });
const decide = (x, verb, body = {}) => s.api('POST', `/approvals/${x.id}/${verb}`, body);
const found = async (c, action) => (await activity(s, c)).filter((e) => e.action === action);
const runsOf = async (c, a) => (await s.ok('GET', `/companies/${c.id}/heartbeat-runs`)).filter((r) => r.agentId === a.id);
const context = async (r) => (await s.ok('GET', `/heartbeat-runs/${r.id}`)).contextSnapshot;
const woken = (c, a, reason) => eventually(async () => {
  for (const r of await runsOf(c, a)) {
    const ctx = await context(r);
    if (ctx.wakeReason === reason) return { run: r, ctx };
  }
  return undefined;
}, { message: `no run for ${reason}` });

test('an approval is asked for, listed and shown; secrets are masked (example 3)', async () => {
  const c = await company(s);
  const x = await request(c, { type: 'hire_agent', payload: { name: 'Bob', adapterConfig: { env: { FOO: 'bar', API_KEY: 'hush' } }, budgetMonthlyCents: 500 } });
  assert.deepEqual(Object.keys(x), ['id', 'companyId', 'type', 'requestedByAgentId', 'requestedByUserId', 'status', 'payload', 'decisionNote',
    'decidedByUserId', 'decidedAt', 'createdAt', 'updatedAt']);
  assert.deepEqual(x.payload.adapterConfig.env, { FOO: { type: 'plain', value: 'bar' }, API_KEY: { type: 'plain', value: '***REDACTED***' } });
  assert.deepEqual([x.status, x.requestedByUserId, x.requestedByAgentId], ['pending', 'local-board', null]);
  const y = await request(c);
  assert.deepEqual((await s.ok('GET', `/companies/${c.id}/approvals`)).map((a) => a.id), [y.id, x.id]);
  assert.equal((await s.ok('GET', `/companies/${c.id}/approvals?status=approved`)).length, 0);
  assert.equal((await s.ok('GET', `/approvals/${x.id}`)).id, x.id);
  refused(await s.api('POST', `/companies/${c.id}/approvals`, { type: 'budget_override_required', payload: {} }), 422);
  refused(await s.api('GET', `/approvals/${NOBODY}`), 404, 'Approval not found');
  const d = await company(s);
  refused(await s.as(await key(s, await agent(s, d)))('GET', `/approvals/${x.id}`), 404, 'Approval not found');
  assert.equal((await s.ok('GET', `/companies/${c.id}/dashboard`)).pendingApprovals, 2);
  assert.equal((await s.ok('GET', `/companies/${c.id}/sidebar-badges`)).approvals, 2);
});

test('the state machine (GV-34…36)', async () => {
  const c = await company(s);
  const x = await request(c);
  const yes = await decide(x, 'approve', { decisionNote: 'fine' });
  assert.deepEqual([yes.status, yes.json.status, yes.json.decisionNote, yes.json.decidedByUserId], [200, 'approved', 'fine', 'local-board']);
  const again = await decide(x, 'approve', { decisionNote: 'other' });
  assert.deepEqual([again.status, again.json], [200, yes.json]);
  assert.equal((await found(c, 'approval.approved')).length, 1);
  refused(await decide(x, 'reject'), 422, 'Only pending or revision requested approvals can be rejected');
  refused(await decide(x, 'request-revision'), 422, 'Only pending approvals can request revision');
  refused(await decide(x, 'resubmit'), 422, 'Only revision requested approvals can be resubmitted');
  const y = await request(c);
  assert.equal((await decide(y, 'request-revision', { decisionNote: 'cheaper' })).json.status, 'revision_requested');
  const resent = await decide(y, 'resubmit', { payload: { title: 'Buy it for less' } });
  assert.deepEqual([resent.json.status, resent.json.payload, resent.json.decisionNote, resent.json.decidedAt], ['pending', { title: 'Buy it for less' }, null, null]);
  assert.equal((await decide(y, 'reject')).json.status, 'rejected');
  const a = await agent(s, c);
  const me = s.as(await key(s, a));
  refused(await me('POST', `/approvals/${y.id}/approve`, {}), 403, 'Board access required');
  const theirs = await request(c);
  await decide(theirs, 'request-revision');
  refused(await me('POST', `/approvals/${theirs.id}/resubmit`, {}), 403, 'Only requesting agent can resubmit this approval');
  const mine = (await me('POST', `/companies/${c.id}/approvals`, { type: 'request_board_approval', payload: {}, requestedByAgentId: NOBODY })).json;
  assert.equal(mine.requestedByAgentId, a.id, 'an agent asks in its own name only');
  await decide(mine, 'request-revision');
  assert.equal((await me('POST', `/approvals/${mine.id}/resubmit`, {})).status, 200);
});

test('of many who decide at once, one has the effects', async () => {
  const c = await company(s);
  const x = await request(c, { type: 'hire_agent', payload: { name: 'Only one' } });
  await Promise.all(Array.from({ length: 8 }, () => decide(x, 'approve')));
  assert.equal((await s.ok('GET', `/companies/${c.id}/agents`)).filter((a) => a.name.startsWith('Only one')).length, 1);
});

test('a hire without a flag is an agent at once; with it, one that waits (AR-14b)', async () => {
  const c = await company(s);
  const now = await s.ok('POST', `/companies/${c.id}/agent-hires`, { name: 'Now' });
  assert.deepEqual([now.agent.status, now.approval], ['idle', null]);
  await s.ok('PATCH', `/companies/${c.id}`, { requireBoardApprovalForNewAgents: true });
  const i = await create(c, { title: 'We need somebody' });
  const { agent: a, approval: x } = await s.ok('POST', `/companies/${c.id}/agent-hires`,
    { name: 'Later', role: 'engineer', adapterConfig: { command: '/bin/true', env: { API_KEY: 'hush', A: 'b' } }, sourceIssueId: i.id, sourceIssueIds: [i.id] });
  assert.deepEqual([a.status, x.type, x.status, x.payload.agentId], ['pending_approval', 'hire_agent', 'pending', a.id]);
  assert.deepEqual(Object.keys(x.payload).sort(), ['adapterConfig', 'adapterType', 'agentId', 'budgetMonthlyCents', 'capabilities', 'desiredSkills', 'icon',
    'metadata', 'name', 'reportsTo', 'requestedByAgentId', 'requestedConfigurationSnapshot', 'role', 'runtimeConfig', 'title']);
  assert.deepEqual((await s.ok('GET', `/issues/${i.id}/approvals`)).map((y) => y.id), [x.id]);
  assert.equal((await s.ok('GET', `/approvals/${x.id}/issues`))[0].identifier, i.identifier);
  refused(await s.api('POST', `/companies/${c.id}/issues`, { title: 'Too early', assigneeAgentId: a.id }), 409);
  const acts = (await activity(s, c)).map((e) => e.action);
  assert.ok(acts.indexOf('approval.created') < acts.indexOf('agent.hire_created'), 'newest first');
  assert.equal((await decide(x, 'approve')).status, 200);
  const hired = await s.ok('GET', `/agents/${a.id}`);
  assert.equal(hired.status, 'idle');
  assert.deepEqual(hired.adapterConfig.env, { API_KEY: { type: 'plain', value: 'hush' }, A: { type: 'plain', value: 'b' } }, 'the mask is no value');
});

test('a rejected hire ends its agent; an ended agent’s hire is cancelled; the agent’s page approves too', async () => {
  const c = await company(s, {});
  await s.ok('PATCH', `/companies/${c.id}`, { requireBoardApprovalForNewAgents: true });
  const hire = (name) => s.ok('POST', `/companies/${c.id}/agent-hires`, { name, adapterConfig: { command: '/bin/true' } });
  const no = await hire('No');
  await decide(no.approval, 'reject');
  assert.equal((await s.ok('GET', `/agents/${no.agent.id}`)).status, 'terminated');
  const gone = await hire('Gone');
  await s.ok('POST', `/agents/${gone.agent.id}/terminate`, {});
  assert.equal((await s.ok('GET', `/approvals/${gone.approval.id}`)).status, 'cancelled');
  const yes = await hire('Yes');
  assert.equal((await s.ok('POST', `/agents/${yes.agent.id}/approve`, {})).status, 'idle');
  assert.equal((await s.ok('GET', `/approvals/${yes.approval.id}`)).status, 'approved');
  refused(await s.api('POST', `/agents/${yes.agent.id}/approve`, {}), 409, 'Only pending approval agents can be approved');
});

test('whoever asked is told of every answer (GV-41, GV-43)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'true');
  const me = s.as(await key(s, a));
  const ask = async () => (await me('POST', `/companies/${c.id}/approvals`, { type: 'request_board_approval', payload: { title: 'x' } })).json;
  const x = await ask();
  await s.ok('POST', `/approvals/${x.id}/comments`, { body: 'Why?' });
  const said = await woken(c, a, 'approval_commented');
  assert.equal(said.ctx.approvalId, x.id);
  await until(s, said.run.id);
  await decide(x, 'request-revision', { decisionNote: 'cheaper' });
  assert.equal((await woken(c, a, 'approval_revision_requested')).ctx.decisionNote, 'cheaper');
  await me('POST', `/approvals/${x.id}/resubmit`, {});
  await decide(x, 'reject', { decisionNote: 'no' });
  assert.equal((await woken(c, a, 'approval_rejected')).ctx.approvalStatus, 'rejected');
  const y = await ask();
  await decide(y, 'approve');
  const yes = await woken(c, a, 'approval_approved');
  assert.deepEqual([yes.ctx.approvalId, yes.ctx.source, yes.ctx.issueIds], [y.id, 'approval.approved', []]);
  assert.ok((await found(c, 'approval.requester_wakeup_queued')).length >= 1);
  const own = await me('POST', `/approvals/${y.id}/comments`, { body: 'Thanks' });
  assert.deepEqual(Object.keys(own.json), ['id', 'companyId', 'approvalId', 'authorAgentId', 'authorUserId', 'body', 'createdAt', 'updatedAt']);
  assert.deepEqual((await s.ok('GET', `/approvals/${x.id}/comments`)).map((k) => k.body), ['Why?']);
});

test('a paused requester fails the wake, not the approval', async () => {
  const c = await company(s);
  const a = await agent(s, c);
  const x = (await s.as(await key(s, a))('POST', `/companies/${c.id}/approvals`, { type: 'request_board_approval', payload: {} })).json;
  await s.ok('POST', `/agents/${a.id}/pause`, {});
  assert.equal((await decide(x, 'approve')).json.status, 'approved');
  const [e] = await found(c, 'approval.requester_wakeup_failed');
  assert.equal(e.details.error, 'agent.not_invokable');
});

test('a linked approval is a path: for blocked, for review, and in explain (P5)', async () => {
  const c = await company(s);
  const a = await agent(s, c);
  const i = await create(c, { title: 'Waits', assigneeAgentId: a.id, status: 'backlog' });
  const x = await request(c);
  const linked = await s.api('POST', `/issues/${i.id}/approvals`, { approvalId: x.id });
  assert.deepEqual([linked.status, linked.json.map((y) => y.id)], [201, [x.id]]);
  assert.equal((await s.api('POST', `/issues/${i.id}/approvals`, { approvalId: x.id })).status, 201);
  assert.equal((await found(c, 'issue.approval_linked')).length, 1);
  await s.ok('POST', `/agents/${a.id}/pause`, {}); // else leaving the backlog starts it
  await s.ok('PATCH', `/issues/${i.id}`, { status: 'blocked' });
  const e = await s.ok('GET', `/issues/${i.id}/explain`);
  assert.deepEqual([e.state, e.reason, e.evidence.approval.id], ['waiting', 'approval_pending', x.id]);
  await s.ok('PATCH', `/issues/${i.id}`, { status: 'in_review' });
  const review = (await s.ok('GET', `/issues/${i.id}`)).reviewAttention;
  assert.deepEqual([review.state, review.paths.map((p) => [p.kind, p.ref])], ['covered', [['approval', x.id]]]);
  refused(await s.api('POST', `/issues/${i.id}/approvals`, { approvalId: NOBODY }), 404, 'Approval not found');
  refused(await s.as(await key(s, a))('POST', `/issues/${i.id}/approvals`, { approvalId: x.id }), 403, 'Missing permission to link approvals');
  await s.ok('POST', `/agents/${a.id}/resume`, {});
  await decide(x, 'approve');
  const told = await woken(c, a, 'approval_approved');
  assert.equal(told.ctx.reviewPathLost, true);
  assert.deepEqual(await s.ok('DELETE', `/issues/${i.id}/approvals/${x.id}`), { ok: true });
  assert.deepEqual(await s.ok('DELETE', `/issues/${i.id}/approvals/${x.id}`), { ok: true });
  assert.deepEqual(await s.ok('GET', `/issues/${i.id}/approvals`), []);
});

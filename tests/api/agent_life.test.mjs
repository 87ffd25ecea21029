// An agent's life: pause, resume, keys, wakes, runtime state (AR-10, AR-11, AR-16, AR-22, AR-42).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, agent, company, key, refused, server } from './harness.mjs';

const s = await server();
const SLEEPER = { adapterConfig: { command: '/bin/sleep', args: ['60'] } };

test('pause and resume, by route or by PATCH, are the same thing (AR-10, AR-11)', async () => {
  const a = await agent(s, await company(s));
  for (const [pause, resume] of [[['POST', '/pause', {}], ['POST', '/resume', {}]], [['PATCH', '', { status: 'paused' }], ['PATCH', '', { status: 'idle' }]]]) {
    const p = await s.ok(pause[0], `/agents/${a.id}${pause[1]}`, pause[2]);
    assert.deepEqual([p.status, p.pauseReason], ['paused', 'manual']);
    assert.ok(p.pausedAt);
    const r = await s.ok(resume[0], `/agents/${a.id}${resume[1]}`, resume[2]);
    assert.deepEqual([r.status, r.pauseReason, r.pausedAt], ['idle', null, null]);
  }
});

test('a paused agent cannot be woken, and says so (AR-42)', async () => {
  const a = await agent(s, await company(s));
  await s.ok('POST', `/agents/${a.id}/pause`, {});
  const e = refused(await s.api('POST', `/agents/${a.id}/wakeup`, {}), 409, 'Agent is not invokable in its current state');
  assert.deepEqual(e.details, { status: 'paused', reason: 'paused', invalidOrgChain: false, agentId: a.id, agentStatus: 'paused' });
});

test('moves the table does not know are refused (AR-10, AR-16)', async () => {
  const a = await agent(s, await company(s));
  refused(await s.api('POST', `/agents/${a.id}/clear-error`), 409, 'Only agents in error status can have their error cleared');
  refused(await s.api('POST', `/agents/${a.id}/approve`), 409, 'Only pending approval agents can be approved');
  assert.equal((await s.ok('PATCH', `/agents/${a.id}`, { status: 'error' })).status, 'error');
  assert.equal((await s.ok('POST', `/agents/${a.id}/clear-error`)).status, 'idle');
  await s.ok('POST', `/agents/${a.id}/terminate`);
  refused(await s.api('POST', `/agents/${a.id}/pause`), 409, 'Cannot pause terminated agent');
  refused(await s.api('POST', `/agents/${a.id}/resume`), 409, 'Terminated agents cannot be resumed');
  refused(await s.api('PATCH', `/agents/${a.id}`, { status: 'idle' }), 409, 'Terminated agents cannot be resumed');
});

test('an agent that waits for approval is frozen until it is approved (AR-12)', async () => {
  const a = await agent(s, await company(s));
  await s.ok('PATCH', `/agents/${a.id}`, { status: 'pending_approval' });
  const e = refused(await s.api('PATCH', `/agents/${a.id}`, { title: 'x', name: 'y' }), 409);
  assert.equal(e.code, 'pending_approval_agent_config_frozen');
  assert.deepEqual(e.details.fields, ['name', 'title']);
  const p = refused(await s.api('PATCH', `/agents/${a.id}/permissions`, { canCreateAgents: true, canAssignTasks: true }), 409);
  assert.deepEqual(p.details.fields, ['permissions']);
  refused(await s.api('PATCH', `/agents/${a.id}`, { status: 'idle' }), 409, 'Pending approval agents cannot be activated directly');
  refused(await s.api('POST', `/agents/${a.id}/keys`, {}), 409);
  assert.equal((await s.ok('POST', `/agents/${a.id}/approve`)).status, 'idle');
});

test('keys: shown once, listed without tokens, revoked for good (AR-22)', async () => {
  const a = await agent(s, await company(s));
  const made = await s.ok('POST', `/agents/${a.id}/keys`, { name: 'k1' });
  assert.deepEqual(Object.keys(made).sort(), ['createdAt', 'id', 'name', 'responsibleUserId', 'scope', 'token']);
  assert.match(made.token, /^pcp_[0-9a-f]{48}$/);
  assert.deepEqual(made.scope, { kind: 'standard' });
  const [listed] = await s.ok('GET', `/agents/${a.id}/keys`);
  assert.deepEqual(Object.keys(listed).sort(), ['createdAt', 'id', 'name', 'responsibleUserId', 'revokedAt', 'scope']);
  assert.equal(listed.revokedAt, null);
  assert.equal((await s.as(made.token)('GET', '/agents/me')).json.id, a.id);
  assert.deepEqual(await s.ok('DELETE', `/agents/${a.id}/keys/${made.id}`), { ok: true });
  refused(await s.as(made.token)('GET', '/agents/me'), 401);
  assert.ok((await s.ok('GET', `/agents/${a.id}/keys`))[0].revokedAt);
  refused(await s.api('DELETE', `/agents/${a.id}/keys/${NOBODY}`), 404, 'Key not found');
  refused(await s.api('DELETE', `/agents/${a.id}/keys/zzz`), 404, 'Key not found');
  refused(await s.api('POST', `/agents/${a.id}/keys`, { scope: { kind: 'task_bridge' } }), 400);
  refused(await s.api('POST', `/agents/${a.id}/keys`, { scope: { kind: 'everything' } }), 400);
});

test('an invoke answers with the queued run; a second one joins it (AR-42, AR-46)', async () => {
  const c = await company(s);
  const a = await agent(s, c, { ...SLEEPER, runtimeConfig: { heartbeat: { maxConcurrentRuns: 1 } } });
  const r = await s.api('POST', `/agents/${a.id}/heartbeat/invoke`, {});
  assert.equal(r.status, 202);
  assert.equal(r.json.status, 'queued');
  assert.equal(r.json.agentId, a.id);
  assert.deepEqual([r.json.invocationSource, r.json.triggerDetail, r.json.responsibleUserId], ['on_demand', 'manual', 'local-board']);
  assert.deepEqual(r.json.contextSnapshot, { actorId: 'local-board', wakeSource: 'on_demand', triggeredBy: 'board', wakeTriggerDetail: 'manual' });
  for (const field of ['wakeupRequestId', 'exitCode', 'resultJson', 'usageJson', 'stdoutExcerpt', 'logRef', 'livenessState', 'nextAction']) assert.ok(field in r.json, field);
  const again = await s.api('POST', `/agents/${a.id}/wakeup`, { source: 'on_demand', triggerDetail: 'ping' });
  assert.equal(again.status, 202);
  assert.equal(again.json.id, r.json.id);
  await s.ok('POST', `/agents/${a.id}/pause`, {});
});

test('a wake that is refused or skipped leaves its row and its reason (AR-41, AR-42)', async () => {
  const a = await agent(s, await company(s), { runtimeConfig: { heartbeat: { wakeOnDemand: false } } });
  const w = await s.api('POST', `/agents/${a.id}/wakeup`, { reason: 'look' });
  assert.equal(w.status, 202);
  assert.equal(w.json.status, 'skipped');
  assert.equal(w.json.reason, 'wakeup_skipped');
  assert.equal(w.json.message, 'Wakeup was skipped.');
  assert.equal(w.json.skipReason, 'heartbeat.wakeOnDemand.disabled');
  assert.ok(w.json.wakeupRequestId);
  assert.equal((await s.ok('POST', `/agents/${a.id}/heartbeat/invoke`, {})).status, 'skipped');
  refused(await s.api('POST', `/agents/${a.id}/wakeup`, { source: 'magic' }), 400);
  refused(await s.api('POST', `/agents/${a.id}/wakeup`, '{bad'), 400);
});

test('an agent wakes nobody but itself (AR-18)', async () => {
  const c = await company(s);
  const a = await agent(s, c);
  const b = await agent(s, c);
  const asA = s.as(await key(s, a));
  refused(await asA('POST', `/agents/${b.id}/heartbeat/invoke`, {}), 403, 'Agent can only invoke itself');
  assert.equal((await asA('POST', `/agents/${a.id}/wakeup`, {})).status, 202);
});

test('the runtime state is there before the first run and can be reset (AR-75)', async () => {
  const a = await agent(s, await company(s));
  const st = await s.ok('GET', `/agents/${a.id}/runtime-state`);
  assert.equal(st.agentId, a.id);
  assert.deepEqual([st.sessionId, st.totalCostCents, st.stateJson, st.sessionDisplayId, st.sessionParamsJson], [null, 0, {}, null, null]);
  const r = await s.ok('POST', `/agents/${a.id}/runtime-state/reset-session`, {});
  assert.equal(r.clearedTaskSessions, 0);
});


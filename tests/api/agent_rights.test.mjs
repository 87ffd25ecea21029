// Who may do what to agents (AR-18, AR-20, AR-25, AR-26).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agent, company, key, refused, server } from './harness.mjs';

const s = await server();
const c = await company(s);
const secretive = { adapterConfig: { command: '/bin/true', env: { API_KEY: 'abc', FOO: 'bar' } } };
const boss = await agent(s, c, { name: 'Boss', role: 'ceo', ...secretive });
const dev = await agent(s, c, { name: 'Dev', role: 'engineer', ...secretive });
const other = await agent(s, c, { name: 'Other', ...secretive });
const asBoss = s.as(await key(s, boss));
const asDev = s.as(await key(s, dev));

test('the board sees every configuration as it is (AR-20)', async () => {
  const rows = await s.ok('GET', `/companies/${c.id}/agents`);
  assert.ok(rows.every((a) => a.adapterConfig.env.API_KEY.value === 'abc'));
});

test('an agent sees its own configuration masked, that of others not at all (AR-18, AR-20)', async () => {
  const rows = (await asDev('GET', `/companies/${c.id}/agents`)).json;
  const mine = rows.find((a) => a.id === dev.id);
  assert.equal(mine.adapterConfig.env.API_KEY.value, '***REDACTED***');
  assert.equal(mine.adapterConfig.env.FOO.value, 'bar');
  const theirs = rows.find((a) => a.id === other.id);
  assert.deepEqual([theirs.adapterConfig, theirs.runtimeConfig], [{}, {}]);
  assert.deepEqual((await asDev('GET', `/agents/${other.id}`)).json.adapterConfig, {});
  assert.equal((await asBoss('GET', `/agents/${other.id}`)).json.adapterConfig.env.API_KEY.value, '***REDACTED***');
  const e = refused(await asDev('GET', `/agents/${other.id}/configuration`), 403, 'Missing permission: agents:suggest-changes.');
  assert.equal(e.details.reason, 'deny_missing_grant');
  assert.equal((await asBoss('GET', `/companies/${c.id}/agent-configurations`)).json.length, 3);
});

test('me is me (AR-25)', async () => {
  const me = (await asDev('GET', '/agents/me')).json;
  assert.equal(me.id, dev.id);
  assert.ok(me.chainOfCommand && me.access && me.orgChainHealth);
  refused(await s.api('GET', '/agents/me'), 401, 'Agent authentication required');
});

test('only who may create agents creates them, and only a ceo gives rights away (AR-18)', async () => {
  refused(await asDev('POST', `/companies/${c.id}/agents`, { name: 'x' }), 403, 'Missing permission: agents:create.');
  assert.equal((await asBoss('POST', `/companies/${c.id}/agents`, { name: 'Hired' })).status, 201);
  const hirer = await agent(s, c, { permissions: { canCreateAgents: true } });
  const asHirer = s.as(await key(s, hirer));
  assert.equal((await asHirer('POST', `/companies/${c.id}/agents`, { name: 'Hired too' })).status, 201);
  refused(await asHirer('POST', `/companies/${c.id}/agents`, { name: 'x', role: 'ceo' }), 403);
  refused(await asHirer('POST', `/companies/${c.id}/agents`, { name: 'x', permissions: { canCreateAgents: true } }), 403);
});

test('an agent changes harmless things about itself, not what program it is (AR-18 BETTER)', async () => {
  assert.equal((await asDev('PATCH', `/agents/${dev.id}`, { icon: 'bug' })).status, 200);
  assert.equal((await asDev('PATCH', `/agents/${dev.id}`, { adapterConfig: { timeoutSec: 5 } })).status, 200);
  for (const body of [{ name: 'King' }, { role: 'ceo' }, { title: 'x' }, { capabilities: 'x' }, { adapterType: 'http' }, { budgetMonthlyCents: 5 },
    { adapterConfig: { command: '/bin/sh' } }, { adapterConfig: { args: [] } }, { adapterConfig: { cwd: '/' } }, { adapterConfig: { env: {} } }]) {
    const e = refused(await asDev('PATCH', `/agents/${dev.id}`, body), 403, 'Missing permission: agents:configure.');
    assert.equal(e.details.reason, 'deny_no_grant');
  }
  refused(await asDev('PATCH', `/agents/${other.id}`, { icon: 'bug' }), 403);
  assert.equal((await asBoss('PATCH', `/agents/${other.id}`, { title: 'Set by the boss' })).status, 200);
});

test('agents never set bundle paths, host commands or statuses (AR-18)', async () => {
  refused(await asBoss('PATCH', `/agents/${boss.id}`, { adapterConfig: { agentsMdPath: '/etc/passwd' } }), 403);
  refused(await asBoss('PATCH', `/agents/${boss.id}`, { adapterConfig: { workspaceStrategy: { provisionCommand: 'rm' } } }), 403,
    'Agent keys cannot modify host-executed workspace commands (adapterConfig.workspaceStrategy.provisionCommand).');
  refused(await asBoss('PATCH', `/agents/${dev.id}`, { status: 'paused' }), 403, 'Board access required');
  for (const action of ['pause', 'resume', 'clear-error', 'terminate', 'approve', 'keys', 'runtime-state/reset-session'])
    refused(await asBoss('POST', `/agents/${dev.id}/${action}`, {}), 403, 'Board access required');
  refused(await asBoss('DELETE', `/agents/${dev.id}`), 403, 'Board access required');
  refused(await asBoss('GET', `/agents/${dev.id}/keys`), 403, 'Board access required');
  refused(await asBoss('GET', `/agents/${dev.id}/runtime-state`), 403, 'Board access required');
});

test('another company is out of sight (AR, error rules)', async () => {
  const far = await company(s);
  const stranger = await agent(s, far);
  refused(await asBoss('GET', `/agents/${stranger.id}`), 404, 'Agent not found');
  refused(await asBoss('PATCH', `/agents/${stranger.id}`, { icon: 'bug' }), 404, 'Agent not found');
  refused(await asBoss('GET', `/companies/${far.id}/agents`), 403, 'Agent key cannot access another company');
  refused(await asBoss('GET', `/companies/${far.id}/org`), 403, 'Agent key cannot access another company');
});

// Agents: creating, naming, reading, changing (AR §1-4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, agent, company, key, refused, server } from './harness.mjs';

const s = await server();

test('a new agent has every field of the protocol and its defaults (AR-1, AR-14)', async () => {
  const c = await company(s);
  const a = await s.ok('POST', `/companies/${c.id}/agents`, { name: 'Boss Agent', role: 'ceo', title: 'CEO', icon: 'crown' });
  const fields = ['id', 'companyId', 'name', 'role', 'title', 'icon', 'status', 'reportsTo', 'capabilities', 'adapterType', 'adapterConfig',
    'runtimeConfig', 'defaultEnvironmentId', 'budgetMonthlyCents', 'spentMonthlyCents', 'pauseReason', 'pausedAt', 'errorReason', 'permissions',
    'lastHeartbeatAt', 'heartbeatStaleSince', 'metadata', 'createdAt', 'updatedAt', 'urlKey', 'orgChainHealth'];
  assert.deepEqual(Object.keys(a).sort(), [...fields].sort());
  assert.equal(a.status, 'idle');
  assert.equal(a.urlKey, 'boss-agent');
  assert.equal(a.adapterType, 'process');
  assert.deepEqual(a.runtimeConfig, { heartbeat: { enabled: false, maxConcurrentRuns: 20 } });
  assert.deepEqual(a.permissions, { canCreateAgents: true, canCreateSkills: true });
  assert.equal(a.orgChainHealth.status, 'healthy');
  assert.deepEqual(a.orgChainHealth.fullChain, [
    { id: a.id, companyId: c.id, name: 'Boss Agent', status: 'idle', reportsTo: null, depth: 0, relation: 'self' }]);
});

test('the detail tells managers and rights (AR-2, AR-14)', async () => {
  const c = await company(s);
  const boss = await agent(s, c, { name: 'Boss', role: 'ceo', title: 'CEO' });
  const lead = await agent(s, c, { name: 'Lead', reportsTo: boss.id });
  const dev = await agent(s, c, { name: 'Dev', role: 'engineer', reportsTo: lead.id });
  const d = await s.ok('GET', `/agents/${dev.id}`);
  assert.deepEqual(d.chainOfCommand, [{ id: lead.id, name: 'Lead', role: 'general', title: null }, { id: boss.id, name: 'Boss', role: 'ceo', title: 'CEO' }]);
  assert.equal(d.access.taskAssignSource, 'explicit_grant');
  assert.equal(d.access.membership.membershipRole, 'member');
  assert.deepEqual(d.access.grants.map((g) => g.permissionKey), ['tasks:assign']);
  const b = await s.ok('GET', `/agents/${boss.id}`);
  assert.equal(b.access.taskAssignSource, 'ceo_role');
  assert.deepEqual(b.access.grants.map((g) => g.permissionKey), ['agents:configure', 'skills:create', 'tasks:assign']);
});

test('a taken name gets a number; sixteen at once all get their own (AR-6)', async () => {
  const c = await company(s);
  const made = await Promise.all(Array.from({ length: 16 }, () => s.ok('POST', `/companies/${c.id}/agents`, { name: 'Worker' })));
  const keys = made.map((a) => a.urlKey).sort();
  assert.equal(new Set(keys).size, 16);
  assert.ok(keys.includes('worker') && keys.includes('worker-2') && keys.includes('worker-16'));
  assert.ok(made.some((a) => a.name === 'Worker 16'));
});

test('a rename to a taken shortname is refused; a terminated agent frees its own (AR-6)', async () => {
  const c = await company(s);
  const slow = await agent(s, c, { name: 'Slow' });
  const other = await agent(s, c, { name: 'Other' });
  refused(await s.api('PATCH', `/agents/${other.id}`, { name: 'SLOW!' }), 409, "Agent shortname 'slow' is already in use in this company");
  await s.ok('POST', `/agents/${slow.id}/terminate`, {});
  assert.equal((await s.ok('PATCH', `/agents/${other.id}`, { name: 'Slow' })).urlKey, 'slow');
  assert.equal((await s.ok('GET', `/agents/${slow.id}`)).status, 'terminated');
  assert.equal((await s.ok('GET', `/agents/slow?companyId=${c.id}`)).id, other.id);
});

test('a shortname works as id inside a company only (AR-6)', async () => {
  const c = await company(s);
  const a = await agent(s, c, { name: 'Ünicode' });
  assert.equal(a.urlKey, 'nicode');
  assert.equal((await s.ok('GET', `/agents/Nicode?companyId=${c.id}`)).id, a.id);
  refused(await s.api('GET', '/agents/nicode'), 422, 'Agent shortname lookup requires companyId query parameter');
  refused(await s.api('GET', `/agents/nobody?companyId=${c.id}`), 404, 'Agent not found');
  refused(await s.api('GET', `/agents/${NOBODY}`), 404, 'Agent not found');
  assert.equal((await s.as(await key(s, a))('GET', '/agents/nicode')).json.id, a.id);
  const nameless = await agent(s, c, { name: '漢字' });
  assert.equal(nameless.urlKey, nameless.id);
});

test('the list leaves terminated agents out, is oldest first, and refuses filters (AR-17)', async () => {
  const c = await company(s);
  const made = [];
  for (const name of ['One', 'Two', 'Three']) made.push(await agent(s, c, { name }));
  await s.ok('PATCH', `/agents/${made[0].id}`, { title: 'moved' });
  await s.ok('POST', `/agents/${made[1].id}/terminate`, {});
  assert.deepEqual((await s.ok('GET', `/companies/${c.id}/agents`)).map((a) => a.name), ['One', 'Three']);
  refused(await s.api('GET', `/companies/${c.id}/agents?status=idle`), 400, 'Unsupported query parameter: status');
  refused(await s.api('GET', `/companies/${c.id}/agents?b=1&a=2`), 400, 'Unsupported query parameters: a, b');
});

test('managers must exist, belong here, and not close a circle (AR-13)', async () => {
  const c = await company(s);
  const far = await agent(s, await company(s));
  const a = await agent(s, c, { name: 'A' });
  const b = await agent(s, c, { name: 'B', reportsTo: a.id });
  const d = await agent(s, c, { name: 'D', reportsTo: b.id });
  refused(await s.api('POST', `/companies/${c.id}/agents`, { name: 'X', reportsTo: NOBODY }), 404, 'Manager not found');
  refused(await s.api('PATCH', `/agents/${a.id}`, { reportsTo: far.id }), 422, 'Manager must belong to same company');
  refused(await s.api('PATCH', `/agents/${a.id}`, { reportsTo: a.id }), 422, 'Agent cannot report to itself');
  refused(await s.api('PATCH', `/agents/${a.id}`, { reportsTo: d.id }), 422, 'Reporting relationship would create cycle');
  assert.equal((await s.ok('PATCH', `/agents/${d.id}`, { reportsTo: a.id })).reportsTo, a.id);
  assert.equal((await s.ok('PATCH', `/agents/${d.id}`, { reportsTo: null })).reportsTo, null);
});

test('everybody has a place in the org, and a missing manager breaks the chain below (AR-7, AR-29)', async () => {
  const c = await company(s);
  const a = await agent(s, c, { name: 'A' });
  const b = await agent(s, c, { name: 'B', reportsTo: a.id });
  const d = await agent(s, c, { name: 'D', reportsTo: b.id });
  await s.ok('POST', `/agents/${a.id}/pause`, {});
  let seen = (await s.ok('GET', `/agents/${d.id}`)).orgChainHealth;
  assert.deepEqual(seen.pausedAncestors, [{ id: a.id, name: 'A', status: 'paused' }]);
  assert.match(seen.escalationWarning, /A/);
  await s.ok('POST', `/agents/${b.id}/terminate`, {});
  seen = (await s.ok('GET', `/companies/${c.id}/agents`)).find((x) => x.id === d.id).orgChainHealth;
  assert.equal(seen.status, 'invalid_org_chain');
  assert.equal(seen.reason, 'terminated_ancestor');
  assert.deepEqual(seen.firstInvalidAncestor, { id: b.id, name: 'B', status: 'terminated' });
  assert.ok(seen.repairGuidance);
  const org = await s.ok('GET', `/companies/${c.id}/org`);
  assert.deepEqual(org.map((n) => [n.name, n.reports.length]), [['A', 0], ['D', 0]]);
  const e = refused(await s.api('POST', `/agents/${d.id}/heartbeat/invoke`, {}), 409, seen.repairGuidance);
  assert.deepEqual([e.details.reason, e.details.invalidOrgChain], ['invalid_org_chain', true]);
  refused(await s.api('POST', `/agents/${d.id}/resume`, {}), 409, seen.repairGuidance);
});

test('env is normalised, merged, and never overwritten by its mask (AR-9, AR-14d)', async () => {
  const c = await company(s);
  const a = await agent(s, c, { adapterConfig: { command: 'sh', cwd: '/tmp', env: { FOO: 'bar', API_KEY: 'abc' } } });
  assert.deepEqual(a.adapterConfig.env, { FOO: { type: 'plain', value: 'bar' }, API_KEY: { type: 'plain', value: 'abc' } });
  const masked = await s.ok('GET', `/agents/${a.id}/configuration`);
  assert.deepEqual(masked.adapterConfig.env.API_KEY, { type: 'plain', value: '***REDACTED***' });
  assert.deepEqual(masked.adapterConfig.env.FOO, { type: 'plain', value: 'bar' });
  refused(await s.api('PATCH', `/agents/${a.id}`, { adapterConfig: masked.adapterConfig }), 422, 'Refusing to persist redacted placeholder for key: API_KEY');
  const merged = await s.ok('PATCH', `/agents/${a.id}`, { adapterConfig: { cwd: '/var' } });
  assert.deepEqual(merged.adapterConfig, { command: 'sh', cwd: '/var', env: a.adapterConfig.env });
  const replaced = await s.ok('PATCH', `/agents/${a.id}`, { adapterConfig: { command: 'true' }, replaceAdapterConfig: true });
  assert.deepEqual(replaced.adapterConfig, { command: 'true' });
  const http = await s.ok('PATCH', `/agents/${a.id}`, { adapterType: 'http', adapterConfig: { url: 'http://127.0.0.1:1/' } });
  assert.deepEqual(http.adapterConfig, { url: 'http://127.0.0.1:1/' });
  const beat = await s.ok('PATCH', `/agents/${a.id}`, { runtimeConfig: { heartbeat: { intervalSec: 60 } } });
  assert.deepEqual(beat.runtimeConfig, { heartbeat: { intervalSec: 60 } }); // replaced, not merged
  const bad = refused(await s.api('PATCH', `/agents/${a.id}`, { adapterConfig: { env: { X: 3 } } }), 400, 'Validation error');
  assert.deepEqual(bad.details[0].path, ['adapterConfig', 'env']);
});

test('bad bodies get their 400 and say where (IS-5, AR-14)', async () => {
  const c = await company(s);
  const path = `/companies/${c.id}/agents`;
  const first = async (body) => refused(await s.api('POST', path, body), 400).details[0];
  assert.deepEqual((await first({})).path, ['name']);
  assert.equal((await first({ name: '' })).code, 'too_small');
  assert.equal((await first({ name: 'x', role: 'king' })).code, 'invalid_enum_value');
  assert.equal((await first({ name: 'x', icon: 'nope' })).code, 'invalid_enum_value');
  assert.equal((await first({ name: 'x', reportsTo: 'abc' })).validation, 'uuid');
  assert.equal((await first({ name: 'x', budgetMonthlyCents: -1 })).code, 'too_small');
  assert.equal((await first({ name: 'x', runtimeConfig: { modelProfiles: { dear: {} } } })).code, 'unrecognized_keys');
  refused(await s.api('POST', path, '{bad'), 400);
  refused(await s.api('POST', path, { name: 'x', adapterType: 'nope' }), 422, 'Unknown adapter type: nope');
  refused(await s.api('POST', path, { name: 'x', adapterType: 'claude_local' }), 422, /not available.*process, http/);
  refused(await s.api('POST', path, { name: 'x', defaultEnvironmentId: NOBODY }), 422, 'defaultEnvironmentId not found in company');
  refused(await s.api('POST', `/companies/${NOBODY}/agents`, { name: 'x' }), 404, 'Company not found');
  const r = await s.api('POST', path, { name: 'x', favouriteColour: 'blue' });
  assert.equal(r.status, 201);
  assert.equal(r.headers.get('x-ignored-fields'), 'favouriteColour');
});

test('a PATCH never writes permissions, spent money or a built-in mark (AR-14d)', async () => {
  const c = await company(s);
  const a = await agent(s, c);
  const e = refused(await s.api('PATCH', `/agents/${a.id}`, { permissions: {} }), 400, 'Validation error');
  assert.equal(e.details[0].expected, 'never');
  assert.equal((await s.ok('PATCH', `/agents/${a.id}`, { spentMonthlyCents: 500 })).spentMonthlyCents, 0);
  const m = refused(await s.api('PATCH', `/agents/${a.id}`, { metadata: { paperclipBuiltInAgent: { key: 'briefs' } } }), 409);
  assert.equal(m.code, 'built_in_agent_marker_readonly');
  assert.deepEqual((await s.ok('PATCH', `/agents/${a.id}`, { metadata: { team: 'x' } })).metadata, { team: 'x' });
});

test('permissions have their own route and carry the grant with them (AR-15)', async () => {
  const c = await company(s);
  const boss = await agent(s, c, { role: 'ceo' });
  const a = await agent(s, c);
  refused(await s.api('PATCH', `/agents/${a.id}/permissions`, { canCreateAgents: true }), 400);
  const d = await s.ok('PATCH', `/agents/${a.id}/permissions`, { canCreateAgents: false, canAssignTasks: false });
  assert.deepEqual(d.permissions, { canCreateAgents: false, canCreateSkills: true, canAssignTasks: false });
  assert.equal(d.access.taskAssignSource, 'simple_default');
  assert.deepEqual(d.access.grants, []);
  const asAgent = s.as(await key(s, a));
  refused(await asAgent('PATCH', `/agents/${a.id}/permissions`, { canCreateAgents: true, canAssignTasks: true }), 403, 'Only CEO can manage permissions');
  const asBoss = s.as(await key(s, boss));
  const up = await asBoss('PATCH', `/agents/${a.id}/permissions`, { canCreateAgents: true, canAssignTasks: true });
  assert.equal(up.json.access.taskAssignSource, 'agent_creator');
});

test('a company that wants approval refuses direct creation (AR-14)', async () => {
  const c = await company(s);
  await s.ok('PATCH', `/companies/${c.id}`, { requireBoardApprovalForNewAgents: true });
  refused(await s.api('POST', `/companies/${c.id}/agents`, { name: 'x' }), 409, /agent-hires/);
});

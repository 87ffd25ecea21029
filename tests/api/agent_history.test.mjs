// What an agent was before, and the way back (AR-21); the sessions it keeps (AR-75).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, activity, agent, company, key, refused, server } from './harness.mjs';

const s = await server();

test('each change of the configuration leaves a revision, secrets masked (AR-21)', async () => {
  const c = await company(s);
  const a = await agent(s, c, { adapterConfig: { command: '/bin/true', env: { API_KEY: 'k-1', FOO: 'bar' } } });
  assert.deepEqual(await s.ok('GET', `/agents/${a.id}/config-revisions`), [], 'creation leaves none');
  await s.ok('PATCH', `/agents/${a.id}`, { title: 'Lead', adapterConfig: { cwd: '/tmp' } });
  await s.ok('PATCH', `/agents/${a.id}`, { title: 'Lead' });
  await s.ok('PATCH', `/agents/${a.id}/permissions`, { canCreateAgents: false, canAssignTasks: false });
  const list = await s.ok('GET', `/agents/${a.id}/config-revisions`);
  assert.equal(list.length, 1, 'nothing changed, or nothing tracked: no revision');
  const [rev] = list;
  assert.deepEqual(Object.keys(rev).sort(), [
    'afterConfig', 'agentId', 'beforeConfig', 'changedKeys', 'companyId', 'createdAt', 'createdByAgentId', 'createdByUserId', 'id', 'rolledBackFromRevisionId', 'source',
  ]);
  assert.deepEqual([rev.source, rev.createdByUserId, rev.createdByAgentId, rev.rolledBackFromRevisionId], ['patch', 'local-board', null, null]);
  assert.deepEqual(rev.changedKeys, ['title', 'adapterConfig']);
  assert.deepEqual(Object.keys(rev.afterConfig).sort(), [
    'adapterConfig', 'adapterType', 'budgetMonthlyCents', 'capabilities', 'defaultEnvironmentId', 'icon', 'metadata', 'name', 'reportsTo', 'role', 'runtimeConfig', 'title',
  ]);
  assert.equal(rev.beforeConfig.title, null);
  assert.equal(rev.afterConfig.title, 'Lead');
  assert.equal(rev.afterConfig.adapterConfig.cwd, '/tmp');
  assert.deepEqual(rev.afterConfig.adapterConfig.env, { API_KEY: { type: 'plain', value: '***REDACTED***' }, FOO: { type: 'plain', value: 'bar' } });
  assert.deepEqual(await s.ok('GET', `/agents/${a.id}/config-revisions/${rev.id}`), rev);
  for (const id of [NOBODY, 'x']) refused(await s.api('GET', `/agents/${a.id}/config-revisions/${id}`), 404, 'Revision not found');
});

test('a rollback restores all that was tracked, icon and secrets too (AR-21 BETTER)', async () => {
  const c = await company(s);
  const a = await agent(s, c, { icon: 'bot', adapterConfig: { command: '/bin/true', env: { API_KEY: 'k-1' } } });
  await s.ok('PATCH', `/agents/${a.id}`, { title: 'One' });
  await s.ok('PATCH', `/agents/${a.id}`, { title: 'Two', icon: 'cpu', name: 'Somebody Else', adapterConfig: { env: { API_KEY: 'k-2' } } });
  const [, first] = await s.ok('GET', `/agents/${a.id}/config-revisions`);
  const back = await s.ok('POST', `/agents/${a.id}/config-revisions/${first.id}/rollback`);
  assert.deepEqual([back.title, back.icon, back.name, back.urlKey], ['One', 'bot', a.name, a.urlKey]);
  assert.equal(back.adapterConfig.env.API_KEY.value, 'k-1');
  assert.equal(back.chainOfCommand, undefined, 'the agent, not its detail');
  const [now] = await s.ok('GET', `/agents/${a.id}/config-revisions`);
  assert.deepEqual([now.source, now.rolledBackFromRevisionId], ['rollback', first.id]);
  const [entry] = await activity(s, c, '?limit=1');
  assert.deepEqual([entry.action, entry.details], ['agent.config_rolled_back', { revisionId: first.id }]);
  refused(await s.api('POST', `/agents/${a.id}/config-revisions/${NOBODY}/rollback`), 404, 'Revision not found');
});

test('agents read revisions with a grant and go back only with the right to configure (AR-18)', async () => {
  const c = await company(s);
  const boss = await agent(s, c, { role: 'ceo' });
  const plain = await agent(s, c);
  await s.ok('PATCH', `/agents/${plain.id}`, { title: 'One' });
  const [rev] = await s.ok('GET', `/agents/${plain.id}/config-revisions`);
  const asPlain = s.as(await key(s, plain)), asBoss = s.as(await key(s, boss));
  const no = refused(await asPlain('GET', `/agents/${plain.id}/config-revisions`), 403, 'Missing permission: agents:suggest-changes.');
  assert.equal(no.details.reason, 'deny_missing_grant');
  refused(await asPlain('POST', `/agents/${plain.id}/config-revisions/${rev.id}/rollback`), 403, 'Missing permission: agents:configure.');
  assert.equal((await asBoss('GET', `/agents/${plain.id}/config-revisions/${rev.id}`)).status, 200);
  assert.equal((await asBoss('POST', `/agents/${plain.id}/config-revisions/${rev.id}/rollback`)).status, 200);
});

test('an agent without task sessions has none, and clears none (AR-75)', async () => {
  const c = await company(s);
  const a = await agent(s, c);
  assert.deepEqual(await s.ok('GET', `/agents/${a.id}/task-sessions`), []);
  assert.equal((await s.ok('POST', `/agents/${a.id}/runtime-state/reset-session`, {})).clearedTaskSessions, 0);
});

test('wished skills are kept by key; these adapters run none (AR-33)', async () => {
  const c = await company(s);
  const a = await agent(s, c);
  const empty = { adapterType: 'process', supported: false, mode: 'unsupported', desiredSkills: [], desiredSkillEntries: [], entries: [], warnings: ['This adapter does not implement skill sync yet.'] };
  assert.deepEqual(await s.ok('GET', `/agents/${a.id}/skills`), empty);
  const sync = (body) => s.api('POST', `/agents/${a.id}/skills/sync`, body);
  const wish = (key) => ({ key, versionId: null });
  assert.deepEqual((await sync({ mode: 'add', desiredSkills: ['one', { key: 'two', versionId: null }] })).json, { ...empty, desiredSkills: ['one', 'two'], desiredSkillEntries: [wish('one'), wish('two')] });
  assert.deepEqual((await sync({ mode: 'add', desiredSkills: ['two', 'three'] })).json.desiredSkills, ['one', 'two', 'three']);
  assert.deepEqual((await sync({ mode: 'remove', desiredSkills: ['one', 'none'] })).json.desiredSkills, ['two', 'three']);
  assert.deepEqual((await sync({ mode: 'replace', desiredSkills: ['four'] })).json.desiredSkills, ['four']);
  assert.deepEqual((await s.ok('GET', `/agents/${a.id}/skills`)).desiredSkills, ['four']);
  for (const mode of [undefined, 'zz']) refused(await sync({ mode, desiredSkills: [] }), 422);
  assert.equal((await sync({ mode: 'add', desiredSkills: [{ key: 'x', versionId: 'v1' }] })).status, 400);
  const [rev] = await s.ok('GET', `/agents/${a.id}/config-revisions`);
  assert.deepEqual([rev.source, rev.changedKeys], ['skill-sync', ['adapterConfig']]);
  const [entry] = await activity(s, c, '?limit=1');
  assert.deepEqual([entry.action, entry.details.assignmentMode, entry.details.desiredSkills], ['agent.skills_synced', 'replace', ['four']]);
});

test('the instructions path is a key of adapterConfig, given or the adapter’s own (AR-32)', async () => {
  const c = await company(s);
  const a = await agent(s, c);
  const patch = (body) => s.api('PATCH', `/agents/${a.id}/instructions-path`, body);
  refused(await patch({ path: '/srv/a.md' }), 422);
  refused(await patch({ path: 'a.md', adapterConfigKey: 'instructionsFilePath' }), 422);
  assert.deepEqual((await patch({ path: '/srv/a.md', adapterConfigKey: 'instructionsFilePath' })).json, { agentId: a.id, adapterType: 'process', adapterConfigKey: 'instructionsFilePath', path: '/srv/a.md' });
  await s.ok('PATCH', `/agents/${a.id}`, { adapterConfig: { cwd: '/srv' } });
  assert.equal((await patch({ path: 'b.md', adapterConfigKey: 'instructionsFilePath' })).json.path, '/srv/b.md');
  assert.equal((await s.ok('GET', `/agents/${a.id}`)).adapterConfig.instructionsFilePath, '/srv/b.md');
  assert.equal((await patch({ path: null, adapterConfigKey: 'instructionsFilePath' })).json.path, null);
  assert.equal('instructionsFilePath' in (await s.ok('GET', `/agents/${a.id}`)).adapterConfig, false);
  const [entry] = await activity(s, c, '?limit=1');
  assert.deepEqual([entry.action, entry.details], ['agent.instructions_path_updated', { adapterConfigKey: 'instructionsFilePath', path: null, cleared: true }]);
});

// Projects and their workspaces (WS §2, §3).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, agent, company, key, refused, server } from './harness.mjs';

const s = await server();

test('a project comes with everything that hangs on it (WS-14, WS-15)', async () => {
  const c = await company(s);
  const goal = await s.ok('POST', `/companies/${c.id}/goals`, { title: 'Grow' });
  const lead = await agent(s, c);
  const p = await s.ok('POST', `/companies/${c.id}/projects`, {
    name: 'Proj One', goalIds: [goal.id], leadAgentId: lead.id, targetDate: '2027-01-31', icon: 'rocket',
    executionWorkspacePolicy: { enabled: true, defaultMode: 'isolated_workspace', workspaceStrategy: { type: 'git_worktree', baseRef: 'main' } },
    workspace: { cwd: '/srv/repo', repoRef: 'main' },
  });
  assert.deepEqual([p.urlKey, p.status, p.goalId, p.targetDate, p.archivedAt, p.managedByPlugin], ['proj-one', 'backlog', goal.id, '2027-01-31', null, null]);
  assert.deepEqual([p.goalIds, p.goals], [[goal.id], [{ id: goal.id, title: 'Grow' }]]);
  const [ws] = p.workspaces;
  assert.deepEqual([ws.name, ws.sourceType, ws.visibility, ws.isPrimary, ws.defaultRef, ws.runtimeConfig, ws.runtimeServices],
    ['repo', 'local_path', 'default', true, 'main', null, []]);
  assert.equal(p.primaryWorkspace.id, ws.id);
  assert.deepEqual({ ...p.codebase, managedFolder: null }, { workspaceId: ws.id, repoUrl: null, repoRef: 'main', defaultRef: 'main', repoName: null,
    localFolder: '/srv/repo', managedFolder: null, effectiveLocalFolder: '/srv/repo', origin: 'local_folder' });
  assert.ok(p.codebase.managedFolder.endsWith(`/projects/${c.id}/${p.id}/_default`));
  assert.deepEqual(await s.ok('GET', `/projects/${p.id}`), p);
  assert.deepEqual(await s.ok('GET', `/projects/PROJ-ONE?companyId=${c.id}`), p);
  assert.deepEqual(await s.ok('GET', `/companies/${c.id}/projects`), [p]);
});

test('a name whose key is taken gets a number; other letters get a piece of the id (WS-11, WS-12)', async () => {
  const c = await company(s);
  const make = (name) => s.ok('POST', `/companies/${c.id}/projects`, { name });
  assert.equal((await make('Proj One')).urlKey, 'proj-one');
  const two = await make('Proj one!');
  assert.deepEqual([two.name, two.urlKey], ['Proj one! 2', 'proj-one-2']);
  const other = await make('Größe');
  assert.match(other.urlKey, /^gr-e-[0-9a-f]{8}$/);
  assert.match((await make('漢字')).urlKey, /^[0-9a-f]{8}$/);
  const many = await Promise.all(Array.from({ length: 8 }, () => make('Same')));
  assert.equal(new Set(many.map((p) => p.urlKey)).size, 8);
  const renamed = await s.ok('PATCH', `/projects/${two.id}`, { name: 'Same' });
  assert.equal(renamed.name, 'Same 9');
});

test('ids, keys and companies (WS-13)', async () => {
  const c = await company(s);
  const p = await s.ok('POST', `/companies/${c.id}/projects`, { name: 'Here' });
  const asAgent = s.as(await key(s, await agent(s, c)));
  const asStranger = s.as(await key(s, await agent(s, await company(s))));
  assert.equal((await asAgent('GET', '/projects/here')).json.id, p.id);
  refused(await s.api('GET', '/projects/here'), 404, 'Project not found');
  refused(await s.api('GET', `/projects/nowhere?companyId=${c.id}`), 404, 'Project not found');
  refused(await s.api('GET', `/projects/${NOBODY}`), 404, 'Project not found');
  refused(await asStranger('GET', `/projects/${p.id}`), 404, 'Project not found');
  refused(await asStranger('PATCH', `/projects/${p.id}`, { name: 'Mine' }), 404, 'Project not found');
});

test('the list hides what is archived, unless asked (WS-18, WS-19)', async () => {
  const c = await company(s);
  const p = await s.ok('POST', `/companies/${c.id}/projects`, { name: 'Old' });
  await s.ok('PATCH', `/projects/${p.id}`, { archivedAt: '2026-01-01T00:00:00Z' });
  assert.deepEqual(await s.ok('GET', `/companies/${c.id}/projects`), []);
  assert.equal((await s.ok('GET', `/companies/${c.id}/projects?includeArchived=true`))[0].archivedAt, '2026-01-01T00:00:00.000Z');
  assert.equal((await s.ok('PATCH', `/projects/${p.id}`, { archivedAt: null })).archivedAt, null);
});

test('bad bodies and dangling references are named (WS-16, IS-7 BETTER)', async () => {
  const c = await company(s);
  const path = `/companies/${c.id}/projects`;
  const e = refused(await s.api('POST', path, { name: 'x', executionWorkspacePolicy: { enabled: true, color: 'red' } }), 400, 'Validation error');
  assert.deepEqual([e.details[0].code, e.details[0].keys, e.details[0].path], ['unrecognized_keys', ['color'], ['executionWorkspacePolicy']]);
  refused(await s.api('POST', path, {}), 400);
  refused(await s.api('POST', path, { name: 'x', status: 'gone' }), 400);
  refused(await s.api('POST', path, { name: 'x', icon: 'crown?' }), 400);
  refused(await s.api('POST', path, { name: 'x', targetDate: 'tomorrow' }), 400);
  refused(await s.api('POST', path, { name: 'x', env: { A: 3 } }), 400);
  refused(await s.api('POST', path, { name: 'x', goalIds: [NOBODY] }), 422, 'goalIds not found in company');
  refused(await s.api('POST', path, { name: 'x', leadAgentId: NOBODY }), 422, 'leadAgentId not found in company');
  refused(await s.api('POST', path, { name: 'x', workspace: {} }), 400);
  assert.deepEqual(await s.ok('GET', path), []); // nothing was left half made
  const bad = await s.api('POST', path, { name: 'Half', workspace: { sourceType: 'local_path', cwd: ' ', repoUrl: ' ' } });
  assert.equal(bad.status, 400);
  assert.deepEqual(await s.ok('GET', path), []);
});

test('env is normalised and masked for agents (WS-17, AR-20)', async () => {
  const c = await company(s);
  const p = await s.ok('POST', `/companies/${c.id}/projects`, { name: 'E', env: { API_KEY: 'abc', FOO: 'bar' } });
  assert.deepEqual(p.env, { API_KEY: { type: 'plain', value: 'abc' }, FOO: { type: 'plain', value: 'bar' } });
  const seen = (await s.as(await key(s, await agent(s, c)))('GET', `/projects/${p.id}`)).json;
  assert.deepEqual(seen.env, { API_KEY: { type: 'plain', value: '***REDACTED***' }, FOO: { type: 'plain', value: 'bar' } });
  refused(await s.api('PATCH', `/projects/${p.id}`, { env: seen.env }), 422, 'Refusing to persist redacted placeholder for key: API_KEY');
  assert.equal((await s.ok('PATCH', `/projects/${p.id}`, { env: null })).env, null);
});

test('the policy is replaced as a whole; goals change as a list (WS-18)', async () => {
  const c = await company(s);
  const [a, b] = [await s.ok('POST', `/companies/${c.id}/goals`, { title: 'a' }), await s.ok('POST', `/companies/${c.id}/goals`, { title: 'b' })];
  const p = await s.ok('POST', `/companies/${c.id}/projects`, { name: 'P', goalId: a.id, executionWorkspacePolicy: { enabled: true, defaultMode: 'shared_workspace' } });
  assert.deepEqual(p.goalIds, [a.id]);
  const q = await s.ok('PATCH', `/projects/${p.id}`, { executionWorkspacePolicy: { enabled: false }, goalIds: [b.id, a.id] });
  assert.deepEqual(q.executionWorkspacePolicy, { enabled: false });
  assert.deepEqual([q.goalIds, q.goalId], [[b.id, a.id], b.id]);
  assert.deepEqual((await s.ok('PATCH', `/projects/${p.id}`, { goalIds: [] })).goalIds, []);
});

test('a project with issues is not deleted, an empty one is (WS-20 BETTER)', async () => {
  const c = await company(s);
  const p = await s.ok('POST', `/companies/${c.id}/projects`, { name: 'Busy', workspace: { cwd: '/tmp' } });
  assert.equal((await s.ok('DELETE', `/projects/${p.id}`)).id, p.id);
  refused(await s.api('GET', `/projects/${p.id}`), 404);
  const asAgent = s.as(await key(s, await agent(s, c)));
  const q = await s.ok('POST', `/companies/${c.id}/projects`, { name: 'Other' });
  refused(await asAgent('DELETE', `/projects/${q.id}`), 403, 'Board access required');
});

test('workspaces: names, types and the one primary (WS-22…26)', async () => {
  const c = await company(s);
  const p = await s.ok('POST', `/companies/${c.id}/projects`, { name: 'W' });
  const path = `/projects/${p.id}/workspaces`;
  const a = await s.ok('POST', path, { repoUrl: 'https://example.org/team/tool.git' });
  assert.deepEqual([a.name, a.sourceType, a.isPrimary], ['tool', 'git_repo', true]);
  const b = await s.ok('POST', path, { cwd: '/srv/other/', setupCommand: '  ' });
  assert.deepEqual([b.name, b.sourceType, b.isPrimary, b.setupCommand], ['other', 'local_path', false, null]);
  const r = await s.ok('POST', path, { remoteWorkspaceRef: 'ref-1', remoteProvider: 'far', isPrimary: true });
  assert.deepEqual([r.sourceType, r.isPrimary], ['remote_managed', true]);
  assert.deepEqual((await s.ok('GET', path)).map((w) => [w.id, w.isPrimary]), [[r.id, true], [a.id, false], [b.id, false]]);
  refused(await s.api('POST', path, { remoteWorkspaceRef: 'ref-1', remoteProvider: 'far' }), 409);

  assert.equal((await s.ok('PATCH', `${path}/${b.id}`, { cwd: '/srv/third' })).name, 'third'); // re-derived
  assert.equal((await s.ok('PATCH', `${path}/${b.id}`, { cwd: '/srv/fourth', name: 'Kept' })).name, 'Kept');
  assert.equal((await s.ok('PATCH', `${path}/${r.id}`, { isPrimary: false })).isPrimary, false);
  assert.deepEqual((await s.ok('GET', path)).filter((w) => w.isPrimary).map((w) => w.id), [a.id]); // the oldest other
  await s.ok('DELETE', `${path}/${a.id}`);
  assert.equal((await s.ok('GET', `/projects/${p.id}`)).primaryWorkspace.id, b.id);

  refused(await s.api('POST', path, {}), 400);
  refused(await s.api('POST', path, { sourceType: 'remote_managed', cwd: '/x' }), 400);
  refused(await s.api('POST', path, { cwd: 'relative' }), 400);
  assert.equal(refused(await s.api('POST', path, { repoUrl: 'nope' }), 400).details[0].validation, 'url');
  refused(await s.api('PATCH', `${path}/${b.id}`, { cwd: null }), 422, 'Invalid project workspace payload');
  for (const id of ['zzz', NOBODY]) refused(await s.api('PATCH', `${path}/${id}`, {}), 404, 'Project workspace not found');
});

test('runtimeConfig lives in the metadata and outlives it (WS-23)', async () => {
  const c = await company(s);
  const p = await s.ok('POST', `/companies/${c.id}/projects`, { name: 'R', workspace: { cwd: '/tmp', runtimeConfig: { desiredState: 'running' }, metadata: { a: 1 } } });
  const [ws] = p.workspaces;
  assert.deepEqual([ws.runtimeConfig, ws.metadata], [{ desiredState: 'running' }, { a: 1, runtimeConfig: { desiredState: 'running' } }]);
  const path = `/projects/${p.id}/workspaces/${ws.id}`;
  assert.deepEqual((await s.ok('PATCH', path, { metadata: { b: 2 } })).runtimeConfig, { desiredState: 'running' });
  assert.equal((await s.ok('PATCH', path, { runtimeConfig: null })).runtimeConfig, null);
});

test('agents never write what the host would run (WS-29)', async () => {
  const c = await company(s);
  const asAgent = s.as(await key(s, await agent(s, c)));
  const p = (await asAgent('POST', `/companies/${c.id}/projects`, { name: 'Mine', workspace: { repoUrl: 'https://example.org/a/b' } })).json;
  assert.equal(p.workspaces[0].name, 'b');
  const path = `/projects/${p.id}/workspaces/${p.workspaces[0].id}`;
  for (const body of [{ cleanupCommand: null }, { setupCommand: 'x' }, { cwd: '/etc' }, { runtimeConfig: {} }])
    refused(await asAgent('PATCH', path, body), 403, `Agent keys cannot modify host-executed workspace commands (${Object.keys(body)[0]}).`);
  refused(await asAgent('PATCH', `/projects/${p.id}`, { executionWorkspacePolicy: { enabled: true, workspaceStrategy: { provisionCommand: 'x' } } }), 403,
    'Agent keys cannot modify host-executed workspace commands (executionWorkspacePolicy.workspaceStrategy.provisionCommand).');
});

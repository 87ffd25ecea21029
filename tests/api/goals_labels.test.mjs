// Goals (GV-25…28) and labels (IS-139).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, agent, company, key, refused, server } from './harness.mjs';

const s = await server();

test('a goal has its defaults, and any actor of the company may change it (GV-25, GV-26)', async () => {
  const c = await company(s);
  const a = await agent(s, c);
  const asAgent = s.as(await key(s, a));
  const g = await s.ok('POST', `/companies/${c.id}/goals`, { title: 'Ship it' });
  assert.deepEqual(Object.keys(g), ['id', 'companyId', 'title', 'description', 'level', 'status', 'parentId', 'ownerAgentId', 'createdAt', 'updatedAt']);
  assert.deepEqual([g.level, g.status, g.parentId], ['task', 'planned', null]);
  const p = await asAgent('PATCH', `/goals/${g.id}`, { status: 'achieved', ownerAgentId: a.id });
  assert.deepEqual([p.status, p.json.status, p.json.ownerAgentId], [200, 'achieved', a.id]);
  assert.equal((await s.ok('PATCH', `/goals/${g.id}`, { status: 'planned' })).status, 'planned'); // no state machine
  assert.deepEqual((await s.ok('GET', `/companies/${c.id}/goals`)).map((x) => x.id), [g.id]);
  assert.equal((await s.ok('GET', `/goals/${g.id}`)).title, 'Ship it');
});

test('a goal refers only to its own company, and closes no circle (GV-27 BETTER)', async () => {
  const c = await company(s);
  const far = await s.ok('POST', `/companies/${(await company(s)).id}/goals`, { title: 'far' });
  const path = `/companies/${c.id}/goals`;
  const a = await s.ok('POST', path, { title: 'a' });
  const b = await s.ok('POST', path, { title: 'b', parentId: a.id });
  const e = refused(await s.api('POST', path, { title: 'x', parentId: far.id }), 422, 'parentId not found in company');
  assert.deepEqual(e.details, { field: 'parentId', id: far.id });
  refused(await s.api('POST', path, { title: 'x', ownerAgentId: NOBODY }), 422, 'ownerAgentId not found in company');
  refused(await s.api('PATCH', `/goals/${a.id}`, { parentId: b.id }), 422, 'A goal cannot be its own ancestor');
  refused(await s.api('PATCH', `/goals/${a.id}`, { parentId: a.id }), 422);
  refused(await s.api('POST', path, { title: '' }), 400);
  refused(await s.api('POST', path, { title: 'x', level: 'galaxy' }), 400);
  for (const id of ['zzz', NOBODY]) refused(await s.api('GET', `/goals/${id}`), 404, 'Goal not found');
});

test('a deleted goal leaves no reference behind (GV-27 BETTER)', async () => {
  const c = await company(s);
  const a = await s.ok('POST', `/companies/${c.id}/goals`, { title: 'a' });
  const b = await s.ok('POST', `/companies/${c.id}/goals`, { title: 'b', parentId: a.id });
  const p = await s.ok('POST', `/companies/${c.id}/projects`, { name: 'p', goalIds: [a.id, b.id] });
  assert.equal((await s.ok('DELETE', `/goals/${a.id}`)).id, a.id);
  assert.equal((await s.ok('GET', `/goals/${b.id}`)).parentId, null);
  const q = await s.ok('GET', `/projects/${p.id}`);
  assert.deepEqual([q.goalIds, q.goalId], [[b.id], null]);
});

test('goals of another company are out of sight (GV-6)', async () => {
  const asAgent = s.as(await key(s, await agent(s, await company(s))));
  const far = await company(s);
  const g = await s.ok('POST', `/companies/${far.id}/goals`, { title: 'far' });
  refused(await asAgent('GET', `/goals/${g.id}`), 404, 'Goal not found');
  refused(await asAgent('GET', `/companies/${far.id}/goals`), 403, 'Agent key cannot access another company');
});

test('labels are unique by name, sorted by name, and any agent may make them (IS-139)', async () => {
  const c = await company(s);
  const asAgent = s.as(await key(s, await agent(s, c)));
  const path = `/companies/${c.id}/labels`;
  const bug = await s.ok('POST', path, { name: '  bug ', color: '#ff0000' });
  assert.deepEqual(Object.keys(bug), ['id', 'companyId', 'name', 'color', 'createdAt', 'updatedAt']);
  assert.equal(bug.name, 'bug');
  assert.equal((await asAgent('POST', path, { name: 'area', color: '#00FF00' })).status, 201);
  refused(await s.api('POST', path, { name: 'bug', color: '#000000' }), 409);
  refused(await s.api('POST', path, { name: ' ', color: '#000000' }), 400);
  refused(await s.api('POST', path, { name: 'x'.repeat(49), color: '#000000' }), 400);
  assert.deepEqual(refused(await s.api('POST', path, { name: 'x', color: 'red' }), 400).details[0].path, ['color']);
  assert.deepEqual((await s.ok('GET', path)).map((l) => l.name), ['area', 'bug']);
  assert.equal((await s.ok('DELETE', `/labels/${bug.id}`)).id, bug.id);
  refused(await s.api('DELETE', `/labels/${bug.id}`), 404, 'Label not found');
  refused(await s.api('DELETE', '/labels/zzz'), 404, 'Label not found');
});

// Keys that may do less than their agent: task bridges and skill tests (AO-44, AR-19, AR-22).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activity, agent, company, refused, server } from './harness.mjs';

const s = await server();
const c = await company(s);
const a = await agent(s, c);
const other = await agent(s, c);
const project = await s.ok('POST', `/companies/${c.id}/projects`, { name: 'Bridge' });
const issue = (body) => s.ok('POST', `/companies/${c.id}/issues`, body);
const inside = await issue({ title: 'Inside', projectId: project.id });
const outside = await issue({ title: 'Outside' });
const below = await issue({ title: 'Below', parentId: outside.id });
const made = (scope) => s.api('POST', `/agents/${a.id}/keys`, { name: 'narrow', scope });
const denied = (r) => assert.equal(refused(r, 403).code, 'issue_write_actor_class_excluded');

test('a scope is known and whole (AR-22)', async () => {
  assert.deepEqual((await made({ kind: 'zz' })).json.details.map((d) => [d.code, d.path, d.options]), [['invalid_union_discriminator', ['scope', 'kind'], ['standard', 'task_bridge', 'skill_test']]]);
  assert.equal((await made({ kind: 'task_bridge' })).json.details[0].code, 'custom');
  assert.deepEqual((await made({ kind: 'skill_test' })).json.details.map((d) => [d.code, d.path]), [['invalid_type', ['scope', 'issueId']]]);
  const scope = { kind: 'task_bridge', projectId: project.id };
  const key = (await made(scope)).json;
  assert.deepEqual(key.scope, scope);
  assert.deepEqual((await s.ok('GET', `/agents/${a.id}/keys`)).find((k) => k.id === key.id).scope, scope);
  assert.deepEqual((await activity(s, c, '?limit=1'))[0].details.scope, scope);
});

test('a task bridge reads and makes tasks inside its bounds, and nothing else (AO-44, AR-19)', async () => {
  const scope = { kind: 'task_bridge', projectIds: [project.id], parentIssueId: outside.id, allowedAssigneeAgentIds: [a.id] };
  const as = s.as((await made(scope)).json.token);
  assert.deepEqual((await as('GET', '/agents/me')).json, { id: a.id, companyId: c.id, name: a.name, role: a.role, title: null, status: 'idle', keyScope: scope });
  for (const i of [inside, outside, below]) {
    assert.equal((await as('GET', `/issues/${i.id}`)).status, 200, i.title);
    assert.equal((await as('GET', `/issues/${i.identifier}/comments`)).status, 200);
  }
  const far = await issue({ title: 'Far' });
  denied(await as('GET', `/issues/${far.id}`));
  denied(await as('GET', `/companies/${c.id}/issues`));
  denied(await as('GET', `/agents/${a.id}`));
  denied(await as('PATCH', `/issues/${inside.id}`, { priority: 'low' }));
  assert.equal((await as('POST', `/companies/${c.id}/issues`, { title: 'In project', projectId: project.id })).status, 201);
  assert.equal((await as('POST', `/companies/${c.id}/issues`, { title: 'Deep', parentId: below.id })).status, 201);
  denied(await as('POST', `/companies/${c.id}/issues`, { title: 'Nowhere' }));
  denied(await as('POST', `/companies/${c.id}/issues`, { title: 'Below far', parentId: far.id, projectId: project.id }));
  denied(await as('POST', `/companies/${c.id}/issues`, { title: 'To another', projectId: project.id, assigneeAgentId: other.id }));
  denied(await as('POST', `/issues/${inside.id}/children`, { title: 'To another', assigneeAgentId: other.id }));
});

test('a skill test has its one issue (AO-44, IS-23)', async () => {
  const as = s.as((await made({ kind: 'skill_test', issueId: inside.id })).json.token);
  assert.equal((await as('GET', `/issues/${inside.id}`)).status, 200);
  assert.equal((await as('GET', '/agents/me')).json.adapterType, 'process');
  denied(await as('GET', `/issues/${outside.id}`));
  denied(await as('POST', `/companies/${c.id}/issues`, { title: 'x' }));
  denied(await as('POST', `/issues/${inside.id}/children`, { title: 'x' }));
  denied(await as('GET', '/agents/me/inbox-lite'));
});

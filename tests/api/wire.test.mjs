// The wire below the routes: paths, methods, repeated parameters and the shape of refusals, as clients know them.

import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { NOBODY, agent, company, refused, server } from './harness.mjs';

const s = await server();
const c = await company(s);

/* A request whose path goes out as it is; fetch would normalise it. */
const raw = (method, path) =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(s.url);
    const r = http.request({ hostname, port, method, path }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (d) => (text += d)).on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    r.on('error', reject).end();
  });

test('an escaped slash parts no segments, and is a slash in the parameter (AO-161: clients encode segments)', async () => {
  assert.equal((await raw('GET', `/api/companies/${c.id}`)).status, 200);
  for (const path of [`/api/companies%2F${c.id}`, `/api%2fcompanies/${c.id}`, `/api/companies/${c.id}%2Fagents`, '%2Fapi/companies']) {
    const r = await raw('GET', path);
    assert.ok([400, 404].includes(r.status), `${path}: ${r.status} ${r.text.slice(0, 80)}`);
  }
  assert.deepEqual(JSON.parse((await raw('GET', '/api/adapters/a%2Fb')).text), { error: 'Adapter "a/b" is not registered.' });
  assert.equal((await raw('GET', `/api/%63ompanies/${c.id}`)).status, 200, 'any other escape is the character');
});

test('OPTIONS names the methods of a path, and an unknown path is unknown (AO-25)', async () => {
  const r = await raw('OPTIONS', `/api/companies/${c.id}`);
  assert.equal(r.status, 200);
  assert.deepEqual(r.headers.allow.split(', ').sort(), ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH']);
  assert.equal(r.headers['access-control-allow-origin'], undefined);
  const unknown = await raw('OPTIONS', '/api/nothing');
  assert.equal(unknown.status, 404);
  assert.deepEqual(JSON.parse(unknown.text), { error: 'API route not found' });
});

test('a status filter is a comma list, given once or several times (IS §7)', async () => {
  for (const status of ['todo', 'in_review', 'done', 'backlog']) await s.ok('POST', `/companies/${c.id}/issues`, { title: status, status });
  const found = async (q) => (await s.ok('GET', `/companies/${c.id}/issues?${q}`)).map((i) => i.status).sort();
  assert.deepEqual(await found('status=todo&status=done'), ['done', 'todo']);
  assert.deepEqual(await found('status=todo,%20done&status=in_review'), ['done', 'in_review', 'todo']);
  assert.deepEqual(await found('status=nonsense'), []);
});

test('a machine code stands at the top and in the details (IS-4 BETTER)', async () => {
  const a = await agent(s, c);
  const { token } = await s.ok('POST', `/agents/${a.id}/keys`, {});
  const r = refused(await s.as(token)('POST', `/companies/${c.id}/issues`, { title: 'x', responsibleUserId: 'u' }), 422, 'Agent-created issues cannot set responsibleUserId');
  assert.equal(r.code, 'issue_write_attribution_spoof_rejected');
  assert.equal(r.details.code, r.code);
});

test('a wrong tag of a union and a wrong literal have their own shapes (IS-5)', async () => {
  const issue = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Talk' });
  const said = async (metadata) => (await s.api('POST', `/issues/${issue.id}/comments`, { body: 'x', metadata })).json;
  const row = (o) => ({ version: 1, sections: [{ rows: [o] }] });
  assert.deepEqual(await said({ version: 2, sections: [{ rows: [{ type: 'text', text: 'a' }] }] }), {
    error: 'Validation error',
    details: [{ code: 'invalid_literal', expected: 1, received: 2, path: ['metadata', 'version'], message: 'Invalid literal value, expected 1' }],
  });
  assert.deepEqual((await said(row({ type: 'zz' }))).details, [
    {
      code: 'invalid_union_discriminator',
      options: ['text', 'code', 'key_value', 'issue_link', 'agent_link', 'run_link'],
      path: ['metadata', 'sections', 0, 'rows', 0, 'type'],
      message: "Invalid discriminator value. Expected 'text' | 'code' | 'key_value' | 'issue_link' | 'agent_link' | 'run_link'",
    },
  ]);
  assert.deepEqual((await said(row({ type: 'text', text: 'a', more: 1 }))).details.map((d) => [d.code, d.keys]), [['unrecognized_keys', ['more']]]);
  assert.deepEqual((await said(row({ type: 'key_value', label: 'a' }))).details.map((d) => [d.code, d.path.at(-1)]), [['invalid_type', 'value']]);
  assert.deepEqual((await said(row({ type: 'issue_link' }))).details.map((d) => d.code), ['custom']);
  const good = row({ type: 'issue_link', identifier: issue.identifier });
  assert.deepEqual((await s.ok('POST', `/issues/${issue.id}/comments`, { body: 'x', metadata: good })).metadata, good);
});

test('text pages refuse in text, and permission in JSON (AO-123)', async () => {
  const r = await s.api('GET', '/llms/agent-configuration/nope.txt');
  assert.equal(r.status, 404);
  assert.match(r.headers.get('content-type'), /^text\/plain/);
});

test('an unknown run touched no issues (GV-97)', async () => {
  const r = await s.api('GET', `/heartbeat-runs/${NOBODY}/issues`);
  assert.equal(r.status, 200);
  assert.deepEqual(r.json, []);
});

test('an id is the same id in capitals (IS-1)', async () => {
  const a = await agent(s, c);
  const issue = await s.ok('POST', `/companies/${c.id.toUpperCase()}/issues`, { title: 'Loud', assigneeUserId: 'local-board' });
  assert.equal((await s.ok('GET', `/companies/${c.id.toUpperCase()}`)).id, c.id);
  assert.equal((await s.ok('GET', `/agents/${a.id.toUpperCase()}`)).id, a.id);
  assert.equal((await s.ok('GET', `/issues/${issue.id.toUpperCase()}`)).id, issue.id);
  assert.equal((await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Child', parentId: issue.id.toUpperCase() })).parentId, issue.id);
  assert.deepEqual((await s.ok('GET', `/companies/${c.id}/issues?parentId=${issue.id.toUpperCase()}`)).map((i) => i.title), ['Child']);
});

test('who answers interactions is set by known kinds and policies only (GV-10)', async () => {
  const patch = (g) => s.api('PATCH', `/companies/${c.id}`, { interactionResolverGovernance: g });
  assert.deepEqual((await patch({ zz: {} })).json.details.map((d) => [d.code, d.path]), [['unrecognized_keys', ['interactionResolverGovernance']]]);
  assert.equal((await patch({ suggest_tasks: { cap: 'nobody' } })).json.details[0].code, 'invalid_enum_value');
  assert.deepEqual((await patch({ suggest_tasks: { cap: 'human_only' } })).json.interactionResolverGovernance, { suggest_tasks: { cap: 'human_only' } });
  const shared = await s.ok('PATCH', `/companies/${c.id}`, { feedbackDataSharingEnabled: true });
  assert.equal(typeof shared.feedbackDataSharingTermsVersion, 'string');
  assert.equal(shared.feedbackDataSharingConsentByUserId, 'local-board');
});

test('there are no plugins, no cloud and no development server here (AO §16)', async () => {
  for (const path of ['/plugins', '/plugins/examples', '/plugins/ui-contributions', '/plugins/tools']) assert.deepEqual(await s.ok('GET', path), []);
  refused(await s.api('GET', '/cloud/stacks'), 404, 'Cloud stack portfolio is unavailable');
  refused(await s.api('POST', '/health/dev-server/restart'), 404, 'dev_server_supervisor_unavailable');
});

test('issues with a plan, and without one (IS §7)', async () => {
  const d = await company(s);
  const planned = await s.ok('POST', `/companies/${d.id}/issues`, { title: 'Planned' });
  await s.ok('POST', `/companies/${d.id}/issues`, { title: 'Open' });
  await s.ok('PUT', `/issues/${planned.id}/documents/plan`, { title: 'Plan', format: 'markdown', body: '# Plan' });
  const found = async (q) => (await s.ok('GET', `/companies/${d.id}/issues?hasPlanDocument=${q}`)).map((i) => i.title);
  for (const yes of ['true', '1']) assert.deepEqual(await found(yes), ['Planned']);
  for (const no of ['false', '0']) assert.deepEqual(await found(no), ['Open']);
  assert.equal((await s.api('GET', `/companies/${d.id}/issues?hasPlanDocument=maybe`)).status, 400);
});

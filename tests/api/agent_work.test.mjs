// Agents amid their work: what ending one does to runs, issues and comments (AR-10, AR-16, AR-26).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activity, agent, company, eventually, key, refused, server } from './harness.mjs';

const s = await server();
const SLEEPER = { adapterConfig: { command: '/bin/sleep', args: ['60'] } };
const run = (id) => s.ok('GET', `/heartbeat-runs/${id}`);

test('terminating stops all work below and revokes the keys (AR-16)', async () => {
  const c = await company(s);
  const boss = await agent(s, c, { name: 'Boss' });
  const dev = await agent(s, c, { name: 'Dev', reportsTo: boss.id, ...SLEEPER });
  const token = await key(s, boss);
  assert.equal((await s.as(token)('GET', '/agents/me')).status, 200);
  const r = await s.ok('POST', `/agents/${dev.id}/heartbeat/invoke`, {});
  await s.ok('POST', `/agents/${boss.id}/terminate`, {});
  assert.equal((await s.as(token)('GET', '/agents/me')).status, 401);
  assert.ok((await s.ok('GET', `/agents/${boss.id}/keys`)).every((k) => k.revokedAt));
  const seen = await s.ok('GET', `/agents/${dev.id}`);
  assert.notEqual(seen.status, 'terminated');
  assert.equal(seen.orgChainHealth.reason, 'terminated_ancestor');
  const ended = await run(r.id);
  assert.deepEqual([ended.status, ended.errorCode], ['cancelled', 'agent_terminated']);
});

test('pausing cancels what runs and what waits (AR-10)', async () => {
  const a = await agent(s, await company(s), SLEEPER);
  const first = await s.ok('POST', `/agents/${a.id}/heartbeat/invoke`, {});
  await s.ok('POST', `/agents/${a.id}/pause`, {});
  const ended = await run(first.id);
  assert.deepEqual([ended.status, ended.errorCode], ['cancelled', 'agent_paused']);
  assert.equal((await s.ok('GET', `/agents/${a.id}`)).status, 'paused');
});

test('a deleted agent leaves its comments, signed, and its issues to others (AR-16 BETTER)', async () => {
  const c = await company(s);
  const a = await agent(s, c, { name: 'Leaver' });
  const below = await agent(s, c, { reportsTo: a.id });
  const issue = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Half done', assigneeAgentId: a.id, status: 'backlog' });
  const token = await key(s, a);
  const mine = await s.ok('POST', `/agents/${a.id}/heartbeat/invoke`, { payload: { issueId: issue.id } });
  const note = await s.as(token, mine.id)('POST', `/issues/${issue.id}/comments`, { body: 'I was here' });
  assert.equal(note.status, 201, note.text);
  await eventually(async () => (await s.api('DELETE', `/agents/${a.id}`)).status === 200, { message: 'the agent is never deleted' });
  refused(await s.api('GET', `/agents/${a.id}`), 404);
  assert.equal((await s.ok('GET', `/agents/${below.id}`)).reportsTo, null);
  assert.equal((await s.ok('GET', `/issues/${issue.id}`)).assigneeAgentId, null);
  const [kept] = await s.ok('GET', `/issues/${issue.id}/comments`);
  assert.equal(kept.body, 'I was here');
  assert.equal(kept.authorAgentId, null);
  assert.equal(kept.metadata.sections.at(-1).rows[0].value, 'Leaver');
});

test('an agent is deleted only once its process is gone (AR-16 BETTER)', async () => {
  const a = await agent(s, await company(s), SLEEPER);
  const r = await s.ok('POST', `/agents/${a.id}/heartbeat/invoke`, {});
  await eventually(async () => (await run(r.id)).processPid, { message: 'the run never starts' });
  const first = await s.api('DELETE', `/agents/${a.id}`);
  if (first.status !== 200) {
    assert.equal(refused(first, 409).code, 'agent_runs_stopping');
    assert.equal((await s.ok('GET', `/agents/${a.id}`)).status, 'terminated'); // the refusal is kept
  }
  await eventually(async () => first.status === 200 || (await s.api('DELETE', `/agents/${a.id}`)).status === 200);
  refused(await s.api('GET', `/agents/${a.id}`), 404);
});

test('every change is in the activity log (AR §20)', async () => {
  const c = await company(s);
  const a = await agent(s, c, { name: 'Seen' });
  await s.ok('PATCH', `/agents/${a.id}`, { title: 'T', adapterConfig: { cwd: '/tmp' } });
  const k = await s.ok('POST', `/agents/${a.id}/keys`, {});
  await s.ok('DELETE', `/agents/${a.id}/keys/${k.id}`);
  await s.ok('POST', `/agents/${a.id}/pause`);
  await s.ok('POST', `/agents/${a.id}/resume`);
  const rows = await activity(s, c, `?entityType=agent&entityId=${a.id}`);
  assert.deepEqual(rows.map((e) => e.action), ['agent.resumed', 'agent.paused', 'agent.key_revoked', 'agent.key_created', 'agent.updated', 'agent.created']);
  const updated = rows.find((e) => e.action === 'agent.updated');
  assert.deepEqual(updated.details, { changedTopLevelKeys: ['adapterConfig', 'title'], changedAdapterConfigKeys: ['cwd'] });
});
test('the inbox lists my open issues with what blocks them (AR-26)', async () => {
  const c = await company(s);
  const dev = await agent(s, c);
  const asDev = s.as(await key(s, dev));
  const first = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'First', status: 'todo', priority: 'low' });
  const mine = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Mine', status: 'todo', assigneeAgentId: dev.id, blockedByIssueIds: [first.id] });
  await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Later', status: 'backlog', assigneeAgentId: dev.id });
  const inbox = (await asDev('GET', '/agents/me/inbox-lite')).json;
  assert.deepEqual(inbox.map((i) => i.id), [mine.id]);
  assert.deepEqual(Object.keys(inbox[0]).sort(), ['activeRecoveryAction', 'activeRun', 'dependencyReady', 'goalId', 'id', 'identifier', 'parentId', 'priority',
    'projectId', 'status', 'title', 'unresolvedBlockerCount', 'unresolvedBlockerIssueIds', 'updatedAt']);
  assert.deepEqual([inbox[0].dependencyReady, inbox[0].unresolvedBlockerCount, inbox[0].unresolvedBlockerIssueIds], [false, 1, [first.id]]);
});


test('a project with issues is not deleted (WS-20 BETTER)', async () => {
  const c = await company(s);
  const p = await s.ok('POST', `/companies/${c.id}/projects`, { name: 'Busy' });
  await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Work', projectId: p.id });
  const e = refused(await s.api('DELETE', `/projects/${p.id}`), 409);
  assert.deepEqual([e.code, e.details.issueCount], ['project_not_empty', 1]);
});

// A person's inbox: what is read, put away, dismissed and ordered (IS-60, IS-72, IS-129…131, AR-27, GV-101, GV-102, GV-104).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activity, agent, company, eventually, key, refused, server } from './harness.mjs';
import { ran, shell } from './kit.mjs';

const s = await server();
const INBOX = 'touchedByUserId=me&inboxArchivedByUserId=me&status=backlog,todo,in_progress,in_review,blocked,done';
const issue = (c, title, body = {}) => s.ok('POST', `/companies/${c.id}/issues`, { title, ...body });
const titles = async (c, q) => (await s.ok('GET', `/companies/${c.id}/issues?${q}`)).map((i) => i.title).sort();

/* A run that comments on the issue it was woken for. */
const talker = (c, words) =>
  shell(s, c, `printf "Authorization: Bearer %s\\n" "$PAPERCLIP_API_KEY" | curl -sS -X POST -H @- -H "X-Paperclip-Run-Id: $PAPERCLIP_RUN_ID"` +
    ` -H "content-type: application/json" -d '{"body":"${words}"}' "$PAPERCLIP_API_URL/api/issues/$PAPERCLIP_TASK_ID/comments"`);

test('an archived issue leaves the inbox until a person must see it (IS-72, IS-130)', async () => {
  const c = await company(s);
  const a = await issue(c, 'A');
  await issue(c, 'B');
  const row = await s.ok('POST', `/issues/${a.identifier}/inbox-archive`);
  assert.deepEqual(Object.keys(row).sort(), ['archivedAt', 'archivedByActorType', 'archivedByAgentId', 'archivedByRunId', 'companyId', 'createdAt', 'id', 'issueId', 'updatedAt', 'userId']);
  assert.deepEqual([row.userId, row.issueId, row.archivedByActorType], ['local-board', a.id, 'user']);
  assert.deepEqual(await titles(c, INBOX), ['B']);
  assert.deepEqual(await titles(c, 'touchedByUserId=me'), ['A', 'B'], 'without the inbox filter all is shown');
  assert.equal((await s.ok('GET', `/issues/${a.id}`)).archivedAt, row.archivedAt);
  const [entry] = await activity(s, c, '?limit=1');
  assert.deepEqual([entry.action, entry.details.userId, entry.details.targetResolvedFrom], ['issue.inbox_archived', 'local-board', 'actor']);

  await s.ok('PATCH', `/issues/${a.id}`, { priority: 'low' });
  assert.deepEqual(await titles(c, INBOX), ['B'], 'a change that waits for nobody does not bring it back');
  assert.equal((await s.ok('GET', `/issues/${a.id}`)).archivedAt, undefined, 'but the archive is older than the last activity');
  await s.ok('PATCH', `/issues/${a.id}`, { status: 'in_review' });
  assert.deepEqual(await titles(c, INBOX), ['A', 'B']);
  await s.ok('POST', `/issues/${a.id}/inbox-archive`);
  assert.deepEqual(await titles(c, INBOX), ['B']);
  await s.ok('POST', `/issues/${a.id}/interactions`, { kind: 'request_confirmation', payload: { version: 1, prompt: 'Go?' } });
  assert.deepEqual(await titles(c, INBOX), ['A', 'B'], 'a question does');

  await s.ok('POST', `/issues/${a.id}/inbox-archive`, {});
  assert.equal((await s.ok('DELETE', `/issues/${a.id}/inbox-archive`)).issueId, a.id, 'the removed row');
  assert.deepEqual(await s.ok('DELETE', `/issues/${a.id}/inbox-archive`), { ok: true, userId: 'local-board' });
  assert.equal((await s.api('POST', `/issues/${a.id}/inbox-archive`, { more: 1 })).json.details[0].code, 'unrecognized_keys');
});

test('what a person finishes is put away for them (IS-60)', async () => {
  const c = await company(s);
  const a = await issue(c, 'A');
  await s.ok('PATCH', `/issues/${a.id}`, { status: 'done' });
  assert.deepEqual(await titles(c, INBOX), []);
  const entries = (await activity(s, c)).map((e) => [e.action, e.details?.source]);
  assert.deepEqual(entries[0], ['issue.inbox_archived', 'issue_status_done']);
});

test('news is what others said since one last looked (IS-72, IS-129)', async () => {
  const c = await company(s);
  const who = await talker(c, 'a question');
  const a = await issue(c, 'A', { assigneeAgentId: who.id });
  await issue(c, 'B');
  await eventually(async () => (await s.ok('GET', `/issues/${a.id}/comments`)).length > 0, { message: 'the agent never spoke' });
  assert.deepEqual(await titles(c, 'unreadForUserId=me'), ['A']);
  const [row] = await s.ok('GET', `/companies/${c.id}/issues?unreadForUserId=me`);
  assert.deepEqual([row.isUnreadForMe, typeof row.myLastTouchAt, typeof row.lastExternalCommentAt], [true, 'string', 'string']);
  const mark = await s.ok('POST', `/issues/${a.id}/read`);
  assert.deepEqual(Object.keys(mark).sort(), ['companyId', 'createdAt', 'id', 'issueId', 'lastReadAt', 'updatedAt', 'userId']);
  assert.deepEqual(await titles(c, 'unreadForUserId=me'), []);
  assert.equal((await s.ok('GET', `/companies/${c.id}/issues?touchedByUserId=me`)).find((i) => i.id === a.id).isUnreadForMe, false);
  assert.deepEqual(await s.ok('DELETE', `/issues/${a.id}/read`), { id: a.id, removed: true });
  assert.deepEqual(await s.ok('DELETE', `/issues/${a.id}/read`), { id: a.id, removed: false });
  assert.deepEqual(await titles(c, 'unreadForUserId=me'), ['A']);
  const plain = (await s.ok('GET', `/companies/${c.id}/issues`))[0];
  assert.equal('isUnreadForMe' in plain, false, 'only where a person was named');
});

test('an agent reads and tidies the inbox of the person it answers to (AR-27, IS-130)', async () => {
  const c = await company(s);
  const who = s.as(await key(s, await agent(s, c)));
  const a = await issue(c, 'A');
  await issue(c, 'Put away', { status: 'todo' });
  refused(await who('GET', '/agents/me/inbox/mine'), 400);
  const mine = async () => (await who('GET', '/agents/me/inbox/mine?userId=local-board')).json.map((i) => i.title).sort();
  assert.deepEqual(await mine(), ['A', 'Put away']);
  const row = (await who('POST', `/issues/${a.id}/inbox-archive`)).json;
  assert.deepEqual([row.userId, row.archivedByActorType], ['local-board', 'agent']);
  assert.deepEqual(await mine(), ['Put away']);
  assert.equal(refused(await who('POST', `/issues/${a.id}/inbox-archive`, { userId: 'somebody' }), 403).code, 'inbox_cross_user_grant_required');
  refused(await who('POST', `/issues/${a.id}/read`), 403, 'Board access required');
  refused(await who('GET', `/companies/${c.id}/issues?unreadForUserId=me`), 403, 'unreadForUserId=me requires board authentication');
});

test('a dismissed failure counts no more; a snooze must end in the future (GV-101, GV-102)', async () => {
  const c = await company(s);
  const run = await ran(s, await shell(s, c, 'exit 3'));
  const badges = () => s.ok('GET', `/companies/${c.id}/sidebar-badges`);
  assert.equal((await badges()).failedRuns, 1);
  const path = `/companies/${c.id}/inbox-dismissals`;
  const made = await s.api('POST', path, { itemKey: `run:${run.id}` });
  assert.equal(made.status, 201);
  assert.deepEqual([made.json.kind, made.json.snoozedUntil, made.json.userId], ['dismiss', null, 'local-board']);
  assert.equal((await badges()).failedRuns, 0);
  assert.deepEqual((await s.ok('GET', path)).map((d) => d.itemKey), [`run:${run.id}`]);
  const removed = await s.api('DELETE', `${path}/${encodeURIComponent(`run:${run.id}`)}`);
  assert.deepEqual([removed.status, removed.text], [204, '']);
  assert.equal((await badges()).failedRuns, 1);
  await s.ok('POST', path, { itemKey: `run:${run.id}`, kind: 'snooze', snoozedUntil: new Date(Date.now() + 3600e3).toISOString() });
  assert.equal((await badges()).failedRuns, 0);
  for (const body of [{ itemKey: 'x:1' }, { itemKey: 'run:' }, { itemKey: 'run:1', kind: 'snooze' }, { itemKey: 'run:1', kind: 'snooze', snoozedUntil: '2020-01-01T00:00:00Z' }, { itemKey: 'run:1', snoozedUntil: '2099-01-01T00:00:00Z' }])
    assert.equal((await s.api('POST', path, body)).status, 400, JSON.stringify(body));
  const actions = (await activity(s, c)).map((e) => e.action).filter((a) => a.startsWith('inbox.'));
  assert.deepEqual(actions.reverse(), ['inbox.dismissed', 'inbox.restored', 'inbox.snoozed']);
});

test('the sidebar keeps a person’s order, each id once (GV-104)', async () => {
  const c = await company(s);
  const d = await company(s);
  for (const path of ['/sidebar-preferences/me', `/companies/${c.id}/sidebar-preferences/me`]) {
    assert.deepEqual(await s.ok('GET', path), { orderedIds: [], updatedAt: null });
    const put = await s.ok('PUT', path, { orderedIds: [d.id, c.id, d.id] });
    assert.deepEqual(put.orderedIds, [d.id, c.id]);
    assert.deepEqual(await s.ok('GET', path), put);
    assert.deepEqual((await s.ok('PUT', path, { orderedIds: [] })).orderedIds, []);
    assert.equal((await s.api('PUT', path, { orderedIds: ['x'] })).status, 400);
  }
});

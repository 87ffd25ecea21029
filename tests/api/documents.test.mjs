// Documents of an issue: optimistic writes, revisions, locks, and what they void (IS-102…107).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, activity, agent, company, eventually, key, refused, server } from './harness.mjs';
import { shell } from './kit.mjs';

const s = await server();
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, body);
const put = (i, k, body, call = s.api) => call.call(s, 'PUT', `/issues/${i.id}/documents/${k}`, { format: 'markdown', ...body });
const found = async (c, action) => (await activity(s, c)).filter((e) => e.action === action);

test('a document is written with the revision that was read (example 11)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thing' });
  const one = await put(i, 'Plan', { title: 'Plan', body: '# Plan\\nstep' });
  assert.equal(one.status, 201, one.text);
  assert.deepEqual(Object.keys(one.json), ['id', 'companyId', 'issueId', 'key', 'title', 'format', 'body', 'latestRevisionId', 'latestRevisionNumber',
    'createdByAgentId', 'createdByUserId', 'updatedByAgentId', 'updatedByUserId', 'lockedAt', 'lockedByAgentId', 'lockedByUserId', 'sourceTrust', 'createdAt', 'updatedAt']);
  assert.deepEqual([one.json.key, one.json.body, one.json.latestRevisionNumber, one.json.createdByUserId], ['plan', '# Plan\nstep', 1, 'local-board']);
  const blind = await put(i, 'plan', { body: 'x' });
  assert.deepEqual([blind.status, blind.json.error, blind.json.details], [409, 'Document update requires baseRevisionId', { currentRevisionId: one.json.latestRevisionId }]);
  const two = await put(i, 'plan', { body: 'two', baseRevisionId: one.json.latestRevisionId, changeSummary: 'shorter' });
  assert.deepEqual([two.status, two.json.title, two.json.latestRevisionNumber], [200, null, 2]);
  const stale = await put(i, 'plan', { body: 'x', baseRevisionId: one.json.latestRevisionId });
  assert.deepEqual([stale.status, stale.json.error], [409, 'Document was updated by someone else']);
  const early = await put(i, 'new', { body: 'x', baseRevisionId: one.json.latestRevisionId });
  assert.deepEqual([early.status, early.json.error, early.json.details], [409, 'Document does not exist yet', { key: 'new' }]);
  const revisions = await s.ok('GET', `/issues/${i.id}/documents/plan/revisions`);
  assert.deepEqual(revisions.map((r) => [r.revisionNumber, r.body, r.changeSummary]), [[2, 'two', 'shorter'], [1, '# Plan\nstep', null]]);
  assert.deepEqual(Object.keys(revisions[0]), ['id', 'companyId', 'documentId', 'issueId', 'key', 'revisionNumber', 'title', 'format', 'body', 'changeSummary',
    'createdByAgentId', 'createdByUserId', 'createdAt']);
  const detail = await s.ok('GET', `/issues/${i.id}`);
  assert.equal(detail.planDocument.body, 'two');
  assert.deepEqual(detail.documentSummaries.map((d) => [d.key, d.body]), [['plan', undefined]]);
  const [e] = await found(c, 'issue.document_updated');
  assert.deepEqual([e.details.key, e.details.revisionNumber], ['plan', 2]);
});

test('keys, lists and what is not there (IS-102, IS-103)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thing' });
  for (const bad of ['-a', 'a.b', 'x'.repeat(65), 'a%20b']) refused(await put(i, bad, { body: 'x' }), 400, 'Invalid document key');
  refused(await s.api('GET', `/issues/${i.id}/documents/plan`), 404, 'Document not found');
  await put(i, 'zeta', { body: 'z' });
  await put(i, 'alpha', { body: 'a' });
  await put(i, 'continuation-summary', { body: 'so far' });
  assert.deepEqual((await s.ok('GET', `/issues/${i.id}/documents`)).map((d) => [d.key, d.body]), [['alpha', 'a'], ['zeta', 'z']]);
  assert.equal((await s.ok('GET', `/issues/${i.id}/documents?includeSystem=true`)).length, 3);
  const ctx = await s.ok('GET', `/issues/${i.id}/heartbeat-context`);
  assert.deepEqual([ctx.continuationSummary.key, ctx.continuationSummary.body], ['continuation-summary', 'so far']);
  const long = await put(i, 'long', { body: 'x'.repeat(524289) });
  assert.equal(long.status, 400);
});

test('a restored revision is a new one (IS-106)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thing' });
  const one = (await put(i, 'plan', { body: 'one', title: 'T' })).json;
  const two = (await put(i, 'plan', { body: 'two', baseRevisionId: one.latestRevisionId })).json;
  const back = await s.api('POST', `/issues/${i.id}/documents/plan/revisions/${one.latestRevisionId}/restore`, {});
  assert.deepEqual([back.status, back.json.body, back.json.title, back.json.latestRevisionNumber], [200, 'one', 'T', 3]);
  assert.equal((await s.ok('GET', `/issues/${i.id}/documents/plan/revisions`))[0].changeSummary, 'Restored from revision 1');
  refused(await s.api('POST', `/issues/${i.id}/documents/plan/revisions/${NOBODY}/restore`, {}), 404, 'Document revision not found');
  const latest = await s.api('POST', `/issues/${i.id}/documents/plan/revisions/${back.json.latestRevisionId}/restore`, {});
  assert.deepEqual([latest.status, latest.json.error], [409, 'Selected revision is already the latest revision']);
  assert.notEqual(two.latestRevisionId, back.json.latestRevisionId);
});

test('a lock stops people, and sends agents beside it (IS-104, IS-107)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thing' });
  const one = (await put(i, 'plan', { body: 'one' })).json;
  const locked = await s.ok('POST', `/issues/${i.id}/documents/plan/lock`, {});
  assert.equal(locked.lockedByUserId, 'local-board');
  await s.ok('POST', `/issues/${i.id}/documents/plan/lock`, {});
  assert.equal((await found(c, 'issue.document_locked')).length, 1);
  const no = await put(i, 'plan', { body: 'x', baseRevisionId: one.latestRevisionId });
  assert.deepEqual([no.status, no.json.error, no.json.details], [409, 'Document is locked', { key: 'plan', documentId: one.id, lockedAt: locked.lockedAt }]);
  const me = s.as(await key(s, await agent(s, c)));
  const beside = await put(i, 'plan', { body: 'mine', baseRevisionId: one.latestRevisionId }, me);
  assert.deepEqual([beside.status, beside.json.key], [201, 'plan-2']);
  assert.deepEqual((await found(c, 'issue.document_created'))[0].details.redirectedFromLockedDocument, { id: one.id, key: 'plan' });
  assert.equal((await put(i, 'plan', { body: 'again' }, me)).json.key, 'plan-3');
  refused(await me('POST', `/issues/${i.id}/documents/plan/unlock`, {}), 403, 'Board access required');
  refused(await s.api('DELETE', `/issues/${i.id}/documents/plan`), 409, 'Document is locked');
  await s.ok('POST', `/issues/${i.id}/documents/plan/unlock`, {});
  assert.deepEqual(await s.ok('DELETE', `/issues/${i.id}/documents/plan`), { ok: true });
  refused(await s.api('DELETE', `/issues/${i.id}/documents/plan`), 404, 'Document not found');
});

test('a changed document voids what was asked about its older revision (IS-105, IS-115)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thing' });
  const one = (await put(i, 'plan', { body: 'one' })).json;
  const ask = (revisionId, more = {}) => s.api('POST', `/issues/${i.id}/interactions`,
    { kind: 'request_confirmation', payload: { version: 1, prompt: 'This plan?', target: { type: 'issue_document', key: 'plan', revisionId, ...more } } });
  refused(await ask(NOBODY), 422);
  refused(await ask(one.latestRevisionId, { documentId: NOBODY }), 422);
  const x = (await ask(one.latestRevisionId)).json;
  assert.equal(x.status, 'pending');
  const two = (await put(i, 'plan', { body: 'two', baseRevisionId: one.latestRevisionId })).json;
  const [after] = await s.ok('GET', `/issues/${i.id}/interactions`);
  assert.deepEqual([after.status, after.result.outcome, after.payload.target.revisionId, after.payload.target.revisionNumber],
    ['expired', 'stale_target', two.latestRevisionId, 2]);
  const late = await s.api('POST', `/issues/${i.id}/interactions/${x.id}/accept`, {});
  assert.deepEqual([late.status, late.json.code], [409, 'interaction_stale_target']);
});

test('of writers who read the same revision, one wins', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thing' });
  const one = (await put(i, 'plan', { body: 'one' })).json;
  const all = await Promise.all(Array.from({ length: 10 }, (_, n) => put(i, 'plan', { body: `by ${n}`, baseRevisionId: one.latestRevisionId })));
  assert.equal(all.filter((r) => r.status === 200).length, 1);
  assert.equal((await s.ok('GET', `/issues/${i.id}/documents/plan/revisions`)).length, 2);
});

test('an agent whose question a new revision voids is told (peer #13720)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 60');
  const i = await create(c, { title: 'Thing', assigneeAgentId: a.id });
  const runs = async () => (await s.ok('GET', `/companies/${c.id}/heartbeat-runs`)).filter((r) => r.agentId === a.id);
  const live = await eventually(async () => (await runs()).find((r) => r.status === 'running'));
  const one = (await put(i, 'plan', { body: 'one' })).json;
  const asked = await s.as(await key(s, a), live.id)('POST', `/issues/${i.id}/interactions`,
    { kind: 'request_confirmation', payload: { version: 1, prompt: 'This plan?', target: { type: 'issue_document', key: 'plan', revisionId: one.latestRevisionId } } });
  assert.equal(asked.status, 201, asked.text);
  await s.ok('POST', `/heartbeat-runs/${live.id}/cancel`, {});
  await put(i, 'plan', { body: 'two', baseRevisionId: one.latestRevisionId });
  const told = await eventually(async () => {
    for (const r of await runs()) if ((await s.ok('GET', `/heartbeat-runs/${r.id}`)).contextSnapshot.interactionId === asked.json.id) return r;
    return undefined;
  }, { message: 'the asker was not told' });
  await s.ok('POST', `/heartbeat-runs/${told.id}/cancel`, {});
});

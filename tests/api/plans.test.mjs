// An accepted plan becomes children, once; what the work produced (IS-113, IS-121, IS-123).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, activity, agent, company, key, refused, server } from './harness.mjs';

const s = await server();
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, body);
const decompose = (i, body) => s.api('POST', `/issues/${i.id}/accepted-plan-decompositions`, body);

/** An issue with a plan; accepted or not. */
async function planned(accept = true) {
  const c = await company(s);
  const i = await create(c, { title: 'Big thing' });
  const plan = await s.ok('PUT', `/issues/${i.id}/documents/plan`, { format: 'markdown', body: '# Plan' });
  const x = await s.ok('POST', `/issues/${i.id}/interactions`, { kind: 'request_confirmation',
    payload: { version: 1, prompt: 'This plan?', target: { type: 'issue_document', key: 'plan', revisionId: plan.latestRevisionId } } });
  if (accept) await s.ok('POST', `/issues/${i.id}/interactions/${x.id}/accept`, {});
  return { c, i, x, revision: plan.latestRevisionId };
}

test('an accepted plan is taken apart exactly once', async () => {
  const { c, i, x, revision } = await planned();
  const body = { acceptedPlanRevisionId: revision, children: [{ title: 'Part' }, { title: 'Part', acceptanceCriteria: ['It works'] }] };
  const all = await Promise.all(Array.from({ length: 5 }, () => decompose(i, body)));
  assert.deepEqual(all.map((r) => r.status), [200, 200, 200, 200, 200], all.map((r) => r.text).join('\n'));
  assert.equal(all.filter((r) => r.json.newlyCreatedChildIssueIds.length === 2).length, 1, 'one made them');
  for (const r of all) assert.deepEqual(r.json.childIssueIds, all[0].json.childIssueIds);
  const d = all[0].json.decomposition;
  assert.deepEqual(Object.keys(d), ['id', 'companyId', 'sourceIssueId', 'acceptedPlanRevisionId', 'acceptedInteractionId', 'status', 'requestFingerprint',
    'requestedChildCount', 'childIssueIds', 'ownerAgentId', 'ownerUserId', 'ownerRunId', 'completedAt', 'createdAt', 'updatedAt']);
  assert.deepEqual([d.status, d.requestedChildCount, d.acceptedInteractionId], ['completed', 2, x.id]);
  const children = (await s.ok('GET', `/companies/${c.id}/issues?parentId=${i.id}`));
  assert.deepEqual(children.map((k) => k.title), ['Part', 'Part']);
  const other = await decompose(i, { ...body, children: [{ title: 'Something else' }] });
  assert.equal(other.status, 409);
  const [listed] = await s.ok('GET', `/issues/${i.id}/accepted-plan-decompositions`);
  assert.deepEqual([listed.acceptedPlanRevisionNumber, listed.childIssues.length], [1, 2]);
  const acts = (await activity(s, c)).map((e) => e.action);
  assert.equal(acts.filter((a) => a === 'issue.child_created').length, 2);
  assert.equal(acts.filter((a) => a === 'issue.accepted_plan_decomposition_updated').length, 1);
});

test('what is no accepted plan is not taken apart; a bad child leaves nothing behind', async () => {
  const p = await planned(false);
  const body = { acceptedPlanRevisionId: p.revision, children: [{ title: 'Part' }] };
  refused(await decompose(p.i, body), 422, /accepted/);
  refused(await decompose(p.i, { ...body, acceptedPlanRevisionId: NOBODY }), 422, /revision/);
  assert.equal((await decompose(p.i, { ...body, children: [] })).status, 400);
  const q = await planned();
  const bad = await decompose(q.i, { acceptedPlanRevisionId: q.revision, children: [{ title: 'Good' }, { title: 'Bad', assigneeAgentId: NOBODY }] });
  assert.ok(bad.status >= 400);
  assert.deepEqual(await s.ok('GET', `/issues/${q.i.id}/accepted-plan-decompositions`), []);
  assert.equal((await s.ok('GET', `/companies/${q.c.id}/issues?parentId=${q.i.id}`)).length, 0);
});

test('work products: kept, changed, one primary of each type (IS-113)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thing' });
  const make = (body) => s.api('POST', `/issues/${i.id}/work-products`, { type: 'pull_request', provider: 'forge', title: 'PR', ...body });
  const one = await make({ url: 'https://forge.test/1', isPrimary: true });
  assert.equal(one.status, 201, one.text);
  assert.deepEqual([one.json.status, one.json.reviewState, one.json.healthStatus, one.json.isPrimary, one.json.createdByRunId],
    ['active', 'none', 'unknown', true, null]);
  const two = (await make({ title: 'PR 2', isPrimary: true })).json;
  const branch = (await make({ type: 'branch', title: 'feature', isPrimary: true })).json;
  const list = await s.ok('GET', `/issues/${i.id}/work-products`);
  assert.deepEqual(list.map((p) => [p.id, p.isPrimary]).sort(), [[one.json.id, false], [two.id, true], [branch.id, true]].sort());
  assert.equal(list.at(-1).id, one.json.id, 'primary ones first');
  const changed = await s.ok('PATCH', `/work-products/${one.json.id}`, { status: 'merged' });
  assert.deepEqual([changed.status, changed.title, changed.url], ['merged', 'PR', 'https://forge.test/1']);
  assert.deepEqual((await s.ok('GET', `/issues/${i.id}`)).workProducts.length, 3);
  assert.equal((await s.ok('DELETE', `/work-products/${two.id}`)).id, two.id);
  refused(await s.api('PATCH', `/work-products/${two.id}`, { title: 'x' }), 404, 'Work product not found');
  assert.equal((await make({ url: 'no url' })).status, 400);
  const artifact = await make({ type: 'artifact', provider: 'paperclip', metadata: { attachmentId: NOBODY } });
  assert.deepEqual([artifact.status, artifact.json.code], [422, 'invalid_attachment_artifact_metadata']);
  const d = await company(s);
  refused(await s.as(await key(s, await agent(s, d)))('DELETE', `/work-products/${branch.id}`), 404, 'Work product not found');
  const acts = (await activity(s, c)).filter((e) => e.action.startsWith('issue.work_product'));
  assert.deepEqual(acts.map((e) => e.action).reverse(), ['issue.work_product_created', 'issue.work_product_created', 'issue.work_product_created',
    'issue.work_product_updated', 'issue.work_product_deleted']);
  assert.deepEqual(acts[1].details.changedKeys, ['status']);
});

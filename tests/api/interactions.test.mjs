// What is asked in an issue's thread, who may answer, and what an answer does (IS §15).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, activity, agent, company, eventually, key, refused, server } from './harness.mjs';
import { shell } from './kit.mjs';

const s = await server({ env: { BULLDOG_MAX_CONCURRENT_RUNS: '64' } });
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, body);
const show = (i) => s.ok('GET', `/issues/${i.id}`);
const ask = (i, body, call = s.api) => call.call(s, 'POST', `/issues/${i.id}/interactions`, body);
const asked = async (i, body, call) => {
  const r = await ask(i, body, call);
  assert.equal(r.status, 201, r.text);
  return r.json;
};
const answer = (i, x, verb, body = {}, call = s.api) => call.call(s, 'POST', `/issues/${i.id}/interactions/${x.id}/${verb}`, body);
const thread = (i) => s.ok('GET', `/issues/${i.id}/interactions`);
const found = async (c, action) => (await activity(s, c)).filter((e) => e.action === action);
const runsOf = async (c, a) => (await s.ok('GET', `/companies/${c.id}/heartbeat-runs`)).filter((r) => r.agentId === a.id);

const confirm = (more = {}, payload = {}) => ({ kind: 'request_confirmation', payload: { version: 1, prompt: 'Go?', ...payload }, ...more });
const question = (more = {}) => ({
  kind: 'ask_user_questions', ...more,
  payload: { version: 1, questions: [{ id: 'q', prompt: 'Which?', selectionMode: 'single', required: true, options: [{ id: 'a', label: 'A' }, { id: 'b', label: 'B' }] }] } });
const tasks = (list, more = {}) => ({ kind: 'suggest_tasks', title: 'T', payload: { version: 1, tasks: list }, ...more });
const boxes = (payload = {}) => ({
  kind: 'request_checkbox_confirmation',
  payload: { version: 1, prompt: 'Which?', options: [{ id: 'a', label: 'A' }, { id: 'b', label: 'B' }], ...payload } });
const verdicts = (more = {}) => ({
  kind: 'request_item_verdicts', ...more, payload: { version: 1, prompt: 'Look', items: [{ id: '1', label: 'One' }, { id: '2', label: 'Two' }] } });

/** An agent at work on an issue of its own: a live run, and the words it speaks with. */
async function atWork(c, body = {}) {
  const a = await shell(s, c, 'sleep 60');
  const i = await create(c, { title: `Work of ${a.name}`, assigneeAgentId: a.id, ...body });
  const run = await eventually(async () => (await runsOf(c, a)).find((r) => r.status === 'running'));
  return { a, i: await show(i), run, me: s.as(await key(s, a), run.id) };
}
const rest = (w) => s.ok('POST', `/heartbeat-runs/${w.run.id}/cancel`, {});

test('suggested tasks are created parents first (example 12)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Home' });
  const x = await asked(i, tasks([{ clientKey: 'b', parentClientKey: 'a', title: 'TB', priority: 'high', labels: ['new one'] }, { clientKey: 'a', title: 'TA' }, { clientKey: 'c', title: 'TC' }]));
  assert.deepEqual(Object.keys(x), ['id', 'companyId', 'issueId', 'kind', 'status', 'continuationPolicy', 'requestedResolverPolicy',
    'effectiveResolverPolicy', 'resolverPolicyProvenance', 'effectiveResolverPolicySource', 'idempotencyKey', 'sourceCommentId', 'sourceRunId',
    'title', 'summary', 'createdByAgentId', 'addresseeAgentId', 'createdByUserId', 'resolvedByAgentId', 'resolvedByRunId', 'resolvedByUserId',
    'payload', 'result', 'resolvedAt', 'createdAt', 'updatedAt', 'resolverPolicy', 'legacyResolverPolicyAliases']);
  assert.deepEqual([x.status, x.continuationPolicy, x.requestedResolverPolicy, x.resolverPolicyProvenance, x.effectiveResolverPolicySource, x.createdByUserId],
    ['pending', 'wake_assignee', 'anyone', 'inherited', 'requested', 'local-board']);
  assert.deepEqual(x.legacyResolverPolicyAliases, { requested: 'board_or_agents', effective: 'board_or_agents' });
  const r = await answer(i, x, 'accept', { selectedClientKeys: ['a', 'b'] });
  assert.equal(r.status, 200, r.text);
  const { createdTasks, skippedClientKeys } = r.json.result;
  assert.deepEqual(skippedClientKeys, ['c']);
  assert.deepEqual(createdTasks.map((t) => [t.clientKey, t.title, t.parentIssueId]), [['a', 'TA', i.id], ['b', 'TB', createdTasks[0].issueId]]);
  const b = await show({ id: createdTasks[1].issueId });
  assert.deepEqual([b.status, b.priority, b.parentId, b.labels.map((l) => l.name)], ['todo', 'high', createdTasks[0].issueId, ['new one']]);
  assert.deepEqual([r.json.status, r.json.resolvedByUserId], ['accepted', 'local-board']);
  const [e] = await found(c, 'issue.thread_interaction_accepted');
  assert.deepEqual([e.details.interactionId, e.details.createdTaskCount, e.details.skippedTaskCount, e.details.resolutionActorKind], [x.id, 2, 1, 'user']);
  const again = await answer(i, x, 'accept');
  assert.equal(again.status, 409);
  assert.deepEqual(again.json, { error: 'Interaction has already been resolved', code: 'interaction_already_resolved', details: { code: 'interaction_already_resolved' } });
});

test('one task that cannot be made undoes them all (IS-120)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Home' });
  const x = await asked(i, tasks([{ clientKey: 'a', title: 'Good' }, { clientKey: 'b', title: 'Bad', assigneeAgentId: NOBODY }]));
  assert.ok((await answer(i, x, 'accept')).status >= 400);
  const list = await s.ok('GET', `/companies/${c.id}/issues`);
  assert.deepEqual(list.map((k) => k.title), ['Home']);
  assert.equal((await thread(i))[0].status, 'pending');
});

test('an accepted task wakes its assignee', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'true');
  const i = await create(c, { title: 'Home' });
  const x = await asked(i, tasks([{ clientKey: 'a', title: 'For you', assigneeAgentId: a.id }]));
  await answer(i, x, 'accept');
  const [r] = await eventually(async () => {
    const runs = await runsOf(c, a);
    return runs.length && runs;
  });
  const full = await s.ok('GET', `/heartbeat-runs/${r.id}`);
  assert.deepEqual([full.contextSnapshot.wakeReason, full.contextSnapshot.source], ['issue_assigned', 'issue.interaction.accept']);
});

test('confirmations, checkboxes, questions, verdicts: their results', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thread' });
  const yes = await answer(i, await asked(i, confirm()), 'accept', { reason: 'sure' });
  assert.deepEqual(yes.json.result, { version: 1, outcome: 'accepted', reason: 'sure' });
  assert.equal(yes.json.continuationPolicy, 'none');
  assert.deepEqual(yes.json.payload, { version: 1, prompt: 'Go?', allowDeclineReason: true, supersedeOnUserComment: true });
  const no = await answer(i, await asked(i, confirm({}, { rejectRequiresReason: true })), 'reject', { reason: 'not yet' });
  assert.deepEqual([no.json.status, no.json.result], ['rejected', { version: 1, outcome: 'rejected', reason: 'not yet' }]);
  const some = await answer(i, await asked(i, boxes({ defaultSelectedOptionIds: ['b'] })), 'accept');
  assert.deepEqual(some.json.result, { version: 1, outcome: 'accepted', selectedOptionIds: ['b'] });
  const q = await answer(i, await asked(i, question()), 'respond', { answers: [{ questionId: 'q', optionIds: ['a'] }], summaryMarkdown: 'A it is' });
  assert.deepEqual([q.json.status, q.json.result], ['answered', { version: 1, answers: [{ questionId: 'q', optionIds: ['a'] }], summaryMarkdown: 'A it is' }]);
  const v = await asked(i, verdicts());
  const half = await answer(i, v, 'verdicts', { verdicts: [{ id: '1', verdict: 'approve' }] });
  assert.deepEqual([half.json.status, half.json.result.complete, half.json.resolvedAt], ['pending', false, null]);
  const whole = await answer(i, v, 'verdicts', { verdicts: [{ id: '1', verdict: 'reject', reason: 'late' }, { id: '2', verdict: 'reject', reason: 'no' }] });
  assert.deepEqual([whole.json.status, whole.json.result.items.map((x) => x.verdict)], ['answered', ['approve', 'reject']]);
  const taken = await answer(i, await asked(i, confirm()), 'withdraw', { reason: 'moot' });
  assert.deepEqual([taken.json.status, taken.json.result], ['cancelled', { version: 1, outcome: 'withdrawn', reason: 'moot' }]);
  const dropped = await answer(i, await asked(i, question()), 'cancel');
  assert.deepEqual([dropped.json.status, dropped.json.result.cancelled], ['cancelled', true]);
  refused(await answer(i, await asked(i, confirm()), 'cancel'), 422, 'Only ask_user_questions interactions can be cancelled');
  refused(await answer(i, await asked(i, question()), 'accept'), 422, 'Interactions of kind ask_user_questions cannot be accepted');
  refused(await answer(i, await asked(i, verdicts()), 'verdicts', { verdicts: [{ id: '1', verdict: 'reject' }] }), 422);
  assert.deepEqual((await thread(i)).map((x) => x.createdAt), (await thread(i)).map((x) => x.createdAt).sort());
});

test('what cannot be asked (IS-5, IS-114, IS-115)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thread' });
  const tag = await ask(i, { kind: 'zz', payload: {} });
  assert.equal(tag.status, 400);
  assert.deepEqual([tag.json.details.length, tag.json.details[0].code, tag.json.details[0].path], [1, 'invalid_union_discriminator', ['kind']]);
  const shape = await ask(i, { kind: 'request_confirmation', payload: { version: 2 } });
  assert.deepEqual(shape.json.details.map((d) => d.path), [['payload', 'version'], ['payload', 'prompt']]);
  const missing = await ask(i, { kind: 'request_confirmation' });
  assert.deepEqual(missing.json.details.map((d) => [d.path, d.message]), [[['payload'], 'Required']]);
  const twice = await ask(i, tasks([{ clientKey: 'a', title: 'A' }, { clientKey: 'a', title: 'B' }]));
  assert.deepEqual(twice.json.details.map((d) => [d.code, d.path]), [['custom', ['payload', 'tasks', 1, 'clientKey']]]);
  refused(await ask(i, confirm({}, { toolAction: {} })), 422);
  refused(await ask(i, confirm({ sourceCommentId: NOBODY })), 422);
  refused(await ask(i, confirm({ sourceRunId: NOBODY })), 422);
  refused(await ask(i, confirm({ addresseeAgentId: NOBODY })), 422);
  const a = await agent(s, c);
  refused(await ask(i, confirm(), s.as(await key(s, a))), 401, 'Agent run id required');
  await s.ok('PATCH', `/issues/${i.id}`, { status: 'done' });
  refused(await ask(i, confirm()), 409, 'Cannot create an interaction on a closed issue');
});

test('an idempotency key names one request (IS-115)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thread' });
  const x = await asked(i, confirm({ idempotencyKey: 'k' }));
  assert.equal((await asked(i, confirm({ idempotencyKey: 'k' }))).id, x.id);
  const other = await ask(i, confirm({ idempotencyKey: 'k', title: 'other' }));
  assert.deepEqual([other.status, other.json.error, other.json.details],
    [409, 'Interaction idempotency key already exists for a different request', { idempotencyKey: 'k' }]);
  assert.equal((await thread(i)).length, 1);
});

test('who may answer (IS-117)', async () => {
  const c = await company(s);
  const [w, v] = [await atWork(c), await atWork(c)];
  const human = await asked(w.i, confirm({ resolverPolicy: 'board_only' }), w.me);
  assert.deepEqual([human.effectiveResolverPolicy, human.legacyResolverPolicyAliases.effective, human.sourceRunId], ['human_only', 'board_only', w.run.id]);
  const no = await answer(w.i, human, 'accept', {}, v.me);
  assert.deepEqual([no.status, no.json.code, no.json.details], [403, 'interaction_human_only', { code: 'interaction_human_only', effectiveResolverPolicy: 'human_only' }]);
  const others = await asked(w.i, question({ resolverPolicy: 'not_creator' }), w.me);
  const body = { answers: [{ questionId: 'q', optionIds: ['a'] }] };
  assert.equal((await answer(w.i, others, 'respond', body, w.me)).json.code, 'interaction_creator_excluded');
  assert.equal((await answer(w.i, others, 'respond', body, v.me)).status, 200);
  const addressed = await asked(w.i, question({ addresseeAgentId: v.a.id }));
  assert.equal((await answer(w.i, addressed, 'respond', body, w.me)).json.code, 'interaction_addressee_mismatch');
  assert.equal((await answer(w.i, addressed, 'respond', body, s.as(await key(s, v.a)))).json.code, 'interaction_run_attribution_required');
  assert.equal((await answer(w.i, { id: NOBODY }, 'respond', body)).json.code, 'interaction_not_found');
  assert.equal((await answer(w.i, addressed, 'withdraw', {}, v.me)).json.code, 'interaction_scope_denied');
  await s.ok('PATCH', `/companies/${c.id}`, { interactionResolverGovernance: { request_confirmation: { cap: 'human_only' } } });
  const capped = await asked(w.i, confirm({ resolverPolicy: 'anyone' }));
  assert.deepEqual([capped.requestedResolverPolicy, capped.effectiveResolverPolicy, capped.effectiveResolverPolicySource, capped.resolverPolicyProvenance],
    ['anyone', 'human_only', 'company_cap', 'explicit']);
  await Promise.all([rest(w), rest(v)]);
});

test('the addressee is woken to answer (IS-122)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'true');
  const i = await create(c, { title: 'Thread' });
  const x = await asked(i, question({ addresseeAgentId: a.id }));
  const [r] = await eventually(async () => (await runsOf(c, a)).length && runsOf(c, a));
  const { contextSnapshot } = await s.ok('GET', `/heartbeat-runs/${r.id}`);
  assert.deepEqual([contextSnapshot.wakeReason, contextSnapshot.interactionId, contextSnapshot.issueId], ['interaction_pending', x.id, i.id]);
});

test('a newer request of an agent overtakes its older one; the board asks as often as it likes (IS-116)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  const [one, two] = [await asked(w.i, confirm(), w.me), await asked(w.i, confirm({ title: 'better' }), w.me)];
  await asked(w.i, question(), w.me);
  await asked(w.i, question({ title: 'q2' }), w.me);
  const list = await thread(w.i);
  assert.deepEqual(list.map((x) => x.status), ['expired', 'pending', 'expired', 'pending']);
  assert.deepEqual([list[0].id, list[0].result], [one.id, { version: 1, outcome: 'superseded_by_newer_request', supersededByInteractionId: two.id }]);
  assert.equal(list[2].result.expirationReason, 'superseded_by_newer_interaction');
  const late = await answer(w.i, one, 'accept');
  assert.deepEqual([late.status, late.json.code], [409, 'interaction_superseded']);
  await asked(w.i, confirm());
  await asked(w.i, confirm());
  assert.equal((await thread(w.i)).filter((x) => x.status === 'pending').length, 4);
  await rest(w);
});

test('a person’s comment overtakes what was asked before it (IS-88)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thread' });
  const kinds = [confirm(), boxes(), question(), verdicts(), tasks([{ clientKey: 'a', title: 'A' }]), confirm({}, { supersedeOnUserComment: false })];
  for (const k of kinds) await asked(i, k);
  const said = await s.ok('POST', `/issues/${i.id}/comments`, { body: 'Let us do something else' });
  const list = await thread(i);
  assert.deepEqual(list.map((x) => x.status), ['expired', 'expired', 'expired', 'expired', 'pending', 'pending']);
  for (const x of list.slice(0, 4)) assert.deepEqual([x.result.outcome, x.result.commentId], ['superseded_by_comment', said.id]);
  assert.equal((await found(c, 'issue.thread_interaction_expired')).length, 4);
  const late = await answer(i, list[0], 'accept');
  assert.deepEqual([late.status, late.json.code], [409, 'interaction_superseded']);
});

test('closing the issue ends what was asked on it (EX-7)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thread' });
  const x = await asked(i, confirm());
  await s.ok('PATCH', `/issues/${i.id}`, { status: 'done' });
  assert.deepEqual([(await thread(i))[0].status, (await thread(i))[0].result.outcome], ['expired', 'issue_closed']);
  const late = await answer(i, x, 'accept');
  assert.deepEqual([late.status, late.json.code], [409, 'interaction_issue_closed']);
});

test('a confirmation is a way into review, and its acceptance hands the issue back (IS-54, IS-120)', async () => {
  const c = await company(s);
  const w = await atWork(c);
  const x = await asked(w.i, confirm(), w.me);
  const foreign = await w.me('PATCH', `/issues/${w.i.id}`, { status: 'in_review', reviewInteractionId: NOBODY });
  assert.deepEqual([foreign.status, foreign.json.code], [422, 'invalid_review_interaction']);
  const into = await w.me('PATCH', `/issues/${w.i.id}`, { status: 'in_review', reviewInteractionId: x.id });
  assert.equal(into.status, 200, into.text);
  await rest(w);
  const waits = await eventually(async () => {
    const e = await s.ok('GET', `/issues/${w.i.id}/explain`);
    return e.reason === 'interaction_pending' && e;
  });
  assert.deepEqual([waits.state, waits.evidence.primitive, waits.evidence.interaction.id, waits.waitingOn[0].type], ['waiting', 'P4', x.id, 'board']);
  const path = (await show(w.i)).reviewAttention;
  assert.deepEqual([path.state, path.paths.map((p) => [p.kind, p.ref])], ['covered', [['interaction', x.id]]]);
  const before = (await runsOf(c, w.a)).length;
  const r = await answer(w.i, x, 'accept');
  assert.equal(r.status, 200, r.text);
  const after = await show(w.i);
  assert.equal(after.assigneeAgentId, w.a.id);
  assert.notEqual(after.status, 'in_review');
  const moved = (await found(c, 'issue.updated')).find((e) => e.details.source === 'request_confirmation_accept');
  assert.equal(moved.details.status, 'todo');
  const next = await eventually(async () => (await runsOf(c, w.a)).length > before && (await runsOf(c, w.a))[0]);
  const { contextSnapshot } = await s.ok('GET', `/heartbeat-runs/${next.id}`);
  assert.deepEqual([contextSnapshot.wakeReason, contextSnapshot.interactionId, contextSnapshot.interactionStatus], ['issue_commented', x.id, 'accepted']);
  await s.ok('POST', `/heartbeat-runs/${next.id}/cancel`, {});
});

test('a pending question is a reason to be blocked (EX-9)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thread', status: 'todo' });
  refused(await s.api('PATCH', `/issues/${i.id}`, { status: 'blocked' }), 422);
  await asked(i, question());
  assert.equal((await s.ok('PATCH', `/issues/${i.id}`, { status: 'blocked' })).status, 'blocked');
});

test('of many who answer at once, one does', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'Thread' });
  const x = await asked(i, tasks([{ clientKey: 'a', title: 'Only once' }]));
  const all = await Promise.all(Array.from({ length: 12 }, (_, n) => answer(i, x, n % 2 ? 'accept' : 'reject')));
  assert.equal(all.filter((r) => r.status === 200).length, 1);
  assert.equal(all.filter((r) => r.status === 409).length, 11);
  const made = (await s.ok('GET', `/companies/${c.id}/issues`)).filter((k) => k.title === 'Only once');
  assert.equal(made.length, (await thread(i))[0].status === 'accepted' ? 1 : 0);
});

test('a foreign company’s thread is not there', async () => {
  const [c, d] = [await company(s), await company(s)];
  const i = await create(c, { title: 'Thread' });
  const x = await asked(i, confirm());
  const stranger = s.as(await key(s, await agent(s, d)));
  refused(await stranger('GET', `/issues/${i.id}/interactions`), 404, 'Issue not found');
  refused(await answer(i, x, 'accept', {}, stranger), 404, 'Issue not found');
  const other = await create(c, { title: 'Another thread' });
  assert.equal((await answer(other, x, 'accept')).json.code, 'interaction_not_found');
});

test('when the addressee is terminated, whoever asked learns of it', async () => {
  const c = await company(s);
  const w = await atWork(c);
  const other = await agent(s, c);
  const x = await asked(w.i, question({ addresseeAgentId: other.id }), w.me);
  await rest(w);
  const before = (await runsOf(c, w.a)).length;
  await s.ok('POST', `/agents/${other.id}/terminate`, {});
  const row = (await thread(w.i)).find((k) => k.id === x.id);
  assert.deepEqual([row.status, row.result.outcome], ['expired', 'addressee_deleted']);
  const next = await eventually(async () => {
    for (const r of await runsOf(c, w.a)) if ((await s.ok('GET', `/heartbeat-runs/${r.id}`)).contextSnapshot.interactionId === x.id) return r;
    return undefined;
  }, { message: 'the asker was not told' });
  assert.ok((await runsOf(c, w.a)).length > before);
  await s.ok('POST', `/heartbeat-runs/${next.id}/cancel`, {});
});

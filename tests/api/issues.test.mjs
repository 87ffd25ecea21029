// Issues: creating, finding, reading, changing (IS §1-9).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOBODY, activity, agent, company, refused, server } from './harness.mjs';

const s = await server();
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, body);
const patch = (i, body) => s.ok('PATCH', `/issues/${i.id ?? i}`, body);
const show = (i) => s.ok('GET', `/issues/${i.id ?? i}`);
const wakes = async (c, agentId) => (await s.ok('GET', `/companies/${c.id}/heartbeat-runs`)).filter((r) => r.agentId === agentId);
// an agent that will never be started: its wakes stay to be looked at
const quiet = async (c, body = {}) => {
  const a = await agent(s, c, body);
  await s.ok('POST', `/agents/${a.id}/pause`, {});
  return a;
};

test('a new issue has every field of the protocol and its defaults (IS-21, example 1)', async () => {
  const c = await company(s, { name: 'Issue Probe Co' });
  const r = await s.api('POST', `/companies/${c.id}/issues`, { title: 'First', description: 'd', priority: 'high' });
  assert.equal(r.status, 201, r.text);
  const { id, createdAt, updatedAt, companyId, ...rest } = r.json;
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.equal(companyId, c.id);
  assert.equal(createdAt, updatedAt);
  assert.deepEqual(rest, {
    projectId: null, projectWorkspaceId: null, goalId: null, parentId: null, title: 'First', description: 'd', status: 'backlog',
    workMode: 'standard', harnessKind: null, priority: 'high', reviewPolicy: null, assigneeAgentId: null, assigneeUserId: null,
    checkoutRunId: null, executionRunId: null, executionAgentNameKey: null, executionLockedAt: null, createdByAgentId: null,
    createdByUserId: 'local-board', responsibleUserId: 'local-board', issueNumber: 1, identifier: `${c.issuePrefix}-1`, originKind: 'manual',
    originId: null, originRunId: null, originFingerprint: 'default', requestDepth: 0, billingCode: null, assigneeAdapterOverrides: null,
    executionPolicy: null, executionState: null, monitorNextCheckAt: null, monitorWakeRequestedAt: null, monitorLastTriggeredAt: null,
    monitorAttemptCount: 0, monitorNotes: null, monitorScheduledBy: null, executionWorkspaceId: null, executionWorkspacePreference: null,
    executionWorkspaceSettings: null, sourceTrust: null, unblockDescriptor: null, blockedTransitionAt: null, blockedOwnerNotifiedAt: null,
    startedAt: null, completedAt: null, cancelledAt: null, hiddenAt: null, labels: [], labelIds: [], watchdog: null, blockedBy: [], blocks: [],
    relatedWork: { outbound: [], inbound: [] }, referencedIssueIdentifiers: [],
  });
});

test('the same open title again gives the same issue (IS-22)', async () => {
  const c = await company(s);
  const first = await create(c, { title: 'Write  the Report' });
  const again = await s.api('POST', `/companies/${c.id}/issues`, { title: '  write the report ' });
  assert.equal(again.status, 200);
  assert.equal(again.json.id, first.id);
  assert.equal(again.json.deduplicated, true);
  assert.equal(again.json.deduplicationReason, 'recent_open_title');
  assert.equal((await activity(s, c)).filter((a) => a.action === 'issue.created').length, 1);
  const child = await s.api('POST', `/companies/${c.id}/issues`, { title: 'write the report', parentId: first.id });
  assert.equal(child.status, 201, 'another parent, another issue');
  assert.equal((await s.api('POST', `/companies/${c.id}/issues`, { title: 'write the report', allowDuplicate: true })).status, 201);
  await patch(first, { status: 'done' });
});

test('an idempotency key names one issue, whatever else is asked (IS-22)', async () => {
  const c = await company(s);
  const first = await create(c, { title: 'Once', idempotencyKey: 'k1' });
  const again = await s.api('POST', `/companies/${c.id}/issues`, { title: 'Other', idempotencyKey: 'k1', allowDuplicate: true });
  assert.deepEqual([again.status, again.json.id, again.json.deduplicationReason], [200, first.id, 'idempotency_key']);
  const other = await company(s);
  assert.equal((await s.api('POST', `/companies/${other.id}/issues`, { title: 'Once', idempotencyKey: 'k1' })).status, 201);
  // a key sent with a duplicate title is bound to the issue that was found
  await s.ok('POST', `/companies/${c.id}/issues`, { title: 'once', idempotencyKey: 'k2' });
  const bound = await s.api('POST', `/companies/${c.id}/issues`, { title: 'anything', idempotencyKey: 'k2' });
  assert.equal(bound.json.id, first.id);
});

test('sixteen creates at once: numbers without gap or double (IS-17)', async () => {
  const c = await company(s);
  const made = await Promise.all(Array.from({ length: 16 }, (_, n) => create(c, { title: `Task ${n}` })));
  assert.deepEqual(made.map((i) => i.issueNumber).sort((x, y) => x - y), Array.from({ length: 16 }, (_, n) => n + 1));
  const same = await Promise.all(Array.from({ length: 16 }, () => create(c, { title: 'The one' })));
  assert.equal(new Set(same.map((i) => i.id)).size, 1);
});

test('bad bodies and dangling references are named (IS-5, IS-7)', async () => {
  const c = await company(s);
  const post = (body) => s.api('POST', `/companies/${c.id}/issues`, body);
  const empty = await post({});
  assert.equal(empty.status, 400);
  assert.deepEqual(empty.json.details, [{ code: 'invalid_type', expected: 'string', received: 'undefined', message: 'Required', path: ['title'] }]);
  for (const body of ['{', '[]', '"x"']) assert.equal((await post(body)).status, 400, body);
  assert.equal((await post({ title: 'x', parentId: 'nonsense' })).status, 400);
  assert.equal((await post({ title: 'x', status: 'zz' })).json.details[0].code, 'invalid_enum_value');
  for (const field of ['parentId', 'projectId', 'goalId', 'projectWorkspaceId']) {
    const r = await post({ title: 'x', [field]: NOBODY });
    assert.deepEqual([r.status, r.json.details], [422, { field, id: NOBODY }], field);
  }
  refused(await post({ title: 'x', assigneeAgentId: NOBODY }), 404, 'Assignee agent not found');
  refused(await post({ title: 'x', assigneeUserId: 'nobody' }), 404, 'Assignee user not found');
  refused(await post({ title: 'x', labelIds: [NOBODY] }), 422, 'One or more labels are invalid for this company');
  refused(await post({ title: 'x', blockedByIssueIds: [NOBODY] }), 422, 'Blocked-by issues must belong to the same company');
  refused(await post({ title: 'x', status: 'in_progress' }), 422, 'in_progress issues require an assignee');
  const a = await agent(s, c);
  refused(await post({ title: 'x', assigneeAgentId: a.id, assigneeUserId: 'local-board' }), 422, 'Issue can only have one assignee');
  refused(await s.api('POST', `/companies/${NOBODY}/issues`, { title: 'x' }), 404);
  refused(await s.api('POST', '/companies/not-an-id/issues', { title: 'x' }), 404);
  refused(await s.api('GET', '/issues/not-an-id'), 404, 'Issue not found');
  refused(await s.api('GET', '/issues'), 400);
});

test('identifiers work as ids everywhere, in any case (IS-2)', async () => {
  const c = await company(s);
  const parent = await create(c, { title: 'Parent' });
  const child = await create(c, { title: 'Child', parentId: parent.identifier.toLowerCase(), blockedByIssueIds: [parent.identifier] });
  assert.equal(child.parentId, parent.id);
  assert.equal(child.requestDepth, 1);
  assert.equal(child.blockedBy[0].id, parent.id);
  const deep = await create(c, { title: 'Deep', parentId: parent.id, requestDepth: 5000.7 });
  assert.equal(deep.requestDepth, 1024, 'bounded, not refused');
  await s.ok('DELETE', `/issues/${deep.id}`);
  assert.equal((await show(child.identifier.toLowerCase())).id, child.id);
  const below = await s.ok('GET', `/companies/${c.id}/issues?descendantOf=${parent.identifier}`);
  assert.deepEqual(below.map((i) => i.id), [child.id]);
  const other = await company(s);
  refused(await s.api('POST', `/companies/${other.id}/issues`, { title: 'x', parentId: parent.identifier }), 422);
});

test('status defaults; an assignment wakes in the same step (EX-5, IS-26, IS-27)', async () => {
  const c = await company(s);
  const a = await agent(s, c);
  const mine = await create(c, { title: 'Assigned', assigneeAgentId: a.id });
  assert.equal(mine.status, 'todo');
  const parked = await create(c, { title: 'Parked', assigneeAgentId: a.id, status: 'backlog' });
  const users = await create(c, { title: 'For a person', assigneeUserId: 'local-board' });
  assert.equal(users.status, 'todo');
  const runs = await wakes(c, a.id);
  assert.equal(runs.length, 1, 'a parked issue wakes nobody');
  const log = await activity(s, c);
  const made = (id) => log.find((e) => e.action === 'issue.created' && e.entityId === id).details;
  assert.equal(made(mine.id).statusDefaultReason, 'assigned_omitted_status');
  assert.equal(made(parked.id).assignmentWakeSkipReason, 'assigned_backlog');
  assert.equal(made(users.id).assignmentWakeSkipReason, 'no_agent_assignee');
});

test('an issue created blocked needs somebody or something that unblocks it (EX-9)', async () => {
  const c = await company(s);
  const b = await create(c, { title: 'B' });
  refused(await s.api('POST', `/companies/${c.id}/issues`, { title: 'x', status: 'blocked' }), 422, /^Entering blocked requires/);
  const i = await create(c, { title: 'x', status: 'blocked', blockedByIssueIds: [b.id] });
  assert.ok(i.blockedTransitionAt);
  const d = await create(c, { title: 'y', status: 'blocked', unblockDescriptor: { owner: 'board', action: 'decide' } });
  assert.deepEqual(d.unblockDescriptor, { owner: 'board', action: 'decide' });
  const free = await patch(d, { status: 'todo' });
  assert.deepEqual([free.unblockDescriptor, free.blockedTransitionAt], [null, null]);
  assert.equal((await s.api('POST', `/companies/${c.id}/issues`, { title: 'z', unblockDescriptor: { owner: 'board', action: 'a' } })).status, 400);
  refused(await s.api('PATCH', `/issues/${free.id}`, { unblockDescriptor: { owner: 'board', action: 'a' } }), 422,
    'unblockDescriptor requires blocked status');
});

test('an unblock owner is told once per block (EX-9)', async () => {
  const c = await company(s);
  const a = await agent(s, c);
  const i = await create(c, { title: 'waits' });
  const blocked = await patch(i, { status: 'blocked', unblockDescriptor: { owner: { agentId: a.id }, action: 'send the key' } });
  assert.ok(blocked.blockedTransitionAt);
  assert.equal((await wakes(c, a.id)).length, 1);
  assert.ok((await show(i)).blockedOwnerNotifiedAt);
  await patch(i, { priority: 'high' });
  assert.equal((await wakes(c, a.id)).length, 1);
  refused(await s.api('PATCH', `/issues/${i.id}`, { unblockDescriptor: { owner: { agentId: NOBODY }, action: 'x' } }), 422);
});

test('columns follow the status (IS-51, EX-7)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'x', assigneeUserId: 'local-board' });
  const started = await patch(i, { status: 'in_progress' });
  assert.ok(started.startedAt);
  await patch(i, { status: 'todo' });
  assert.equal((await patch(i, { status: 'in_progress' })).startedAt, started.startedAt, 'the first start stays');
  const done = await patch(i, { status: 'done' });
  assert.ok(done.completedAt && !done.cancelledAt);
  const cancelled = await patch(i, { status: 'cancelled' });
  assert.ok(!cancelled.completedAt && cancelled.cancelledAt);
  assert.equal((await patch(i, { status: 'backlog' })).cancelledAt, null);
});

test('a change says what changed, and a change of nothing leaves no trace (IS-51, IS-61)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'x', description: 'old' });
  const r = await patch(i, { title: 'y', priority: 'low', description: 'n'.repeat(500) });
  assert.deepEqual(r.changes.priority, { from: 'medium', to: 'low' });
  assert.deepEqual(r.changes.title, { from: 'x', to: 'y' });
  assert.equal(r.changes.description.to.length, 200);
  assert.equal(r.changes.description.updated, true);
  assert.equal(r.comment, null);
  const before = (await activity(s, c)).length;
  const nothing = await patch(i, { title: 'y' });
  assert.deepEqual(nothing.changes, {});
  assert.equal(nothing.updatedAt, r.updatedAt);
  assert.equal((await activity(s, c)).length, before);
  const logged = (await activity(s, c)).find((e) => e.action === 'issue.updated').details;
  assert.equal(logged._previous.priority, 'medium');
  assert.equal(logged.identifier, i.identifier);
});

test('Prefer: return=minimal (IS-61, example 4)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'x' });
  const r = await s.api('PATCH', `/issues/${i.id}`, { priority: 'low', comment: 'note' }, { headers: { prefer: 'return=minimal' } });
  assert.equal(r.headers.get('preference-applied'), 'return=minimal');
  assert.deepEqual(Object.keys(r.json), ['id', 'identifier', 'updatedAt', 'changes', 'comment']);
  assert.equal(r.json.comment.body, 'note');
});

test('blockers: whole set, no self, no cycle, no stranger (IS-80, example 5)', async () => {
  const c = await company(s);
  const [a, b, d] = [await create(c, { title: 'a' }), await create(c, { title: 'b' }), await create(c, { title: 'd' })];
  const set = (i, ids) => s.api('PATCH', `/issues/${i.id}`, { blockedByIssueIds: ids });
  assert.deepEqual((await set(b, [a.id, a.identifier])).json.blockedByIssueIds, [a.id]);
  assert.equal((await set(d, [b.id])).status, 200);
  refused(await set(a, [a.id]), 422, 'Issue cannot be blocked by itself');
  refused(await set(a, [d.id]), 422, 'Blocking relations cannot contain cycles');
  refused(await set(a, [NOBODY]), 422, 'Blocked-by issues must belong to the same company');
  refused(await s.api('PATCH', `/issues/${b.id}`, { status: 'in_progress', assigneeUserId: 'local-board' }), 422, 'Issue is blocked by unresolved blockers');
  const started = await s.api('PATCH', `/issues/${b.id}`, { status: 'in_progress', assigneeUserId: 'local-board' });
  assert.deepEqual(started.json.details, {
    unresolvedBlockerIssueIds: [a.id], unresolvedBlockers: [{ issueId: a.id, identifier: a.identifier, title: 'a', reason: 'not_done' }] });
  const now = await s.api('PATCH', `/issues/${b.id}`, { status: 'in_progress', assigneeUserId: 'local-board', blockedByIssueIds: [] });
  assert.equal(now.status, 200, 'the set in the same request counts');
  assert.deepEqual(now.json.changes.blockedByIssueIds, { from: [a.id], to: [] });
  const log = (await activity(s, c)).find((e) => e.action === 'issue.blockers_updated');
  assert.deepEqual(log.details.removedBlockedByIssueIds, [a.id]);
});

test('the detail shows the chain in the way (IS-76, IS-77, example 10)', async () => {
  const c = await company(s);
  const leaf = await create(c, { title: 'Leaf' });
  const mid = await create(c, { title: 'Mid', status: 'blocked', blockedByIssueIds: [leaf.id] });
  const top = await create(c, { title: 'Top', status: 'blocked', blockedByIssueIds: [mid.id] });
  const d = await show(top);
  assert.deepEqual(d.blockedBy[0].terminalBlockers.map((t) => t.identifier), [leaf.identifier]);
  assert.equal(d.blockerAttention.state, 'needs_attention');
  assert.equal(d.blockerAttention.directBlockerIssueId, mid.id);
  assert.deepEqual(d.blockerAttention.terminalBlocker, { id: leaf.id, identifier: leaf.identifier, title: 'Leaf' });
  assert.deepEqual((await show(leaf)).blocks.map((b) => b.id), [mid.id]);
  await patch(leaf, { status: 'todo', assigneeUserId: 'local-board' });
  assert.deepEqual([(await show(top)).blockerAttention.state, (await show(top)).blockerAttention.reason], ['covered', 'active_dependency']);
  assert.deepEqual(d.ancestors, []);
  for (const key of ['scheduledRetry', 'planDocument', 'project', 'goal', 'currentExecutionWorkspace', 'activeRecoveryAction', 'successfulRunHandoff'])
    assert.equal(d[key], null, key);
});

test('a closed blocker wakes those whose way is free (IS-82, EX-78)', async () => {
  const c = await company(s);
  const a = await agent(s, c);
  const [x, y] = [await create(c, { title: 'x' }), await create(c, { title: 'y' })];
  const dep = await create(c, { title: 'dep', status: 'blocked', assigneeAgentId: a.id, blockedByIssueIds: [x.id, y.id] });
  assert.equal((await wakes(c, a.id)).length, 0, 'blocked work starts nobody');
  await patch(x, { status: 'done' });
  assert.equal((await wakes(c, a.id)).length, 0, 'one is still open');
  await patch(y, { status: 'done' });
  const [run] = await wakes(c, a.id);
  const full = await s.ok('GET', `/heartbeat-runs/${run.id}`);
  assert.equal(full.contextSnapshot.wakeReason, 'issue_blockers_resolved');
  assert.equal(full.contextSnapshot.issueId, dep.id);
  assert.ok((await activity(s, c)).some((e) => e.action === 'issue.blockers_resolved_wake_emitted' && e.entityId === dep.id));
});

test('a cancelled or deleted blocker leaves nobody asleep (IS §9 BETTER a, §23.8)', async () => {
  const c = await company(s);
  const [a, b] = [await agent(s, c), await agent(s, c)];
  const [x, y] = [await create(c, { title: 'x' }), await create(c, { title: 'y' })];
  await create(c, { title: 'dx', status: 'blocked', assigneeAgentId: a.id, blockedByIssueIds: [x.id] });
  await create(c, { title: 'dy', status: 'blocked', assigneeAgentId: b.id, blockedByIssueIds: [y.id] });
  await patch(x, { status: 'cancelled' });
  assert.equal((await wakes(c, a.id)).length, 1);
  await s.ok('DELETE', `/issues/${y.id}`);
  assert.equal((await wakes(c, b.id)).length, 1);
});

test('the last child to close wakes the parent (EX-80)', async () => {
  const c = await company(s);
  const a = await quiet(c);
  const parent = await create(c, { title: 'parent', assigneeAgentId: a.id });
  const one = await s.ok('POST', `/issues/${parent.id}/children`, { title: 'one', acceptanceCriteria: ['it works', 'it is tested'] });
  const two = await s.ok('POST', `/issues/${parent.id}/children`, { title: 'two', blockParentUntilDone: true });
  assert.equal(one.parentId, parent.id);
  assert.equal(one.requestDepth, 1);
  assert.equal(one.description, '## Acceptance Criteria\n\n- it works\n- it is tested');
  assert.equal(one.relatedWork, undefined);
  assert.deepEqual((await show(parent)).blockedBy.map((b) => b.id), [two.id]);
  await s.ok('POST', `/agents/${a.id}/resume`, {});
  const before = (await wakes(c, a.id)).length;
  await patch(one, { status: 'done', comment: 'finished one' });
  assert.equal((await wakes(c, a.id)).length, before);
  await patch(two, { status: 'done' });
  const [run] = await wakes(c, a.id);
  const ctx = (await s.ok('GET', `/heartbeat-runs/${run.id}`)).contextSnapshot;
  assert.equal(ctx.issueId, parent.id);
  assert.ok(['issue_children_completed', 'issue_blockers_resolved'].includes(ctx.wakeReason));
});

test('a parent is no descendant of its child (IS §5 BETTER)', async () => {
  const c = await company(s);
  const top = await create(c, { title: 'top' });
  const low = await create(c, { title: 'low', parentId: top.id });
  refused(await s.api('PATCH', `/issues/${top.id}`, { parentId: low.id }), 422, 'Issue parent would create a cycle');
  refused(await s.api('PATCH', `/issues/${top.id}`, { parentId: top.id }), 422, 'Issue parent would create a cycle');
  assert.equal((await patch(low, { parentId: null })).parentId, null);
});

test('reassignment takes an agent by shortname and wakes the new one only (IS-41, EX-16)', async () => {
  const c = await company(s);
  const [a, b] = [await agent(s, c, { name: 'Ada L' }), await agent(s, c, { name: 'Bob' })];
  const i = await create(c, { title: 'x' });
  assert.equal((await patch(i, { assigneeAgentId: 'ADA-L' })).assigneeAgentId, a.id);
  assert.equal((await wakes(c, a.id)).length, 0, 'backlog wakes nobody');
  await patch(i, { assigneeAgentId: b.id, status: 'todo' });
  assert.equal((await wakes(c, b.id)).length, 1);
  refused(await s.api('PATCH', `/issues/${i.id}`, { assigneeAgentId: 'nobody-here' }), 404, 'Assignee agent not found');
  refused(await s.api('PATCH', `/issues/${i.id}`, { assigneeUserId: 'local-board' }), 422, 'Issue can only have one assignee');
  const mine = await patch(i, { assigneeAgentId: null, assigneeUserId: 'local-board' });
  assert.deepEqual([mine.assigneeAgentId, mine.assigneeUserId], [null, 'local-board']);
  const gone = await agent(s, c);
  await s.ok('POST', `/agents/${gone.id}/terminate`, {});
  const no = await s.api('PATCH', `/issues/${i.id}`, { assigneeAgentId: gone.id, assigneeUserId: null });
  assert.deepEqual([no.status, no.json.code, no.json.details.reason], [409, 'agent_not_assignable', 'assignee_terminated']);
});

test('references between issues, both ways (IS-93)', async () => {
  const c = await company(s);
  const a = await create(c, { title: 'a' });
  const b = await create(c, { title: `like ${a.identifier}`, description: `see ${a.identifier.toLowerCase()} and \`${c.issuePrefix}-99\`` });
  assert.deepEqual(b.referencedIssueIdentifiers, [a.identifier]);
  assert.deepEqual(b.relatedWork.outbound[0].sources.map((x) => x.kind).sort(), ['description', 'title']);
  assert.equal(b.relatedWork.outbound[0].mentionCount, 2);
  assert.equal((await show(a)).relatedWork.inbound[0].issue.id, b.id);
  await patch(b, { title: 'plain', description: null });
  assert.deepEqual((await show(a)).relatedWork, { outbound: [], inbound: [] });
  await s.ok('POST', `/issues/${b.id}/comments`, { body: `about /issues/${a.identifier}.` });
  assert.deepEqual((await show(b)).referencedIssueIdentifiers, [a.identifier]);
});

test('lists: order, filters, pages (IS §7)', async () => {
  const c = await company(s);
  const a = await quiet(c);
  const low = await create(c, { title: 'Low one', priority: 'low', assigneeAgentId: a.id });
  const high = await create(c, { title: 'High one', priority: 'high' });
  const mid = await create(c, { title: 'Middle', description: 'x'.repeat(3000), parentId: high.id });
  await create(c, { title: 'Hidden', harnessKind: 'skill_test' });
  const list = (query = '') => s.ok('GET', `/companies/${c.id}/issues${query}`);
  const titles = async (query) => (await list(query)).map((i) => i.title);
  assert.deepEqual(await titles(), ['High one', 'Middle', 'Low one']);
  assert.deepEqual(await titles('?sortField=updated'), ['Middle', 'High one', 'Low one']);
  assert.deepEqual(await titles('?sortField=updated&sortDir=asc'), ['Low one', 'High one', 'Middle']);
  assert.deepEqual(await titles('?status=todo,done'), ['Low one']);
  assert.deepEqual(await titles(`?assigneeAgentId=${a.id}`), ['Low one']);
  assert.deepEqual(await titles('?assigneeAgentId=null'), ['High one', 'Middle']);
  assert.deepEqual(await titles(`?parentId=${high.id}`), ['Middle']);
  assert.deepEqual(await titles('?q=one'), ['High one', 'Low one']);
  assert.deepEqual(await titles('?q=100%25'), []);
  assert.deepEqual(await titles('?originKindPrefix=man'), ['High one', 'Middle', 'Low one']);
  assert.deepEqual(await titles(`?participantAgentId=${a.id}`), ['Low one']);
  assert.deepEqual(await titles(`?updatedSince=${encodeURIComponent(high.updatedAt)}`), ['Middle']);
  await s.ok('POST', `/issues/${low.id}/comments`, { body: 'a needle in a comment' });
  assert.deepEqual(await titles('?q=needle'), ['Low one']);
  assert.deepEqual(await titles('?sortField=updated&limit=1'), ['Low one']);
  const page = await s.api('GET', `/companies/${c.id}/issues?limit=2&offset=1`);
  assert.equal(page.headers.get('x-total-count'), '3');
  assert.deepEqual(page.json.map((i) => i.title), ['Middle', 'Low one']);
  const row = page.json[0];
  assert.equal(row.description.length, 1200);
  assert.equal(row.descriptionTruncated, true);
  assert.equal(row.activeRun, null);
  assert.equal(row.blockerAttention.state, 'none');
  assert.equal(row.id, mid.id);
  for (const q of ['limit=0', 'limit=x', 'offset=-1', 'sortField=title', 'view=wide', 'attention=all', 'updatedSince=never', 'projectId=abc', 'labelId=1'])
    assert.equal((await s.api('GET', `/companies/${c.id}/issues?${q}`)).status, 400, q);
  refused(await s.api('GET', `/companies/${c.id}/issues?assigneeAgentId=abc`), 422, "assigneeAgentId must be a UUID or 'null'");
  assert.deepEqual(await titles('?status=nonsense'), []);
});

test('compact rows carry exactly the fields of IS-14', async () => {
  const c = await company(s);
  await create(c, { title: 'x' });
  const [row] = await s.ok('GET', `/companies/${c.id}/issues?view=compact&includeBlockedBy=true`);
  const fields = ['id', 'companyId', 'projectId', 'projectWorkspaceId', 'goalId', 'parentId', 'title', 'description', 'status', 'workMode', 'priority',
    'reviewPolicy', 'assigneeAgentId', 'assigneeUserId', 'checkoutRunId', 'executionRunId', 'executionAgentNameKey', 'executionLockedAt',
    'createdByAgentId', 'createdByUserId', 'issueNumber', 'identifier', 'originKind', 'originId', 'originRunId', 'requestDepth', 'billingCode',
    'executionWorkspaceId', 'startedAt', 'completedAt', 'cancelledAt', 'createdAt', 'updatedAt', 'labelIds', 'labels', 'lastActivityAt',
    'blockerAttention', 'reviewAttention', 'successfulRunHandoff', 'activeRecoveryAction', 'blockedBy'];
  assert.deepEqual(Object.keys(row).sort(), [...fields].sort());
});

test('the count of stuck work (IS-73)', async () => {
  const c = await company(s);
  const b = await create(c, { title: 'b' });
  await create(c, { title: 'x', status: 'blocked', blockedByIssueIds: [b.id] });
  assert.deepEqual(await s.ok('GET', `/companies/${c.id}/issues/count?attention=blocked`), { count: 1 });
  assert.equal((await s.api('GET', `/companies/${c.id}/issues/count`)).status, 400);
  assert.equal((await s.api('GET', `/companies/${c.id}/issues/count?attention=blocked&limit=1`)).status, 400);
});

test('a detail has an ETag and answers 304 (IS-74)', async () => {
  const c = await company(s);
  const i = await create(c, { title: 'x' });
  const tag = (await s.api('GET', `/issues/${i.id}`)).headers.get('etag');
  assert.equal((await s.api('GET', `/issues/${i.id}`, undefined, { headers: { 'if-none-match': tag } })).status, 304);
  await patch(i, { priority: 'low' });
  assert.equal((await s.api('GET', `/issues/${i.id}`, undefined, { headers: { 'if-none-match': tag } })).status, 200);
});

test('deleting: gone for good, but not with children (IS-79)', async () => {
  const c = await company(s);
  const parent = await create(c, { title: 'p' });
  const child = await create(c, { title: 'c', parentId: parent.id });
  refused(await s.api('DELETE', `/issues/${parent.id}`), 409, 'Issue cannot be deleted because another record still references it.');
  assert.equal((await s.ok('DELETE', `/issues/${child.identifier}`)).id, child.id);
  refused(await s.api('GET', `/issues/${child.id}`), 404, 'Issue not found');
  refused(await s.api('DELETE', `/issues/${child.id}`), 404);
  await s.ok('DELETE', `/issues/${parent.id}`);
  assert.equal((await create(c, { title: 'p' })).issueNumber, 3, 'numbers are not used again');
});

test('what an agent needs to start (IS-133)', async () => {
  const c = await company(s);
  const top = await create(c, { title: 'top' });
  const i = await create(c, { title: 'x', parentId: top.id });
  const note = await s.ok('POST', `/issues/${i.id}/comments`, { body: 'hello' });
  const h = await s.ok('GET', `/issues/${i.id}/heartbeat-context?wakeCommentId=${note.id}`);
  assert.equal(h.issue.identifier, i.identifier);
  assert.deepEqual(h.ancestors, [{ id: top.id, identifier: top.identifier, title: 'top', status: 'backlog', priority: 'medium' }]);
  assert.deepEqual(h.commentCursor, { totalComments: 1, latestCommentId: note.id, latestCommentAt: note.createdAt });
  assert.equal(h.wakeComment.body, 'hello');
  assert.equal((await s.ok('GET', `/issues/${i.id}/heartbeat-context?wakeCommentId=${NOBODY}`)).wakeComment, null);
});

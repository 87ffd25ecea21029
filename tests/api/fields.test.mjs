// Every writable field of every body takes effect, and an unknown one is named
// (design: an unknown field is never silently dropped). The fields come from the
// schemas of GET /api/openapi.json; a new one is sent with a value made from its
// schema, unless a line here says otherwise.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { company, server } from './harness.mjs';
import { MAKE, bodyOf, operations, pathOf, place } from './operations.mjs';

const s = await server();
const home = await place(s);
const all = (await operations(s)).filter((op) => op.schema);

// A place of its own for one request: what a field changes must not disturb the next.
let count = 0;
async function fresh() {
  const p = { s, company: await company(s), run: home.run, adapter: home.adapter, execution: home.execution, operation: home.operation };
  for (const kind of ['agent', 'issue', 'goal', 'project', 'label', 'comment', 'interaction', 'approval', 'product', 'document', 'revision', 'workspace', 'key']) p[kind] = await MAKE[kind](p);
  p.other = await MAKE.agent(p);
  p.blocker = await MAKE.issue(p);
  p.parentGoal = await MAKE.goal(p);
  return p;
}

/* Where what was written is read back. r: the answer. */
const listed = (path) => async (p, r) => (await s.ok('GET', path(p))).find((x) => x.id === (r.id ?? p.workspace.id));
const one = (noun) => (p, r) => s.ok('GET', `/${noun}/${r.id}`);
const answer = (p, r) => r;
const READ = {
  'POST /api/companies': one('companies'),
  'PATCH /api/companies/{companyId}': one('companies'),
  'PATCH /api/companies/{companyId}/branding': one('companies'),
  'POST /api/companies/{companyId}/agents': one('agents'),
  'PATCH /api/agents/{id}': one('agents'),
  'PATCH /api/agents/{id}/permissions': async (p, r) => (await s.ok('GET', `/agents/${r.id}`)).permissions,
  'POST /api/agents/{id}/keys': listed((p) => `/agents/${p.agent.id}/keys`),
  'POST /api/agents/{id}/wakeup': one('heartbeat-runs'),
  'POST /api/agents/{id}/heartbeat/invoke': one('heartbeat-runs'),
  'POST /api/companies/{companyId}/activity': listed((p) => `/companies/${p.company.id}/activity`),
  'POST /api/companies/{companyId}/issues': one('issues'),
  'PATCH /api/issues/{id}': one('issues'),
  'POST /api/issues/{id}/children': one('issues'),
  'POST /api/issues/{id}/checkout': one('issues'),
  'POST /api/issues/{id}/comments': (p, r) => s.ok('GET', `/issues/${p.issue.id}/comments/${r.id}`),
  'POST /api/issues/{id}/approvals': answer,
  'PUT /api/issues/{id}/documents/{key}': answer,
  'POST /api/companies/{companyId}/approvals': one('approvals'),
  'POST /api/companies/{companyId}/agent-hires': (p, r) => r.agent,
  'POST /api/approvals/{id}/comments': answer,
  'POST /api/approvals/{id}/approve': answer,
  'POST /api/approvals/{id}/reject': answer,
  'POST /api/approvals/{id}/request-revision': answer,
  'POST /api/approvals/{id}/resubmit': answer,
  'POST /api/issues/{id}/accepted-plan-decompositions': (p, r) => r.decomposition,
  'POST /api/issues/{id}/work-products': answer,
  'PATCH /api/work-products/{id}': answer,
  'POST /api/issues/{id}/interactions': answer,
  'POST /api/issues/{id}/interactions/{interactionId}/accept': answer,
  'POST /api/issues/{id}/interactions/{interactionId}/reject': answer,
  'POST /api/issues/{id}/interactions/{interactionId}/respond': answer,
  'POST /api/issues/{id}/interactions/{interactionId}/verdicts': answer,
  'POST /api/issues/{id}/interactions/{interactionId}/withdraw': answer,
  'POST /api/issues/{id}/interactions/{interactionId}/cancel': answer,
  'POST /api/companies/{companyId}/goals': one('goals'),
  'PATCH /api/goals/{id}': one('goals'),
  'POST /api/companies/{companyId}/projects': one('projects'),
  'PATCH /api/projects/{id}': one('projects'),
  'POST /api/projects/{id}/workspaces': listed((p) => `/projects/${p.project.id}/workspaces`),
  'PATCH /api/projects/{id}/workspaces/{workspaceId}': listed((p) => `/projects/${p.project.id}/workspaces`),
  'POST /api/companies/{companyId}/labels': listed((p) => `/companies/${p.company.id}/labels`),
  'PATCH /api/execution-workspaces/{id}': one('execution-workspaces'),
  'POST /api/execution-workspaces/{id}/finalize': answer,
  'POST /api/companies/{companyId}/execution-workspaces/gc': answer,
  'POST /api/agents/{id}/runtime-state/reset-session': answer,
  'POST /api/agents/{id}/skills/sync': answer,
  'PATCH /api/agents/{id}/instructions-path': answer,
  'POST /api/issues/{id}/inbox-archive': answer,
  'DELETE /api/issues/{id}/inbox-archive': answer,
  'POST /api/companies/{companyId}/inbox-dismissals': answer,
  'PUT /api/sidebar-preferences/me': answer,
  'PUT /api/companies/{companyId}/sidebar-preferences/me': answer,
  'POST /api/companies/{companyId}/adapters/{type}/test-environment': answer,
  'POST /api/issues/{id}/recovery-actions/resolve': answer,
  'POST /api/heartbeat-runs/{id}/watchdog-decisions': answer,
  'POST /api/issues/{id}/stalled-review-decision': answer,
  'PUT /api/issues/{id}/watchdog': answer,
  'PATCH /api/instance/settings': answer,
  'PATCH /api/instance/settings/general': answer,
  'PATCH /api/instance/settings/experimental': answer,
  'POST /api/instance/settings/experimental/issue-graph-liveness-auto-recovery/preview': answer,
  'POST /api/instance/settings/experimental/issue-graph-liveness-auto-recovery/run': answer,
  'POST /api/issues/{id}/tree-control/preview': answer,
  'POST /api/issues/{id}/tree-holds': (p, r) => r.hold,
  'POST /api/issues/{id}/tree-holds/{holdId}/release': answer,
};

/*
 * What the schema alone cannot know, by field, or by "route field" where routes
 * differ. value: what to send. with: what must go along. see: where it shows,
 * when not under its own name. shows: what shows, when not the value itself.
 * skip: why it cannot be read back, and where it is tested. stays: why null
 * does not empty it.
 */
const id = (kind) => ({ value: (p) => p[kind].id });
const ids = (kind) => ({ value: (p) => [p[kind].id] });
const not = (skip) => ({ skip });
const FIELDS = {
  // companies
  brandColor: { value: () => '#123456' },
  interactionResolverGovernance: { value: () => ({ suggest_tasks: { cap: 'human_only' } }) },
  logoAssetId: not('there are no assets to name: refused in bad_input'),
  // agents
  reportsTo: id('other'),
  adapterType: { value: () => 'http' },
  adapterConfig: { value: () => ({ command: '/bin/sh', args: ['-c', 'true'] }) },
  runtimeConfig: { value: () => ({ heartbeat: { enabled: false, intervalSec: 77 } }), see: (got) => got.runtimeConfig.heartbeat.intervalSec, shows: () => 77 },
  desiredSkills: { value: () => ['some/skill'], see: (got) => got.adapterConfig.paperclipSkillSync.desiredSkills },
  defaultEnvironmentId: not('there are no environments to name: refused in bad_input'),
  instructionsBundle: not('no adapter of this version takes one: refused with 422'),
  replaceAdapterConfig: not('says how adapterConfig is taken: agents.test'),
  permissions: { value: () => ({ canCreateAgents: true, canCreateSkills: false }), shows: (v) => v },
  'PATCH /api/agents/{id} status': { value: () => 'paused' },
  trustPreset: { value: () => 'low_trust_review' },
  authorizationPolicy: { value: () => ({ rules: [] }) },
  'POST /api/agents/{id}/keys scope': { value: () => ({ kind: 'standard' }) },
  'POST /api/agents/{id}/skills/sync mode': not('says how the wishes are taken: agent_history.test'),
  'POST /api/agents/{id}/skills/sync desiredSkills': { value: () => ['some/skill'] },
  'PATCH /api/agents/{id}/instructions-path path': { value: () => '/srv/a.md', with: () => ({ adapterConfigKey: 'instructionsFilePath' }) },
  'PATCH /api/agents/{id}/instructions-path adapterConfigKey': { value: () => 'instructionsFilePath', with: () => ({ path: '/srv/a.md' }) },
  // the inbox
  'POST /api/issues/{id}/inbox-archive userId': { value: () => 'local-board' },
  'DELETE /api/issues/{id}/inbox-archive userId': { value: () => 'local-board' },
  itemKey: { value: () => 'run:x' },
  'POST /api/companies/{companyId}/inbox-dismissals kind': { value: () => 'dismiss' },
  snoozedUntil: not('of a snooze, and in the future: inbox.test'),
  orderedIds: { value: (p) => [p.agent.id] },
  // wakes
  source: { value: () => 'automation', see: (got) => got.invocationSource },
  payload: { value: (p) => ({ issueId: p.issue.id }), see: (got) => got.contextSnapshot.issueId, shows: (v) => v.issueId },
  reason: { value: () => 'because', see: (got) => got.contextSnapshot, holds: 'because' },
  forceFreshSession: { see: (got) => got.contextSnapshot.forceFreshSession },
  'POST /api/agents/{id}/wakeup idempotencyKey': not('a delivery happens once: runs.test'),
  'POST /api/agents/{id}/heartbeat/invoke triggerDetail': { value: () => 'ping' },
  taskKey: not('there are no task sessions to reset apart from the agent own'),
  // goals, projects, workspaces, labels
  'POST /api/companies/{companyId}/goals parentId': id('parentGoal'),
  'PATCH /api/goals/{id} parentId': id('parentGoal'),
  ownerAgentId: id('agent'),
  leadAgentId: id('agent'),
  goalId: id('goal'),
  goalIds: ids('goal'),
  targetDate: { value: () => '2031-02-03' },
  env: { value: () => ({ NAME: 'value' }), shows: () => ({ NAME: { type: 'plain', value: 'value' } }) },
  executionWorkspacePolicy: { value: (p) => ({ enabled: true, defaultMode: 'isolated_workspace', allowIssueOverride: true, defaultProjectWorkspaceId: null, workspaceStrategy: { type: 'git_worktree', baseRef: 'main' } }) },
  workspace: { value: () => ({ name: 'code', repoUrl: 'https://example.test/code.git' }), see: (got) => got.workspaces[0].name, shows: (v) => v.name },
  sourceType: { value: () => 'git_repo', with: () => ({ repoUrl: 'https://example.test/a.git' }) },
  cwd: { value: () => '/srv/code' },
  'PATCH /api/projects/{id}/workspaces/{workspaceId} name': { stays: 'without a name it takes that of its place (WS-22)' },
  'PATCH /api/projects/{id}/workspaces/{workspaceId} repoUrl': { value: () => 'https://example.test/c.git', stays: 'a workspace keeps its last place (WS-24)' },
  repoUrl: { value: () => 'https://example.test/b.git' },
  color: { value: () => '#abcdef' },
  // execution workspaces
  executionWorkspaceId: not('a run makes one; what may be named: workspaces_close.test'),
  executionWorkspaceSettings: { value: () => ({ mode: 'shared_workspace', sharedWorkspaceConcurrency: 'serialize' }) },
  'PATCH /api/execution-workspaces/{id} status': { value: () => 'idle' },
  'PATCH /api/execution-workspaces/{id} providerRef': { value: () => '/srv/tree' },
  'PATCH /api/execution-workspaces/{id} config': { value: () => ({ teardownCommand: 'true' }), see: (got) => got.config.teardownCommand, shows: (v) => v.teardownCommand },
  'PATCH /api/execution-workspaces/{id} metadata': { value: () => ({ some: 'thing' }), see: (got) => got.metadata.some, shows: (v) => v.some },
  'POST /api/execution-workspaces/{id}/finalize reason': { value: () => 'because', see: (got) => got.metadata.reason },
  outcome: { value: () => 'accept_local_state', see: (got) => got.metadata.manual, shows: () => true },
  apply: not('removes what is left over: workspaces_close.test'),
  force: not('the same'),
  // watchdogs, settings of the server
  'POST /api/heartbeat-runs/{id}/watchdog-decisions reason': { value: () => 'because' },
  'POST /api/heartbeat-runs/{id}/watchdog-decisions snoozedUntil': { value: () => '2031-02-03T04:05:06.789Z', with: () => ({ decision: 'snooze' }) },
  'POST /api/heartbeat-runs/{id}/watchdog-decisions evaluationIssueId': not('an agent names the issue it was given: recovery_time.test'),
  'POST /api/issues/{id}/stalled-review-decision action': { value: () => 'send_back' },
  'POST /api/issues/{id}/stalled-review-decision note': { value: () => 'Look again', see: (got) => got.comment?.body },
  'PUT /api/issues/{id}/watchdog agentId': { value: (p) => p.other.id, see: (got) => got.watchdogAgentId },
  watchdog: { value: (p) => ({ agentId: p.other.id }), see: (got) => got.watchdog?.watchdogAgentId, shows: (v) => v.agentId },
  'PATCH /api/instance/settings defaultEnvironmentId': not('there is one environment to name: instance.test'),
  executionPaused: { value: () => false },
  executionMode: { value: () => 'any' },
  backupRetention: { value: () => ({ dailyDays: 3, weeklyWeeks: 2, monthlyMonths: 3 }) },
  lookbackHours: not('says how far back to look: graph_liveness.test'),
  // holds, stages
  mode: { value: () => 'cancel' },
  releasePolicy: { value: () => ({ strategy: 'after_active_runs_finish' }), stays: 'without one it is manual' },
  'POST /api/issues/{id}/tree-holds metadata': not('says how a restore is done: holds.test'),
  'POST /api/issues/{id}/tree-holds/{holdId}/release reason': { value: () => 'enough', see: (got) => got.releaseReason },
  'POST /api/issues/{id}/tree-holds/{holdId}/release metadata': { value: () => ({ some: 'thing' }), see: (got) => got.releaseMetadata },
  'POST /api/issues/{id}/tree-holds reason': { value: () => 'because' },
  executionPolicy: { value: () => ({ stages: [{ type: 'review', participants: [{ type: 'user', userId: 'local-board' }] }] }),
    see: (got) => got.executionPolicy?.stages[0].participants[0].userId ?? null, shows: (v) => v && v.stages[0].participants[0].userId },
  reviewRequest: not('needs a stage that waits: policy.test'),
  // issues
  title: { value: () => 'A title of its own' },
  status: { value: () => 'todo' },
  'POST /api/companies/{companyId}/goals status': { value: () => 'active' },
  'PATCH /api/goals/{id} status': { value: () => 'achieved' },
  'POST /api/companies/{companyId}/projects status': { value: () => 'planned' },
  'PATCH /api/projects/{id} status': { value: () => 'completed' },
  'PATCH /api/companies/{companyId} status': { value: () => 'paused' },
  projectId: id('project'),
  projectWorkspaceId: { ...id('workspace'), with: (p) => ({ projectId: p.project.id }) },
  parentId: id('blocker'),
  inheritExecutionWorkspaceFromIssueId: not('there are no execution workspaces to inherit; project inheritance: projects.test, issues.test'),
  blockedByIssueIds: { ...ids('blocker'), see: (got) => got.blockedBy.map((b) => b.id) },
  unblockDescriptor: { value: () => ({ owner: 'board', action: 'Decide' }), with: () => ({ status: 'blocked' }) },
  assigneeAgentId: { ...id('agent'), with: () => ({ status: 'backlog' }) },
  assigneeUserId: { value: () => 'local-board', with: () => ({ status: 'backlog' }) },
  labelIds: ids('label'),
  assigneeAdapterOverrides: { value: () => ({ modelProfile: 'cheap', adapterConfig: { model: 'x' }, useProjectWorkspace: true }) },
  idempotencyKey: not('names the issue for a second request: issues.test'),
  allowDuplicate: not('lets a second issue of the same title be: issues.test'),
  acceptanceCriteria: { value: () => ['It works'], see: (got) => got.description, holds: 'It works' },
  blockParentUntilDone: { see: async (got, p) => (await s.ok('GET', `/issues/${p.issue.id}`)).blockedBy.map((b) => b.id), shows: (v, r) => [r.id] },
  comment: { value: () => 'Some words', see: async (got, p) => (await s.ok('GET', `/issues/${p.issue.id}/comments`))[0].body },
  reopen: not('an intent of a comment: issue_runs.test, loop.test'),
  resume: not('an intent of a comment: issue_runs.test, loop.test'),
  interrupt: not('cancels the live run: issue_runs.test, loop.test'),
  reviewInteractionId: not('a condition, no value: interactions.test'),
  // approvals, hires and documents
  'POST /api/companies/{companyId}/approvals type': { value: () => 'request_board_approval' },
  requestedByAgentId: id('agent'),
  'POST /api/companies/{companyId}/approvals payload': { value: () => ({ title: 'Other' }) },
  'POST /api/approvals/{id}/resubmit payload': { value: () => ({ title: 'Other' }) },
  issueIds: { ...ids('issue'), see: async (got) => (await s.ok('GET', `/approvals/${got.id}/issues`)).map((i) => i.id) },
  approvalId: { ...id('approval'), see: (got) => got[0].id },
  sourceIssueId: not('linked to the approval of a hire: approvals.test'),
  sourceIssueIds: not('linked to the approval of a hire: approvals.test'),
  'PUT /api/issues/{id}/documents/{key} format': { value: () => 'markdown' },
  changeSummary: { see: async (got, p) => (await s.ok('GET', `/issues/${p.issue.id}/documents/${p.document.id}/revisions`))[0].changeSummary },
  baseRevisionId: not('a condition, no value: documents.test'),
  // plans and work products
  acceptedPlanRevisionId: { value: (p) => p.plan },
  children: { value: () => [{ title: 'One' }, { title: 'Two' }], see: (got) => got.childIssueIds.length, shows: () => 2 },
  'POST /api/issues/{id}/work-products type': { value: () => 'commit' },
  'PATCH /api/work-products/{id} type': { value: () => 'commit' },
  url: { value: () => 'https://example.test/x' },
  'POST /api/issues/{id}/work-products status': { value: () => 'draft' },
  'PATCH /api/work-products/{id} status': { value: () => 'draft' },
  executionWorkspaceId: not('names a workspace of the company; refused otherwise in bad_input'),
  runtimeServiceId: { value: (p) => p.issue.id },
  createdByRunId: not('names a run of the company; refused otherwise in bad_input'),
  // interactions
  kind: { value: () => 'request_confirmation' },
  'POST /api/issues/{id}/interactions payload': { value: () => ({ version: 1, prompt: 'Stop?', allowDeclineReason: false, supersedeOnUserComment: false }) },
  'POST /api/issues/{id}/interactions sourceCommentId': id('comment'),
  'POST /api/issues/{id}/interactions sourceRunId': not('names a run of the company; interactions.test'),
  'POST /api/issues/{id}/interactions addresseeAgentId': id('agent'),
  'POST /api/issues/{id}/interactions resolverPolicy': { value: () => 'not_creator' },
  selectedClientKeys: not('of suggested tasks: interactions.test'),
  selectedOptionIds: not('of checkboxes: interactions.test'),
  'POST /api/issues/{id}/interactions/{interactionId}/accept reason': { see: (got) => got.result.reason },
  'POST /api/issues/{id}/interactions/{interactionId}/reject reason': { see: (got) => got.result.reason },
  'POST /api/issues/{id}/interactions/{interactionId}/withdraw reason': { see: (got) => got.result.reason },
  'POST /api/issues/{id}/interactions/{interactionId}/cancel reason': { see: (got) => got.result.cancellationReason },
  answers: { value: () => [{ questionId: 'q', optionIds: ['a'] }], see: (got) => got.result.answers },
  summaryMarkdown: { see: (got) => got.result.summaryMarkdown },
  verdicts: { value: () => [{ id: '1', verdict: 'approve' }], see: (got) => got.result.items[0].verdict, shows: () => 'approve' },
  'PATCH /api/issues/{id} onBehalfOfUserId': { value: () => 'somebody', with: () => ({ comment: 'for them' }),
    see: async (got, p) => (await s.ok('GET', `/issues/${p.issue.id}/comments`))[0].onBehalfOfUserId },
  'POST /api/issues/{id}/checkout agentId': { ...id('agent'), see: (got) => got.assigneeAgentId },
  expectedStatuses: not('a condition, no value: issues.test, checkout races'),
  decision: { value: () => 'dismissed_false_positive' },
  evaluationIssueId: not('there are no evaluation issues to name: refused in bad_input'),
  // recovery: needs an action, which needs an agent that fails
  actionId: not('recovery.test'),
  outcome: not('recovery.test'),
  sourceIssueStatus: not('recovery.test'),
  resolutionNote: not('recovery.test'),
  // comments, activity
  authorType: { value: () => 'user' },
  presentation: { value: () => ({ kind: 'system_notice', tone: 'warning', title: 'Look', detailsDefaultOpen: true, density: 'compact' }) },
  'POST /api/issues/{id}/comments metadata': { value: () => ({ version: 1, sections: [{ title: 'T', rows: [{ type: 'text', text: 'x' }] }] }) },
  actorType: { value: () => 'user' },
  'POST /api/companies/{companyId}/activity agentId': id('agent'),
  environmentId: not('there are no environments to name: refused in bad_input'),
  'POST /api/companies/{companyId}/adapters/{type}/test-environment adapterConfig': { value: () => ({ command: '/no/such/program' }), see: (got) => got.status, shows: () => 'fail' },
};

/* A value that the schema allows and that is not the usual default. */
function made(p) {
  if (p.enum) return p.enum.at(-1);
  if (p.format === 'date-time') return '2031-02-03T04:05:06.789Z';
  if (p.type === undefined) return true;
  return { string: `words ${++count}`, integer: Math.min(7, p.maximum ?? 7), number: 7, boolean: true, object: { some: 'thing' }, array: [] }[p.type];
}

const lineOf = (op, key) => FIELDS[`${op.id} ${key}`] ?? FIELDS[key] ?? {};

async function sent(op, key, schema) {
  const line = lineOf(op, key), p = await fresh();
  if (op.line.ready) await op.line.ready(p);
  const value = line.value ? line.value(p) : made(schema);
  const r = await s.api(op.method, pathOf(op, p), { ...bodyOf(op, p), ...line.with?.(p), [key]: value });
  if (r.status !== op.status) return `${r.status} ${r.text.slice(0, 200)}`;
  if (schema.readOnly) return r.headers.get('x-ignored-fields') === key ? undefined : 'read-only, and not named as ignored';
  if (r.headers.get('x-ignored-fields')) return `named as ignored: ${r.headers.get('x-ignored-fields')}`;
  const got = await READ[op.id](p, r.json);
  const seen = line.see ? await line.see(got, p) : got[key];
  if (line.holds) return JSON.stringify(seen).includes(line.holds) ? undefined : `not in ${JSON.stringify(seen)}`;
  const expected = line.shows ? line.shows(value, r.json) : value;
  if (!isDeepStrictEqual(seen, expected)) return `sent ${JSON.stringify(value)}, read ${JSON.stringify(seen)}`;
  if (op.method !== 'PATCH' || !schema.nullable || line.see || line.stays) return undefined;
  const emptied = await s.api('PATCH', pathOf(op, p), { ...bodyOf(op, p), [key]: null });
  if (emptied.status !== 200) return `null: ${emptied.status} ${emptied.text.slice(0, 200)}`;
  const left = (await READ[op.id](p, emptied.json))[key];
  return left === null ? undefined : `null left ${JSON.stringify(left)}`;
}

for (const op of all) {
  test(`${op.id}: every field takes effect`, async () => {
    assert.ok(READ[op.id], 'where is it read back? READ in this file does not know');
    const wrong = [];
    for (const [key, schema] of Object.entries(op.schema.properties)) {
      if (lineOf(op, key).skip) continue;
      const problem = await sent(op, key, schema);
      if (problem) wrong.push(`${key}: ${problem}`);
    }
    assert.equal(wrong.length, 0, wrong.join('\n'));
  });
}

test('every line of the list above is about a field that there is', () => {
  const known = new Set(all.flatMap((op) => Object.keys(op.schema.properties).flatMap((k) => [k, `${op.id} ${k}`])));
  assert.deepEqual(Object.keys(FIELDS).filter((k) => !known.has(k)), []);
  assert.deepEqual(Object.keys(READ).filter((k) => !all.some((op) => op.id === k)), []);
});

test('a field that nobody knows is named, and the rest done', async () => {
  const wrong = [];
  for (const op of all) {
    const p = await fresh();
    if (op.line.ready) await op.line.ready(p);
    const r = await s.api(op.method, pathOf(op, p), { ...bodyOf(op, p), favouriteColour: 'blue', favouriteDish: 1 });
    if (op.schema.additionalProperties === false) {
      if (r.status !== 400 || r.json.details[0].code !== 'unrecognized_keys') wrong.push(`${op.id}: ${r.status} ${r.text.slice(0, 200)}`);
      continue;
    }
    const named = r.headers.get('x-ignored-fields');
    if (r.status !== op.status || named !== 'favouriteColour, favouriteDish') wrong.push(`${op.id}: ${r.status} ${named} ${r.text.slice(0, 200)}`);
  }
  assert.equal(wrong.length, 0, wrong.join('\n'));
});

test('whatever its name: the header can carry it', async () => {
  const p = await fresh();
  const named = async (body) => (await s.api('PATCH', `/issues/${p.issue.id}`, body)).headers.get('x-ignored-fields');
  assert.equal(await named({ 'a,b': 1, 'c d': 1, 'é': 1, '100%': 1, '\r\nX-Evil: 1': 1 }), 'a%2Cb, c%20d, %C3%A9, 100%25, %0D%0AX-Evil:%201');
  assert.equal(await named({ '': 1 }), '""');
  assert.match(await named({ ['x'.repeat(500)]: 1 }), /^x{60,70}\.\.\.$/);
  const many = await named(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`field${n}`, 1])));
  assert.match(many, /^field0, field1, .*, \.\.\.$/);
  assert.ok(many.length < 1200);
});

test('with api.strictFields it is refused, and nothing done', async () => {
  const strict = await server({ args: ['--set', 'api.strictFields=true'] });
  const p = await place(strict);
  const before = (await strict.api('GET', `/companies/${p.company.id}/activity`)).text;
  const wrong = [];
  for (const op of all) {
    const r = await strict.api(op.method, pathOf(op, p), { ...bodyOf(op, p), favouriteColour: 'blue' });
    const expected = op.schema.additionalProperties === false ? 400 : 422;
    if (r.status !== expected || !JSON.stringify(r.json).includes('favouriteColour')) wrong.push(`${op.id}: ${r.status} ${r.text.slice(0, 200)}`);
  }
  assert.equal(wrong.length, 0, wrong.join('\n'));
  assert.equal((await strict.api('GET', `/companies/${p.company.id}/activity`)).text, before);
});

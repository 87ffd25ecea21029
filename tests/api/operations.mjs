// operations: one line per route of the API, for the tests that go over every
// route. Bodies and rights come from GET /api/openapi.json; what a schema cannot
// know (which entity a path names, what makes a valid request, what an ordinary
// agent is refused) stands here. A route without a line fails the tests.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { NOBODY, agent, company, eventually, key } from './harness.mjs';
import { ran, shell, until } from './kit.mjs';

/* The entity a path names, by its first segment. */
const KINDS = { companies: 'company', agents: 'agent', issues: 'issue', 'heartbeat-runs': 'run', goals: 'goal', projects: 'project', labels: 'label', 'execution-workspaces': 'execution', 'workspace-operations': 'operation', environments: 'environment', approvals: 'approval', 'work-products': 'product' };
const PARTS = { holdId: 'hold', keyId: 'key', commentId: 'comment', workspaceId: 'workspace', interactionId: 'interaction', approvalId: 'approval', key: 'document', revisionId: 'revision', 'config-revisions/revisionId': 'config' };
/* Names of the server itself, which belong to no company. */
const WORDS = { type: 'adapter', page: 'text', itemKey: 'dismissal', environmentId: 'environment' };

let count = 0;
const name = (what) => `${what} ${++count}`;

const CONFIRMATION = { kind: 'request_confirmation', payload: { version: 1, prompt: 'Go?' } };
const QUESTION = { kind: 'ask_user_questions', payload: { version: 1, questions: [{ id: 'q', prompt: 'Which?', selectionMode: 'multi', options: [{ id: 'a', label: 'A' }] }] } };
const ITEMS = { kind: 'request_item_verdicts', payload: { version: 1, prompt: 'Look', items: [{ id: '1', label: 'One' }] } };

/** How each kind of entity comes to be in the place p. */
export const MAKE = {
  company: (p) => company(p.s),
  agent: (p) => agent(p.s, p.company),
  issue: (p) => p.s.ok('POST', `/companies/${p.company.id}/issues`, { title: name('Issue') }),
  goal: (p) => p.s.ok('POST', `/companies/${p.company.id}/goals`, { title: name('Goal') }),
  project: (p) => p.s.ok('POST', `/companies/${p.company.id}/projects`, { name: name('Project') }),
  label: (p) => p.s.ok('POST', `/companies/${p.company.id}/labels`, { name: name('label'), color: '#00aa11' }),
  comment: (p) => p.s.ok('POST', `/issues/${p.issue.id}/comments`, { body: 'words' }),
  hold: async (p) => (await p.s.ok('POST', `/issues/${p.issue.id}/tree-holds`, { mode: 'pause' })).hold,
  workspace: (p) => p.s.ok('POST', `/projects/${p.project.id}/workspaces`, { name: name('ws'), repoUrl: `https://example.test/${count}.git` }),
  product: (p) => p.s.ok('POST', `/issues/${p.issue.id}/work-products`, { type: 'branch', provider: 'git', title: name('Product') }),
  approval: (p) => p.s.ok('POST', `/companies/${p.company.id}/approvals`, { type: 'request_board_approval', payload: { title: name('Approval') } }),
  // a document is named by its key
  document: async (p) => {
    const d = await p.s.ok('PUT', `/issues/${p.issue.id}/documents/${name('doc').replace(' ', '-')}`, { format: 'markdown', body: 'words' });
    return { ...d, document: d, id: d.key };
  },
  // an older one of the document
  revision: async (p) => {
    const id = p.document.document.latestRevisionId;
    await p.s.ok('PUT', `/issues/${p.issue.id}/documents/${p.document.id}`, { format: 'markdown', body: 'more', baseRevisionId: id });
    return { id };
  },
  interaction: (p) => p.s.ok('POST', `/issues/${p.issue.id}/interactions`, CONFIRMATION),
  key: (p) => p.s.ok('POST', `/agents/${p.agent.id}/keys`, {}),
  config: async (p) => {
    await p.s.ok('PATCH', `/agents/${p.agent.id}`, { capabilities: name('Skill') });
    return (await p.s.ok('GET', `/agents/${p.agent.id}/config-revisions`))[0];
  },
  dismissal: () => ({ id: 'run:x' }),
  adapter: () => ({ id: 'process' }),
  text: () => ({ id: 'process.txt' }),
  environment: async (p) => (await p.s.ok('GET', `/companies/${p.company.id}/environments`))[0],
  execution: (p) => p.execution, // made by a run, as is an operation
  operation: (p) => p.operation,
  run: (p) => p.run, // a run is not made by a request; the one of the place ended long ago
};
const WITHIN = { hold: 'issue', comment: 'issue', interaction: 'issue', document: 'issue', revision: 'document', workspace: 'project', key: 'agent', config: 'agent' };

/** A company with one of everything, and tokens: of an agent, and of a run of another. */
export async function place(s) {
  const p = { s, company: await company(s) };
  p.agent = await agent(s, p.company);
  p.token = await key(s, p.agent);
  const gone = await agent(s, p.company);
  p.deadToken = await key(s, gone);
  await s.ok('POST', `/agents/${gone.id}/terminate`, {});
  for (const kind of ['issue', 'goal', 'project', 'label', 'comment', 'interaction', 'approval', 'product', 'document', 'revision', 'workspace', 'key', 'config', 'dismissal', 'adapter', 'text', 'environment']) p[kind] = await MAKE[kind](p);
  p.hold = await MAKE.hold(p);
  await s.ok('POST', `/issues/${p.issue.id}/tree-holds/${p.hold.id}/release`, {}); // the issue itself stays free
  const idler = await shell(s, p.company, 'echo hello');
  p.run = await ran(s, idler);
  const folder = await s.ok('POST', `/companies/${p.company.id}/projects`, { name: name('Folder'), workspace: { cwd: s.dataDir } });
  const task1 = await s.ok('POST', `/companies/${p.company.id}/issues`, { title: 'Work somewhere', projectId: folder.id, assigneeAgentId: idler.id });
  p.execution = await eventually(async () => (await s.ok('GET', `/companies/${p.company.id}/execution-workspaces?issueId=${task1.id}`))[0], { message: 'no workspace' });
  p.operation = (await s.ok('GET', `/execution-workspaces/${p.execution.id}/workspace-operations`))[0];
  for (const r of await s.ok('GET', `/issues/${task1.id}/runs`)) await until(s, r.runId);
  p.runner = await shell(s, p.company,
    'printf %s "$PAPERCLIP_API_KEY" > token; printf "Authorization: Bearer %s\\n" "$PAPERCLIP_API_KEY" |' +
      ' curl -sS -X PATCH -H @- -H "X-Paperclip-Run-Id: $PAPERCLIP_RUN_ID" -H "content-type: application/json"' +
      ' -d \'{"status":"done"}\' "$PAPERCLIP_API_URL/api/issues/$PAPERCLIP_TASK_ID"');
  const task = await s.ok('POST', `/companies/${p.company.id}/issues`, { title: 'Get a token', assigneeAgentId: p.runner.id });
  await eventually(async () => (await s.ok('GET', `/issues/${task.id}`)).status === 'done', { message: 'the runner never did its task' });
  for (const r of await s.ok('GET', `/issues/${task.id}/runs`)) await until(s, r.runId);
  p.runToken = readFileSync(`${s.dataDir}/workspaces/${p.runner.id}/token`, 'utf8');
  return p;
}

/** The place with fresh entities where the operation's path names some. */
export async function refreshed(p, op) {
  const q = { ...p };
  for (const { kind } of op.params) {
    if (kind === 'company' && !op.line.freshCompany) continue;
    q[kind] = await MAKE[kind](q);
    // what stands in an entity was made in the old one
    for (const [part, whole] of Object.entries(WITHIN)) if (whole === kind) q[part] = undefined;
  }
  if (op.line.ready) await op.line.ready(q);
  return q;
}

export const pathOf = (op, p) => op.path.replace(/\{(\w+)\}/g, (_, n) => p[op.params.find((x) => x.name === n).kind].id) + (op.line.query ?? '');
export const bodyOf = (op, p) => (op.schema ? (op.line.body ? op.line.body(p) : {}) : undefined);

const NEEDS = (reason) => ({ agent: 403, reason });
const BOARD_ONLY = NEEDS('settings of the server are the board\'s (AO-100)');
const CEO = NEEDS('only the ceo among agents');
const GRANT = NEEDS('needs a grant that an ordinary agent lacks (AR-18)');
const NO_RUN = (reason) => ({ agent: 401, reason });
const ANSWER = { agent: 422, run: 200, reason: 'an agent answers from a run of its own (IS-117)' };
const asking = (body) => async (p) => {
  p.interaction = await p.s.ok('POST', `/issues/${p.issue.id}/interactions`, body);
};
const setStatus = (status) => (p) => p.s.ok('PATCH', `/agents/${p.agent.id}`, { status });

/**
 * body: a valid body. query: needed in the path. ready: brings the fresh entity
 * into the state the route needs. status: of success when it is not the
 * documented one. agent, run, board: the answer to an ordinary agent's key, to a
 * run token, to the board, where the class of the route does not say it (reason).
 * unknown: the answer to an unknown name of the server's own, when not 404.
 * empty: of what is unknown, or another company's, there is nothing: 200 and [].
 * anyName: answers to a path whose last part names nothing, when that is no 404: taking away and making need nothing there.
 * empty: of what is unknown, or another company's, there is nothing: 200 and [], or 204.
 * ids: query parameters that are ids, numbers: that are numbers.
 */
export const OPERATIONS = {
  'GET /api/health': {},
  'GET /api/health/live': {},
  'GET /api/health/ready': {},
  'POST /api/health/dev-server/restart': { board: 404, reason: 'there is none' },
  'GET /api/cloud/stacks': { board: 404, reason: 'there are none' },
  'GET /api/plugins': {},
  'GET /api/plugins/examples': {},
  'GET /api/plugins/ui-contributions': {},
  'GET /api/plugins/tools': {},
  'GET /api/openapi.json': {},
  'GET /metrics': {},

  'GET /api/auth/get-session': { ...NO_RUN('for people (AO-53)') },
  'GET /api/auth/profile': { ...NO_RUN('for people (AO-53)') },
  'GET /api/cli-auth/me': {},
  'GET /api/companies/{companyId}/user-directory': {},

  'GET /api/companies': {},
  'POST /api/companies': { body: () => ({ name: name('Made') }) },
  'GET /api/companies/stats': {},
  'GET /api/companies/issues': { status: 400 },
  'GET /api/issues': { status: 400 },
  'GET /api/companies/{companyId}': {},
  'PATCH /api/companies/{companyId}': { body: () => ({ description: 'd' }), ...CEO },
  'PATCH /api/companies/{companyId}/branding': { body: () => ({ description: 'd' }), ...CEO },
  'POST /api/companies/{companyId}/archive': { freshCompany: true },
  'DELETE /api/companies/{companyId}': { freshCompany: true },

  'GET /api/companies/{companyId}/agents': {},
  'POST /api/companies/{companyId}/agents': { body: () => ({ name: name('Agent') }), ...GRANT },
  'GET /api/companies/{companyId}/agent-configurations': { ...GRANT },
  'GET /api/companies/{companyId}/org': {},
  'GET /api/agents/me': {},
  'GET /api/agents/me/inbox-lite': {},
  'GET /api/agents/me/inbox/mine': { query: '?userId=local-board' },
  'GET /api/agents/{id}': {},
  'PATCH /api/agents/{id}': { body: () => ({ title: 't' }), ...GRANT },
  'DELETE /api/agents/{id}': {},
  'PATCH /api/agents/{id}/permissions': { body: () => ({ canCreateAgents: false, canAssignTasks: false }), ...CEO },
  'POST /api/agents/{id}/pause': {},
  'POST /api/agents/{id}/resume': { ready: setStatus('paused') },
  'POST /api/agents/{id}/clear-error': { ready: setStatus('error') },
  'POST /api/agents/{id}/approve': { ready: setStatus('pending_approval') },
  'POST /api/agents/{id}/terminate': {},
  'GET /api/agents/{id}/keys': {},
  'POST /api/agents/{id}/keys': { body: () => ({}) },
  'DELETE /api/agents/{id}/keys/{keyId}': {},
  'GET /api/agents/{id}/configuration': { ...GRANT },
  'POST /api/agents/{id}/wakeup': { body: () => ({}), ...NEEDS('an agent wakes nobody but itself (AR-18)') },
  'POST /api/agents/{id}/heartbeat/invoke': { body: () => ({}), ...NEEDS('an agent wakes nobody but itself (AR-18)') },
  'GET /api/agents/{id}/config-revisions': { ...GRANT },
  'GET /api/agents/{id}/config-revisions/{revisionId}': { ...GRANT },
  'POST /api/agents/{id}/config-revisions/{revisionId}/rollback': { ...GRANT },
  'GET /api/agents/{id}/task-sessions': {},
  'GET /api/agents/{id}/skills': { ...GRANT },
  'POST /api/agents/{id}/skills/sync': { body: () => ({ mode: 'add', desiredSkills: ['a'] }), ...GRANT },
  'PATCH /api/agents/{id}/instructions-path': { body: () => ({ path: '/tmp/a.md', adapterConfigKey: 'instructionsFilePath' }) },
  'GET /api/agents/{id}/runtime-state': {},
  'POST /api/agents/{id}/runtime-state/reset-session': { body: () => ({}) },

  'GET /api/instance/scheduler-heartbeats': {},
  'GET /api/adapters': {},
  'GET /api/adapters/{type}': {},
  'GET /api/adapters/{type}/config-schema': { status: 404 },
  'GET /api/companies/{companyId}/adapters/{type}/models': { unknown: 422 },
  'GET /api/companies/{companyId}/adapters/{type}/model-profiles': { unknown: 422 },
  'GET /api/companies/{companyId}/adapters/{type}/detect-model': { unknown: 422 },
  'POST /api/companies/{companyId}/adapters/{type}/test-environment': { body: () => ({ adapterConfig: { command: '/bin/true' } }), unknown: 422, ...GRANT },
  'GET /llms/agent-configuration.txt': { ...GRANT },
  'GET /llms/agent-configuration/{page}': { ...GRANT },
  'GET /llms/agent-icons.txt': { ...GRANT },
  'GET /api/llms/agent-configuration.txt': { ...GRANT },
  'GET /api/llms/agent-configuration/{page}': { ...GRANT },
  'GET /api/llms/agent-icons.txt': { ...GRANT },

  'GET /api/companies/{companyId}/heartbeat-runs': { ids: ['agentId', 'before'], numbers: ['limit'] },
  'GET /api/companies/{companyId}/live-runs': { numbers: ['limit', 'minCount'] },
  'GET /api/heartbeat-runs/{id}': {},
  'GET /api/heartbeat-runs/{id}/events': { numbers: ['limit', 'afterSeq'] },
  'GET /api/heartbeat-runs/{id}/log': { numbers: ['offset', 'limitBytes'] },
  'GET /api/heartbeat-runs/{id}/issues': { empty: true }, // GV-97
  'POST /api/heartbeat-runs/{id}/cancel': {},
  'POST /api/heartbeat-runs/{id}/watchdog-decisions': { body: () => ({ decision: 'continue' }), ...NEEDS('only the owner of the open question decides (EX-142)') },
  'GET /api/issues/{id}/live-runs': {},
  'GET /api/issues/{id}/active-run': {},
  'GET /api/issues/{id}/runs': { numbers: ['limit'] },

  'GET /api/companies/{companyId}/activity': { ids: ['agentId', 'runId', 'before'], numbers: ['limit'] },
  'POST /api/companies/{companyId}/activity': { body: () => ({ actorId: 'somebody', action: 'x.y', entityType: 'thing', entityId: '1' }) },
  'GET /api/companies/{companyId}/dashboard': {},
  'GET /api/companies/{companyId}/sidebar-badges': {},
  'GET /api/sidebar-preferences/me': {},
  'PUT /api/sidebar-preferences/me': { body: () => ({ orderedIds: [NOBODY] }) },
  'GET /api/companies/{companyId}/sidebar-preferences/me': {},
  'PUT /api/companies/{companyId}/sidebar-preferences/me': { body: () => ({ orderedIds: [NOBODY] }) },
  'GET /api/companies/{companyId}/inbox-dismissals': {},
  'POST /api/companies/{companyId}/inbox-dismissals': { body: () => ({ itemKey: 'run:x' }) },
  'DELETE /api/companies/{companyId}/inbox-dismissals/{itemKey}': { empty: true },
  'POST /api/issues/{id}/read': {},
  'DELETE /api/issues/{id}/read': {},
  'POST /api/issues/{id}/inbox-archive': { body: () => ({}) },
  'DELETE /api/issues/{id}/inbox-archive': { body: () => ({}) },
  'GET /api/companies/{companyId}/bootstrap': {},
  'GET /api/companies/{companyId}/events/ws': { status: 426 },

  'GET /api/companies/{companyId}/issues': {
    ids: ['assigneeAgentId', 'participantAgentId', 'projectId', 'workspaceId', 'executionWorkspaceId', 'parentId', 'descendantOf', 'labelId'],
    numbers: ['limit', 'offset'] },
  'POST /api/companies/{companyId}/issues': { body: () => ({ title: name('Made') }) },
  'GET /api/companies/{companyId}/issues/count': { query: '?attention=blocked', ids: ['projectId', 'labelId'] },
  'GET /api/issues/{id}': {},
  'PATCH /api/issues/{id}': { body: () => ({ description: 'd' }), agent: 403, run: 200, reason: 'needs a run that works on an issue (IS-10)' },
  'DELETE /api/issues/{id}': {},
  'POST /api/issues/{id}/children': { body: () => ({ title: name('Child') }) },
  'POST /api/issues/{id}/checkout': {
    body: (p) => ({ agentId: p.me?.id ?? p.agent.id, expectedStatuses: ['todo', 'backlog'] }), run: 409, ...NO_RUN('a live run takes issues; that of the token has ended (IS-63)') },
  'POST /api/issues/{id}/release': { run: 409, ...NO_RUN('and the assignee gives it back: the run token is not its (IS-67)') },
  'POST /api/issues/{id}/admin/force-release': {},
  'GET /api/issues/{id}/comments': { numbers: ['limit'] },
  'POST /api/issues/{id}/comments': { body: () => ({ body: 'words' }), agent: 403, run: 201, reason: 'needs a run that works on an issue (IS-10)' },
  'GET /api/issues/{id}/comments/{commentId}': {},
  'DELETE /api/issues/{id}/comments/{commentId}': { ...NEEDS('only who wrote it takes it back (IS-91)') },
  'GET /api/issues/{id}/approvals': {},
  'POST /api/issues/{id}/approvals': { body: (p) => ({ approvalId: p.approval.id }), ...NEEDS('links are for those who may create agents (IS-101)') },
  'DELETE /api/issues/{id}/approvals/{approvalId}': { anyName: [200], ...NEEDS('links are for those who may create agents (IS-101)') },
  'GET /api/issues/{id}/documents': {},
  'GET /api/issues/{id}/documents/{key}': {},
  'PUT /api/issues/{id}/documents/{key}': { anyName: [201, 400, 409], body: (p) => ({ format: 'markdown', body: 'words', baseRevisionId: undefined, ...(p.base ? { baseRevisionId: p.base } : {}) }),
    ready: async (p) => { p.base = (await p.s.ok('GET', `/issues/${p.issue.id}/documents/${p.document.id}`)).latestRevisionId; } },
  'DELETE /api/issues/{id}/documents/{key}': {},
  'GET /api/issues/{id}/documents/{key}/revisions': {},
  'POST /api/issues/{id}/documents/{key}/revisions/{revisionId}/restore': {},
  'POST /api/issues/{id}/documents/{key}/lock': {},
  'POST /api/issues/{id}/documents/{key}/unlock': {},
  'GET /api/issues/{id}/accepted-plan-decompositions': {},
  'POST /api/issues/{id}/accepted-plan-decompositions': {
    body: (p) => ({ acceptedPlanRevisionId: p.plan ?? p.revision.id, children: [{ title: name('Part') }] }),
    ready: async (p) => {
      p.plan = (await p.s.ok('PUT', `/issues/${p.issue.id}/documents/plan`, { format: 'markdown', body: 'plan' })).latestRevisionId;
      await asking({ ...CONFIRMATION, payload: { ...CONFIRMATION.payload, target: { type: 'issue_document', key: 'plan', revisionId: p.plan } } })(p);
      await p.s.ok('POST', `/issues/${p.issue.id}/interactions/${p.interaction.id}/accept`, {});
    } },
  'GET /api/issues/{id}/work-products': {},
  'POST /api/issues/{id}/work-products': { body: () => ({ type: 'branch', provider: 'git', title: name('Product') }) },
  'PATCH /api/work-products/{id}': { body: () => ({ title: name('Product') }) },
  'DELETE /api/work-products/{id}': {},
  'GET /api/issues/{id}/interactions': {},
  'POST /api/issues/{id}/interactions': { body: () => structuredClone(CONFIRMATION), run: 201, ...NO_RUN('an agent asks from a run (IS-114)') },
  'POST /api/issues/{id}/interactions/{interactionId}/accept': { body: () => ({}), ready: asking(CONFIRMATION), ...ANSWER },
  'POST /api/issues/{id}/interactions/{interactionId}/reject': { body: () => ({}), ready: asking(CONFIRMATION), ...ANSWER },
  'POST /api/issues/{id}/interactions/{interactionId}/respond': { body: () => ({ answers: [] }), ready: asking(QUESTION), ...ANSWER },
  'POST /api/issues/{id}/interactions/{interactionId}/verdicts': { body: () => ({ verdicts: [{ id: '1', verdict: 'approve' }] }), ready: asking(ITEMS), ...ANSWER },
  'POST /api/issues/{id}/interactions/{interactionId}/withdraw': { body: () => ({}), ready: asking(CONFIRMATION), agent: 422, run: 403, reason: 'who asked takes it back (IS-145)' },
  'POST /api/issues/{id}/interactions/{interactionId}/cancel': { body: () => ({}), ready: asking(QUESTION) },
  'GET /api/issues/{id}/heartbeat-context': {},
  'GET /api/issues/{id}/activity': {},
  'GET /api/issues/{id}/recovery-actions': {},
  'POST /api/issues/{id}/recovery-actions/resolve': { body: () => ({ outcome: 'restored', sourceIssueStatus: 'todo' }), status: 404 },
  'POST /api/issues/{id}/tree-control/preview': { body: () => ({ mode: 'pause' }) },
  'GET /api/issues/{id}/tree-control/state': {},
  'GET /api/issues/{id}/tree-holds': {},
  'POST /api/issues/{id}/tree-holds': { body: () => ({ mode: 'pause' }) },
  'GET /api/issues/{id}/tree-holds/{holdId}': { anyName: [400, 404] }, // "Invalid hold ID" (IS-128)
  'POST /api/issues/{id}/tree-holds/{holdId}/release': { body: () => ({}), ready: async (p) => { p.hold = await MAKE.hold(p); }, anyName: [400, 404] },
  'GET /api/issues/{id}/diagnostics/blockers': {},
  'GET /api/issues/{id}/explain': {},
  'GET /api/issues/{id}/history': { numbers: ['limit'] },
  'POST /api/issues/{id}/monitor/check-now': {
    ready: (p) => p.s.ok('PATCH', `/issues/${p.issue.id}`, { assigneeAgentId: p.agent.id, status: 'in_progress',
      executionPolicy: { monitor: { nextCheckAt: new Date(Date.now() + 3600e3).toISOString() } } }),
    ...NEEDS('the assignee looks after its issue, from a run that works on one (IS-99, IS-10)') },
  'POST /api/issues/{id}/stalled-review-decision': { ready: async (p) => {
    p.issue = await MAKE.issue(p); // one of which nothing was asked
    await p.s.ok('PATCH', `/issues/${p.issue.id}`, { status: 'in_review' });
  }, body: () => ({ action: 'approve' }) },
  'POST /api/issues/{id}/scheduled-retry/retry-now': {},
  'GET /api/issues/{id}/diagnostics/wakes': {},
  'GET /api/issues/{id}/diagnostics/subtree': {},
  'GET /api/issues/{id}/watchdog': {},
  'PUT /api/issues/{id}/watchdog': { body: (p) => ({ agentId: p.agent.id }), agent: 403, run: 200, reason: 'needs a run that works on an issue (IS-10)' },
  'DELETE /api/issues/{id}/watchdog': { agent: 403, run: 200, reason: 'needs a run that works on an issue (IS-10)' },
  'GET /api/companies/{companyId}/explain': { numbers: ['limit', 'offset'] },

  'GET /api/instance/settings': { ...BOARD_ONLY },
  'PATCH /api/instance/settings': { body: () => ({ defaultEnvironmentId: null }) },
  'GET /api/instance/settings/general': { ...BOARD_ONLY },
  'PATCH /api/instance/settings/general': { body: () => ({ keyboardShortcuts: false }) },
  'GET /api/instance/settings/experimental': { ...BOARD_ONLY },
  'POST /api/instance/settings/experimental/issue-graph-liveness-auto-recovery/preview': { body: () => ({}) },
  'POST /api/instance/settings/experimental/issue-graph-liveness-auto-recovery/run': { body: () => ({}) },
  'PATCH /api/instance/settings/experimental': { body: () => ({ enableApps: false }) },
  'GET /api/companies/{companyId}/approvals': {},
  'POST /api/companies/{companyId}/approvals': { body: () => ({ type: 'request_board_approval', payload: { title: name('Approval') } }) },
  'POST /api/companies/{companyId}/agent-hires': { body: () => ({ name: name('Hire') }), ...GRANT },
  'GET /api/approvals/{id}': {},
  'GET /api/approvals/{id}/issues': {},
  'GET /api/approvals/{id}/comments': {},
  'POST /api/approvals/{id}/comments': { body: () => ({ body: 'words' }) },
  'POST /api/approvals/{id}/approve': { body: () => ({}) },
  'POST /api/approvals/{id}/reject': { body: () => ({}) },
  'POST /api/approvals/{id}/request-revision': { body: () => ({}) },
  'POST /api/approvals/{id}/resubmit': { body: () => ({}), ready: (p) => p.s.ok('POST', `/approvals/${p.approval.id}/request-revision`, {}), ...NEEDS('who asked asks again (GV-36)') },

  'GET /api/companies/{companyId}/goals': {},
  'POST /api/companies/{companyId}/goals': { body: () => ({ title: name('Made') }) },
  'GET /api/goals/{id}': {},
  'PATCH /api/goals/{id}': { body: () => ({ description: 'd' }) },
  'DELETE /api/goals/{id}': {},

  'GET /api/companies/{companyId}/projects': {},
  'POST /api/companies/{companyId}/projects': { body: () => ({ name: name('Made') }) },
  'GET /api/projects/{id}': {},
  'PATCH /api/projects/{id}': { body: () => ({ description: 'd' }) },
  'DELETE /api/projects/{id}': {},
  'GET /api/projects/{id}/workspaces': {},
  'POST /api/projects/{id}/workspaces': { body: () => ({ name: name('ws'), repoUrl: 'https://example.test/x.git' }) },
  'PATCH /api/projects/{id}/workspaces/{workspaceId}': { body: () => ({ name: name('ws') }) },
  'DELETE /api/projects/{id}/workspaces/{workspaceId}': {},

  'GET /api/companies/{companyId}/execution-workspaces': {},
  'POST /api/companies/{companyId}/execution-workspaces/gc': {},
  'GET /api/companies/{companyId}/workspace-overview': {},
  'GET /api/execution-workspaces/{id}': {},
  'GET /api/execution-workspaces/{id}/workspace-operations': {},
  'PATCH /api/execution-workspaces/{id}': { body: () => ({ name: name('workspace') }) },
  'GET /api/execution-workspaces/{id}/close-readiness': {},
  'POST /api/execution-workspaces/{id}/finalize': { body: () => ({ outcome: 'accept_local_state', reason: 'it is fine' }) },
  'GET /api/heartbeat-runs/{id}/workspace-operations': {},
  'GET /api/workspace-operations/{id}/log': {},
  'GET /api/companies/{companyId}/environments': {},
  'GET /api/environments/{environmentId}': {},

  'GET /api/companies/{companyId}/labels': {},
  'POST /api/companies/{companyId}/labels': { body: () => ({ name: name('label'), color: '#aabbcc' }) },
  'DELETE /api/labels/{id}': {},
};

/* Who may call at all, from the documented security of the operation. */
function who(security) {
  const schemes = security.flatMap((x) => Object.keys(x));
  if (schemes.length === 0) return 'public';
  const agents = schemes.includes('AgentBearerAuth');
  return agents ? (schemes.length > 1 ? 'any' : 'agent') : 'board';
}

function paramsOf(path) {
  const kind = KINDS[path.split('/')[2]];
  return [...path.matchAll(/([^/]+)\/\{(\w+)\}/g)].map(([, before, n], i) => {
    const k = WORDS[n] ?? (i === 0 ? kind : (PARTS[`${before}/${n}`] ?? PARTS[n]));
    assert.ok(k, `what does {${n}} of ${path} name? tests/api/operations.mjs does not know`);
    return { name: n, kind: k, word: n in WORDS };
  });
}

/** Every operation of the server: its documentation and its line above. */
export async function operations(s) {
  const doc = await s.ok('GET', '/openapi.json');
  const out = [];
  for (const [path, methods] of Object.entries(doc.paths)) {
    for (const [m, o] of Object.entries(methods)) {
      const method = m.toUpperCase(), id = `${method} ${path}`;
      assert.ok(OPERATIONS[id], `${id} has no line in tests/api/operations.mjs`);
      out.push({ id, method, path, line: OPERATIONS[id], params: paramsOf(path), who: who(o.security), safe: method === 'GET',
        schema: o.requestBody?.content['application/json'].schema, status: OPERATIONS[id].status ?? Number(Object.keys(o.responses)[0]) });
    }
  }
  for (const id of Object.keys(OPERATIONS)) assert.ok(out.some((o) => o.id === id), `${id} is in tests/api/operations.mjs, but the server has no such route`);
  return out;
}

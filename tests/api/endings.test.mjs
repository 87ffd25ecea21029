// Endings: what a finished run amounted to, and what follows when it left its issue without an answer (EX-69…75).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activity, company, eventually, server, sleep } from './harness.mjs';
import { ENDED, run, shell } from './kit.mjs';

const s = await server({ env: { BULLDOG_MAX_CONCURRENT_RUNS: '64' } });

const API = `api() { m=$1; p=$2; shift 2; printf 'Authorization: Bearer %s\\nX-Paperclip-Run-Id: %s\\n' "$PAPERCLIP_API_KEY" "$PAPERCLIP_RUN_ID" | curl -sS -X "$m" -H @- -H 'content-type: application/json' "$PAPERCLIP_API_URL/api$p" "$@"; }
say() { api POST /issues/$PAPERCLIP_TASK_ID/comments -d "{\\"body\\":\\"$1\\"}"; }
done_() { api PATCH /issues/$PAPERCLIP_TASK_ID -d '{"status":"done","comment":"finished"}'; }
rename() { api PATCH /issues/$PAPERCLIP_TASK_ID -d "{\\"title\\":\\"$1\\"}"; }
`;
// An agent that acts by the reason it was woken for.
const worker = (c, cases) =>
  shell(s, c, `${API}case "$PAPERCLIP_WAKE_REASON" in\n${Object.entries(cases).map(([k, v]) => `${k}) ${v} ;;`).join('\n')}\nesac`);
const issue = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, body);
const show = (i) => s.ok('GET', `/issues/${i.id ?? i}`);
const comments = (i) => s.ok('GET', `/issues/${i.id}/comments`);
const runsOf = async (i) => Promise.all((await s.ok('GET', `/issues/${i.id}/runs`)).reverse().map((r) => run(s, r.runId)));
/** The issue's runs, oldest first, when n of them have ended and no more came. */
async function rested(i, n) {
  await eventually(async () => {
    const list = await s.ok('GET', `/issues/${i.id}/runs`);
    return list.length >= n && list.every((r) => ENDED.has(r.status));
  }, { message: `never ${n} ended runs` });
  await sleep(400);
  const list = await runsOf(i);
  assert.ok(list.every((r) => ENDED.has(r.status)));
  return list;
}
const reasons = (runs) => runs.map((r) => r.contextSnapshot.wakeReason);
const actions = async (c, name) => (await activity(s, c)).filter((e) => e.action === name);

test('a run that does something without a word is reminded once, and may then only speak (EX-71, EX-75)', async () => {
  const c = await company(s);
  const a = await worker(c, { issue_assigned: 'rename worked', missing_issue_comment: 'say "it is renamed"; done_' });
  const i = await issue(c, { title: 'Quiet', assigneeAgentId: a.id });
  const [first, second, ...more] = await rested(i, 2);
  assert.deepEqual(reasons([first, second]), ['issue_assigned', 'missing_issue_comment']);
  assert.equal(more.length, 0);
  assert.deepEqual([first.issueCommentStatus, second.issueCommentStatus], ['retry_queued', 'satisfied']);
  assert.ok(first.issueCommentRetryQueuedAt);
  assert.equal(second.issueCommentSatisfiedByCommentId, (await comments(i)).find((k) => k.body === 'it is renamed').id);
  assert.deepEqual([second.retryOfRunId, second.contextSnapshot.missingIssueCommentForRunId], [first.id, first.id]);
  const { recoveryIntent, allowDeliverableWork, allowDocumentUpdates, resumeRequiresNormalModel, modelProfile } = second.contextSnapshot;
  assert.deepEqual([recoveryIntent, allowDeliverableWork, allowDocumentUpdates, resumeRequiresNormalModel, modelProfile], ['status_only', false, false, true, 'cheap']);
  assert.equal((await show(i)).status, 'done');
});

test('a run that may only speak gives out no cheap work (EX-75)', async () => {
  const c = await company(s);
  const cheap = `api POST /issues/$PAPERCLIP_TASK_ID/children -d '{"title":"Part","assigneeAdapterOverrides":{"modelProfile":"cheap"}}'`;
  const a = await worker(c, { issue_assigned: 'rename one', missing_issue_comment: `${cheap} > said.json; say "it is renamed"; done_` });
  const i = await issue(c, { title: 'Cheap', assigneeAgentId: a.id });
  await eventually(async () => (await show(i)).status === 'done');
  const said = JSON.parse((await import('node:fs')).readFileSync(`${s.dataDir}/workspaces/${a.id}/said.json`, 'utf8'));
  const second = (await rested(i, 2))[1];
  assert.deepEqual(said.details, { issueId: i.id, runId: second.id, modelProfile: 'cheap', recoveryIntent: 'status_only', resumeRequiresNormalModel: true });
  assert.deepEqual(await s.ok('GET', `/companies/${c.id}/issues?parentId=${i.id}`), []);
});

test('a comment with the agent\'s key and no run id is a comment all the same (EX-71 BETTER)', async () => {
  const c = await company(s);
  const a = await worker(c, { issue_assigned: `curl -sS -X POST -H "Authorization: Bearer $PAPERCLIP_API_KEY" -H 'content-type: application/json' "$PAPERCLIP_API_URL/api/issues/$PAPERCLIP_TASK_ID/comments" -d '{"body":"here"}'; done_` });
  const i = await issue(c, { title: 'Spoken', assigneeAgentId: a.id });
  const [only, ...more] = await rested(i, 1);
  assert.deepEqual([only.issueCommentStatus, more.length], ['satisfied', 0]);
});

test('work without a disposition: asked once, and the answer ends the question (EX-72, EX-73)', async () => {
  const c = await company(s);
  const a = await worker(c, { issue_assigned: 'say "part one is finished"', finish_successful_run_handoff: 'done_' });
  const i = await issue(c, { title: 'Undecided', assigneeAgentId: a.id });
  const [first, second, ...more] = await rested(i, 2);
  assert.deepEqual(reasons([first, second]), ['issue_assigned', 'finish_successful_run_handoff']);
  assert.equal(more.length, 0);
  assert.equal(first.livenessState, 'advanced');
  const asked = second.contextSnapshot;
  assert.equal(asked.handoffRequired, true);
  assert.equal(asked.handoffReason, 'successful_run_missing_state');
  assert.equal(asked.missingDisposition, 'clear_next_step');
  assert.deepEqual(asked.validDispositionOptions, ['mark_done_or_cancelled', 'send_for_review_or_ask_for_input', 'mark_blocked', 'delegate_or_continue_from_checkpoint']);
  assert.deepEqual([asked.resumeIntent, asked.followUpRequested, asked.resumeFromRunId], [true, true, first.id]);
  assert.equal(asked.recoveryIntent, undefined, 'it may finish the work');
  assert.ok((await comments(i)).some((k) => /Missing issue disposition/.test(k.body) && k.authorType === 'system'));
  assert.equal((await actions(c, 'issue.successful_run_handoff_required')).length, 1);
  assert.equal((await actions(c, 'issue.successful_run_handoff_resolved')).length, 1);
  const end = await show(i);
  assert.deepEqual([end.status, end.successfulRunHandoff], ['done', null]);
});

test('asked in vain: somebody has to decide (EX-73)', async () => {
  const c = await company(s);
  const a = await worker(c, { issue_assigned: 'say "some of it"', finish_successful_run_handoff: 'say "hm"' });
  const i = await issue(c, { title: 'Silent', assigneeAgentId: a.id });
  await eventually(async () => (await show(i)).successfulRunHandoff?.state === 'escalated');
  const end = await show(i);
  assert.equal(end.status, 'blocked');
  assert.ok(end.unblockDescriptor);
  assert.equal(end.successfulRunHandoff.required, false);
  assert.equal((await actions(c, 'issue.successful_run_handoff_escalated')).length, 1);
});

test('no question while something else answers it: a child, a blocker, a person (EX-72)', async () => {
  const c = await company(s);
  const hand = await shell(s, c, 'sleep 60');
  const ways = {
    child: `say "delegated"; api POST /issues/$PAPERCLIP_TASK_ID/children -d '{"title":"Part","assigneeAgentId":"${hand.id}"}'`,
    review: `say "look"; api PATCH /issues/$PAPERCLIP_TASK_ID -d '{"status":"in_review","assigneeAgentId":null,"assigneeUserId":"local-board"}'`,
  };
  for (const [name, way] of Object.entries(ways)) {
    const i = await issue(c, { title: `By ${name}`, assigneeAgentId: (await worker(c, { issue_assigned: way })).id });
    assert.deepEqual(reasons(await rested(i, 1)), ['issue_assigned'], name);
  }
  assert.deepEqual(await actions(c, 'issue.successful_run_handoff_required'), []);
});

test('a run that only plans is sent on, twice; then the question is handed up (EX-70)', async () => {
  const c = await company(s);
  // it acted once, so it can; on this issue it only talks
  const a = await worker(c, { heartbeat_timer: 'true', '*': 'if [ -e acted ]; then echo "Next step: write the parser"; else touch acted; done_; fi' });
  const warmup = await issue(c, { title: 'Warm up', assigneeAgentId: a.id });
  await eventually(async () => (await show(warmup)).status === 'done');
  await rested(warmup, 1);
  await s.ok('POST', `/companies/${c.id}/issues`, { title: 'unrelated' });
  const i = await issue(c, { title: 'Talk', assigneeAgentId: a.id });
  const runs = await eventually(async () => {
    const list = await runsOf(i);
    return list.filter((r) => r.contextSnapshot.wakeReason === 'run_liveness_continuation').length >= 2 && list.every((r) => ENDED.has(r.status)) && list;
  });
  const sent = runs.filter((r) => r.contextSnapshot.wakeReason === 'run_liveness_continuation');
  assert.deepEqual(sent.map((r) => r.continuationAttempt), [1, 2]);
  assert.equal(sent[0].contextSnapshot.livenessContinuationState, 'plan_only');
  assert.equal(sent[0].contextSnapshot.livenessContinuationMaxAttempts, 2);
  assert.equal(runs[0].nextAction, 'write the parser');
  await eventually(async () => (await comments(i)).some((k) => /Bounded liveness continuation exhausted/.test(k.body)));
  assert.match((await run(s, sent[1].id)).livenessReason, /exhausted/);
  assert.equal((await rested(i, 3)).filter((r) => r.contextSnapshot.wakeReason === 'run_liveness_continuation').length, 2);
});

test('a plain command that cannot answer is not asked: one run, then it is somebody\'s turn (weak point 19)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'echo built');
  const i = await issue(c, { title: 'Build', assigneeAgentId: a.id });
  const [only, ...more] = await rested(i, 1);
  assert.deepEqual([only.status, only.issueCommentStatus, more.length], ['succeeded', 'not_applicable', 0]);
  const end = await show(i);
  assert.equal(end.successfulRunHandoff.state, 'escalated');
  assert.equal(end.status, 'in_progress', 'nothing is wrong with it');
});

// Issues in review: what keeps them alive, and what happens when nothing does (EX-88…91, IS-78, IS-100).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activity, company, eventually, refused, server, sleep } from './harness.mjs';
import { ENDED, run, shell } from './kit.mjs';

const s = await server();
const API = `api() { m=$1; p=$2; shift 2; printf 'Authorization: Bearer %s\\nX-Paperclip-Run-Id: %s\\n' "$PAPERCLIP_API_KEY" "$PAPERCLIP_RUN_ID" | curl -sS -X "$m" -H @- -H 'content-type: application/json' "$PAPERCLIP_API_URL/api$p" "$@"; }
say() { api POST /issues/$PAPERCLIP_TASK_ID/comments -d "{\\"body\\":\\"$1\\"}"; }
done_() { api PATCH /issues/$PAPERCLIP_TASK_ID -d '{"status":"done","comment":"finished"}'; }
to_review() { api PATCH /issues/$PAPERCLIP_TASK_ID -d "{\\"status\\":\\"in_review\\",\\"comment\\":\\"please look\\",\\"executionPolicy\\":{\\"monitor\\":{\\"nextCheckAt\\":\\"$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%SZ)\\"}}}"; }
`;
const worker = (c, cases) =>
  shell(s, c, `${API}case "$PAPERCLIP_WAKE_REASON" in\n${Object.entries(cases).map(([k, v]) => `${k}) ${v} ;;`).join('\n')}\nesac`);
const show = (i) => s.ok('GET', `/issues/${i.id}`);
const runsOf = async (i) => Promise.all((await s.ok('GET', `/issues/${i.id}/runs`)).reverse().map((r) => run(s, r.runId)));
const reasons = async (i) => (await runsOf(i)).map((r) => r.contextSnapshot.wakeReason);
const decide = (i, body) => s.api('POST', `/issues/${i.id}/stalled-review-decision`, body);
const actions = async (c, name) => (await activity(s, c)).filter((e) => e.action === name);
const quiet = async (i) => {
  await eventually(async () => (await runsOf(i)).every((r) => ENDED.has(r.status)));
  await sleep(400);
  assert.ok((await runsOf(i)).every((r) => ENDED.has(r.status)));
};
let count = 0;
/** An issue of an agent in review that nobody reviews, and nobody was woken for. */
async function stalled(c, cases) {
  const a = await worker(c, cases);
  await s.ok('POST', `/agents/${a.id}/pause`, {});
  const i = await s.ok('POST', `/companies/${c.id}/issues`, { title: `Review ${++count}`, assigneeAgentId: a.id, status: 'in_review' });
  await s.ok('POST', `/agents/${a.id}/resume`, {});
  return { a, i };
}

test('the last path used up: its assignee is woken once, then a person is asked (EX-89)', async () => {
  const c = await company(s);
  const a = await worker(c, { issue_assigned: 'to_review', issue_monitor_due: 'say "still nothing"', issue_review_path_lost: 'say "I do not know"' });
  const i = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Look', assigneeAgentId: a.id });
  await eventually(async () => (await reasons(i)).includes('issue_review_path_lost'), { message: 'nobody noticed that the review has no path' });
  await quiet(i);
  assert.deepEqual(await reasons(i), ['issue_assigned', 'issue_monitor_due', 'issue_review_path_lost']);
  const woken = (await runsOf(i))[2].contextSnapshot;
  assert.deepEqual([woken.reviewPathLost, woken.reviewPathRecoveryAttempt, woken.maxReviewPathRecoveryAttempts], [true, 1, 1]);
  assert.equal((await actions(c, 'issue.review_path_recovery_queued')).length, 1);
  assert.equal((await show(i)).status, 'in_review');
});

test('an agent at rest is no reviewer; a decision brings the issue on (EX-88, EX-91, IS-100)', async () => {
  const c = await company(s);
  const { a, i } = await stalled(c, { issue_status_changed: 'done_' });
  assert.equal(i.status, 'in_review');
  assert.deepEqual((await show(i)).reviewAttention.state, 'stalled');
  refused(await decide(i, {}), 400, 'Validation error');
  refused(await decide(i, { action: 'later' }), 400, 'Validation error');
  refused(await decide(i, { action: 'request_changes' }), 400);
  refused(await decide(i, { action: 'request_changes', note: '  ' }), 400);
  const sent = await decide(i, { action: 'request_changes', note: 'name the file' });
  assert.equal(sent.status, 200, sent.text);
  assert.deepEqual([sent.json.issue.status, sent.json.action, sent.json.comment.body, sent.json.wakeQueued], ['todo', 'request_changes', 'name the file', true]);
  await eventually(async () => (await show(i)).status === 'done');
  const [r] = await runsOf(i);
  const { wakeReason, reviewDecision, resumeIntent, userAuthoredNote } = r.contextSnapshot;
  assert.deepEqual([r.agentId, wakeReason, reviewDecision, resumeIntent, userAuthoredNote], [a.id, 'issue_status_changed', 'request_changes', true, 'name the file']);
  refused(await decide(i, { action: 'approve' }), 409, 'Issue is no longer a stalled review');
  assert.equal((await actions(c, 'issue.stalled_review_decided')).length, 1);
});

test('approve ends it; send back starts it again, with or without a word (IS-100)', async () => {
  const c = await company(s);
  const one = await stalled(c, {});
  const good = (await decide(one.i, { action: 'approve' })).json;
  assert.deepEqual([good.issue.status, good.comment, good.wakeQueued], ['done', null, false]);
  const two = await stalled(c, { issue_status_changed: 'done_' });
  const back = (await decide(two.i, { action: 'send_back' })).json;
  assert.deepEqual([back.issue.status, back.comment, back.wakeQueued], ['todo', null, true]);
});

test('a person is a path: their review is theirs (EX-88)', async () => {
  const c = await company(s);
  const i = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Mine', assigneeUserId: 'local-board', status: 'in_review' });
  assert.deepEqual([(await show(i)).reviewAttention.state, (await show(i)).reviewAttention.paths[0].kind], ['covered', 'human_reviewer']);
  refused(await decide(i, { action: 'approve' }), 409, 'Issue is no longer a stalled review');
});

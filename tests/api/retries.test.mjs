// Retries: what is tried again, when, and how often (EX-16, EX-61…64, IS-144).

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { activity, agent, company, eventually, server } from './harness.mjs';
import { ENDED, run } from './kit.mjs';

const s = await server();

// An agent behind a URL that fails as its path says, and counts.
const failures = {
  '/transient': { errorFamily: 'transient_upstream' },
  '/quota': { errorFamily: 'provider_quota', retryNotBefore: new Date(Date.now() + 5 * 3600e3).toISOString() },
  '/turns': { errorCode: 'max_turns_exhausted' },
};
const http = createServer((req, res) => {
  req.resume();
  res.statusCode = 503;
  res.end(JSON.stringify(failures[req.url]));
});
await new Promise((r) => http.listen(0, '127.0.0.1', r));
after(() => http.close());
const url = `http://127.0.0.1:${http.address().port}`;
const failing = (c, path, body = {}) => agent(s, c, { adapterType: 'http', adapterConfig: { url: url + path }, ...body });
const assigned = (c, a) => s.ok('POST', `/companies/${c.id}/issues`, { title: `Work of ${a.name}`, assigneeAgentId: a.id });
const show = (i) => s.ok('GET', `/issues/${i.id}`);
const retryOf = (i) =>
  eventually(async () => (await show(i)).scheduledRetry, { message: 'no retry was scheduled' });
const now = (i) => s.ok('POST', `/issues/${i.id}/scheduled-retry/retry-now`, {});
const minutes = (r, from) => (Date.parse(r.scheduledRetryAt) - Date.parse(from)) / 60e3;

test('a transient failure is tried again after two minutes, give or take; the lock waits with it (EX-61)', async () => {
  const c = await company(s);
  const a = await failing(c, '/transient');
  const i = await assigned(c, a);
  const retry = await retryOf(i);
  assert.deepEqual([retry.status, retry.scheduledRetryAttempt, retry.scheduledRetryReason], ['scheduled_retry', 1, 'transient_failure']);
  const first = await run(s, retry.retryOfRunId);
  assert.deepEqual([first.status, first.errorCode, first.resultJson.errorFamily], ['failed', 'adapter_failed', 'transient_upstream']);
  const wait = minutes(retry, first.finishedAt);
  assert.ok(wait >= 1.4 && wait <= 2.6, `${wait} min`);
  assert.equal((await show(i)).executionRunId, retry.runId);
  assert.equal((await run(s, retry.runId)).contextSnapshot.wakeReason, 'transient_failure_retry');
});

test('retry-now starts it, once; each failure waits longer, and the fourth is the last (EX-63, EX-64, INV-9)', async () => {
  const c = await company(s);
  const a = await failing(c, '/transient');
  const i = await assigned(c, a);
  const bounds = [[1.4, 2.6], [7.4, 12.6], [22, 38], [89, 151]];
  for (let n = 1; n <= 4; n++) {
    const retry = await retryOf(i);
    assert.equal(retry.scheduledRetryAttempt, n);
    const wait = minutes(retry, (await run(s, retry.retryOfRunId)).finishedAt);
    assert.ok(wait >= bounds[n - 1][0] && wait <= bounds[n - 1][1], `attempt ${n}: ${wait} min`);
    const answer = await now(i);
    assert.deepEqual([answer.outcome, answer.scheduledRetry.runId], ['promoted', retry.runId]);
    assert.equal(typeof answer.message, 'string');
    await eventually(async () => ENDED.has((await run(s, retry.runId)).status));
  }
  await eventually(async () => !(await show(i)).scheduledRetry);
  const attempts = (await s.ok('GET', `/issues/${i.id}/runs`)).filter((r) => r.scheduledRetryReason === 'transient_failure');
  assert.deepEqual(attempts.map((r) => r.scheduledRetryAttempt).sort(), [1, 2, 3, 4]);
  assert.equal((await activity(s, c)).filter((e) => e.action === 'issue.scheduled_retry_retry_now').length, 4);
});

test('retry-now with nothing to retry says so, and writes nothing', async () => {
  const c = await company(s);
  const i = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Quiet' });
  const before = (await activity(s, c)).length;
  const answer = await now(i);
  assert.deepEqual([answer.outcome, answer.scheduledRetry], ['no_scheduled_retry', null]);
  assert.equal((await activity(s, c)).length, before);
});

test('a used-up quota waits until the provider says (EX-61)', async () => {
  const c = await company(s);
  const i = await assigned(c, await failing(c, '/quota'));
  const retry = await retryOf(i);
  assert.equal(retry.scheduledRetryAt, failures['/quota'].retryNotBefore);
  assert.equal((await run(s, retry.retryOfRunId)).resultJson.retryNotBefore, failures['/quota'].retryNotBefore);
});

test('used-up turns are granted as often as the policy says (EX-61)', async () => {
  const c = await company(s);
  const policy = (maxTurnContinuation) => ({ runtimeConfig: { heartbeat: { maxTurnContinuation } } });
  const never = await assigned(c, await failing(c, '/turns', policy({ enabled: false })));
  const i = await assigned(c, await failing(c, '/turns', policy({ maxAttempts: 3, delayMs: 0 })));
  const granted = await eventually(async () => {
    const list = (await s.ok('GET', `/issues/${i.id}/runs`)).filter((r) => r.scheduledRetryReason === 'max_turns_continuation');
    return list.length === 3 && list.every((r) => ENDED.has(r.status)) && list;
  });
  assert.deepEqual(granted.map((r) => r.scheduledRetryAttempt).sort(), [1, 2, 3]);
  const others = (await s.ok('GET', `/issues/${never.id}/runs`)).filter((r) => r.scheduledRetryReason);
  assert.deepEqual(others, []);
});

test('a paused agent keeps its retry until it may run again; reassigning ends it (EX-62, EX-16)', async () => {
  const c = await company(s);
  const a = await failing(c, '/transient');
  const i = await assigned(c, a);
  const retry = await retryOf(i);
  await s.ok('PATCH', `/issues/${i.id}`, { status: 'todo', assigneeAgentId: (await agent(s, c)).id });
  const ended = await run(s, retry.runId);
  assert.deepEqual([ended.status, ended.errorCode], ['cancelled', 'issue_reassigned']);
  assert.equal((await now(i)).outcome, 'no_scheduled_retry');
});

test('retry-now does not pass a gate (EX-63)', async () => {
  const c = await company(s);
  const a = await failing(c, '/transient');
  const i = await assigned(c, a);
  const retry = await retryOf(i);
  const blocker = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'First this' });
  await s.ok('PATCH', `/issues/${i.id}`, { blockedByIssueIds: [blocker.id] });
  const answer = await now(i);
  assert.equal(answer.outcome, 'gate_suppressed');
  assert.match(answer.message, /issue_dependencies_blocked/);
  assert.equal((await run(s, retry.runId)).status, 'scheduled_retry');
});

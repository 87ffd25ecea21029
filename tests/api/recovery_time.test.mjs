// recovery_time: what happens to stuck work as time passes: bounds of recovery actions, agents that give no sign of
// life, runs that say nothing (EX-125, EX-139…148). The server's clock is moved; see docs/development.md.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { activity, agent, company, eventually, key, refused, server } from './harness.mjs';
import { ENDED, run, shell } from './kit.mjs';

const MINUTE = 60;
const s = await server({ env: { BULLDOG_SCHEDULER_INTERVAL_MS: '10000' } });
const show = (i) => s.ok('GET', `/issues/${i.id}`);
const runsOf = (i) => s.ok('GET', `/issues/${i.id}/runs`);
const action = async (i) => (await s.ok('GET', `/issues/${i.id}/recovery-actions`)).active;
const logOf = async (c, id, name) => (await activity(s, c)).filter((x) => x.entityId === id && x.action === name);
let count = 0;
const create = (c, body) => s.ok('POST', `/companies/${c.id}/issues`, { title: `Work ${++count}`, ...body });

/** An http agent whose server takes its calls and answers none until told to. */
async function deaf(c, body = {}) {
  const waiting = [];
  const far = createServer((q, a) => { q.resume(); waiting.push(a); });
  await new Promise((r) => far.listen(0, '127.0.0.1', r));
  after(() => { far.closeAllConnections(); far.close(); });
  const a = await agent(s, c, { adapterType: 'http', adapterConfig: { url: `http://127.0.0.1:${far.address().port}/` }, ...body });
  return { a, answer: () => waiting.splice(0).forEach((x) => x.end('{}')) };
}

test('an owner is woken three times, then the action is the board’s and rests (EX-125)', async () => {
  const c = await company(s);
  const boss = await shell(s, c, 'exit 0', {}, { name: 'Boss' });
  const worker = await shell(s, c, 'exit 1', {}, { reportsTo: boss.id });
  const i = await create(c, { assigneeAgentId: worker.id });
  const asked = async (n) => eventually(async () => {
    const mine = (await runsOf(i)).filter((r) => r.agentId === boss.id);
    return mine.length === n && mine.every((r) => ENDED.has(r.status));
  }, { message: `the owner was not asked ${n} times` });
  await asked(1);
  const opened = await action(i);
  assert.equal(opened.attemptCount, 1);
  await s.pass(6 * MINUTE);
  await asked(2);
  assert.equal((await action(i)).attemptCount, 2);
  await s.pass(31 * MINUTE);
  await asked(3);
  await s.pass(MINUTE);
  const over = await eventually(async () => {
    const x = await action(i);
    return x.status === 'escalated' && x;
  }, { message: 'it never went to the board' });
  assert.deepEqual([over.id, over.ownerType, over.ownerAgentId, over.attemptCount, over.wakePolicy.type], [opened.id, 'board', null, 3, 'board_escalation']);
  assert.equal((await show(i)).unblockDescriptor.owner, 'board');
  assert.equal((await logOf(c, i.id, 'issue.recovery_action_escalated')).length, 1);
  const e = await s.ok('GET', `/issues/${i.id}/explain`);
  assert.deepEqual([e.state, e.needsAttention, e.waitingOn[0].type], ['recovering', true, 'board']);
  const before = (await activity(s, c)).length;
  await s.pass(300 * MINUTE);
  assert.equal((await activity(s, c)).length, before, 'it rests there');
  assert.equal((await runsOf(i)).filter((r) => r.agentId === boss.id).length, 3);
});

test('an agent that gives no sign of life while work waits is reported once, and taken back when it answers (EX-147, EX-148)', async () => {
  const c = await company(s);
  const boss = await shell(s, c, 'exit 0', {}, { name: 'Boss' });
  const { a, answer } = await deaf(c, { name: 'Deaf', reportsTo: boss.id });
  const idle = await agent(s, c, { name: 'Idle' });
  await create(c, { assigneeAgentId: idle.id, status: 'backlog' });
  const i = await create(c, { assigneeAgentId: a.id, priority: 'high' });
  await eventually(async () => (await show(i)).status === 'in_progress');
  await s.pass(14 * MINUTE);
  assert.equal(await action(i), null);
  await s.pass(2 * MINUTE);
  const x = await eventually(async () => action(i), { message: 'nothing was reported' });
  assert.deepEqual([x.kind, x.cause, x.status, x.ownerAgentId], ['active_run_watchdog', 'adapter_heartbeat_stale', 'active', boss.id]);
  const seen = await s.ok('GET', `/agents/${a.id}`);
  assert.equal(x.fingerprint, `adapter_stale:${c.id}:${a.id}:${seen.heartbeatStaleSince}`);
  assert.equal(seen.heartbeatStaleSince, seen.lastHeartbeatAt);
  assert.deepEqual([x.evidence.agentId, x.evidence.adapterType, x.evidence.thresholdMs, x.evidence.affectedIssueIds], [a.id, 'http', 900000, []]);
  assert.ok(x.evidence.stalenessMs > 900000);
  assert.equal(x.evidence.linkedRunId, (await show(i)).executionRunId);
  const now = await show(i);
  assert.deepEqual([now.status, now.assigneeAgentId], ['in_progress', a.id], 'nothing is stopped or moved');
  assert.equal((await logOf(c, a.id, 'agent.heartbeat_stale')).length, 1);
  await eventually(async () => (await runsOf(i)).some((r) => r.agentId === boss.id), { message: 'the manager was not woken' });
  await s.pass(20 * MINUTE);
  assert.equal((await logOf(c, a.id, 'agent.heartbeat_stale')).length, 1, 'once per silence');
  assert.equal((await s.ok('GET', `/agents/${idle.id}`)).heartbeatStaleSince, null, 'an idle agent is healthy');
  answer();
  await eventually(async () => ENDED.has((await run(s, now.executionRunId)).status));
  await s.pass(MINUTE);
  await eventually(async () => (await s.ok('GET', `/agents/${a.id}`)).heartbeatStaleSince === null, { message: 'the report was not taken back' });
  const [end] = await logOf(c, i.id, 'issue.recovery_action_resolved');
  assert.equal(end.details.recoveryActionId, x.id);
});

test('beats do not put a timer off, and a timer beats (EX-145)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'exit 0', {}, { runtimeConfig: { heartbeat: { enabled: true, intervalSec: 3600 } } });
  const timers = async () => (await s.ok('GET', `/companies/${c.id}/heartbeat-runs?agentId=${a.id}`)).filter((r) => r.invocationSource === 'timer').length;
  await s.pass(61 * MINUTE);
  await eventually(async () => (await timers()) === 1);
  await s.pass(40 * MINUTE);
  await create(c, { assigneeAgentId: a.id });
  await eventually(async () => (await s.ok('GET', `/companies/${c.id}/heartbeat-runs?agentId=${a.id}`)).some((r) => r.invocationSource === 'assignment' && ENDED.has(r.status)));
  assert.equal(await timers(), 1);
  await s.pass(21 * MINUTE);
  await eventually(async () => (await timers()) === 2, { message: 'the run put the timer off' });
});

/** A run that says one word and then nothing, on a server whose clock is still that of its agents. */
async function silent() {
  const s = await server({ env: { BULLDOG_SCHEDULER_INTERVAL_MS: '10000' } });
  const show = (i) => s.ok('GET', `/issues/${i.id}`);
  const c = await company(s);
  const boss = await shell(s, c, 'exit 0', {}, { name: 'Boss' });
  const a = await shell(s, c, 'echo started; sleep 600', {}, { reportsTo: boss.id });
  const i = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Quiet', assigneeAgentId: a.id });
  const id = (await eventually(async () => {
    const x = await show(i);
    return x.executionRunId && x;
  })).executionRunId;
  await eventually(async () => (await run(s, id)).processPid);
  return {
    s, c, boss, a, i, id, show,
    // a jump of the clock would make a silent one of every run that is just under way
    pass: async (sec) => {
      await eventually(async () => (await s.ok('GET', `/issues/${i.id}/runs`)).every((r) => r.runId === id || ENDED.has(r.status)));
      await s.pass(sec);
    },
    level: async () => (await run(s, id)).outputSilence.level,
    decide: (body, call = (...x) => s.api(...x)) => call('POST', `/heartbeat-runs/${id}/watchdog-decisions`, body),
    action: async () => (await s.ok('GET', `/issues/${i.id}/recovery-actions`)).active,
    logOf: async (name) => (await activity(s, c)).filter((x) => x.entityId === id && x.action === name),
  };
}

test('a silent run is asked about, raised when it is critical, and never stopped (EX-139, EX-140)', async () => {
  const { s, c, boss, i, id, show, level, action, pass } = await silent();
  assert.equal(await level(), 'ok');
  await pass(61 * MINUTE);
  assert.equal(await level(), 'suspicious');
  const x = await eventually(async () => action(), { message: 'nobody was asked' });
  assert.deepEqual([x.kind, x.cause, x.fingerprint, x.ownerAgentId, x.evidence.runId], ['active_run_watchdog', 'run_output_silence', `run_output_silence:${c.id}:${id}`, boss.id, id]);
  assert.equal((await s.ok('GET', `/agents/${(await show(i)).assigneeAgentId}`)).heartbeatStaleSince, null, 'its process is alive');
  await pass(180 * MINUTE);
  assert.equal(await level(), 'critical');
  await eventually(async () => (await action()).status === 'escalated');
  await pass(MINUTE);
  const notices = (await s.ok('GET', `/issues/${i.id}/comments`)).filter((k) => k.authorType === 'system');
  assert.equal(notices.length, 1, 'said aloud once');
  const now = await show(i);
  assert.deepEqual([now.status, now.executionRunId, (await run(s, id)).status], ['in_progress', id, 'running']);
  await s.ok('POST', `/heartbeat-runs/${id}/cancel`, {});
  await pass(MINUTE);
  await eventually(async () => (await action()) === null, { message: 'the question outlived the run' });
});

test('decisions: snooze, continue, dismiss, and who may (EX-142)', async () => {
  const { s, boss, a, id, level, decide, action, logOf, pass } = await silent();
  await pass(61 * MINUTE);
  await eventually(async () => action());
  refused(await decide({ decision: 'shrug' }), 400, 'Unsupported watchdog decision');
  refused(await decide({ decision: 'snooze' }), 400, 'snoozedUntil must be a future ISO datetime');
  refused(await decide({ decision: 'snooze', snoozedUntil: '2001-01-01T00:00:00.000Z' }), 400, 'snoozedUntil must be a future ISO datetime');
  const as = async (x) => s.as(await key(s, x));
  refused(await decide({ decision: 'continue' }, await as(a)), 403);
  const done = await decide({ decision: 'continue', reason: 'a long build' }, await as(boss));
  assert.equal(done.status, 200, done.text);
  assert.deepEqual(Object.keys(done.json).sort(), ['companyId', 'createdAt', 'createdByAgentId', 'createdByRunId', 'createdByUserId', 'decision', 'evaluationIssueId', 'id', 'reason', 'runId', 'snoozedUntil']);
  assert.deepEqual([done.json.createdByAgentId, done.json.reason, Date.parse(done.json.snoozedUntil) - Date.parse(done.json.createdAt)], [boss.id, 'a long build', 1800000]);
  assert.equal(await action(), null);
  assert.equal(await level(), 'snoozed');
  await pass(29 * MINUTE);
  assert.equal(await action(), null);
  await pass(2 * MINUTE);
  await eventually(async () => action(), { message: 'it was not asked again' });
  const until = new Date(Date.parse(done.json.createdAt) + 7200000).toISOString();
  assert.equal((await decide({ decision: 'snooze', snoozedUntil: until })).json.snoozedUntil, until);
  assert.deepEqual([(await logOf('heartbeat.watchdog_snoozed')).length, (await logOf('heartbeat.watchdog_decision_recorded')).length], [1, 1]);
  await pass(180 * MINUTE);
  await eventually(async () => action());
  const last = await decide({ decision: 'dismissed_false_positive' });
  assert.equal(last.json.snoozedUntil, null);
  assert.equal(await action(), null);
  await pass(600 * MINUTE);
  assert.equal(await action(), null, 'a dismissed run never raises again');
  await s.ok('POST', `/heartbeat-runs/${id}/cancel`, {});
});

test('a run that finished its issue and fell silent is folded (EX-143)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'curl -sS -X PATCH -H "Authorization: Bearer $PAPERCLIP_API_KEY" -H "X-Paperclip-Run-Id: $PAPERCLIP_RUN_ID" -H "content-type: application/json"' +
    ' -d \'{"status":"done"}\' "$PAPERCLIP_API_URL/api/issues/$PAPERCLIP_TASK_ID" >/dev/null; sleep 600');
  const i = await create(c, { assigneeAgentId: a.id });
  await eventually(async () => (await show(i)).status === 'done');
  const [r] = await runsOf(i);
  assert.equal((await run(s, r.runId)).status, 'running');
  await s.pass(61 * MINUTE);
  const end = await eventually(async () => {
    const x = await run(s, r.runId);
    return ENDED.has(x.status) && x;
  }, { message: 'it was not folded' });
  assert.equal(end.status, 'succeeded');
  assert.equal(end.resultJson.sourceResolvedWatchdogFold.sourceIssueId, i.id);
  assert.equal((await logOf(c, r.runId, 'heartbeat.output_stale_source_resolved')).length, 1);
});

test('work that ended well and left no next step goes on once, then somebody is asked (EX-101)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'echo did something');
  const i = await create(c, { assigneeAgentId: a.id });
  const ended = (n) => eventually(async () => {
    const list = await runsOf(i);
    return list.length >= n && list.every((r) => ENDED.has(r.status));
  }, { message: `not ${n} runs` });
  await ended(1);
  for (let k = 0; k < 6 && (await action(i)) === null; k++) {
    await s.pass(6 * MINUTE);
    await eventually(async () => (await runsOf(i)).every((r) => ENDED.has(r.status)));
  }
  const x = await action(i);
  assert.ok(x, 'nobody was asked');
  const list = await runsOf(i);
  assert.ok(list.length <= 6, `bounded: ${list.length} runs`);
});

test('a paused agent that is resumed goes on by itself (EX-57)', async () => {
  const c = await company(s);
  const a = await shell(s, c, '[ "$PAPERCLIP_WAKE_REASON" = issue_assigned ] && sleep 600; exit 0');
  const i = await create(c, { assigneeAgentId: a.id });
  await eventually(async () => (await show(i)).status === 'in_progress');
  await s.ok('POST', `/agents/${a.id}/pause`, {});
  await s.ok('POST', `/agents/${a.id}/resume`, {});
  await s.pass(6 * MINUTE);
  await eventually(async () => (await runsOf(i)).some((r) => r.status === 'succeeded'), { message: 'it was left lying' });
});

test('a run that a person stopped is not started again (EX-56)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 600');
  const i = await create(c, { assigneeAgentId: a.id });
  const id = (await eventually(async () => {
    const x = await show(i);
    return x.executionRunId && x;
  })).executionRunId;
  await s.ok('POST', `/heartbeat-runs/${id}/cancel`, {});
  await s.pass(60 * MINUTE);
  assert.equal((await runsOf(i)).length, 1);
  assert.equal((await s.ok('GET', `/issues/${i.id}/explain`)).reason, 'run_cancelled');
});

test('an assignee that can never run again is the board’s to replace (EX-107)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'sleep 600', {}, { runtimeConfig: { heartbeat: { wakeOnDemand: false } } });
  const i = await create(c, { assigneeAgentId: a.id });
  await s.ok('POST', `/agents/${a.id}/terminate`, {});
  await s.pass(6 * MINUTE);
  const now = await show(i);
  if (now.assigneeAgentId === null) return; // ending the agent took the issue off it
  const x = await eventually(async () => action(i), { message: 'nobody was asked' });
  assert.deepEqual([x.cause, x.ownerType, (await show(i)).status], ['assignee_not_invokable', 'board', 'todo']);
  const b = await shell(s, c, 'exit 0', {}, { runtimeConfig: { heartbeat: { wakeOnDemand: false } } });
  await s.ok('PATCH', `/issues/${i.id}`, { assigneeAgentId: b.id });
  assert.equal(await action(i), null, 'a new assignee folds it');
});

test('a blocker that nobody owns goes back to the agent that made it (EX-108)', async () => {
  const c = await company(s);
  const a = await shell(s, c, 'exit 0', {}, { runtimeConfig: { heartbeat: { wakeOnDemand: false } } });
  const waits = await create(c, {});
  const made = await s.as(await key(s, a))('POST', `/companies/${c.id}/issues`, { title: 'Made by an agent', status: 'todo' });
  assert.equal(made.status, 201, made.text);
  await s.ok('PATCH', `/issues/${waits.id}`, { blockedByIssueIds: [made.json.id], status: 'todo' });
  await s.pass(MINUTE);
  const now = await eventually(async () => {
    const x = await show(made.json);
    return x.assigneeAgentId && x;
  }, { message: 'it still belongs to nobody' });
  assert.equal(now.assigneeAgentId, a.id);
  const words = await s.ok('GET', `/issues/${made.json.id}/comments`);
  assert.match(words[0].body, /Assigned Orphan Blocker/);
});

test('with execution.autoRecovery=surface_only trouble is shown and nothing is started (EX-129)', async () => {
  const quiet = await server({ env: { BULLDOG_AUTO_RECOVERY: 'surface_only' } });
  const c = await company(quiet);
  const boss = await shell(quiet, c, 'exit 0');
  const a = await shell(quiet, c, 'exit 1', {}, { reportsTo: boss.id });
  const i = await quiet.ok('POST', `/companies/${c.id}/issues`, { title: 'Hopeless', assigneeAgentId: a.id });
  const x = await eventually(async () => (await quiet.ok('GET', `/issues/${i.id}/recovery-actions`)).active);
  assert.equal(x.ownerType, 'board');
  await quiet.pass(60 * MINUTE);
  assert.equal((await quiet.ok('GET', `/issues/${i.id}/runs`)).length, 1, 'the one run it was assigned for');
});

test('a paused server starts nothing and loses nothing; health says that it has recovered (EX-36, EX-98)', async () => {
  const still = await server({ env: { BULLDOG_EXECUTION_PAUSED: 'true' } });
  const c = await company(still);
  const a = await shell(still, c, 'exit 0');
  const i = await still.ok('POST', `/companies/${c.id}/issues`, { title: 'Later', assigneeAgentId: a.id });
  await eventually(async () => (await still.ok('GET', '/health')).recovery === 'done');
  await still.pass(60 * MINUTE);
  const list = await still.ok('GET', `/issues/${i.id}/runs`);
  assert.deepEqual(list, []);
  assert.equal((await still.ok('GET', `/issues/${i.id}/explain`)).reason, 'operator_paused');
  delete still.env.BULLDOG_EXECUTION_PAUSED;
  await still.restart();
  await still.pass(10 * MINUTE);
  await eventually(async () => (await still.ok('GET', `/issues/${i.id}/runs`)).some((r) => r.status === 'succeeded'), { message: 'nobody took it up again' });
});

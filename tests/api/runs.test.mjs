// Runs of process agents, from wake to record (AR §12-16, EX §8).

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { agent, company, eventually, refused, server, sleep, NOBODY } from './harness.mjs';
import { alive, invoke, log, ran, run, shell, socket, text, until } from './kit.mjs';

const s = await server({ env: { SECRET_OF_THE_SERVER: 'do-not-pass-me-on', BULLDOG_MAX_CONCURRENT_RUNS: '64' } });
const c = await company(s);

test('a successful run leaves a full record (AR-58, AR-69)', async () => {
  const a = await shell(s, c, 'echo out; echo err >&2');
  const r = await ran(s, a);
  assert.equal(r.status, 'succeeded');
  assert.equal(r.exitCode, 0);
  assert.equal(r.error, null);
  assert.equal(r.stdoutExcerpt, 'out\n');
  assert.equal(r.stderrExcerpt, 'err\n');
  assert.equal(r.resultJson.stopReason, 'completed');
  assert.equal(r.resultJson.timeoutConfigured, false);
  assert.match(r.logSha256, /^[0-9a-f]{64}$/);
  assert.ok(r.processPid > 0 && r.startedAt && r.finishedAt);
  const records = await log(s, r.id);
  assert.equal(text(records, 'stdout'), 'out\n');
  assert.equal(text(records, 'stderr'), 'err\n');
  const events = await s.ok('GET', `/heartbeat-runs/${r.id}/events`);
  assert.deepEqual(events.map((e) => e.message), ['run started', 'adapter invocation', 'run succeeded']);
  assert.deepEqual(events.map((e) => e.seq), [1, 2, 3]);
  assert.deepEqual((await s.ok('GET', `/heartbeat-runs/${r.id}/events?afterSeq=2`)).map((e) => e.seq), [3]);
  const agentNow = await s.ok('GET', `/agents/${a.id}`);
  assert.equal(agentNow.status, 'idle');
  assert.ok(agentNow.lastHeartbeatAt);
});

test('exit codes, signals and missing commands are failures with their cause (AR-55)', async () => {
  const code = await ran(s, await shell(s, c, 'echo out; echo bad >&2; exit 3'));
  assert.equal(code.status, 'failed');
  assert.equal(code.error, 'Process exited with code 3');
  assert.equal(code.errorCode, 'adapter_failed');
  assert.equal(code.resultJson.stderr, 'bad\n');
  assert.equal(code.livenessReason, 'Run ended with failed (adapter_failed)');

  const killed = await ran(s, await shell(s, c, 'kill -9 $$'));
  assert.equal(killed.status, 'failed');
  assert.equal(killed.signal, 'SIGKILL');
  assert.equal(killed.errorCode, 'process_signaled');
  assert.equal(killed.error, 'Process terminated by signal SIGKILL');

  const missing = await ran(s, await agent(s, c, { adapterConfig: { command: '/no/such/program' } }));
  assert.equal(missing.status, 'failed');
  assert.match(missing.error, /Failed to start command "\/no\/such\/program"/);

  const none = await ran(s, await agent(s, c, { adapterConfig: {} }));
  assert.equal(none.error, 'Process adapter missing command');
});

test('a failed run puts the agent into error, a good one takes it out (EX-55)', async () => {
  const a = await shell(s, c, 'test -e marker');
  const r = await ran(s, a);
  assert.equal(r.status, 'failed');
  let now = await s.ok('GET', `/agents/${a.id}`);
  assert.equal(now.status, 'error');
  assert.equal(now.errorReason, r.error);
  await s.ok('PATCH', `/agents/${a.id}`, { adapterConfig: { args: ['-c', 'true'] } });
  await ran(s, a);
  now = await s.ok('GET', `/agents/${a.id}`);
  assert.equal(now.status, 'idle');
  assert.equal(now.errorReason, null);
});

test('the child gets its own environment and nothing of the server (AR-54)', async () => {
  const a = await shell(s, c, 'env', { env: { PLAIN: 'visible', PAPERCLIP_AGENT_ID: 'forged', MY_TOKEN: 'hush-hush-token' } });
  const r = await ran(s, a);
  const out = text(await log(s, r.id));
  const env = Object.fromEntries(out.split('\n').filter((l) => l.includes('=')).map((l) => [l.slice(0, l.indexOf('=')), l.slice(l.indexOf('=') + 1)]));
  assert.equal(env.PAPERCLIP_AGENT_ID, a.id);
  assert.equal(env.PAPERCLIP_COMPANY_ID, c.id);
  assert.equal(env.PAPERCLIP_RUN_ID, r.id);
  assert.equal(env.PAPERCLIP_API_URL, s.url);
  assert.equal(env.PLAIN, 'visible');
  assert.equal(env.TMPDIR, env.PAPERCLIP_SCRATCH_DIR);
  assert.equal(env.SECRET_OF_THE_SERVER, undefined);
  assert.equal(env.DATABASE_URL, undefined);
  assert.ok(!out.includes('hush-hush-token'), 'a secret value reaches no log');
  assert.equal(env.PAPERCLIP_API_KEY, '***REDACTED***');
  assert.equal(r.stdoutExcerpt.includes('hush-hush-token'), false);
  assert.equal(JSON.stringify(r.resultJson).includes('hush-hush-token'), false);
  await eventually(() => !existsSync(env.PAPERCLIP_SCRATCH_DIR), { message: 'the scratch directory stays behind' });
});

test('a run token is the agent while the run lives, and is refused after its grace (AR-23)', async () => {
  const brief = await server({ env: { BULLDOG_AGENT_JWT_GRACE_SECONDS: '0' } });
  const c2 = await company(brief);
  const a = await shell(brief, c2, 'printf %s "$PAPERCLIP_API_KEY" > token; curl -s -o me -w "%{http_code}" -H "Authorization: Bearer $PAPERCLIP_API_KEY" $PAPERCLIP_API_URL/api/agents/me; cat me');
  const r = await ran(brief, a);
  const out = text(await log(brief, r.id));
  assert.match(out, /^200/);
  assert.ok(out.includes(`"id":"${a.id}"`));
  const token = readFileSync(`${brief.dataDir}/workspaces/${a.id}/token`, 'utf8');
  const refusedNow = await brief.as(token)('GET', '/agents/me');
  assert.equal(refusedNow.status, 401);
  assert.equal(refusedNow.json.code, 'run_not_active');
  const tampered = `${token.slice(0, -3)}AAA`;
  assert.equal((await brief.as(tampered)('GET', '/agents/me')).status, 401);
});

test('a token with another run in the header is 422 and leaves a trace (AO-40)', async () => {
  const a = await shell(s, c, `curl -s -H "Authorization: Bearer $PAPERCLIP_API_KEY" -H "X-Paperclip-Run-Id: ${NOBODY}" $PAPERCLIP_API_URL/api/agents/me`);
  const out = text(await log(s, (await ran(s, a)).id));
  assert.equal(JSON.parse(out).code, 'agent_jwt_run_id_mismatch');
  const found = (await s.ok('GET', `/companies/${c.id}/activity`)).find((x) => x.action === 'auth.agent_jwt_run_header_mismatch');
  assert.equal(found.entityId, a.id);
});

test('timeout: TERM, then KILL after the grace; no stdout in the result (AR-55)', async () => {
  const a = await shell(s, c, "trap '' TERM; echo started; while :; do sleep 0.1; done", { timeoutSec: 1, graceSec: 1 });
  const r = await ran(s, a);
  assert.equal(r.status, 'timed_out');
  assert.equal(r.error, 'Timed out after 1s');
  assert.equal(r.errorCode, 'timeout');
  assert.equal(r.signal, 'SIGKILL');
  assert.deepEqual([r.resultJson.stopReason, r.resultJson.timeoutFired, r.resultJson.timeoutSource, r.resultJson.effectiveTimeoutSec], ['timeout', true, 'config', 1]);
  assert.equal(r.resultJson.stdout, undefined);
});

test('cancel answers at once; the process goes after; the agent is idle, not failed (AR-63, AR-97)', async () => {
  const a = await shell(s, c, "trap '' TERM; echo pid $$; while :; do sleep 0.1; done", { graceSec: 1 });
  const r = await until(s, (await invoke(s, a)).id, 'running');
  await eventually(async () => text(await log(s, r.id)).includes('pid'));
  const pid = Number(/pid (\d+)/.exec(text(await log(s, r.id)))[1]);
  const t = Date.now();
  const answer = await s.ok('POST', `/heartbeat-runs/${r.id}/cancel`);
  assert.ok(Date.now() - t < 900, 'it does not wait for the grace');
  assert.equal(answer.status, 'cancelled');
  assert.equal(answer.errorCode, 'cancelled');
  assert.equal(answer.resultJson.cancelledByActorType, 'user');
  await eventually(() => !alive(pid), { message: 'the process lives on' });
  const end = await eventually(async () => {
    const x = await run(s, r.id);
    return x.logSha256 && x;
  });
  assert.equal(end.status, 'cancelled');
  assert.equal(end.signal, 'SIGKILL');
  assert.equal((await s.ok('GET', `/agents/${a.id}`)).status, 'idle');
  const events = await s.ok('GET', `/heartbeat-runs/${r.id}/events`);
  assert.deepEqual(events.map((e) => e.message), ['run started', 'adapter invocation', 'run cancelled']);
  const again = await s.ok('POST', `/heartbeat-runs/${r.id}/cancel`);
  assert.equal(again.status, 'cancelled');
  const logged = (await s.ok('GET', `/companies/${c.id}/activity`)).filter((x) => x.action === 'heartbeat.cancelled' && x.entityId === r.id);
  assert.equal(logged.length, 1, 'a cancel that changed nothing is not logged');
});

test('nothing escapes: double-forked, new session, deaf to TERM (shim promise)', async () => {
  const a = await shell(s, c, `(setsid sh -c 'trap "" TERM HUP INT; echo $$ > escaped; exec sleep 600' </dev/null >/dev/null 2>&1 &) ; sleep 0.3; echo done`);
  const r = await ran(s, a);
  assert.equal(r.status, 'succeeded');
  assert.ok(r.resultJson.orphansKilled.some((cmd) => cmd.includes('sleep')), JSON.stringify(r.resultJson));
  const pid = Number(readFileSync(`${s.dataDir}/workspaces/${a.id}/escaped`, 'utf8'));
  assert.ok(!alive(pid));
});

test("a grandchild holding the pipe does not hold the run (AR-55 BETTER)", async () => {
  const a = await shell(s, c, 'echo first; sleep 600 & echo last');
  const t = Date.now();
  const r = await ran(s, a);
  assert.ok(Date.now() - t < 10000);
  assert.equal(r.status, 'succeeded');
  assert.equal(r.stdoutExcerpt, 'first\nlast\n');
  assert.ok(r.resultJson.orphansKilled.some((cmd) => cmd.includes('sleep')));
});

test('two invokes of an idle agent are one run (AR-46)', async () => {
  const a = await shell(s, c, 'sleep 0.3');
  const [x, y] = await Promise.all([invoke(s, a), invoke(s, a)]);
  assert.equal(x.id, y.id);
  await until(s, x.id);
});

test('slots: no more running runs than maxConcurrentRuns (INV-7)', async () => {
  const a = await shell(s, c, 'sleep 0.4', {}, { runtimeConfig: { heartbeat: { maxConcurrentRuns: 2 } } });
  const ids = [];
  for (let i = 0; i < 5; i++) ids.push((await s.ok('POST', `/agents/${a.id}/wakeup`, { payload: { taskKey: `k${i}` } })).id);
  assert.equal(new Set(ids).size, 5);
  let most = 0;
  await eventually(async () => {
    const states = (await s.ok('GET', `/companies/${c.id}/heartbeat-runs?limit=100`)).filter((r) => ids.includes(r.id)); // one answer: one moment
    most = Math.max(most, states.filter((r) => r.status === 'running').length);
    return states.length === 5 && states.every((r) => r.status === 'succeeded');
  });
  assert.ok(most >= 1 && most <= 2, `${most} at once`);
});

test('an idempotency key is delivered once (EX-30)', async () => {
  const a = await shell(s, c, 'true');
  const first = await s.ok('POST', `/agents/${a.id}/wakeup`, { idempotencyKey: 'once-only' });
  await until(s, first.id);
  const second = await s.ok('POST', `/agents/${a.id}/wakeup`, { idempotencyKey: 'once-only' });
  assert.equal(second.id, first.id);
});

test('timers wake without being asked (AR-80)', async () => {
  const a = await shell(s, c, 'true', {}, { runtimeConfig: { heartbeat: { enabled: true, intervalSec: 1 } } });
  const runs = await eventually(async () => {
    const list = await s.ok('GET', `/companies/${c.id}/heartbeat-runs?agentId=${a.id}`);
    return list.length >= 2 && list;
  });
  assert.equal(runs[0].invocationSource, 'timer');
  assert.equal(runs[0].contextSnapshot.wakeReason, 'heartbeat_timer');
  await s.ok('POST', `/agents/${a.id}/pause`);
});

test('the log is served in whole lines, by offset, while it grows (AR-71)', async () => {
  const a = await shell(s, c, 'i=0; while [ $i -lt 400 ]; do echo "línea número $i"; i=$((i+1)); done; sleep 0.2');
  const started = await invoke(s, a);
  const r = await until(s, started.id);
  const page = await s.ok('GET', `/heartbeat-runs/${r.id}/log?limitBytes=1000`);
  assert.ok(page.content.endsWith('\n'));
  assert.equal(page.nextOffset, page.endOffset);
  const records = await log(s, r.id, 1000);
  assert.equal(records.length, 400);
  assert.equal(records[399].chunk, 'línea número 399\n');
});

test('the live socket tells the story in order, and resumes without a gap (AR-73, AR-74)', async () => {
  const c2 = await company(s);
  const ws = await socket(s, c2);
  assert.equal(ws.status, 101);
  const a = await shell(s, c2, 'echo hello');
  const r = await ran(s, a);
  await ws.seen((f) => f.type === 'agent.status' && f.payload.outcome === 'succeeded');
  const kept = ws.frames.filter((f) => f.payload.runId === r.id || f.payload.agentId === a.id);
  const order = kept.map((f) => (f.type === 'heartbeat.run.status' ? `${f.type}:${f.payload.status}` : f.type));
  const wanted = ['heartbeat.run.queued', 'heartbeat.run.status:running', 'heartbeat.run.status:succeeded'];
  assert.deepEqual(order.filter((x) => wanted.includes(x)), wanted);
  assert.ok(ws.frames.some((f) => f.type === 'heartbeat.run.log' && f.payload.chunk === 'hello\n'), 'live output');
  const ids = ws.frames.map((f) => f.id);
  assert.deepEqual(ids, [...ids].sort((x, y) => x - y), 'ids never go back');
  const middle = kept[1].id;
  const again = await socket(s, c2, `?since=${middle}`);
  await again.seen((f) => f.type === 'agent.status' && f.payload.outcome === 'succeeded');
  const durable = (frames) => frames.filter((f) => f.id > middle && f.type !== 'heartbeat.run.log' && f.type !== 'heartbeat.run.progress').map((f) => f.id);
  assert.deepEqual(durable(again.frames).slice(0, durable(ws.frames).length), durable(ws.frames));
  ws.close();
  again.close();
});

test('the socket refuses strangers and plain requests (AR-73)', async () => {
  assert.equal((await s.api('GET', `/companies/${c.id}/events/ws`)).status, 426);
  assert.equal((await socket(s, c, '?token=pcp_wrong')).status, 403);
  assert.equal((await socket(s, { id: NOBODY })).status, 404);
  assert.equal((await socket(s, c, '', { Origin: 'http://evil.test' })).status, 403);
});

test('unknown runs are 404, whatever the id looks like (AR-70)', async () => {
  for (const id of [NOBODY, 'nonsense', '1']) refused(await s.api('GET', `/heartbeat-runs/${id}`), 404, 'Heartbeat run not found');
  const a = await agent(s, c, { adapterConfig: {} });
  const r = await ran(s, a);
  refused(await s.api('GET', `/heartbeat-runs/${r.id}/log`), 404, 'Run log not found');
});

test('a paused agent is refused with the reason, and its runs are cancelled (AR-42, EX-57)', async () => {
  const a = await shell(s, c, 'sleep 60');
  const r = await until(s, (await invoke(s, a)).id, 'running');
  await s.ok('POST', `/agents/${a.id}/pause`);
  assert.equal((await until(s, r.id)).errorCode, 'agent_paused');
  const no = refused(await s.api('POST', `/agents/${a.id}/heartbeat/invoke`, {}), 409, 'Agent is not invokable in its current state');
  assert.deepEqual(no.details, { status: 'paused', reason: 'paused', invalidOrgChain: false, agentId: a.id, agentStatus: 'paused' });
  await sleep(50);
  assert.equal((await s.ok('GET', `/agents/${a.id}`)).status, 'paused');
});

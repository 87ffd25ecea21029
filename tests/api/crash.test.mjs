// Runs outlive the server (design: a shim holds each run; the rows lead back to it).

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { company, eventually, server, sleep } from './harness.mjs';
import { alive, invoke, log, run, shell, text, until } from './kit.mjs';

const s = await server({ env: { BULLDOG_MAX_CONCURRENT_RUNS: '64' } });
const c = await company(s);

const shimOf = (id) => Number(execFileSync('pgrep', ['-f', `^bulldog-shim ${id}`], { encoding: 'utf8' }).trim().split('\n')[0]);

test('a server killed mid-run re-attaches; log and record miss nothing', async () => {
  const a = await shell(s, c, 'i=0; while [ $i -lt 300 ]; do echo "line $i"; i=$((i+1)); sleep 0.01; done; echo end');
  const r = await until(s, (await invoke(s, a)).id, 'running');
  await sleep(400);
  await s.kill();
  await sleep(500);
  await s.start();
  const end = await until(s, r.id);
  assert.equal(end.status, 'succeeded');
  assert.equal(end.processLossRetryCount, 0);
  const records = await log(s, r.id);
  assert.equal(records.length, 301);
  assert.equal(text(records), Array.from({ length: 300 }, (_, i) => `line ${i}\n`).join('') + 'end\n');
  const events = await s.ok('GET', `/heartbeat-runs/${r.id}/events`);
  assert.deepEqual(events.map((e) => e.message), ['run started', 'adapter invocation', 'run succeeded']);
});

test('a run that ended while the server was down is collected at start', async () => {
  const a = await shell(s, c, 'sleep 0.5; echo finished; exit 4');
  const r = await until(s, (await invoke(s, a)).id, 'running');
  await eventually(async () => (await run(s, r.id)).processPid);
  await s.kill();
  await sleep(1500);
  await s.start();
  const end = await until(s, r.id);
  assert.equal(end.status, 'failed');
  assert.equal(end.exitCode, 4);
  assert.equal(text(await log(s, r.id)), 'finished\n');
});

test('a clean stop leaves runs alone, too', async () => {
  const a = await shell(s, c, 'sleep 1.5; echo still here');
  const r = await until(s, (await invoke(s, a)).id, 'running');
  await s.restart();
  const end = await until(s, r.id);
  assert.equal(end.status, 'succeeded');
  assert.equal(text(await log(s, r.id)), 'still here\n');
});

test('shim killed while its agent lives: the tree is ended first, then one retry (EX-60)', async () => {
  const a = await shell(s, c, 'echo $$ >> pids; if [ $(wc -l < pids) = 1 ]; then sleep 600; fi; echo second time');
  const r = await until(s, (await invoke(s, a)).id, 'running');
  const pids = `${s.dataDir}/workspaces/${a.id}/pids`;
  await eventually(() => existsSync(pids) && readFileSync(pids, 'utf8').trim());
  const first = Number(readFileSync(pids, 'utf8').trim());
  process.kill(shimOf(r.id), 'SIGKILL');
  const lost = await until(s, r.id);
  assert.equal(lost.status, 'failed');
  assert.equal(lost.errorCode, 'process_lost');
  assert.ok(!alive(first), 'the old tree is gone');
  const retry = await eventually(async () => (await s.ok('GET', `/companies/${c.id}/heartbeat-runs?agentId=${a.id}`)).find((x) => x.retryOfRunId === r.id));
  const end = await until(s, retry.id);
  assert.equal(end.status, 'succeeded');
  assert.equal(end.processLossRetryCount, 1);
  assert.equal(end.contextSnapshot.wakeReason, 'process_lost_retry');
});

test('shim and server killed together: found at start, ended, retried once and not twice', async () => {
  const a = await shell(s, c, 'echo $$ >> pids; sleep 600');
  const r = await until(s, (await invoke(s, a)).id, 'running');
  const pids = `${s.dataDir}/workspaces/${a.id}/pids`;
  const count = () => (existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n').map(Number) : []);
  await eventually(() => count().length === 1);
  const shim = shimOf(r.id);
  await s.kill();
  process.kill(shim, 'SIGKILL');
  await s.start();
  await until(s, r.id, 'failed');
  await eventually(() => count().length === 2, { message: 'no retry' });
  assert.ok(!alive(count()[0]));
  const retry = (await s.ok('GET', `/companies/${c.id}/heartbeat-runs?agentId=${a.id}`)).find((x) => x.retryOfRunId === r.id);
  process.kill(shimOf(retry.id), 'SIGKILL');
  await until(s, retry.id, 'failed');
  await sleep(500);
  assert.equal((await s.ok('GET', `/companies/${c.id}/heartbeat-runs?agentId=${a.id}`)).length, 2, 'no third run');
});

test('a second server on the same data directory is refused (AO-112)', async () => {
  const other = await server({ dataDir: s.dataDir, database: s.database }).catch((e) => e);
  assert.match(other.message, /another bulldog server uses the data directory/);
});

test('kill -9 in the middle of many short runs: every run ends exactly once', async () => {
  const agents = await Promise.all(Array.from({ length: 5 }, () => shell(s, c, 'echo a; sleep 0.05; echo b')));
  const ids = [];
  for (let round = 0; round < 4; round++) {
    for (const a of agents) for (let k = 0; k < 3; k++) ids.push((await s.ok('POST', `/agents/${a.id}/wakeup`, { payload: { taskKey: `r${round}k${k}` } })).id);
    await sleep(60 + round * 40);
    await s.kill();
    await s.start();
  }
  const ends = await Promise.all([...new Set(ids)].map((id) => until(s, id, undefined, 60000)));
  for (const r of ends) {
    assert.ok(['succeeded', 'failed'].includes(r.status), r.status);
    if (r.status === 'failed') assert.equal(r.errorCode, 'process_lost', r.error);
    if (r.status === 'succeeded') assert.equal(text(await log(s, r.id)), 'a\nb\n');
    const messages = (await s.ok('GET', `/heartbeat-runs/${r.id}/events`)).map((e) => e.message);
    assert.equal(messages.filter((m) => /^run (succeeded|failed)$/.test(m)).length, 1, 'one end');
  }
  assert.ok(ends.filter((r) => r.status === 'succeeded').length >= ends.length - 3, 'a restart loses next to nothing');
});

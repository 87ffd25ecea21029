// The http adapter: agents behind a URL (AR-56).

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { agent, company, eventually, server, sleep } from './harness.mjs';
import { invoke, ran, run, until } from './kit.mjs';

const s = await server();
const c = await company(s);

// The agent's side: what it was asked, and what it answers.
const asked = [];
const answers = {
  '/ok': (res) => res.end('{"summary":"all well","extra":1}'),
  '/plain': (res) => res.end('fine'),
  '/broken': (res) => {
    res.statusCode = 500;
    res.end('no');
  },
  '/slow': () => {},
};
const http = createServer((req, res) => {
  let body = '';
  req.on('data', (d) => (body += d));
  req.on('end', () => {
    asked.push({ path: req.url, method: req.method, headers: req.headers, body: body && JSON.parse(body), closed: new Promise((r) => res.once('close', r)) });
    answers[req.url](res);
  });
});
await new Promise((r) => http.listen(0, '127.0.0.1', r));
after(() => {
  http.closeAllConnections?.();
  http.close();
});
const url = `http://127.0.0.1:${http.address().port}`;
const remote = (path, config = {}) => agent(s, c, { adapterType: 'http', adapterConfig: { url: url + path, ...config } });

test('the request carries payload, ids and context; the answer becomes the result', async () => {
  const a = await remote('/ok', { headers: { 'X-Mine': 'yes' }, payloadTemplate: { hello: 'run {{runId}} of {{agent.id}}', n: 3, runId: 'overridden' } });
  const r = await ran(s, a);
  assert.equal(r.status, 'succeeded');
  assert.equal(r.exitCode, 0);
  assert.equal(r.resultJson.summary, 'all well');
  assert.equal(r.resultJson.extra, 1);
  const q = asked.at(-1);
  assert.equal(q.method, 'POST');
  assert.equal(q.headers['content-type'], 'application/json');
  assert.equal(q.headers['x-mine'], 'yes');
  assert.equal(q.headers['x-paperclip-run-token'], undefined, 'no credential unless asked for');
  assert.equal(q.body.hello, `run ${r.id} of ${a.id}`);
  assert.equal(q.body.runId, r.id);
  assert.equal(q.body.agentId, a.id);
  assert.equal(q.body.context.wakeSource, 'on_demand');
});

test('sendRunToken gives the agent a token that works', async () => {
  const a = await remote('/ok', { sendRunToken: true });
  await ran(s, a);
  const token = asked.at(-1).headers['x-paperclip-run-token'];
  assert.equal((await s.as(token)('GET', '/agents/me')).json.id, a.id);
});

test('an answer without a summary posts no comment; one with a summary becomes the comment (AR-58)', async () => {
  const quiet = await remote('/plain');
  const talks = await remote('/ok');
  const i = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Quiet', assigneeAgentId: quiet.id });
  const k = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Talks', assigneeAgentId: talks.id });
  const first = async (x) => {
    const r = await eventually(async () => (await s.ok('GET', `/issues/${x.id}/runs`)).at(-1));
    return until(s, r.runId);
  };
  // what this run said; the server's own notice of a missing next step, and the run after it, are others' words (EX-72)
  const said = async (x, run) => (await s.ok('GET', `/issues/${x.id}/comments`)).filter((y) => y.createdByRunId === run.id);
  assert.deepEqual(await said(i, await first(i)), []);
  const comments = await said(k, await first(k));
  assert.deepEqual(comments.map((x) => x.body), ['all well']);
  assert.equal(comments[0].authorAgentId, talks.id);
});

test('errors, refusals and timeouts are failures with their cause', async () => {
  const broken = await ran(s, await remote('/broken'));
  assert.deepEqual([broken.status, broken.error, broken.errorCode], ['failed', 'HTTP invoke failed with status 500', 'adapter_failed']);
  const nobody = await ran(s, await agent(s, c, { adapterType: 'http', adapterConfig: { url: 'http://127.0.0.1:1/' } }));
  assert.equal(nobody.status, 'failed');
  const none = await ran(s, await agent(s, c, { adapterType: 'http', adapterConfig: {} }));
  assert.equal(none.error, 'HTTP adapter missing url');
  const slow = await ran(s, await remote('/slow', { timeoutMs: 300 }));
  assert.deepEqual([slow.status, slow.errorCode, slow.error], ['timed_out', 'timeout', `HTTP POST ${url}/slow timed out after 300ms`]);
  assert.equal(slow.resultJson.effectiveTimeoutMs, 300);
});

test('cancel closes the connection (AR-56 BETTER)', async () => {
  const a = await remote('/slow');
  const r = await until(s, (await invoke(s, a)).id, 'running');
  const q = await eventually(() => asked.find((x) => x.path === '/slow' && x.body.runId === r.id));
  await s.ok('POST', `/heartbeat-runs/${r.id}/cancel`);
  assert.equal(await Promise.race([q.closed.then(() => 'closed'), sleep(5000).then(() => 'open')]), 'closed');
  assert.equal((await run(s, r.id)).status, 'cancelled');
});

test('a server killed during the call: the run is lost, in the open, and not repeated', async () => {
  const a = await remote('/slow');
  const r = await until(s, (await invoke(s, a)).id, 'running');
  await s.kill();
  await s.start();
  const end = await until(s, r.id);
  assert.deepEqual([end.status, end.errorCode], ['failed', 'process_lost']);
});

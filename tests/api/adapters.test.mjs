// Adapters, their texts, and the list of timers (AR-34…36, AR-38).
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { NOBODY, agent, company, key, refused, server } from './harness.mjs';

const s = await server();
const c = await company(s);

test('the adapters are listed by type, with what they support (AR-34)', async () => {
  const list = await s.ok('GET', '/adapters');
  assert.deepEqual(list.map((t) => t.type), list.map((t) => t.type).sort());
  const process = list.find((t) => t.type === 'process');
  assert.deepEqual([process.source, process.loaded, process.disabled, process.capabilities.supportsLocalAgentJwt], ['builtin', true, false, true]);
  assert.equal(list.find((t) => t.type === 'claude_local').disabled, true);
  assert.deepEqual(await s.ok('GET', '/adapters/process'), process);
  refused(await s.api('GET', '/adapters/nope'), 404, 'Adapter "nope" is not registered.');
  refused(await s.api('GET', '/adapters/http/config-schema'), 404, 'Adapter "http" does not provide a config schema.');
  refused(await s.as(await key(s, await agent(s, c)))('GET', '/adapters'), 403, 'Board access required');
});

test('the runtimes of this version have no models to choose from (AR-35)', async () => {
  assert.deepEqual(await s.ok('GET', `/companies/${c.id}/adapters/process/models`), []);
  assert.deepEqual(await s.ok('GET', `/companies/${c.id}/adapters/http/model-profiles`), []);
  assert.equal(await s.ok('GET', `/companies/${c.id}/adapters/http/detect-model`), null);
  refused(await s.api('GET', `/companies/${c.id}/adapters/nope/models`), 422, 'Unknown adapter type: nope');
});

const tried = (type, adapterConfig) => s.ok('POST', `/companies/${c.id}/adapters/${type}/test-environment`, { adapterConfig });
const codes = (r) => r.checks.map((x) => x.code);

test('a process configuration is tried without running it (AR-35)', async () => {
  const good = await tried('process', { command: 'sh', cwd: '/tmp' });
  assert.deepEqual([good.adapterType, good.status, codes(good)], ['process', 'pass', ['process_command_present', 'process_cwd_valid', 'process_command_resolvable']]);
  assert.deepEqual(codes(await tried('process', {})), ['process_command_missing']);
  const bad = await tried('process', { command: 'no-such-program', cwd: '/no/such/folder' });
  assert.deepEqual([bad.status, codes(bad)], ['fail', ['process_command_present', 'process_cwd_invalid', 'process_command_unresolvable']]);
});

test('an http configuration is tried by a HEAD (AR-35)', async () => {
  let status = 200;
  const endpoint = createServer((q, a) => a.writeHead(q.method === 'HEAD' ? status : 500).end()).listen(0, '127.0.0.1');
  await new Promise((r) => endpoint.once('listening', r));
  const url = `http://127.0.0.1:${endpoint.address().port}/hook`;
  assert.equal((await tried('http', { url })).status, 'pass');
  status = 405;
  assert.equal((await tried('http', { url })).status, 'pass');
  status = 500;
  const odd = await tried('http', { url });
  assert.deepEqual([odd.status, codes(odd).at(-1)], ['warn', 'http_endpoint_probe_unexpected_status']);
  endpoint.close();
  endpoint.closeAllConnections();
  assert.equal(codes(await tried('http', { url })).at(-1), 'http_endpoint_probe_failed');
  assert.deepEqual(codes(await tried('http', {})), ['http_url_missing']);
  assert.deepEqual(codes(await tried('http', { url: 'nope' })), ['http_url_invalid']);
  assert.deepEqual(codes(await tried('http', { url: 'ftp://x/y' })), ['http_url_protocol_invalid']);
});

test('trying needs the right to create agents (AR-35)', async () => {
  const asAgent = s.as(await key(s, await agent(s, c)));
  refused(await asAgent('POST', `/companies/${c.id}/adapters/process/test-environment`, {}), 403, 'Missing permission: agents:create.');
  refused(await s.api('POST', `/companies/${c.id}/adapters/process/test-environment`, { environmentId: NOBODY }), 404, 'Environment not found');
});

test('the texts are for who may configure agents (AR-36)', async () => {
  const asBoss = s.as(await key(s, await agent(s, c, { role: 'ceo' })));
  const asOther = s.as(await key(s, await agent(s, c)));
  for (const path of ['/api/llms/agent-configuration.txt', '/api/llms/agent-configuration/process.txt', '/api/llms/agent-icons.txt']) {
    const r = await asBoss('GET', path);
    assert.equal(r.status, 200);
    assert.match(r.headers.get('content-type'), /^text\/plain/);
    const bare = await fetch(s.url + path.slice(4));
    assert.equal(await bare.text(), r.text);
    refused(await asOther('GET', path), 403);
  }
  assert.match((await asBoss('GET', '/api/llms/agent-configuration/process.txt')).text, /- command \(string, required\)/);
  assert.match((await asBoss('GET', '/api/llms/agent-icons.txt')).text, /- git-branch\n/);
  for (const page of ['nope.txt', 'process']) refused(await s.api('GET', `/api/llms/agent-configuration/${page}`), 404);
});

test('timers: active ones first (AR-38)', async () => {
  const d = await company(s);
  await agent(s, d, { name: 'Asleep' });
  const beat = await agent(s, d, { name: 'Beat', runtimeConfig: { heartbeat: { enabled: true, intervalSec: 3600 } } });
  const paused = await agent(s, d, { name: 'Paused' });
  await s.ok('POST', `/agents/${paused.id}/pause`);
  const list = await s.ok('GET', '/instance/scheduler-heartbeats');
  assert.deepEqual(list[0], { id: beat.id, companyId: d.id, companyName: d.name, companyIssuePrefix: d.issuePrefix, agentName: 'Beat', agentUrlKey: 'beat',
    role: 'general', title: null, status: list[0].status, adapterType: 'process', intervalSec: 3600, heartbeatEnabled: true, schedulerActive: true,
    lastHeartbeatAt: list[0].lastHeartbeatAt });
  assert.ok(list.some((a) => a.agentName === 'Asleep') && !list.some((a) => a.agentName === 'Paused'));
});

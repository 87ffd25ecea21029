// Paperclip's own command line, as its users have it from npm, against this server:
// the client we are to serve unchanged (AO §12.6). It is no part of this project and
// far larger, so it is used where it is found on PATH (npm install -g paperclipai)
// or named by PAPERCLIPAI_BIN, and left out elsewhere.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { agent, company, server } from './harness.mjs';
import { until } from './kit.mjs';

const BIN = process.env.PAPERCLIPAI_BIN ?? 'paperclipai';
const found = spawnSync(BIN, ['--version'], { encoding: 'utf8', timeout: 60000 }).status === 0;
const skip = found ? false : `no ${BIN} here`;

if (found) {
  const home = mkdtempSync(path.join(tmpdir(), 'bulldog-peer.'));
  after(() => rmSync(home, { recursive: true, force: true }));
  const s = await server();
  const c = await company(s);
  const a = await agent(s, c, { adapterConfig: { command: '/bin/echo', args: ['hello'] } });
  const env = { ...process.env, PAPERCLIP_HOME: home, PAPERCLIP_API_URL: s.url, PAPERCLIP_COMPANY_ID: c.id, PAPERCLIP_NO_BROWSER: '1', DO_NOT_TRACK: '1' };
  for (const name of ['PAPERCLIP_API_KEY', 'PAPERCLIP_RUN_ID', 'PAPERCLIP_AGENT_ID']) delete env[name];

  /* The client's JSON; it must succeed. */
  const said = (...args) =>
    new Promise((resolve, reject) => {
      const child = execFile(BIN, [...args, '--json'], { env }, (error, out, err) => (error ? reject(new Error(`${args.join(' ')}: ${out}${err}`)) : resolve(JSON.parse(out))));
      child.stdin.end();
    });

  test('it knows who it is and where', async () => {
    assert.equal((await said('whoami')).userId, 'local-board');
    assert.equal((await said('health')).status, 'ok');
    assert.deepEqual((await said('company', 'list')).map((x) => x.id), [c.id]);
    assert.equal((await said('company', 'get', c.id)).issuePrefix, c.issuePrefix);
    assert.equal((await said('dashboard', 'get', '-C', c.id)).companyId, c.id);
  });

  test('it takes an issue through its life', async () => {
    const issue = await said('issue', 'create', '-C', c.id, '--title', 'From outside', '--status', 'todo');
    assert.equal((await said('issue', 'get', issue.identifier)).id, issue.id);
    assert.equal((await said('issue', 'update', issue.id, '--priority', 'high', '--comment', 'soon')).priority, 'high');
    assert.equal((await said('issue', 'comment', issue.id, '--body', 'words')).body, 'words');
    assert.deepEqual((await said('issue', 'comments', issue.id, '--order', 'asc')).map((x) => x.body), ['soon', 'words']);
    assert.equal((await said('issue', 'checkout', issue.id, '--agent-id', a.id, '--expected-statuses', 'todo')).status, 'in_progress');
    assert.equal((await said('issue', 'release', issue.id)).assigneeAgentId, null);
    assert.equal((await said('issue', 'read', issue.id)).userId, 'local-board');
    assert.ok((await said('issue', 'list', '-C', c.id)).some((x) => x.id === issue.id));
  });

  test('it wakes an agent and reads its run', async () => {
    const run = await said('agent', 'wake', a.id);
    await until(s, run.id, 'succeeded');
    assert.equal((await said('run', 'get', run.id)).status, 'succeeded');
    assert.match((await said('run', 'log', run.id)).content, /hello/);
    assert.deepEqual(await said('agent', 'config-revisions', a.id), []);
    assert.deepEqual(await said('agent', 'task-sessions', a.id), []);
  });
} else {
  test('Paperclip’s own command line works against this server', { skip }, () => {});
}

// The command's client side against a real server: what it prints, what it sends, how it ends.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';

import { bulldog } from './cli.mjs';
import { agent, company, eventually, key, server } from './harness.mjs';

const s = await server();
const c = await company(s, { name: 'Kennel' });

const good = async (args, options) => {
  const r = await bulldog(s, args, options);
  assert.equal(r.code, 0, `${args.join(' ')}: ${r.err}`);
  return r;
};

describe('output (AO-162)', () => {
  test('--json prints the answer with two spaces and nothing else', async () => {
    const r = await good(['company', 'list', '--json']);
    assert.equal(r.out, `${JSON.stringify(await s.ok('GET', '/companies'), null, 2)}\n`);
    assert.equal(r.err, '');
  });

  test('a list is key=value lines, the telling keys first, objects left out', async () => {
    const a = await agent(s, c, { name: 'Rex', title: `a\n  title ${'x'.repeat(100)}` });
    const line = (await good(['agent', 'list', '-C', c.issuePrefix])).out.split('\n').find((l) => l.includes(a.id));
    assert.match(line, new RegExp(`^id=${a.id} name=Rex status=idle title=a title x+\\.\\.\\. `));
    assert.match(line, / pauseReason=- /);
    assert.ok(!line.includes('adapterConfig'));
  });

  test('an empty list says so', async () => {
    const other = await company(s);
    assert.equal((await good(['agent', 'list', '-C', other.id])).out, '(empty)\n');
  });

  test('a single object is JSON', async () => {
    assert.equal((await good(['company', 'get', c.id])).json().name, 'Kennel');
  });
});

describe('the company of a call', () => {
  test('is named by id, prefix in any case, or name', async () => {
    for (const name of [c.id, c.issuePrefix.toLowerCase(), 'kennel']) {
      assert.equal((await good(['company', 'get', name])).json().id, c.id);
      assert.equal((await good(['dashboard', '-C', name, '--json'])).json().companyId, c.id);
    }
  });

  test('may come from the environment, and must be named when there are several', async () => {
    assert.equal((await good(['dashboard'], { env: { PAPERCLIP_COMPANY_ID: c.id } })).json().companyId, c.id);
    const r = await bulldog(s, ['dashboard']);
    assert.equal(r.code, 1);
    assert.match(r.err, /which of the \d+ companies\? Name one with -C/);
  });

  test('a name that is not there is said', async () => {
    const r = await bulldog(s, ['agent', 'list', '-C', 'Cattery']);
    assert.equal(r.code, 1);
    assert.match(r.err, /no company "Cattery"/);
  });
});

describe('errors (AO-163)', () => {
  const v2 = { PAPERCLIP_CLI_EXIT_CODES: 'v2' };
  const cases = [
    ['an unknown command', ['dgo'], 2, /unknown command dgo/],
    ['an unknown verb', ['agent', 'lst'], 2, /did you mean agent list\?/],
    ['an unknown option', ['agent', 'list', '--colour'], 2, /unknown option --colour/],
    ['a wrong number', ['run', 'list', '-C', 'Kennel', '--limit', 'many'], 2, /--limit: a whole number/],
    ['broken JSON', ['agent', 'create', '-C', 'Kennel', '--adapter-config', '{'], 2, /--adapter-config: this is no JSON/],
    ['a missing object', ['company', 'get', '00000000-0000-4000-8000-000000000000'], 4, /^API error 404: .+/],
    ['a refused body', ['company', 'create'], 1, /^API error 400: .+ details=\[/],
    ['a wrong key', ['agent', 'me', '--api-key', 'pcp_wrong'], 3, /^API error 401: /],
  ];
  for (const [name, args, code, message] of cases) {
    test(name, async () => {
      const fine = await bulldog(s, args, { env: v2 });
      assert.equal(fine.code, code, fine.err);
      assert.match(fine.err, message);
      assert.equal(fine.out, '');
      assert.equal((await bulldog(s, args)).code, 1);
    });
  }

  test('no server', async () => {
    const r = await bulldog(null, ['health', '--api-url', 'http://127.0.0.1:9'], { env: v2 });
    assert.equal(r.code, 6);
    assert.match(r.err, /Cannot reach|cannot reach/);
    assert.match(r.err, /bulldog serve/);
  });
});

describe('agents', () => {
  test('create, update, find by name or url key, pause, resume', async () => {
    const made = (await good(['agent', 'create', '-C', 'Kennel', '--name', 'Lassie Come Home', '--role', 'engineer', '--adapter-config', '{"command":"/bin/true"}'])).json();
    assert.equal(made.adapterConfig.command, '/bin/true');
    assert.equal((await good(['agent', 'get', 'lassie-come-home', '-C', 'Kennel'])).json().id, made.id);
    assert.equal((await good(['agent', 'update', 'Lassie Come Home', '-C', 'Kennel', '--title', 'Collie'])).json().title, 'Collie');
    assert.equal((await good(['agent', 'pause', made.id])).json().status, 'paused');
    assert.equal((await good(['agent', 'resume', made.id])).json().status, 'idle');
  });

  test('the org is a tree', async () => {
    const firm = await company(s);
    const boss = await agent(s, firm, { name: 'Boss', role: 'ceo' });
    for (const name of ['Left', 'Right']) await agent(s, firm, { name, role: 'engineer', reportsTo: boss.id });
    assert.equal((await good(['org', 'get', '-C', firm.id])).out, 'Boss (ceo) idle\n├─ Left (engineer) idle\n└─ Right (engineer) idle\n');
  });

  test('a key is shown once, names the agent, and dies when revoked', async () => {
    const a = await agent(s, c, { name: 'Bolt' });
    const made = (await good(['agent', 'key:create', a.id, '--name', 'laptop'])).json();
    assert.match(made.token, /^pcp_[0-9a-f]{48}$/);
    assert.equal((await good(['agent', 'me'], { env: { PAPERCLIP_API_KEY: made.token } })).json().id, a.id);
    const keys = (await good(['agent', 'keys', a.id, '--json'])).out;
    assert.ok(!keys.includes(made.token));
    await good(['agent', 'key:revoke', a.id, made.id]);
    assert.equal((await bulldog(s, ['agent', 'me'], { env: { PAPERCLIP_API_KEY: made.token } })).code, 1);
  });

  test('what cannot be undone wants to be told', async () => {
    const a = await agent(s, c);
    const r = await bulldog(s, ['agent', 'delete', a.id]);
    assert.equal(r.code, 1);
    assert.match(r.err, /--yes/);
    await good(['agent', 'delete', a.id, '--yes']);
    const other = await company(s, { name: 'Doomed' });
    assert.match((await bulldog(s, ['company', 'delete', 'Doomed', '--yes'])).err, new RegExp(`--confirm ${other.issuePrefix}`));
    await good(['company', 'delete', 'Doomed', '--yes', '--confirm', other.issuePrefix]);
    assert.equal((await s.api('GET', `/companies/${other.id}`)).status, 404);
  });
});

describe('issues', () => {
  test('create, update, comment, block, list, take and give back', async () => {
    const a = await agent(s, c, { name: 'Balto' });
    await good(['agent', 'pause', a.id]); // nothing shall start
    const first = (await good(['issue', 'create', 'Fetch the stick', '-C', 'Kennel', '--priority', 'high', '--description', '-'], { input: 'It is "brown".\n' })).json();
    assert.equal(first.title, 'Fetch the stick');
    assert.equal(first.description, 'It is "brown".\n');
    const second = (await good(['issue', 'create', '--title', 'Bring it', '-C', 'Kennel', '--parent-id', first.identifier, '--blocked-by', first.identifier, '--assignee', 'Balto'])).json();
    assert.equal(second.parentId, first.id);
    assert.equal(second.assigneeAgentId, a.id);

    const children = (await good(['issue', 'children', first.identifier, '--json'])).json();
    assert.deepEqual(children.map((i) => i.id), [second.id]);
    const blocked = (await good(['issue', 'get', second.identifier])).json();
    assert.deepEqual(blocked.blockedBy.map((i) => i.id), [first.id]);

    await good(['issue', 'comment', first.identifier, 'Found it']);
    await good(['issue', 'comment', first.identifier, '-'], { input: 'Lost it' });
    const comments = (await good(['issue', 'comments', first.identifier, '--order', 'asc', '--json'])).json();
    assert.deepEqual(comments.map((i) => i.body), ['Found it', 'Lost it']);

    assert.equal((await good(['issue', 'update', first.identifier, '--status', 'done', '--comment', 'Here'])).json().status, 'done');
    const open = (await good(['issue', 'list', '-C', 'Kennel', '--status', 'todo,blocked', '--assignee', 'Balto', '--json'])).json();
    assert.deepEqual(open.map((i) => i.id), [second.id]);

    assert.equal((await good(['issue', 'checkout', second.identifier])).json().status, 'in_progress');
    assert.equal((await good(['issue', 'release', second.identifier])).json().status, 'todo');
  });

  test('an issue needs a title', async () => {
    const r = await bulldog(s, ['issue', 'create', '-C', 'Kennel']);
    assert.equal(r.code, 1);
    assert.match(r.err, /needs a title/);
  });
});

describe('runs', () => {
  const script = 'for i in 1 2 3; do echo "line $i"; sleep 0.2; done; echo oops >&2';
  const start = async (name, command = script) => {
    const a = await agent(s, c, { name, adapterConfig: { command: '/bin/sh', args: ['-c', command] } });
    return (await good(['agent', 'heartbeat:invoke', a.id])).json();
  };

  test('log --follow shows every line once, in order, and ends with the run', async () => {
    const run = await start('Talker');
    const r = await bulldog(s, ['run', 'log', run.id, '--follow', '--text']);
    assert.equal(r.code, 0, r.err);
    assert.deepEqual(r.out.match(/line \d|oops/g), ['line 1', 'line 2', 'line 3', 'oops']);
    assert.match(r.err, /run succeeded/);
    const again = await good(['run', 'log', run.id]);
    assert.match(again.out, /^\d\d:\d\d:\d\d\.\d{3} stdout line 1$/m);
    assert.match(again.out, /^\d\d:\d\d:\d\d\.\d{3} stderr oops$/m);
  });

  test('log shows a long log whole, by pages of any size', async () => {
    const run = await start('Counter', 'seq 1 30000');
    const all = Array.from({ length: 30000 }, (_, i) => `${i + 1}`).join('\n') + '\n';
    assert.equal((await good(['run', 'log', run.id, '--follow', '--text'])).out, all);
    assert.equal((await good(['run', 'log', run.id, '--text', '--limit-bytes', '70000'])).out, all);
  });

  test('log --follow outlives a killed server', async () => {
    const run = await start('Survivor', 'for i in 1 2 3 4 5 6 7 8; do echo "line $i"; sleep 0.4; done');
    const following = bulldog(s, ['run', 'log', run.id, '--follow', '--text'], {
      onOutput: (text) => {
        if (text.includes('line 2')) s.kill().then(() => s.start());
      },
    });
    const r = await following;
    assert.equal(r.code, 0, r.err);
    assert.deepEqual(r.out.match(/line \d/g), [1, 2, 3, 4, 5, 6, 7, 8].map((i) => `line ${i}`));
  });

  test('list, get, events, cancel', async () => {
    const run = await start('Sleeper', 'sleep 60');
    await eventually(async () => (await good(['run', 'get', run.id])).json().status === 'running');
    assert.ok((await good(['run', 'list', '-C', 'Kennel', '--agent-id', 'Sleeper', '--json'])).json().some((r) => r.id === run.id));
    assert.ok((await good(['run', 'live', '-C', 'Kennel', '--json'])).json().some((r) => r.id === run.id));
    await good(['run', 'cancel', run.id]);
    await eventually(async () => (await good(['run', 'get', run.id])).json().status === 'cancelled');
    const followed = await bulldog(s, ['run', 'log', run.id, '--follow']);
    assert.equal(followed.code, 1); // it did not succeed
    assert.match(followed.err, /run cancelled/);
    assert.match((await good(['run', 'events', run.id])).out, /seq=1 /);
  });

  test('the run of an agent is named in what it does', async () => {
    const a = await agent(s, c, { name: 'Witness', adapterConfig: { command: '/bin/sleep', args: ['5'] } });
    const env = { PAPERCLIP_API_KEY: await key(s, a), PAPERCLIP_RUN_ID: '' };
    const issue = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Look', assigneeAgentId: a.id });
    const run = await eventually(async () => (await s.ok('GET', `/companies/${c.id}/live-runs`)).find((r) => r.agentId === a.id && r.status === 'running'));
    const comment = (await good(['issue', 'comment', issue.identifier, 'Seen'], { env: { ...env, PAPERCLIP_RUN_ID: run.id } })).json();
    assert.equal(comment.authorAgentId, a.id);
    assert.equal(comment.createdByRunId, run.id);
    await good(['run', 'cancel', run.id]);
  });
});

describe('without a server', () => {
  test('help covers every command; completion and settings are printed', async () => {
    const overview = (await bulldog(null, ['help'])).out;
    for (const noun of ['serve', 'demo', 'doctor', 'company', 'agent', 'issue', 'run', 'activity', 'dashboard', 'health', 'openapi', 'settings']) {
      assert.match(overview, new RegExp(`^  ${noun} `, 'm'));
      assert.equal((await bulldog(null, ['help', noun])).code, 0);
    }
    assert.match((await bulldog(null, ['help', 'run', 'log'])).out, /--follow/);
    assert.match((await bulldog(null, ['completion', 'bash'])).out, /complete .* bulldog/);
    assert.match((await bulldog(null, ['--version'])).out, /^bulldog \d+\.\d+\.\d+$/m);
    const settings = (await bulldog(null, ['settings', '--json'], { env: { BULLDOG_LISTEN: '127.0.0.1:1', BULLDOG_AGENT_JWT_SECRET: 'hush' } })).json();
    assert.equal(settings.find((x) => x.name === 'server.listen').value, '127.0.0.1:1');
    assert.ok(!JSON.stringify(settings).includes('hush'));
  });

  test('bash completes nouns, verbs and options', async () => {
    const script = 'eval "$("$0" completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bulldog; printf "%s\\n" "${COMPREPLY[@]}"';
    const complete = async (...words) => {
      const { BIN } = await import('./harness.mjs');
      const { spawnSync } = await import('node:child_process');
      return spawnSync('bash', ['-c', script, BIN, 'bulldog', ...words], { encoding: 'utf8' }).stdout.trim().split('\n');
    };
    assert.deepEqual(await complete('dem'), ['demo']);
    assert.deepEqual((await complete('issue', 'comm')).sort(), ['comment', 'comment:delete', 'comment:get', 'comments']);
    assert.deepEqual(await complete('run', 'log', '--fol'), ['--follow']);
    assert.deepEqual(await complete('run', 'log', '--jso'), ['--json']);
  });

  test('the doctor finds what is wrong and says so by its exit code', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'bulldog-doctor.'));
    try {
      const well = await bulldog(s, ['doctor', '--data-dir', dir, '--json'], { env: { BULLDOG_LISTEN: '127.0.0.1:0' } });
      assert.equal(well.code, 0, well.out);
      const checks = Object.fromEntries(well.json().checks.map((x) => [x.name, x]));
      assert.equal(checks.git.status, 'pass');
      assert.equal(checks.supervisor.status, 'pass');
      assert.equal(checks.server.status, 'pass');
      const taken = await bulldog(null, ['doctor', '--data-dir', dir, '--json', '--database', '/bin/sh'], {
        env: { BULLDOG_LISTEN: new URL(s.url).host, BULLDOG_API_URL: 'http://127.0.0.1:9' },
      });
      assert.equal(taken.code, 1);
      const sick = Object.fromEntries(taken.json().checks.map((x) => [x.name, x]));
      assert.match(sick['listen address'].message, /in use by another program/);
      assert.match(sick.database.message, /no SQLite database/);
      assert.equal(sick.server.status, 'warn');
      assert.ok(sick.database.hint);
      const human = await bulldog(null, ['doctor', '--data-dir', dir, '--database', '/bin/sh']);
      assert.match(human.out, /^fail database/m);
      assert.match(human.out, /\d+ passed, \d+ warnings, [1-9]\d* failed/);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

// The demo is a test: a company of three does a real job in a real repository.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { bulldog } from './cli.mjs';
import { assertWhole, footprint, git, logLines, repository } from './demo.mjs';
import { server, sleep } from './harness.mjs';

const s = await server();
const demo = (args, options) => bulldog(s, ['demo', '--data-dir', s.dataDir, ...args], options);

const folders = [];
const folder = (dir) => {
  folders.push(dir);
  return dir;
};
after(() => folders.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

describe('bulldog demo', () => {
  test('plans, hands over, commits and sums up', async () => {
    const repo = folder(repository());
    writeFileSync(path.join(repo, 'engine.c'), 'work in progress\n');
    git(repo, 'add', 'engine.c');
    writeFileSync(path.join(repo, 'untracked'), 'mine\n');
    const before = footprint(repo);

    const r = await demo(['--repo', repo, '--json']);
    assert.equal(r.code, 0, r.err + r.out);
    const result = r.json();
    assert.equal(result.ok, true);
    const { issues, runs } = await assertWhole(s, result.companyId);

    // who did what, and why they were awake
    const awake = result.runs.map((x) => `${x.agent}: ${x.wakeReason} ${x.status}`);
    if (awake[2] === 'Writer: issue_assigned succeeded') awake[2] = 'Writer: issue_blockers_resolved succeeded'; // a quick Statistician was done before the CEO had assigned
    assert.deepEqual(awake, [
      'CEO: issue_assigned succeeded',
      'Statistician: issue_assigned succeeded',
      'Writer: issue_blockers_resolved succeeded',
      'CEO: issue_blockers_resolved succeeded', // the Writer's issue was done before its workspace was finalized: only that made the way free
    ]);
    const goal = issues.find((i) => i.identifier === result.goal);
    const [count, write] = issues.filter((i) => i.parentId === goal.id).sort((a, b) => a.issueNumber - b.issueNumber);
    assert.deepEqual((await s.ok('GET', `/issues/${write.id}`)).blockedBy.map((i) => i.id), [count.id]);
    const [last] = await s.ok('GET', `/issues/${goal.id}/comments?order=desc&limit=1`);
    assert.match(last.body, /^The report is published\.[^]*3 contributors/);
    assert.match(last.body, /engine\.c/);

    // the report tells the truth
    const report = git(repo, 'show', `${result.branch}:REPORT.md`);
    assert.match(report, /^\| Ada "the\\\|pipe" Lo \| 5 \|$/m);
    assert.match(report, /^\| Grace \| 3 \|$/m);
    assert.match(report, /^\| engine\.c \| 5 \|$/m);
    assert.match(report, /^\| a file, with ümläuts\.md \| 3 \|$/m);
    assert.equal(readFileSync(result.report, 'utf8').trim(), report);
    assert.deepEqual(git(repo, 'log', '--format=%an', `main..${result.branch}`).split('\n'), ['Writer', 'Statistician']);

    // and nothing else happened to the repository
    assert.deepEqual(footprint(repo), before);

    // the token of a run is in nobody's log
    for (const run of runs) assert.ok(!JSON.stringify(await logLines(s, run)).includes('eyJ'), 'a token was printed');
  });

  test('tells a person who is awake, what they say, and how it ended', async () => {
    const repo = folder(repository());
    const r = await demo(['--repo', repo, '--keep']);
    assert.equal(r.code, 0, r.err + r.out);
    assert.match(r.out, /CEO +is awake on \w+-1: issue_assigned/);
    assert.match(r.out, /Statistician +\| counting contributors of 9 commits/);
    assert.match(r.out, /Writer +run succeeded on \w+-3 after \d/);
    assert.match(r.out, /^└─ \w+-3 +done +Write REPORT\.md \(Writer\)$/m);
    const [, report] = /^The report: (.+)$/m.exec(r.out);
    assert.match(readFileSync(report, 'utf8'), /^# Contributors and hot files/);
    assert.equal(footprint(repo).worktrees, 2); // kept, as was asked
  });

  test('makes a sample repository where there is none', async () => {
    const cwd = folder(mkdtempSync(path.join(tmpdir(), 'bulldog-empty.')));
    const r = await demo(['--json'], { cwd });
    assert.equal(r.code, 0, r.err + r.out);
    assert.match(git(r.json().repo, 'show', `${r.json().branch}:REPORT.md`), /most commits are by Ada/);
  });

  test('ends with 1 when something did not finish', async () => {
    const repo = folder(repository());
    git(repo, 'branch', 'report'); // so that no branch report/… can be made
    const r = await demo(['--repo', repo, '--json', '--timeout', '4']);
    assert.equal(r.code, 1);
    assert.equal(r.json().ok, false);
    assert.ok(r.json().issues.some((i) => i.status !== 'done'));
  });

  test('says what is wrong with a repository', async () => {
    const empty = folder(mkdtempSync(path.join(tmpdir(), 'bulldog-empty.')));
    assert.match((await demo(['--repo', empty])).err, /not a git repository/);
    git(empty, 'init', '--quiet');
    const r = await demo(['--repo', empty]);
    assert.equal(r.code, 1);
    assert.match(r.err, /has no commit yet/);
    assert.match((await demo(['--repo', '/nowhere'])).err, /nowhere/);
  });
});

describe('kill -9 of the server', () => {
  test('at 20 random moments: every demo finishes, nothing is lost or doubled', { timeout: 600000 }, async (t) => {
    const seed = Number(process.env.BULLDOG_TEST_SEED ?? Date.now() % 1e6);
    t.diagnostic(`BULLDOG_TEST_SEED=${seed}`);
    let state = seed;
    const random = () => {
      state = (state * 1103515245 + 12345) % 2147483648; // a seed gives the same moments again
      return state / 2147483648;
    };
    let kills = 0;
    while (kills < 20) {
      const repo = folder(repository());
      const running = demo(['--repo', repo, '--json', '--timeout', '300']);
      let ended = false;
      const result = running.then((r) => {
        ended = true;
        return r;
      });
      await sleep(150);
      while (!ended && kills < 20) {
        await sleep(random() ** 2 * 600); // mostly soon after the start, when there is much to settle
        if (ended) break;
        await s.kill();
        kills++;
        await sleep(random() * 200);
        await s.start();
      }
      const r = await result;
      assert.equal(r.code, 0, `seed ${seed}, ${kills} kills: ${r.err}${r.out}`);
      const { runs } = await assertWhole(s, r.json().companyId);
      assert.deepEqual([...new Set(runs.map((x) => x.status))], ['succeeded'], 'a run was lost with its server');
      assert.ok(existsSync(r.json().report));
    }
    t.diagnostic(`${kills} kills`);
  });
});

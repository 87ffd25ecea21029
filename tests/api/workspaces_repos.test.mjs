// workspaces_repos: worktrees of repositories as people really have them (WS §7).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { company, eventually, server } from './harness.mjs';
import { run, shell } from './kit.mjs';
import { COMMIT, DONE, git, operations, policy, POLICY, project, read, repository, runsOf, task, workshop, write } from './repos.mjs';

const s = await server();
const root = workshop();

/** One run on an issue of a project on this directory; gives the run, its workspace and its operations. */
async function worked(dir, script, wish = POLICY, body = {}) {
  const c = await company(s), p = await project(s, c, dir, wish), a = await shell(s, c, `${script}; ${DONE}`);
  const i = await task(s, c, p, a, body);
  const [r] = await runsOf(s, i);
  return { i, run: await run(s, r.runId), ws: (await read(s, i)).currentExecutionWorkspace, ops: await operations(s, r.runId) };
}

test('an empty repository: a policy blocks with what to do, without one the checkout is used', async () => {
  const dir = path.join(root, 'empty');
  mkdirSync(dir);
  git(dir, 'init', '-q', '-b', 'main');
  const strict = await worked(dir, 'true', policy({ baseRef: null }));
  assert.equal(strict.run.errorCode, 'workspace_validation_failed');
  assert.match(strict.run.error, /no commit yet/);
  const loose = await worked(dir, 'pwd', null);
  assert.equal(loose.run.stdoutExcerpt, `${dir}\n`);
});

test('a dirty checkout stays as it is, and nothing of it leaks into the worktree', async () => {
  const dir = repository(root, 'dirty');
  write(dir, 'README.md', 'changed\n');
  write(dir, 'untracked.txt');
  const { run: r, ws } = await worked(dir, 'cat README.md; ls');
  assert.equal(r.stdoutExcerpt, 'hello\nREADME.md\n');
  assert.equal(git(dir, 'status', '--porcelain'), 'M README.md\n?? untracked.txt'.replace(/^/, ''));
  assert.ok(existsSync(ws.cwd));
});

test('a detached head', async () => {
  const dir = repository(root, 'detached');
  git(dir, 'commit', '-q', '--allow-empty', '-m', 'second');
  git(dir, 'checkout', '-q', '--detach', 'HEAD~1');
  const { ws } = await worked(dir, 'true');
  assert.equal(git(dir, 'rev-parse', ws.branchName), git(dir, 'rev-parse', 'main'));
  assert.equal(git(dir, 'log', '-1', '--format=%s', 'HEAD'), 'first', 'the checkout did not move');
});

test('a submodule', async () => {
  const inner = repository(root, 'inner'), dir = repository(root, 'outer');
  git(dir, 'submodule', 'add', '-q', inner, 'sub');
  git(dir, 'commit', '-q', '-m', 'with sub');
  const { run: r } = await worked(dir, 'ls -a sub | wc -l; cat .gitmodules | head -1');
  assert.equal(r.status, 'succeeded');
  assert.match(r.stdoutExcerpt, /\[submodule "sub"\]/);
  // a base that is itself a submodule resolves to its own top, not to the repository around it
  const inSub = await worked(path.join(dir, 'sub'), 'pwd');
  assert.equal(inSub.run.status, 'succeeded', inSub.run.error);
  assert.ok(inSub.ws.cwd.startsWith(path.join(dir, 'sub/.paperclip/worktrees')));
});

test('files of LFS come as pointers, and need no remote', async () => {
  const dir = repository(root, 'lfs');
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n';
  write(dir, 'big.bin', pointer);
  write(dir, '.gitattributes', '*.bin filter=lfs diff=lfs merge=lfs -text\n');
  git(dir, 'add', '.');
  git(dir, 'commit', '-q', '-m', 'lfs');
  const { ws } = await worked(dir, 'true');
  assert.equal(readFileSync(path.join(ws.cwd, 'big.bin'), 'utf8'), pointer);
});

test('ten thousand files', async () => {
  const dir = repository(root, 'many');
  const files = Array.from({ length: 10000 }, (_, n) => `M 100644 inline d${n % 100}/f${n}.txt\ndata ${String(n).length + 1}\n${n}\n\n`);
  const commit = `commit refs/heads/many\ncommitter T <t@example.test> 1700000000 +0000\ndata 4\nmany\n${files.join('')}`;
  execFileSync('git', ['-C', dir, 'fast-import', '--quiet'], { input: commit });
  const { run: r, ops } = await worked(dir, 'git ls-files | wc -l; for i in $(seq 300); do echo x > new$i; done', policy({ baseRef: 'many' }));
  assert.equal(r.stdoutExcerpt.trim(), '10000', r.error);
  assert.equal(ops.at(-1).metadata.git.untracked, 300);
});

test('spaces and other letters in the path and in the title', async () => {
  const dir = repository(root, "Ünïcode — it's a repo");
  const { run: r, ws, i } = await worked(dir, `pwd; echo x > "fü r.txt"; git add .; ${COMMIT} x`, POLICY, { title: 'Überraschung für 日本 / "quotes" $(id) `id`' });
  assert.equal(r.status, 'succeeded', r.error);
  assert.equal(ws.branchName, `${i.identifier}-berraschung-f-r-quotes-id-id`);
  assert.equal(r.stdoutExcerpt.split('\n')[0], ws.cwd);
});

test('a base that exists only on a remote is fetched once; a dead remote stops nobody', async () => {
  const bare = path.join(root, 'upstream.git'), dir = repository(root, 'clone');
  mkdirSync(bare);
  git(bare, 'init', '-q', '--bare');
  git(dir, 'remote', 'add', 'origin', bare);
  git(dir, 'push', '-q', 'origin', 'main');
  git(bare, 'branch', 'release', 'main');
  const other = path.join(root, 'other');
  git(root, 'clone', '-q', bare, other);
  git(other, 'checkout', '-q', 'release');
  git(other, 'commit', '-q', '--allow-empty', '-m', 'only upstream');
  git(other, 'push', '-q', 'origin', 'release');
  for (const baseRef of ['origin/release', 'release']) {
    const { ws, ops } = await worked(dir, 'true', policy({ baseRef }));
    assert.equal(git(dir, 'log', '-1', '--format=%s', ws.branchName), 'only upstream');
    assert.equal(ops[0].metadata.baseRef, 'origin/release');
    const log = (await s.ok('GET', `/workspace-operations/${ops[0].id}/log`)).content;
    assert.equal(/git fetch/.test(log), baseRef === 'origin/release', 'the second run trusts the first one’s fetch');
  }
  git(dir, 'remote', 'set-url', 'origin', path.join(root, 'gone.git'));
  const { run: r, ops } = await worked(dir, 'true', policy({ baseRef: 'main' }));
  assert.equal(r.status, 'succeeded', r.error);
  assert.match(JSON.stringify(ops[0].metadata.warnings), /could not be fetched/);
  git(dir, 'remote', 'remove', 'origin');
  assert.equal((await worked(dir, 'true')).run.status, 'succeeded', 'no remote is needed at all (WINV-19)');
});

test('a worktree of another repository in the way is not taken over (WS-61)', async () => {
  const dir = repository(root, 'crowded'), c = await company(s), p = await project(s, c, dir), a = await shell(s, c, 'true');
  const i = await task(s, c, p, null, { title: 'Taken' });
  const tree = path.join(dir, '.paperclip/worktrees', `${i.identifier}-taken`);
  repository(path.dirname(tree), path.basename(tree));
  await s.ok('PATCH', `/issues/${i.id}`, { assigneeAgentId: a.id, status: 'todo' });
  const [r] = await runsOf(s, i);
  assert.match((await run(s, r.runId)).error, /already exists and is not a reusable git worktree \(not_registered\)/);
  assert.equal(git(tree, 'log', '--format=%s'), 'first', 'it is untouched');
});

test('a vanished worktree is made again from its branch (WS-65)', async () => {
  const dir = repository(root, 'vanished'), c = await company(s), p = await project(s, c, dir);
  const a = await shell(s, c, `[ -e work ] || { echo w > work; git add .; ${COMMIT} work; }; cat work; ${DONE}`);
  const i = await task(s, c, p, a);
  await runsOf(s, i);
  const { cwd } = (await read(s, i)).currentExecutionWorkspace;
  git(dir, 'worktree', 'remove', '--force', cwd);
  await s.ok('POST', `/issues/${i.id}/comments`, { body: 'again', reopen: true });
  const [last] = (await runsOf(s, i, 2)).sort((x, y) => (x.createdAt < y.createdAt ? 1 : -1));
  assert.equal((await run(s, last.runId)).stdoutExcerpt, 'w\n');
  assert.equal((await operations(s, last.runId))[0].metadata.restored, true);
});

test('killed between the work and its finalize, nothing stays undecided (WS-95, WS-98)', async () => {
  const own = await server({ env: { BULLDOG_SCHEDULER_INTERVAL_MS: '10000' } });
  const dir = repository(root, 'killed'), c = await company(own), p = await project(own, c, dir);
  const a = await shell(own, c, `echo x > x; git add .; ${COMMIT} x; touch ../ready; sleep 1`);
  const i = await task(own, c, p, a);
  await eventually(() => existsSync(path.join(dir, '.paperclip/worktrees/ready')), { message: 'it never worked' });
  await own.kill();
  await new Promise((resolve) => setTimeout(resolve, 1500)); // the agent ends while nobody looks
  await own.start();
  const r = (await runsOf(own, i)).at(-1); // the first: an issue left in progress has its agent asked what is next
  const detail = await run(own, r.runId);
  assert.equal(detail.status, 'succeeded', detail.error);
  const ops = await operations(own, r.runId);
  assert.deepEqual(ops.map((o) => `${o.phase} ${o.status}`), ['worktree_prepare succeeded', 'workspace_finalize succeeded']);
  assert.equal(ops[1].metadata.git.aheadOfBase, 1);
});

// workspaces: a run's workspace from its preparation to its finalize (WS §5, §7…§12).

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { activity, company, eventually, key, refused, server } from './harness.mjs';
import { run, shell, until } from './kit.mjs';
import { COMMIT, DONE, git, operations, phases, policy, POLICY, project, read, repository, runsOf, status, task, workshop, write } from './repos.mjs';

const s = await server();
const root = workshop();
let repos = 0;
const repo = () => repository(root, `repo ${++repos}`);

test('a run works in a worktree of its own, on a branch named after the issue (WS-57, WS-58, WS-76)', async () => {
  const c = await company(s), dir = repo(), p = await project(s, c, dir);
  const a = await shell(s, c, `pwd; git branch --show-current; echo x > new.txt; git add .; ${COMMIT} work; env | grep ^PAPERCLIP_WORKSPACE | sort; ${DONE}`);
  const i = await task(s, c, p, a);
  const [r] = await runsOf(s, i);
  const detail = await run(s, r.runId);
  const branch = `${i.identifier}-fix-the-login-page`, tree = path.join(dir, '.paperclip/worktrees', branch);
  assert.equal(detail.status, 'succeeded', detail.error);
  assert.match(detail.stdoutExcerpt, new RegExp(`^${tree}\n${branch}\n`));
  assert.match(detail.stdoutExcerpt, new RegExp(`PAPERCLIP_WORKSPACE_BRANCH=${branch}\nPAPERCLIP_WORKSPACE_CWD=${tree}\n`));
  assert.match(detail.stdoutExcerpt, /PAPERCLIP_WORKSPACE_STRATEGY=git_worktree/);
  assert.equal(git(dir, 'log', '-1', '--format=%s', branch), 'work');
  assert.equal(git(dir, 'status', '--porcelain'), '', 'the checkout of the project stays clean');
  assert.equal(git(dir, 'branch', '--show-current'), 'main');

  const ops = await operations(s, r.runId);
  assert.deepEqual(phases(ops), ['worktree_prepare succeeded', 'workspace_finalize succeeded']);
  assert.equal(ops[0].command, `git worktree add -b ${branch} '${tree}' main`);
  assert.equal(ops[0].metadata.created, true);
  assert.equal(ops[0].metadata.worktreePath, tree);
  assert.equal(ops[1].metadata.managedGitWorktreeBranch.valid, true);
  assert.equal(ops[1].metadata.git.aheadOfBase, 1);
  assert.ok(ops[1].finishedAt <= detail.finishedAt, 'the workspace is finalized before the run ends (WS-81)');
  assert.ok(ops[0].finishedAt <= detail.processStartedAt, 'and prepared before its agent starts (WINV-1)');

  const now = await read(s, i);
  assert.equal(now.executionWorkspacePreference, 'reuse_existing');
  assert.deepEqual(now.executionWorkspaceSettings, { mode: 'isolated_workspace' });
  const ws = now.currentExecutionWorkspace;
  assert.equal(ws.id, now.executionWorkspaceId);
  assert.equal(ws.branchName, branch);
  assert.equal(ws.metadata, null);
  assert.equal(ws.deliveryState, 'unmerged');
  assert.equal(ws.config.provisionCommand, null);
  const log = await s.ok('GET', `/workspace-operations/${ops[0].id}/log`);
  assert.match(log.content, /git worktree add/);
  const listed = await s.ok('GET', `/companies/${c.id}/execution-workspaces?issueId=${i.id}`);
  assert.deepEqual(listed.map((x) => x.id), [ws.id]);
  const page = await s.ok('GET', `/companies/${c.id}/workspace-overview`);
  assert.equal(page.items[0].linkedIssues[0].identifier, i.identifier);
  refused(await s.api('GET', `/companies/${c.id}/workspace-overview?colour=red`), 422, 'Invalid workspace overview query');
});

test('the next run of the issue finds its worktree again, and says so (WS-77)', async () => {
  const c = await company(s), dir = repo(), p = await project(s, c, dir);
  const a = await shell(s, c, `echo run >> log.txt; pwd; ${DONE}`);
  const i = await task(s, c, p, a, { title: 'Twice' });
  const [first] = await runsOf(s, i);
  await s.ok('POST', `/issues/${i.id}/comments`, { body: 'again please', reopen: true });
  const all = await runsOf(s, i, 2);
  const last = all.find((r) => r.runId !== first.runId);
  const ops = await operations(s, last.runId);
  assert.deepEqual(phases(ops), ['worktree_prepare succeeded', 'workspace_finalize succeeded']);
  assert.equal(ops[0].metadata.created, false);
  assert.equal(ops[0].metadata.reused, true);
  assert.equal((await s.ok('GET', `/companies/${c.id}/execution-workspaces?issueId=${i.id}`)).length, 1);
  const ws = (await read(s, i)).currentExecutionWorkspace;
  assert.ok(readFileSync(path.join(ws.cwd, 'log.txt'), 'utf8').startsWith('run\nrun\n'), 'what the first run left was there');
});

test('a base ref that does not exist blocks the issue at once, without a second try (WS-45)', async () => {
  const c = await company(s), dir = repo(), p = await project(s, c, dir, policy({ baseRef: 'nowhere' }));
  const a = await shell(s, c, 'true');
  const i = await task(s, c, p, a);
  const runs = await runsOf(s, i);
  const r = await run(s, runs[0].runId);
  assert.equal(r.status, 'failed');
  assert.equal(r.errorCode, 'workspace_validation_failed');
  assert.match(r.error, /base ref "nowhere"/);
  assert.equal(r.resultJson.workspaceValidation.reason, 'git_worktree_base_ref_missing');
  const now = await eventually(async () => {
    const x = await read(s, i);
    return x.status === 'blocked' && x;
  }, { message: 'it is not blocked' });
  assert.equal(now.executionWorkspaceId, null);
  assert.equal((await s.ok('GET', `/issues/${i.id}/runs`)).length, 1, 'nothing is tried again');
  assert.deepEqual(phases(await operations(s, r.id)), ['worktree_prepare failed']);
});

test('without a policy a git checkout gives each issue a worktree, a plain folder is used as it is (WS §22.9)', async () => {
  const c = await company(s), dir = repo(), folder = path.join(root, 'plain');
  write(folder, 'x');
  const a = await shell(s, c, `pwd; ${DONE}`);
  const inGit = await task(s, c, await project(s, c, dir, null), a, { title: 'one' });
  const inFolder = await task(s, c, await project(s, c, folder, null), a, { title: 'two' });
  await runsOf(s, inGit);
  const [r] = await runsOf(s, inFolder);
  assert.equal((await read(s, inGit)).currentExecutionWorkspace.strategyType, 'git_worktree');
  const ws = (await read(s, inFolder)).currentExecutionWorkspace;
  assert.deepEqual([ws.mode, ws.strategyType, ws.cwd, ws.branchName], ['shared_workspace', 'project_primary', folder, null]);
  assert.deepEqual(phases(await operations(s, r.runId)), ['worktree_prepare succeeded', 'workspace_finalize succeeded']);
});

test('shared mode works in the checkout, with one row however often (WS-43)', async () => {
  const c = await company(s), dir = repo(), p = await project(s, c, dir, { enabled: true, defaultMode: 'shared_workspace' });
  const a = await shell(s, c, `pwd; ${DONE}`);
  const i = await task(s, c, p, a);
  await runsOf(s, i);
  await s.ok('POST', `/issues/${i.id}/comments`, { body: 'once more', reopen: true });
  const runs = await runsOf(s, i, 2);
  for (const r of runs) assert.equal((await run(s, r.runId)).stdoutExcerpt, `${dir}\n`);
  assert.equal((await s.ok('GET', `/companies/${c.id}/execution-workspaces`)).length, 1);
});

test('a fixed directory of the agent does not defeat the worktree, and the run says so (WS-46)', async () => {
  const c = await company(s), dir = repo(), p = await project(s, c, dir);
  const a = await shell(s, c, `pwd; ${DONE}`, { cwd: '/tmp' });
  const i = await task(s, c, p, a);
  const [r] = await runsOf(s, i);
  assert.match((await run(s, r.runId)).stdoutExcerpt, /\.paperclip\/worktrees/);
  const events = await s.ok('GET', `/heartbeat-runs/${r.runId}/events`);
  assert.ok(events.some((e) => e.level === 'warn' && /the directory \/tmp of the agent's configuration is not used/.test(e.message)), JSON.stringify(events));
});

test('an agent that committed on a new branch ahead of the recorded one loses nothing (WS §8, WS-71)', async () => {
  const c = await company(s), dir = repo(), p = await project(s, c, dir);
  const a = await shell(s, c, `git checkout -q -b rogue; echo x > x; git add .; ${COMMIT} rogue; ${DONE}`);
  const i = await task(s, c, p, a);
  const [r] = await runsOf(s, i);
  assert.equal((await run(s, r.runId)).status, 'succeeded');
  const fin = (await operations(s, r.runId))[1];
  assert.deepEqual(fin.metadata.managedGitWorktreeBranchRepair, { attempted: true, succeeded: true, mode: 'forward', initial: 'rogue', repaired: 'rogue', rescueRef: null });
  assert.equal((await read(s, i)).currentExecutionWorkspace.branchName, 'rogue');
  assert.ok((await activity(s, c)).some((x) => x.action === 'execution_workspace.branch_reconciled'));
});

test('uncommitted work on a wrong branch is put aside on a rescue branch (WS §8)', async () => {
  const c = await company(s), dir = repo(), p = await project(s, c, dir);
  const a = await shell(s, c, `echo 1 > a; git add .; ${COMMIT} mine; git checkout -q -b astray main; echo dirt > dirt.txt; ${DONE}`);
  const i = await task(s, c, p, a);
  const [r] = await runsOf(s, i);
  assert.equal((await run(s, r.runId)).status, 'succeeded');
  const { managedGitWorktreeBranchRepair: repair } = (await operations(s, r.runId))[1].metadata;
  assert.equal(repair.mode, 'quarantine');
  assert.match(repair.rescueRef, new RegExp(`^paperclip/rescue/${i.identifier}/\\d{8}T\\d{6}Z$`));
  assert.equal(git(dir, 'show', `${repair.rescueRef}:dirt.txt`), 'dirt');
  const ws = (await read(s, i)).currentExecutionWorkspace;
  assert.equal(git(ws.cwd, 'branch', '--show-current'), ws.branchName);
});

test('a diverged branch fails the finalize, and whoever waits for the issue stays gated, visibly (WS-96)', async () => {
  const c = await company(s), dir = repo(), p = await project(s, c, dir);
  const a = await shell(s, c, `echo 1 > a; git add .; ${COMMIT} mine; git checkout -q -b other main; echo 2 > b; git add .; ${COMMIT} other; ${DONE}`);
  const b = await shell(s, c, DONE);
  const i = await task(s, c, p, a);
  const next = await task(s, c, p, b, { title: 'After it', blockedByIssueIds: [i.id] });
  const [r] = await runsOf(s, i);
  const detail = await run(s, r.runId);
  assert.equal(detail.status, 'failed');
  assert.equal(detail.errorCode, 'workspace_validation_failed');
  assert.deepEqual(phases(await operations(s, r.runId)), ['worktree_prepare succeeded', 'workspace_finalize failed']);
  assert.equal((await s.ok('GET', `/issues/${next.id}/runs`)).length, 0);
  const why = await s.ok('GET', `/issues/${next.id}/explain`);
  assert.equal(why.reason, 'blocker_finalize_failed', JSON.stringify(why));
  assert.ok((await activity(s, c)).some((x) => x.action === 'issue.workspace_finalize_failed'));
  // a person takes it as it is, and the dependent goes
  const ws = (await read(s, i)).executionWorkspaceId;
  await s.ok('POST', `/execution-workspaces/${ws}/finalize`, { outcome: 'accept_local_state', reason: 'I looked' });
  await eventually(async () => (await read(s, next)).status === 'done', { message: 'the dependent never went' });
});

test('a dependent starts only when the workspace of its done blocker is finalized (EX-83, WS-83…88)', async () => {
  const c = await company(s), dir = repo(), p = await project(s, c, dir);
  const a = await shell(s, c, `${DONE}; sleep 1.5; echo late > late.txt; git add .; ${COMMIT} late`);
  const b = await shell(s, c, `git log --format=%s | head -1; ${DONE}`);
  const i = await task(s, c, p, a);
  const next = await task(s, c, p, b, { title: 'After it', status: 'blocked', blockedByIssueIds: [i.id] });
  await eventually(async () => (await read(s, i)).status === 'done', { message: 'the blocker is not done' });
  const why = await s.ok('GET', `/issues/${next.id}/explain`);
  assert.equal(why.reason, 'pending_finalize', JSON.stringify(why));
  const told = await s.ok('GET', `/issues/${next.id}/diagnostics/blockers`);
  assert.equal(told.diagnosis, `${next.identifier} is waiting for ${i.identifier} to finish workspace finalization.`);
  assert.deepEqual(told.readiness, { allBlockersDone: false, isDependencyReady: false, unresolvedBlockerCount: 1, pendingFinalizeBlockerCount: 1 });
  assert.deepEqual(told.blockers[0].flags, ['done_but_blocking', 'workspace_finalize_pending']);
  const waiting = await s.ok('GET', `/issues/${next.id}`);
  assert.deepEqual(waiting.blockerAttention.pendingFinalizeBlockerIssueIds, [i.id]);
  const [mine] = await runsOf(s, i);
  const [theirs] = await runsOf(s, next);
  const fin = (await operations(s, mine.runId))[1], prep = (await operations(s, theirs.runId))[0];
  assert.ok(fin.finishedAt <= prep.startedAt, 'the barrier holds');
  assert.equal((await s.ok('GET', `/issues/${next.id}/runs`)).length, 1, 'it is woken once');
});

test('a provision command runs when the worktree is new, and again when it changes; its failure blocks (WS-66)', async () => {
  const c = await company(s), dir = repo(), p = await project(s, c, dir, policy({ provisionCommand: 'echo "$PAPERCLIP_WORKSPACE_CREATED $PAPERCLIP_ISSUE_IDENTIFIER" >> .provisioned; env | grep -c DATABASE_URL >> .provisioned; true' }));
  const a = await shell(s, c, `cat .provisioned; ${DONE}`);
  const i = await task(s, c, p, a);
  const [first] = await runsOf(s, i);
  assert.equal((await run(s, first.runId)).stdoutExcerpt, `true ${i.identifier}\n0\n`);
  assert.deepEqual(phases(await operations(s, first.runId)), ['worktree_prepare succeeded', 'workspace_provision succeeded', 'workspace_finalize succeeded']);
  await s.ok('POST', `/issues/${i.id}/comments`, { body: 'again', reopen: true });
  const all = await runsOf(s, i, 2);
  assert.equal((await run(s, all.find((r) => r.runId !== first.runId).runId)).stdoutExcerpt, `true ${i.identifier}\n0\n`, 'it did not run again');

  const bad = await task(s, c, await project(s, c, dir, policy({ provisionCommand: 'echo no luck >&2; exit 3' })), a, { title: 'bad' });
  const [r] = await runsOf(s, bad);
  const detail = await run(s, r.runId);
  assert.equal(detail.resultJson.workspaceValidation.reason, 'workspace_provision_failed');
  assert.equal((await eventually(async () => (await read(s, bad)).status === 'blocked', { message: 'not blocked' })), true);
});

test('twenty agents on twenty issues of one repository at once: every commit on its own branch', async () => {
  const c = await company(s), dir = repo(), p = await project(s, c, dir);
  const script = `echo "$PAPERCLIP_TASK_ID" > mine.txt; git add .; ${COMMIT} "$PAPERCLIP_TASK_ID"; echo two >> mine.txt; ${COMMIT} "$PAPERCLIP_TASK_ID" -a; ${DONE}`;
  const agents = await Promise.all(Array.from({ length: 20 }, () => shell(s, c, script)));
  const issues = await Promise.all(agents.map((a, n) => task(s, c, p, a, { title: `Part ${n}` })));
  for (const i of issues) {
    await runsOf(s, i, 1, 120000);
    const ws = (await read(s, i)).currentExecutionWorkspace;
    assert.equal(git(dir, 'log', '--format=%s', `main..${ws.branchName}`), `${i.id}\n${i.id}`, 'its own commits and no others');
    assert.equal(git(dir, 'show', `${ws.branchName}:mine.txt`), `${i.id}\ntwo`);
  }
  assert.equal(git(dir, 'worktree', 'list').split('\n').length, 21);
  assert.equal(git(dir, 'log', '--format=%s', 'main'), 'first');
});

test('a cancelled run leaves a finalized workspace and a worktree that can be used again', async () => {
  const c = await company(s), dir = repo(), p = await project(s, c, dir);
  const a = await shell(s, c, 'echo kept > kept.txt; [ -e second ] && exit 0; touch second; sleep 60');
  const i = await task(s, c, p, a);
  const r = await eventually(async () => (await s.ok('GET', `/issues/${i.id}/runs`))[0], { message: 'no run' });
  await eventually(async () => existsSync(path.join(dir, '.paperclip/worktrees', `${i.identifier}-fix-the-login-page`, 'second')), { message: 'it never worked' });
  await s.ok('POST', `/heartbeat-runs/${r.runId}/cancel`, {});
  await eventually(async () => phases(await operations(s, r.runId))[1] === 'workspace_finalize succeeded', { message: 'not finalized' });
  await s.ok('POST', `/issues/${i.id}/comments`, { body: 'go on' });
  await runsOf(s, i, 2);
  assert.ok(existsSync(path.join((await read(s, i)).currentExecutionWorkspace.cwd, 'kept.txt')));
});

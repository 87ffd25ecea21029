// workspaces_close: closing workspaces, and what is kept (WS §13).

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { activity, company, eventually, key, NOBODY, refused, server } from './harness.mjs';
import { shell } from './kit.mjs';
import { COMMIT, DONE, git, operations, policy, POLICY, project, read, repository, runsOf, task, workshop, write } from './repos.mjs';

const s = await server({ env: { BULLDOG_SCHEDULER_INTERVAL_MS: '10000', BULLDOG_WORKSPACE_RETAIN_MINUTES: '0' } });
const root = workshop();
let n = 0;
const repo = () => repository(root, `repo ${++n}`);

/** An issue whose run did this; the workspace. */
async function workspace(script, { dir = repo(), wish = POLICY, c } = {}) {
  c ??= await company(s);
  const p = await project(s, c, dir, wish), a = await shell(s, c, script);
  const i = await task(s, c, p, a);
  await runsOf(s, i);
  return { c, dir, i, a, ws: (await read(s, i)).currentExecutionWorkspace };
}
const readiness = (ws) => s.ok('GET', `/execution-workspaces/${ws.id}/close-readiness`);
const archive = (ws, query = '') => s.api('PATCH', `/execution-workspaces/${ws.id}${query}`, { status: 'archived' });
const show = (ws) => s.ok('GET', `/execution-workspaces/${ws.id}`);
const cleaned = (ws) =>
  eventually(async () => {
    const x = await show(ws);
    return x.metadata.cleanupState !== 'pending' && x;
  }, { message: 'it was never cleaned up' });

test('an open issue, dirt and untracked files speak against closing; merged work does not (WS-114…118)', async () => {
  const { dir, i, ws } = await workspace(`[ -e x ] && exit 0; echo x > x; git add .; ${COMMIT} x; echo y >> README.md; echo z > z`);
  const before = await readiness(ws);
  assert.equal(before.state, 'blocked');
  assert.deepEqual(before.blockingReasons, ['This workspace is still linked to an open issue.', 'This workspace has 1 modified tracked file.', 'This workspace has 1 untracked file.']);
  assert.deepEqual(before.warnings, ['This workspace is 1 commit ahead of main and is not merged.']);
  assert.equal(before.git.aheadCount, 1);
  assert.equal(before.linkedIssues[0].identifier, i.identifier);
  assert.deepEqual(before.plannedActions.map((x) => x.kind), ['archive_record', 'git_worktree_remove', 'git_branch_delete']);
  const no = refused(await archive(ws), 409, 'This workspace is still linked to an open issue.');
  assert.equal(no.closeReadiness.workspaceId, ws.id);

  await s.ok('PATCH', `/issues/${i.id}`, { status: 'done' });
  refused(await archive(ws), 409, 'This workspace has 1 modified tracked file.');
  assert.ok(existsSync(ws.cwd));
  // by force: everything uncommitted is kept on a rescue branch
  assert.equal((await archive(ws, '?force=true')).status, 200);
  const after = await cleaned(ws);
  assert.equal(after.status, 'archived', after.cleanupReason);
  assert.ok(!existsSync(ws.cwd));
  const rescue = /kept on the branch (\S+)\./.exec(after.cleanupReason)[1];
  assert.equal(git(dir, 'show', `${rescue}:z`), 'z');
  assert.match(git(dir, 'show', `${rescue}:README.md`), /y/);
  assert.equal(git(dir, 'log', '-1', '--format=%s', ws.branchName), 'x', 'an unmerged branch is never deleted');
  assert.match(after.cleanupReason, /Skipped deleting branch/);
});

test('a finished and merged issue gives its worktree and branch back by itself (WS-123…125)', async () => {
  const { c, dir, ws } = await workspace(DONE);
  const after = await eventually(async () => {
    const x = await show(ws);
    return x.status === 'archived' && x.metadata.cleanupState === 'done' && x;
  }, { timeoutMs: 60000, message: 'it was never retired' });
  assert.equal(after.cleanupReason, 'issue_terminal');
  assert.ok(after.closedAt && after.cleanupEligibleAt);
  assert.ok(!existsSync(ws.cwd));
  assert.equal(git(dir, 'branch', '--list', ws.branchName), '');
  assert.ok((await activity(s, c)).some((x) => x.action === 'execution_workspace.issue_terminal_archived'));
  const ops = await s.ok('GET', `/execution-workspaces/${ws.id}/workspace-operations`);
  assert.equal(ops[0].phase, 'worktree_cleanup');
  assert.equal(ops[0].status, 'succeeded');
});

test('unmerged work and a held workspace are not retired', async () => {
  const unmerged = await workspace(`echo x > x; git add .; ${COMMIT} x; ${DONE}`);
  const held = await workspace(DONE, { wish: policy({}, { cleanupPolicy: { retainMinutes: 60 } }) });
  const control = await workspace(DONE);
  await eventually(async () => (await show(control.ws)).status === 'archived', { timeoutMs: 60000, message: 'the sweep did not come' });
  assert.equal((await show(unmerged.ws)).status, 'active');
  assert.equal((await show(held.ws)).status, 'active');
  assert.ok(existsSync(unmerged.ws.cwd) && existsSync(held.ws.cwd));
});

test('an issue that is resumed gets its closed worktree back (WS-127)', async () => {
  const { c, i, ws } = await workspace(`[ -e x ] && cat x; echo x > x; git add .; ${COMMIT} x; ${DONE}`);
  assert.equal((await archive(ws)).status, 200);
  assert.ok(!existsSync((await cleaned(ws)).cwd));
  await s.ok('POST', `/issues/${i.id}/comments`, { body: 'more, please', reopen: true });
  const runs = await runsOf(s, i, 2);
  const now = (await read(s, i)).currentExecutionWorkspace;
  assert.equal(now.id, ws.id);
  assert.equal(now.status, 'active');
  assert.equal(now.closedAt, null);
  assert.ok(existsSync(now.cwd));
  const all = await Promise.all(runs.map((r) => operations(s, r.runId)));
  assert.ok(all.flat().some((o) => o.phase === 'worktree_prepare' && o.metadata.restored));
  assert.ok((await activity(s, c)).some((x) => x.action === 'execution_workspace.reopened'));
});

test('a shared workspace is a record only (WS-119)', async () => {
  const { dir, i, ws } = await workspace(DONE, { wish: { enabled: true, defaultMode: 'shared_workspace' } });
  write(dir, 'mine.txt');
  const state = await readiness(ws);
  assert.equal(state.isSharedWorkspace, true);
  assert.equal(state.isProjectPrimaryWorkspace, true);
  assert.equal((await archive(ws)).status, 200);
  await cleaned(ws);
  assert.ok(existsSync(`${dir}/mine.txt`));
  assert.equal((await read(s, i)).executionWorkspaceId, null);
});

test('what agents may not write (WS-29, WS-113)', async () => {
  const { c, ws, a } = await workspace('true');
  const as = s.as(await key(s, a));
  const commands = await as('PATCH', `/execution-workspaces/${ws.id}`, { config: { teardownCommand: null, cleanupCommand: 'rm' } });
  refused(commands, 403, 'Agent keys cannot modify host-executed workspace commands (config.teardownCommand, config.cleanupCommand).');
  refused(await as('PATCH', `/execution-workspaces/${ws.id}`, { cwd: '/' }), 403, /cannot move a workspace/);
  refused(await as('PATCH', `/execution-workspaces/${ws.id}`, { status: 'archived' }), 403, /own issue/);
  refused(await as('POST', `/companies/${c.id}/issues`, { title: 'x', executionWorkspaceSettings: { workspaceStrategy: { type: 'git_worktree', provisionCommand: 'rm' } } }), 403,
    'Agent keys cannot modify host-executed workspace commands (executionWorkspaceSettings.workspaceStrategy.provisionCommand).');
  assert.equal((await as('PATCH', `/execution-workspaces/${ws.id}`, { name: 'mine' })).json.name, 'mine');
  const kept = await s.ok('PATCH', `/execution-workspaces/${ws.id}`, { metadata: { note: 1, createdByRuntime: false, lifecycleGeneration: 99 } });
  assert.equal(kept.metadata.note, 1);
  assert.equal(kept.metadata.createdByRuntime, true, 'what the server keeps there stays');
  assert.equal(kept.metadata.lifecycleGeneration, undefined);
  refused(await s.api('PATCH', `/execution-workspaces/${ws.id}`, { colour: 'red' }), 400);
  const closed = await project(s, c, repo(), policy({}, { allowIssueOverride: false }));
  refused(await as('POST', `/companies/${c.id}/issues`, { title: 'x', projectId: closed.id, executionWorkspaceSettings: { mode: 'shared_workspace' } }), 422, /does not allow/);
});

test('what issues may say about their workspace (WS-31, WS-33, 4.3)', async () => {
  const { c, i, ws, dir } = await workspace('true');
  const create = (body) => s.api('POST', `/companies/${c.id}/issues`, { title: `T ${++n}`, ...body });
  const alone = refused(await create({ executionWorkspaceSettings: { mode: 'isolated_workspace', workspaceStrategy: { type: 'git_worktree' } } }), 422);
  assert.equal(alone.code, 'workspace_worktree_requires_project');
  assert.equal(alone.details.code, 'workspace_worktree_requires_project');
  assert.equal((await create({ executionWorkspaceSettings: { mode: 'isolated_workspace' } })).status, 201, 'the mode alone needs no project');
  refused(await create({ executionWorkspaceSettings: { environmentId: NOBODY } }), 422, 'Environment not found.');
  refused(await create({ executionWorkspaceId: NOBODY }), 404, 'Execution workspace not found');
  const elsewhere = await project(s, c, repo());
  refused(await create({ projectId: elsewhere.id, executionWorkspaceId: ws.id }), 422, 'Execution workspace must belong to the selected project');
  // a child works where its parent works
  const child = await s.ok('POST', `/issues/${i.id}/children`, { title: 'Child' });
  assert.equal(child.executionWorkspaceId, ws.id);
  assert.equal(child.executionWorkspacePreference, 'reuse_existing');
  assert.deepEqual(child.executionWorkspaceSettings, { mode: 'isolated_workspace' });
  // an issue of a project with a policy gets its mode
  const fresh = await s.ok('POST', `/companies/${c.id}/issues`, { title: 'Fresh', projectId: elsewhere.id });
  assert.deepEqual(fresh.executionWorkspaceSettings, { mode: 'isolated_workspace' });
  // moving it to another project unbinds it
  const moved = await s.ok('PATCH', `/issues/${child.id}`, { projectId: elsewhere.id });
  assert.equal(moved.executionWorkspaceId, null);
  assert.equal(moved.executionWorkspacePreference, null);
  // new settings become those of the workspace it is bound to (WS-32)
  await s.ok('PATCH', `/issues/${i.id}`, { executionWorkspaceSettings: { mode: 'isolated_workspace', workspaceStrategy: { type: 'git_worktree', teardownCommand: 'echo bye' } } });
  assert.equal((await show(ws)).config.teardownCommand, 'echo bye');
  assert.ok(dir);
});

test('issues that share a worktree have their turns, and say so (WS-105)', async () => {
  const { c, i, ws } = await workspace(DONE, { wish: policy({}, { cleanupPolicy: { retainMinutes: 60 } }) });
  const slow = await shell(s, c, `sleep 2; ${DONE}`);
  const quick = await shell(s, c, DONE);
  const first = await s.ok('POST', `/issues/${i.id}/children`, { title: 'First', assigneeAgentId: slow.id });
  await eventually(async () => (await s.ok('GET', `/issues/${first.id}/live-runs`)).some((r) => r.status === 'running'), { message: 'it does not run' });
  const second = await s.ok('POST', `/issues/${i.id}/children`, { title: 'Second', assigneeAgentId: quick.id });
  const why = await eventually(async () => {
    const x = await s.ok('GET', `/issues/${second.id}/explain`);
    return x.reason === 'workspace_busy' && x;
  }, { message: 'it never waited' });
  assert.match(why.sentence, new RegExp(first.identifier));
  const [a] = await runsOf(s, first), [b] = await runsOf(s, second);
  const fin = (await operations(s, a.runId)).find((o) => o.phase === 'workspace_finalize'), prep = (await operations(s, b.runId))[0];
  assert.ok(fin.finishedAt <= prep.startedAt, 'one after the other');
  assert.equal(prep.executionWorkspaceId, ws.id);
});

test('what nobody has any more is found, and goes only when nothing of it is lost', async () => {
  const { c, dir, ws } = await workspace('true');
  const gc = (body = {}) => s.ok('POST', `/companies/${c.id}/execution-workspaces/gc`, body);
  assert.deepEqual((await gc()).orphans, [], 'a worktree that an issue has is none');
  const tree = (name) => `${dir}/.paperclip/worktrees/${name}`;
  git(dir, 'worktree', 'add', '-q', '-b', 'merged', tree('merged'));
  git(dir, 'worktree', 'add', '-q', '-b', 'dirty', tree('dirty'));
  write(tree('dirty'), 'only here');
  git(dir, 'worktree', 'add', '-q', '-b', 'ahead', tree('ahead'));
  git(tree('ahead'), 'commit', '-q', '--allow-empty', '-m', 'only here');
  git(dir, 'worktree', 'add', '-q', '-b', 'mine', `${dir}-mine`); // not below our folder: none of our business
  const shown = await gc();
  assert.deepEqual(shown.orphans.map((o) => [o.branch, o.removable, o.removed, o.reason]).sort(), [
    ['ahead', false, false, 'unmerged commits'], ['dirty', false, false, 'uncommitted work'], ['merged', true, false, null]]);
  assert.ok(existsSync(tree('merged')), 'looking removes nothing');
  const done = await gc({ apply: true });
  assert.deepEqual(done.orphans.filter((o) => o.removed).map((o) => o.branch), ['merged']);
  assert.ok(!existsSync(tree('merged')) && existsSync(tree('dirty')) && existsSync(tree('ahead')) && existsSync(ws.cwd) && existsSync(`${dir}-mine`));
  await gc({ apply: true, force: true });
  assert.ok(!existsSync(tree('dirty')) && !existsSync(tree('ahead')));
  const kept = git(dir, 'for-each-ref', '--format=%(refname:short)', 'refs/heads').split('\n');
  assert.ok(kept.includes('ahead'), 'its branch stays');
  const rescue = kept.find((b) => b.startsWith('paperclip/rescue/gc/'));
  assert.match(git(dir, 'show', `${rescue}:only here`), /text/);
});

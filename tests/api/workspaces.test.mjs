// workspaces: every run in its own git worktree, on real repositories (WS §5, §7, §9).

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { company, eventually, refused, server } from './harness.mjs';
import { ENDED, run, shell, until } from './kit.mjs';

const s = await server();
const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'bulldog-repos.')));
after(() => rmSync(root, { recursive: true, force: true }));

const ENV = { ...process.env, GIT_AUTHOR_NAME: 'T', GIT_AUTHOR_EMAIL: 't@example.test', GIT_COMMITTER_NAME: 'T', GIT_COMMITTER_EMAIL: 't@example.test' };
export function git(dir, ...args) {
  const r = spawnSync('git', ['-C', dir, ...args], { encoding: 'utf8', env: ENV });
  assert.equal(r.status, 0, `git ${args.join(' ')}: ${r.stderr}`);
  return r.stdout.trim();
}

let repos = 0;
/** A repository with one commit on main. */
function repository(name = `repo ${++repos}`) {
  const dir = path.join(root, name);
  mkdirSync(dir, { recursive: true });
  git(dir, 'init', '-q', '-b', 'main');
  writeFileSync(path.join(dir, 'README.md'), 'hello\n');
  git(dir, 'add', '.');
  git(dir, 'commit', '-q', '-m', 'first');
  return dir;
}

const POLICY = { enabled: true, defaultMode: 'isolated_workspace', workspaceStrategy: { type: 'git_worktree', baseRef: 'main' } };
const project = (c, dir, policy = POLICY, body = {}) =>
  s.ok('POST', `/companies/${c.id}/projects`, { name: `Project ${++repos}`, executionWorkspacePolicy: policy, workspace: { name: 'main repo', cwd: dir }, ...body });
const issue = (c, p, a, body = {}) => s.ok('POST', `/companies/${c.id}/issues`, { title: 'Fix the Login, page!', projectId: p.id, assigneeAgentId: a?.id, ...body });
const get = (i) => s.ok('GET', `/issues/${i.id}`);
const COMMIT = 'git -c user.name=T -c user.email=t@x commit -q';
/** What agents do: call the API with their key. */
const DONE = 'curl -sS -o /dev/null -X PATCH -H "Authorization: Bearer $PAPERCLIP_API_KEY" -H "X-Paperclip-Run-Id: $PAPERCLIP_RUN_ID" -H "content-type: application/json" -d \'{"status":"done"}\' "$PAPERCLIP_API_URL/api/issues/$PAPERCLIP_TASK_ID"';

/** The issue's runs, when all have ended and there are at least n. */
const runsOf = (i, n = 1) =>
  eventually(async () => {
    const rs = await s.ok('GET', `/issues/${i.id}/runs`);
    return rs.length >= n && rs.every((r) => ENDED.has(r.status)) && rs;
  }, { message: `${i.identifier} never had ${n} ended runs` });
const operationsOf = (id) => s.ok('GET', `/heartbeat-runs/${id}/workspace-operations`);
const script = (c, text, config) => shell(s, c, text, config);

test('a run works in a worktree of its own, on a branch named after the issue (WS-57, WS-58, WS-76)', async () => {
  const c = await company(s), dir = repository(), p = await project(c, dir);
  const a = await script(c, `pwd; git branch --show-current; echo x > new.txt; git add .; ${COMMIT} -m work; env | grep ^PAPERCLIP_WORKSPACE | sort; ${DONE}`);
  const i = await issue(c, p, a);
  const [r] = await runsOf(i);
  const detail = await run(s, r.runId);
  const branch = `${i.identifier}-fix-the-login-page`, tree = path.join(dir, '.paperclip/worktrees', branch);
  assert.equal(detail.status, 'succeeded', detail.error);
  assert.match(detail.stdoutExcerpt, new RegExp(`^${tree}\n${branch}\n`));
  assert.match(detail.stdoutExcerpt, new RegExp(`PAPERCLIP_WORKSPACE_BRANCH=${branch}\nPAPERCLIP_WORKSPACE_CWD=${tree}\n`));
  assert.equal(git(dir, 'log', '-1', '--format=%s', branch), 'work');
  assert.equal(git(dir, 'status', '--porcelain'), '', 'the checkout of the project stays clean');
  assert.equal(git(dir, 'branch', '--show-current'), 'main');

  const ops = await operationsOf(r.runId);
  assert.deepEqual(ops.map((o) => [o.phase, o.status]), [['worktree_prepare', 'succeeded'], ['workspace_finalize', 'succeeded']]);
  assert.equal(ops[0].command, `git worktree add -b ${branch} '${tree}' main`);
  assert.equal(ops[0].metadata.created, true);
  assert.equal(ops[0].metadata.worktreePath, tree);
  assert.equal(ops[1].metadata.managedGitWorktreeBranch.valid, true);
  assert.equal(ops[1].metadata.git.aheadOfBase, 1);
  assert.ok(ops[1].finishedAt <= detail.finishedAt, 'the workspace is finalized before the run ends (WS-81)');
  assert.ok(ops[0].startedAt <= detail.processStartedAt || detail.processStartedAt === null);

  const now = await get(i);
  assert.equal(now.executionWorkspacePreference, 'reuse_existing');
  assert.deepEqual(now.executionWorkspaceSettings, { mode: 'isolated_workspace' });
  const ws = now.currentExecutionWorkspace;
  assert.equal(ws.id, now.executionWorkspaceId);
  assert.equal(ws.branchName, branch);
  assert.equal(ws.metadata, null);
  assert.equal(ws.deliveryState, 'unmerged');
  assert.equal(ws.config.provisionCommand, null);
  const log = await s.ok('GET', `/workspace-operations/${ops[0].id}/log`);
  assert.equal(log.operationId, ops[0].id);
  assert.match(log.content, /git worktree add/);
});

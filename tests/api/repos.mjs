// repos: words for stories about workspaces: real git repositories, projects on them, agents that commit.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { eventually } from './harness.mjs';
import { ENDED } from './kit.mjs';

const ENV = { ...process.env, GIT_AUTHOR_NAME: 'T', GIT_AUTHOR_EMAIL: 't@example.test', GIT_COMMITTER_NAME: 'T', GIT_COMMITTER_EMAIL: 't@example.test' };

/** Runs git in the directory; gives what it says. */
export function git(dir, ...args) {
  const r = spawnSync('git', ['-C', dir, '-c', 'protocol.file.allow=always', ...args], { encoding: 'utf8', env: ENV, maxBuffer: 1 << 26 });
  assert.equal(r.status, 0, `git ${args.join(' ')}: ${r.stderr}`);
  return r.stdout.trim();
}

/** A directory for repositories, gone after the file. */
export function workshop() {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'bulldog-repos.')));
  after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

export function write(dir, name, text = 'text\n') {
  mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
  writeFileSync(path.join(dir, name), text);
}

/** A repository with one commit on main. */
export function repository(root, name) {
  const dir = path.join(root, name);
  mkdirSync(dir, { recursive: true });
  git(dir, 'init', '-q', '-b', 'main');
  write(dir, 'README.md', 'hello\n');
  git(dir, 'add', '.');
  git(dir, 'commit', '-q', '-m', 'first');
  return dir;
}

export const POLICY = { enabled: true, defaultMode: 'isolated_workspace', workspaceStrategy: { type: 'git_worktree', baseRef: 'main' } };
export const policy = (strategy, more = {}) => ({ ...POLICY, workspaceStrategy: { ...POLICY.workspaceStrategy, ...strategy }, ...more });

let projects = 0;
export const project = (s, c, dir, executionWorkspacePolicy = POLICY) =>
  s.ok('POST', `/companies/${c.id}/projects`, { name: `Project ${++projects}`, executionWorkspacePolicy, workspace: { name: 'main repo', cwd: dir } });
export const task = (s, c, p, a, body = {}) =>
  s.ok('POST', `/companies/${c.id}/issues`, { title: 'Fix the Login, page!', projectId: p.id, assigneeAgentId: a?.id, allowDuplicate: true, ...body });
export const read = (s, i) => s.ok('GET', `/issues/${i.id}`);
export const operations = (s, runId) => s.ok('GET', `/heartbeat-runs/${runId}/workspace-operations`);
export const phases = (ops) => ops.map((o) => `${o.phase} ${o.status}`);

/** What agents do: commit, and tell the API. */
export const COMMIT = 'git -c user.name=T -c user.email=t@example.test commit -q -m';
export const status = (word) =>
  'curl -sS -o /dev/null -X PATCH -H "Authorization: Bearer $PAPERCLIP_API_KEY" -H "X-Paperclip-Run-Id: $PAPERCLIP_RUN_ID"' +
  ` -H "content-type: application/json" -d '{"status":"${word}"}' "$PAPERCLIP_API_URL/api/issues/$PAPERCLIP_TASK_ID"`;
export const DONE = status('done');

/** The runs, when there are at least n and all have ended; the newest first. */
export const runsOf = (s, i, n = 1, timeoutMs = 60000) =>
  eventually(
    async () => {
      const rs = await s.ok('GET', `/issues/${i.id}/runs`);
      return rs.length >= n && rs.every((r) => ENDED.has(r.status)) && rs;
    },
    { timeoutMs, message: `${i.identifier} never had ${n} ended runs` },
  );

// demo: repositories for the demo's tests, and what must be true of a company after it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const git = (repo, ...args) =>
  execFileSync('git', ['-C', repo, ...args], {
    encoding: 'utf8',
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_AUTHOR_DATE: '2026-01-02T03:04:05Z', GIT_COMMITTER_DATE: '2026-01-02T03:04:05Z' },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();

/** A repository with a history: Ada wrote most, src/engine.c changed most. A hook refuses to run. */
export function repository() {
  const repo = mkdtempSync(path.join(tmpdir(), 'bulldog-repo.'));
  git(repo, 'init', '--quiet', '--initial-branch=main');
  const change = (author, file, n) => {
    writeFileSync(path.join(repo, file), `${author} ${n}\n`);
    git(repo, 'add', '--all');
    git(repo, '-c', `user.name=${author}`, '-c', 'user.email=x@example.invalid', 'commit', '--quiet', '--message', `${file} ${n}`);
  };
  for (let n = 0; n < 5; n++) change('Ada "the|pipe" Lo', 'engine.c', n);
  for (let n = 0; n < 3; n++) change('Grace', 'a file, with ümläuts.md', n);
  change('Linus', 'shim.c', 0);
  for (const hook of ['pre-commit', 'post-checkout']) writeFileSync(path.join(repo, '.git/hooks', hook), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return repo;
}

/** Everything of a repository that a demo must leave alone. */
export const footprint = (repo) => ({
  head: git(repo, 'symbolic-ref', 'HEAD'),
  main: git(repo, 'rev-parse', 'main'),
  status: git(repo, 'status', '--porcelain'),
  staged: git(repo, 'diff', '--cached'),
  worktrees: git(repo, 'worktree', 'list', '--porcelain').split('\n\n').length,
  stash: git(repo, 'stash', 'list'),
});

/** All lines of a run's log, read page by page as a client would. */
export async function logLines(s, run) {
  let text = '';
  for (let offset = 0; ; ) {
    const page = await s.ok('GET', `/heartbeat-runs/${run.id}/log?offset=${offset}&limitBytes=1000`);
    text += page.content;
    if (page.nextOffset === undefined) break;
    offset = page.nextOffset;
  }
  return text.trimEnd().split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

/** Nothing lost, nothing doubled: issues, comments, activity rows, run events, log lines. */
export async function assertWhole(s, companyId) {
  const issues = await s.ok('GET', `/companies/${companyId}/issues`);
  const runs = await s.ok('GET', `/companies/${companyId}/heartbeat-runs?limit=1000`);
  const rows = await s.ok('GET', `/companies/${companyId}/activity?limit=1000`);
  assert.equal(new Set(rows.map((r) => r.id)).size, rows.length, 'an activity row came twice');

  const of = (action, id) => rows.filter((r) => r.action === action && r.entityId === id);
  assert.equal(issues.length, 3, 'the goal and its two parts');
  for (const issue of issues) {
    assert.equal(issue.status, 'done', issue.identifier);
    assert.equal(of('issue.created', issue.id).length, 1, `${issue.identifier}: rows of its creation`);
    const closing = of('issue.updated', issue.id).filter((r) => r.details?.changes?.status?.to === 'done');
    assert.equal(closing.length, 1, `${issue.identifier}: rows of its closing`);
    const comments = await s.ok('GET', `/issues/${issue.id}/comments?order=asc`);
    assert.equal(of('issue.comment_added', issue.id).length, comments.length, `${issue.identifier}: a row for each comment`);
    assert.equal(new Set(comments.map((x) => x.body)).size, comments.length, `${issue.identifier}: a comment came twice`);
    const said = comments.filter((x) => x.authorAgentId).length;
    // The CEO announces the split, then sums up; when the parts were done before its first run ended, only the latter.
    if (issue.parentId) assert.equal(said, 1, `${issue.identifier}: comments`);
    else assert.ok(said === 1 || said === 2, `${issue.identifier}: ${said} comments`);
  }
  for (const run of runs) {
    assert.ok(['succeeded', 'cancelled', 'failed', 'interrupted', 'timed_out'].includes(run.status), `run ${run.status}`);
    const events = await s.ok('GET', `/heartbeat-runs/${run.id}/events?limit=1000`);
    assert.deepEqual(events.map((e) => e.seq), events.map((_, i) => i + 1), 'run events are numbered without a gap');
    assert.ok(events.filter((e) => e.message === `run ${run.status}`).length <= 1, 'a run ended twice');
    if (run.startedAt === null) continue;
    const lines = await logLines(s, run);
    assert.deepEqual(lines.map((l) => l.seq), lines.map((_, i) => i + 1), 'log lines are numbered without a gap');
    const said = lines.filter((l) => l.stream === 'stdout').map((l) => l.chunk).join('');
    const whole = said.split('\n').filter(Boolean);
    assert.equal(new Set(whole).size, whole.length, `a line came twice: ${said}`);
  }
  return { issues, runs, rows };
}

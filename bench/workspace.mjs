// workspace: twenty agents on twenty issues of one repository at once, beside what git alone takes for the same:
// `git worktree add` and `git status`, twenty times in a row.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Server, each, eventually, median, now } from './server.mjs';

const RUNS = 20;
const FILES = 500;
const ENV = { ...process.env, GIT_AUTHOR_NAME: 'B', GIT_AUTHOR_EMAIL: 'b@x', GIT_COMMITTER_NAME: 'B', GIT_COMMITTER_EMAIL: 'b@x' };
const git = (dir, ...args) => execFileSync('git', ['-C', dir, ...args], { env: ENV, stdio: ['ignore', 'ignore', 'inherit'] });

function repository(dir) {
  for (let n = 0; n < FILES; n++) {
    mkdirSync(path.join(dir, `d${n % 20}`), { recursive: true });
    writeFileSync(path.join(dir, `d${n % 20}`, `f${n}.txt`), `${n}\n`.repeat(50));
  }
  git(dir, 'init', '-q', '-b', 'main');
  git(dir, 'add', '.');
  git(dir, 'commit', '-q', '-m', 'first');
}

function plainMs(dir, round) {
  const t0 = now();
  for (let n = 0; n < RUNS; n++) {
    const tree = path.join(dir, '.plain', `${round}-${n}`);
    git(dir, 'worktree', 'add', '-q', '-b', `plain-${round}-${n}`, tree, 'main');
    git(tree, 'status', '--porcelain');
  }
  return now() - t0;
}

/** How long at least one of these spans was under way. */
function covered(spans) {
  let total = 0;
  let end = -Infinity;
  for (const [from, to] of spans.sort((a, b) => a[0] - b[0])) {
    total += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return total;
}

async function oursMs(client, company, project, round) {
  const agents = await each(Array.from({ length: RUNS }), 8, (_, n) =>
    client.ok('POST', `/companies/${company.id}/agents`, { name: `A${round}-${n}`, adapterConfig: { command: '/bin/true' } }));
  const issues = await each(agents, 20, (a, n) =>
    client.ok('POST', `/companies/${company.id}/issues`, { title: `Part ${round} ${n}`, projectId: project.id, assigneeAgentId: a.id }));
  const spans = [];
  for (const i of issues) {
    const ops = await eventually(async () => {
      const [r] = await client.ok('GET', `/issues/${i.id}/runs`);
      const found = r ? await client.ok('GET', `/heartbeat-runs/${r.runId}/workspace-operations`) : [];
      return found.length === 2 && found.every((o) => o.status === 'succeeded') && found;
    }, { message: `${i.identifier} was never finalized` });
    for (const o of ops) spans.push([Date.parse(o.startedAt), Date.parse(o.finishedAt)]);
  }
  return covered(spans);
}

export async function workspaceRows(o) {
  const dir = mkdtempSync(path.join(tmpdir(), 'bulldog-bench-repo.'));
  const server = new Server();
  try {
    repository(dir);
    await server.start();
    const company = await server.client.ok('POST', '/companies', { name: 'Bench workspaces' });
    const project = await server.client.ok('POST', `/companies/${company.id}/projects`, {
      name: 'Bench', workspace: { cwd: dir },
      executionWorkspacePolicy: { enabled: true, defaultMode: 'isolated_workspace', workspaceStrategy: { type: 'git_worktree', baseRef: 'main' } },
    });
    const pairs = [];
    for (let round = 0; round < o.rounds; round++) {
      o.progress(`workspaces, round ${round + 1}`);
      const plain = plainMs(dir, round);
      pairs.push({ plain, ours: await oursMs(server.client, company, project, round) });
    }
    await server.end();
    const ours = median(pairs.map((p) => p.ours));
    return [
      { name: 'workspace', what: `${RUNS} worktrees of ${FILES} files: prepare + finalize`, unit: 'ms', value: ours, ratio: median(pairs.map((p) => p.ours / p.plain)), aim: '≤ 150 % of git alone' },
      { name: 'workspace', what: 'git worktree add + git status, as often', unit: 'ms', value: median(pairs.map((p) => p.plain)) },
    ];
  } finally {
    server.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}

// What the board's tests share: a real server in a directory of its own, a real
// browser, and pages that note every request and every word on the console.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const BIN = process.env.BULLDOG_BIN ?? join(ROOT, 'build/bulldog');
const CHROMIUM = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';

/** What must not be told apart from an empty console: a refused connection while the server is away. */
const SERVER_AWAY = /net::ERR_(CONNECTION|EMPTY|ABORTED|SOCKET)|ERR_CONNECTION_REFUSED|WebSocket connection to/;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until `probe` gives something true and gives that; says `what` did not come when it never does. */
export async function until(what, probe, ms = 20_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await sleep(50);
  }
}

/** As until(), but a demo that has failed is not waited for. */
export function during(demo, what, probe, ms) {
  return until(
    what,
    () => {
      if (demo.exit) throw new Error(`the demo ended (${demo.exit}) before ${what}:\n${demo.output()}`);
      return probe();
    },
    ms,
  );
}

/**
 * A server of its own for one test; closed and wiped when the test ends. With
 * `slowTools` its agents find a git and a curl that take their time: the demo's
 * whole job is done in half a second otherwise, too fast to be watched.
 */
export async function startServer(t, { slowTools = false } = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'bulldog-e2e-'));
  const server = new Server(dataDir, slowTools ? slowPath(dataDir) : process.env.PATH);
  t.after(async () => {
    const crashed = server.ended;
    await server.kill('SIGTERM');
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
    if (crashed) throw new Error(`the server ended by itself (${crashed}):\n${server.log}`);
  });
  await server.start();
  return server;
}

function slowPath(dataDir) {
  const folder = join(dataDir, 'slow-tools');
  mkdirSync(folder);
  for (const tool of ['git', 'curl']) {
    const real = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
    writeFileSync(join(folder, tool), `#!/bin/sh\nsleep 0.4\nexec ${real} "$@"\n`, { mode: 0o755 });
  }
  return `${folder}:${process.env.PATH}`;
}

class Server {
  constructor(dataDir, path) {
    this.dataDir = dataDir;
    this.path = path;
    this.port = 0;
    this.process = null;
    this.ended = null; // how it ended, when nobody asked it to
    this.log = '';
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts, or starts again on the port it had. */
  async start() {
    const args = ['serve', '--listen', `127.0.0.1:${this.port}`, '--data-dir', this.dataDir];
    const child = spawn(BIN, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH: this.path } });
    this.process = child;
    child.stderr.on('data', (data) => (this.log = (this.log + data).slice(-20_000)));
    const listening = new Promise((found, failed) => {
      createInterface(child.stdout).on('line', (line) => {
        const port = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (port) found(Number(port));
      });
      child.once('exit', (code, signal) => {
        this.ended = String(code ?? signal);
        failed(new Error(`the server ended (${this.ended}) before it listened:\n${this.log}`));
      });
    });
    this.port = await listening;
  }

  async kill(signal) {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await ended;
    this.ended = null;
  }

  async api(method, path, body) {
    const response = await fetch(`${this.url}/api${path}`, {
      method,
      headers: body ? { 'content-type': 'application/json' } : {},
      body: body && JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  company(name) {
    return this.api('POST', '/companies', { name });
  }

  issue(company, fields) {
    return this.api('POST', `/companies/${company.id}/issues`, fields);
  }

  /** An agent whose every run is this shell script. */
  agent(company, name, script) {
    const adapterConfig = { command: '/bin/sh', args: ['-c', script] };
    return this.api('POST', `/companies/${company.id}/agents`, { name, role: 'engineer', adapterType: 'process', adapterConfig });
  }

  /** Runs `bulldog demo` on a small repository; `ended` resolves to its exit code. */
  demo(t) {
    const repo = makeRepository(t);
    const args = ['demo', '--repo', repo, '--data-dir', this.dataDir, '--api-url', this.url];
    const child = spawn(BIN, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    t.after(() => child.kill('SIGKILL'));
    const demo = { ended: null, output: () => output, exit: undefined };
    demo.ended = new Promise((done) => {
      child.once('exit', (code, signal) => {
        demo.exit = code ?? signal;
        done(demo.exit);
      });
    });
    return demo;
  }
}

/** A git repository with a few commits by two people. */
function makeRepository(t) {
  const repo = mkdtempSync(join(tmpdir(), 'bulldog-e2e-repo-'));
  t.after(() => rmSync(repo, { recursive: true, force: true, maxRetries: 5 }));
  const git = (...args) => execFileSync('git', ['-C', repo, ...args], { stdio: 'pipe' });
  git('init', '-q', '-b', 'main');
  for (let n = 1; n <= 6; n++) {
    const name = n % 3 ? 'Ada' : 'Brook';
    writeFileSync(join(repo, n % 2 ? 'tides.txt' : 'README.md'), `version ${n}\n`);
    git('add', '.');
    git('-c', `user.name=${name}`, '-c', `user.email=${name}@example.org`, 'commit', '-q', '-m', `Change ${n}`);
  }
  return repo;
}

let browser = null;

export async function openBrowser() {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export async function closeBrowser() {
  await browser?.close();
}

/** A page in a profile of its own. Notes requests, sockets and the console. */
export async function openPage(t, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const notes = { requests: [], sockets: [], console: [] };
  page.on('request', (request) => notes.requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
  page.on('websocket', (socket) => notes.sockets.push(socket.url()));
  page.on('pageerror', (error) => notes.console.push(`uncaught: ${error.stack ?? error}`));
  page.on('console', (message) => notes.console.push(`${message.type()}: ${message.text()}`));
  return { page, notes };
}

export const apiRequests = (notes) => notes.requests.filter((line) => line.includes(' /api/'));
export const withoutServerAway = (lines) => lines.filter((line) => !SERVER_AWAY.test(line));

/** The task tree as a reader sees it: [{identifier, title, status, level}]. */
export function readTree(page) {
  return page.$$eval('[role=treeitem]', (rows) =>
    rows.map((row) => ({
      identifier: row.querySelector('.identifier').textContent,
      title: row.querySelector('.title').textContent,
      status: row.querySelector('[role=img]').getAttribute('aria-label'),
      level: Number(row.getAttribute('aria-level')),
    })),
  );
}

/** What stands beside a word in the header: `countOf(page, 'done')` → "3". */
export const countOf = async (page, words) => (await page.getByRole('listitem').filter({ hasText: words }).first().locator('b').textContent()).trim();

export const nobodyAwake = (page) => until('nobody to be awake', async () => (await countOf(page, 'awake')) === '0');

export const connected = (page) => page.waitForSelector('.link-state.on');

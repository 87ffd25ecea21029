// harness: a real server for one test file, and the words its tests are told in.
//
//   const s = await server();                      // starts build/bulldog (BULLDOG_BIN), stops it after the file
//   const c = await company(s);
//   const { status, json } = await s.api('POST', `/companies/${c.id}/agents`, { name: 'Ada' });
//
// With DATABASE_URL in the environment every server gets a new database in that
// PostgreSQL cluster; else an embedded one in its data directory.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after } from 'node:test';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const BIN = process.env.BULLDOG_BIN ?? path.join(ROOT, 'build/bulldog');
export const SHIM = process.env.BULLDOG_SHIM ?? path.join(path.dirname(BIN), 'bulldog-shim');
export const ON_POSTGRES = Boolean(process.env.DATABASE_URL);

let databases = 0;

/** A new database in the cluster of DATABASE_URL; undefined without one. */
export function newDatabase() {
  if (!ON_POSTGRES) return undefined;
  const url = new URL(process.env.DATABASE_URL);
  const name = `t_${process.pid}_${++databases}`;
  const r = spawnSync('psql', ['-q', '-v', 'ON_ERROR_STOP=1', '-c', `CREATE DATABASE ${name}`, url.href], { encoding: 'utf8' });
  if (r.status !== 0) throw new Error(`cannot create database ${name}: ${r.stderr || r.error}`);
  url.pathname = `/${name}`;
  return url.href;
}

// One request; the answer's status, headers and body (json: parsed when it is JSON).
async function call(base, method, where, body, { token, headers = {} } = {}) {
  const h = { ...headers };
  if (token) h.authorization = `Bearer ${token}`;
  if (body !== undefined && !Object.keys(h).some((k) => k.toLowerCase() === 'content-type')) h['content-type'] = 'application/json';
  const answer = await fetch(base + (where.startsWith('/api') || where === '/metrics' ? where : `/api${where}`), {
    method,
    headers: h,
    body: body === undefined ? undefined : typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: answer.status, headers: answer.headers, json, text };
}

class Server {
  constructor(options) {
    this.dataDir = options.dataDir ?? mkdtempSync(path.join(tmpdir(), 'bulldog-test.'));
    this.database = options.database ?? newDatabase();
    this.env = options.env ?? {};
    this.args = options.args ?? [];
    this.output = '';
  }

  /** Starts the process and waits for its "listening on" line. */
  async start() {
    const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(BULLDOG|PAPERCLIP)_/.test(name))); // nobody's settings but the test's
    const env = { ...plain, BULLDOG_SHIM: SHIM, ...this.env };
    delete env.DATABASE_URL;
    if (this.database) env.DATABASE_URL = this.database;
    const listen = this.url ? new URL(this.url).host : '127.0.0.1:0'; // a restarted server keeps its address
    this.child = spawn(BIN, ['serve', '--listen', listen, '--data-dir', this.dataDir, ...this.args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve({ code, signal })));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        this.output += text;
      });
    }
    const from = this.output.length;
    const started = eventually(() => /listening on (http:\S+)/.exec(this.output.slice(from))?.[1], { message: 'no "listening on" line' });
    this.url = await Promise.race([started, this.exited.then((e) => Promise.reject(new Error(`the server ended at start: ${JSON.stringify(e)}`)))]).catch((e) => {
      throw new Error(`${e.message}\n${this.output}`);
    });
    return this;
  }

  get pid() {
    return this.child.pid;
  }

  /** The server's WebSocket base, ws://host:port */
  get ws() {
    return this.url.replace(/^http/, 'ws');
  }

  api(method, where, body, options) {
    return call(this.url, method, where, body, options);
  }

  /** The same, with every request carrying this token (and X-Paperclip-Run-Id when given). */
  as(token, runId) {
    const headers = runId ? { 'x-paperclip-run-id': runId } : {};
    return (method, where, body, options = {}) => call(this.url, method, where, body, { token, ...options, headers: { ...headers, ...options.headers } });
  }

  /** A request that must succeed with this status; gives its JSON. */
  async ok(method, where, body, options = {}) {
    const r = await this.api(method, where, body, options);
    assert.ok(r.status >= 200 && r.status < 300, `${method} ${where}: ${r.status} ${r.text}`);
    return r.json;
  }

  /** kill -9: nothing is said good-bye to. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** SIGTERM, and a clean end. */
  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    const end = await this.exited;
    assert.deepEqual(end, { code: 0, signal: null }, `the server did not end cleanly: ${JSON.stringify(end)}\n${this.output.slice(-4000)}`);
  }

  /** Moves the server's clock forward (test builds: docs/development.md), and waits for what is due then. */
  async pass(seconds) {
    this.offset = (this.offset ?? 0) + seconds;
    const file = path.join(this.dataDir, 'test.clockOffsetSec');
    writeFileSync(`${file}.new`, String(this.offset));
    renameSync(`${file}.new`, file);
    await eventually(() => this.output.includes(`"event":"clock.moved","msg":"offset=${this.offset}"`), { message: 'the clock was not moved' });
  }

  async restart() {
    await this.stop();
    await this.start();
  }
}

/** A server for this test file. options: env, args, dataDir, database. */
export async function server(options = {}) {
  const s = new Server(options);
  const last = () => {
    if (s.child && s.child.exitCode === null) s.child.kill('SIGKILL'); // whatever went wrong: leave nothing behind
  };
  process.once('exit', last);
  after(async () => {
    try {
      if (s.child && s.child.exitCode === null && s.child.signalCode === null) await s.stop();
    } finally {
      if (!options.dataDir) rmSync(s.dataDir, { recursive: true, force: true });
    }
  });
  return s.start();
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until it gets something truthy. */
export async function eventually(ask, { timeoutMs = 20000, everyMs = 20, message = 'it never came true' } = {}) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const got = await ask();
    if (got) return got;
    if (Date.now() > end) throw new Error(`${message} (${timeoutMs} ms)`);
    await sleep(everyMs);
  }
}

// ---- givens ----

let names = 0;

export const company = (s, body = {}) => s.ok('POST', '/companies', { name: `Company ${++names}`, ...body });

/** An agent whose command does nothing, unless told otherwise. */
export const agent = (s, c, body = {}) =>
  s.ok('POST', `/companies/${c.id}/agents`, { name: `Agent ${++names}`, adapterConfig: { command: '/bin/true' }, ...body });

/** A new API key's token for the agent. */
export const key = async (s, a) => (await s.ok('POST', `/agents/${a.id}/keys`, {})).token;

/** The company's activity, newest first. */
export const activity = (s, c, query = '') => s.ok('GET', `/companies/${c.id}/activity${query}`);

/** A UUID that names nothing. */
export const NOBODY = '00000000-0000-4000-8000-000000000000';

/** Checks a refusal: status and, when given, text or pattern of its message. */
export function refused(r, status, message) {
  assert.equal(r.status, status, r.text);
  if (message instanceof RegExp) assert.match(r.json.error, message);
  else if (message) assert.equal(r.json.error, message);
  return r.json;
}

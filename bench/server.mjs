// server: the real binary in a temporary data directory, and what can be seen of it from outside.

import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, closeSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const BIN = path.resolve(process.env.BULLDOG_BIN ?? path.join(ROOT, 'build/bulldog'));
export const BUILD = path.dirname(BIN);
export const SHIM = path.join(BUILD, 'bulldog-shim');

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const now = () => Number(process.hrtime.bigint()) / 1e6;

const rising = (list) => [...list].sort((a, b) => a - b);
export const quantile = (list, q) => rising(list)[Math.min(list.length - 1, Math.floor(list.length * q))];
export const median = (list) => quantile(list, 0.5);

export async function eventually(ask, { timeoutMs = 60000, everyMs = 20, message = 'it never came true' } = {}) {
  for (const end = now() + timeoutMs; now() < end; await sleep(everyMs)) {
    const got = await ask();
    if (got) return got;
  }
  throw new Error(`${message} (${timeoutMs} ms)`);
}

export async function freePort() {
  const s = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => s.once('listening', resolve));
  const { port } = s.address();
  await new Promise((resolve) => s.close(resolve));
  return port;
}

// ---- processes, as /proc shows them ----

const field = (pid, file, name) => {
  try {
    return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0; // it ended
  }
};
export const resident = (pid) => field(pid, 'status', 'VmRSS');
/** Its own part of what it shares. */
export const proportional = (pid) => field(pid, 'smaps_rollup', 'Pss');

/** The supervisors of these runs. */
export function shims(runIds) {
  const wanted = new Set(runIds);
  const found = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const [name, run] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (name === 'bulldog-shim' && wanted.has(run)) found.push(Number(pid));
    } catch {
      // it ended
    }
  }
  return found;
}

// ---- HTTP ----

/** A client of a server at url; answers {status, headers, json, text}. */
export class Client {
  constructor(url) {
    this.url = url;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  }

  request(method, where, body) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    return new Promise((resolve, reject) => {
      const r = http.request(this.url + where, { method, headers, agent: this.agent }, (answer) => {
        const parts = [];
        answer.on('data', (d) => parts.push(d));
        answer.once('error', reject);
        answer.once('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() }));
      });
      r.once('error', reject);
      r.end(text);
    });
  }

  /** The JSON of a request that must succeed. */
  async ok(method, where, body) {
    const r = await this.request(method, `/api${where}`, body);
    if (r.status < 200 || r.status > 299) throw new Error(`${method} ${where}: ${r.status} ${r.text}`);
    return JSON.parse(r.text);
  }

  async metric(name) {
    const r = await this.request('GET', '/metrics');
    return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(r.text)?.[1] ?? NaN);
  }

  close() {
    this.agent.destroy();
  }
}

/** At most `width` at once. */
export async function each(list, width, fn) {
  const out = new Array(list.length);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < list.length; i = next++) out[i] = await fn(list[i], i);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return out;
}

// ---- the server ----

const running = new Set();
process.once('exit', () => {
  for (const s of running) s.remove();
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

export class Server {
  constructor(env = {}) {
    this.dataDir = mkdtempSync(path.join(tmpdir(), 'bulldog-bench.'));
    this.env = env;
    this.runIds = [];
    running.add(this);
  }

  /** Starts the process without waiting for it. */
  async spawn() {
    this.port ??= await freePort();
    this.client ??= new Client(`http://127.0.0.1:${this.port}`);
    const env = { ...process.env, TMPDIR: this.dataDir, ...this.env }; // the runs' scratch goes with the rest
    delete env.DATABASE_URL;
    const log = openSync(path.join(this.dataDir, 'server.log'), 'a');
    this.child = spawn(BIN, ['serve', '--listen', `127.0.0.1:${this.port}`, '--data-dir', this.dataDir], { env, stdio: ['ignore', log, log] });
    closeSync(log);
    this.exited = new Promise((resolve) => this.child.once('exit', resolve));
  }

  async start() {
    await this.spawn();
    await this.answering();
    return this;
  }

  /** Until the first 200; asks again a millisecond after each refusal. */
  answering() {
    const ask = async () => {
      if (this.child.exitCode !== null) throw new Error(`the server ended at start:\n${readFileSync(path.join(this.dataDir, 'server.log'), 'utf8').slice(-2000)}`);
      return this.client.request('GET', '/api/health').then((r) => r.status === 200, () => false);
    };
    return eventually(ask, { everyMs: 1, timeoutMs: 20000, message: 'the server does not answer' });
  }

  get pid() {
    return this.child.pid;
  }

  async end(signal = 'SIGTERM') {
    this.child.kill(signal);
    await this.exited;
    this.client.agent.destroy();
    this.client.agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  }

  /** Nothing of it stays: neither process nor file. */
  remove() {
    if (!running.delete(this)) return;
    if (this.child?.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    for (const pid of this.runIds.length ? shims(this.runIds) : []) killFamily(pid);
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/* A supervisor of ours and its agent. */
function killFamily(pid) {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    for (const p of [pid, ...children]) process.kill(p, 'SIGKILL');
  } catch {
    // it ended
  }
}

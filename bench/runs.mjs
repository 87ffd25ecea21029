// runs: how soon a woken agent runs and how soon its end is known; and a thousand that sleep.

import dgram from 'node:dgram';
import net from 'node:net';
import path from 'node:path';
import { BUILD, Server, each, eventually, median, now, proportional, quantile, resident, shims, sleep } from './server.mjs';

const AGENT = path.join(BUILD, 'bench/bench_agent');
const PER_AGENT = 50; // runs at once, the most an agent may have
const ENDED = /"status":"(succeeded|failed|timed_out|cancelled|interrupted)"/;

/** A board that looks on: calls ended(runId) at the moment it learns of a run's end. */
function watch(client, companyId, ended) {
  const url = new URL(client.url);
  const sock = net.connect(Number(url.port), url.hostname);
  let buffer = Buffer.alloc(0);
  let open = false;
  sock.write(
    `GET /api/companies/${companyId}/events/ws HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YmVuY2ggYmVuY2ggYmVuYw==\r\n\r\n',
  );
  const frame = (text) => {
    if (!text.includes('"heartbeat.run.status"') || !ENDED.test(text)) return;
    ended(JSON.parse(text).payload.runId);
  };
  return new Promise((resolve, reject) => {
    sock.once('error', reject);
    sock.on('data', (d) => {
      buffer = buffer.length ? Buffer.concat([buffer, d]) : d;
      if (!open) {
        const end = buffer.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!buffer.subarray(0, end).includes(' 101 ')) return reject(new Error(`no socket: ${buffer.subarray(0, end)}`));
        open = true;
        buffer = buffer.subarray(end + 4);
        resolve(sock);
      }
      while (buffer.length >= 2) {
        const short = buffer[1] & 127;
        const at = short === 126 ? 4 : short === 127 ? 10 : 2;
        if (buffer.length < at) return;
        const n = short === 126 ? buffer.readUInt16BE(2) : short === 127 ? Number(buffer.readBigUInt64BE(2)) : short;
        if (buffer.length < at + n) return;
        if ((buffer[0] & 15) === 1) frame(buffer.toString('utf8', at, at + n));
        buffer = buffer.subarray(at + n);
      }
    });
  });
}

/** Stamps of agents, by run. */
async function stampReceiver() {
  const socket = dgram.createSocket('udp4');
  const stamps = new Map();
  socket.on('message', (m) => {
    const [run, ns] = m.toString().split(' ');
    stamps.set(run, Number(ns) / 1e6);
  });
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { stamps, port: socket.address().port, close: () => socket.close() };
}

const hire = (client, company, name, command, args = []) =>
  client.ok('POST', `/companies/${company.id}/agents`, {
    name, adapterType: 'process', adapterConfig: { command, args, graceSec: 1 }, runtimeConfig: { heartbeat: { enabled: false, maxConcurrentRuns: PER_AGENT } },
  });

/** A board with its runs in view. */
class Office {
  constructor(env) {
    this.server = new Server(env);
    this.endings = new Map();
  }

  async open() {
    await this.server.start();
    this.client = this.server.client;
    this.company = await this.client.ok('POST', '/companies', { name: 'Bench runs' });
    this.socket = await watch(this.client, this.company.id, (run) => this.endings.set(run, now()));
    this.receiver = await stampReceiver();
    this.stamper = await hire(this.client, this.company, 'Stamper', AGENT, ['stamp', String(this.receiver.port)]);
    this.truth = await hire(this.client, this.company, 'Truth', '/bin/true');
  }

  /** n runs, one after the other; the times from the request to the agent's first instruction, and to the known end. */
  async probe(agent, n) {
    const exec = [];
    const finished = [];
    for (let i = 0; i < n; i++) {
      const t0 = now();
      const { id } = await this.client.ok('POST', `/agents/${agent.id}/heartbeat/invoke`, {});
      await eventually(() => this.endings.has(id), { everyMs: 1, message: `run ${id} of ${agent.name} did not end` });
      finished.push(this.endings.get(id) - t0);
      if (agent === this.stamper) exec.push((await eventually(() => this.receiver.stamps.get(id), { message: 'no stamp' })) - t0);
    }
    return { exec, finished };
  }

  /** `count` runs at once, of as many agents as that takes; until all their agents run. */
  async crowd(count, command, args) {
    const agents = [];
    for (let i = 0; i * PER_AGENT < count; i++) agents.push(await hire(this.client, this.company, `Crowd ${i}`, command, args));
    const t0 = now();
    const runs = await each(Array.from({ length: count }), 16, (_, i) =>
      this.client.ok('POST', `/agents/${agents[Math.floor(i / PER_AGENT)].id}/wakeup`, { source: 'on_demand', payload: { taskKey: `task-${i}` } }),
    );
    this.server.runIds = runs.map((r) => r.id);
    if (new Set(this.server.runIds).size !== count) throw new Error('some of the runs are one');
    await eventually(async () => (await this.client.metric('bulldog_attached_runs')) >= count, { timeoutMs: 120000, message: `${count} runs did not all start` });
    return now() - t0;
  }

  async close() {
    this.socket?.destroy();
    this.receiver?.close();
    if (this.server.child?.exitCode === null) await this.server.end();
    this.server.remove();
  }
}

const spread = (list) => ({ p50_ms: median(list), p99_ms: quantile(list, 0.99) });

/** wake: from the request to the agent's exec and to the run's end, idle and while 500 runs talk. */
export async function wakeRows(o) {
  const office = new Office({ BULLDOG_MAX_CONCURRENT_RUNS: '2000' });
  try {
    await office.open();
    o.progress('runs on an idle server');
    await office.probe(office.truth, 10); // warm
    const rows = [
      { name: 'wake', what: 'wake to exec, idle', ...spread((await office.probe(office.stamper, o.probes)).exec) },
      { name: 'wake', what: 'invoke to finished, /bin/true, idle', ...spread((await office.probe(office.truth, o.probes)).finished), aim: 'p50 ≤ 15 ms' },
    ];
    o.progress(`starting ${o.crowd} runs that write ${o.rate} line(s) a second each`);
    await office.crowd(o.crowd, AGENT, ['chatter', String(o.rate), '600']);
    await sleep(2000); // until the last of them has said that it started
    o.progress(`runs beside ${o.crowd} others`);
    const beside = `while ${o.crowd} runs write ${o.crowd * o.rate} lines/s`;
    rows.push(
      { name: 'wake', what: `wake to exec, ${beside}`, ...spread((await office.probe(office.stamper, o.probes)).exec), aim: 'p99 ≤ 50 ms' },
      { name: 'wake', what: `invoke to finished, /bin/true, ${beside}`, ...spread((await office.probe(office.truth, o.probes)).finished) },
      { name: 'wake', what: `resident, with ${o.crowd} talking runs`, unit: 'MB', value: resident(office.server.pid) / 1e6 },
    );
    return rows;
  } finally {
    await office.close();
  }
}

/** sleep: what a thousand sleeping runs weigh, and how soon a new server holds them all again. */
export async function sleepRows(o) {
  const office = new Office({ BULLDOG_MAX_CONCURRENT_RUNS: '4000' });
  const { server } = office;
  try {
    await office.open();
    o.progress(`starting ${o.sleepers} sleeping runs`);
    const took = await office.crowd(o.sleepers, '/bin/sleep', ['900']);
    const pids = shims(server.runIds);
    if (pids.length !== o.sleepers) throw new Error(`${pids.length} supervisors for ${o.sleepers} runs`);
    const rss = pids.map(resident);
    const rows = [
      { name: 'sleep', what: `${o.sleepers} runs started`, unit: 's', value: took / 1000 },
      { name: 'sleep', what: `resident, server with ${o.sleepers} sleeping runs`, unit: 'MB', value: resident(server.pid) / 1e6 },
      { name: 'sleep', what: 'resident, one supervisor (median)', unit: 'MB', value: median(rss) / 1e6, aim: '≤ 1 MB' },
      { name: 'sleep', what: `proportional, all ${o.sleepers} supervisors`, unit: 'MB', value: pids.map(proportional).reduce((a, b) => a + b, 0) / 1e6 },
    ];
    o.progress('kill -9 and a new server');
    office.socket.destroy();
    const times = [];
    for (let i = 0; i < o.rounds; i++) {
      await server.end('SIGKILL');
      const t0 = now();
      await server.spawn();
      const all = () => server.client.metric('bulldog_attached_runs').then((n) => n === o.sleepers, () => false);
      await eventually(all, { everyMs: 2, message: 'not all runs were found again' });
      times.push(now() - t0);
    }
    rows.push({ name: 'sleep', what: `${o.sleepers} runs re-attached after kill -9, from exec`, unit: 'ms', value: median(times), aim: '≤ 1000 ms' });
    return rows;
  } finally {
    await office.close();
  }
}

// http: requests a second, beside the ceiling: the same request answered by bare libmicrohttpd.

import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILD, Client, Server, eventually, freePort, median, resident } from './server.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const THREADS = 16; // of the bare server: as many as the real one has by default

/** wrk against a server: GET path, or POST body to it. In path and body %d is another number each time. */
function wrk(url, o, { path: where, body }) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env };
    if (body) env.BENCH_BODY = body();
    if (where.includes('%d')) env.BENCH_PATH = where;
    const args = ['-t', String(o.wrkThreads), '-c', String(o.connections), '-d', `${o.seconds}s`, '--timeout', '10s', '--latency', '-s', path.join(HERE, 'wrk.lua'), url + where.replace('%d', '')];
    const child = spawn('wrk', args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (d) => (out += d));
    child.once('error', reject);
    child.once('exit', () => {
      const line = /^BENCH (.*)$/m.exec(out)?.[1];
      if (!line) return reject(new Error(`wrk said nothing of use:\n${out}`));
      const r = JSON.parse(line);
      if (r.refused || r.broken) return reject(new Error(`${url}: ${r.refused} requests refused, ${r.broken} broken`));
      resolve(r);
    });
  });
}

/** Runs fn beside a bare server of answers of this size. */
async function beside(size, fn) {
  const port = await freePort();
  const child = spawn(path.join(BUILD, 'bench/bare_mhd'), [String(port), String(size), String(THREADS)], { stdio: 'inherit' });
  const client = new Client(`http://127.0.0.1:${port}`);
  try {
    await eventually(() => client.request('GET', '/').then(() => true, () => false), { timeoutMs: 5000 });
    return await fn(`http://127.0.0.1:${port}`);
  } finally {
    client.close();
    child.kill();
  }
}

const DESCRIPTION = 'Read the history, count what each contributor did, and write it down as a table with one row for each.';

/** A company with 100 issues to list, and one to create in. */
async function seed(client) {
  const read = await client.ok('POST', '/companies', { name: 'Bench list' });
  const write = await client.ok('POST', '/companies', { name: 'Bench create' });
  let issue;
  for (let i = 0; i < 100; i++)
    issue = await client.ok('POST', `/companies/${read.id}/issues`, { title: `Task ${i} of the company`, description: DESCRIPTION, priority: 'medium', status: 'todo' });
  return { read, write, issue };
}

let batches = 0;
const issueBody = () => JSON.stringify({ title: `Task ${process.pid}.${++batches}.%d`, description: DESCRIPTION, priority: 'medium' });

/** What is asked of one server: method, path, and a body where one is sent. */
const cases = {
  health: () => ({ path: '/api/health' }),
  list: (s) => ({ path: `/api/companies/${s.read.id}/issues?limit=100` }),
  fresh: (s) => ({ path: `/api/companies/${s.read.id}/issues?limit=100&nothing=%d` }), // no answer of before can serve
  detail: (s) => ({ path: `/api/issues/${s.issue.id}` }),
  create: (s) => ({ path: `/api/companies/${s.write.id}/issues`, body: issueBody }),
};
export const HTTP_CASES = Object.keys(cases);
const TITLES = { health: 'health', list: 'issue list of 100', fresh: 'issue list of 100, made anew each time', detail: 'issue detail', create: 'issue create, 16 writers, durable' };
const AIMS = { health: '≥ 70 % of ceiling', list: '≥ 25 % of ceiling', create: '≥ 4000/s' };

/** Bytes of the answer's body; a list must really hold its 100 rows. */
async function answerSize(client, name, c) {
  const r = c.body ? await client.request('POST', c.path, JSON.parse(c.body().replace('%d', 'size'))) : await client.request('GET', c.path);
  if (r.status >= 300) throw new Error(`${c.path}: ${r.status} ${r.text.slice(0, 500)}`);
  if ((name === 'list' || name === 'fresh') && JSON.parse(r.text).length !== 100) throw new Error('the list does not hold 100 issues');
  return Buffer.byteLength(r.text);
}

const middle = (list) => ({ rps: median(list.map((r) => r.rps)), p50: median(list.map((r) => r.p50_ms)), p99: median(list.map((r) => r.p99_ms)) });

/** One case: rounds of bare, ours and peer in turn, so that all see the same machine; the median of each. */
async function measure(name, sides, o) {
  const ours = cases[name](sides[0].seeds);
  const size = await answerSize(sides[0].client, name, ours);
  return beside(size, async (bare) => {
    const results = { ceiling: [], sides: sides.map(() => []) };
    for (let round = 0; round < o.rounds; round++) {
      results.ceiling.push(await wrk(bare, o, ours));
      for (const [i, s] of sides.entries()) {
        results.sides[i].push(await wrk(s.client.url, o, cases[name](s.seeds)));
      }
    }
    const [mine, peer] = results.sides.map(middle);
    const ceiling = middle(results.ceiling);
    const ratio = median(results.ceiling.map((bare, round) => results.sides[0][round].rps / bare.rps)); // neighbours in time
    return { name, what: TITLES[name], unit: '/s', value: mine.rps, p50_ms: mine.p50, p99_ms: mine.p99, bytes: size, ceiling: ceiling.rps, ratio, peer, aim: AIMS[name] };
  });
}

/** Rows for the chosen cases, and for the memory of the server that served them. */
export async function httpRows(names, o) {
  if (spawnSync('wrk', ['--version']).error) throw new Error('wrk is missing: apt-get install wrk');
  const server = new Server();
  const rows = [];
  try {
    await server.start();
    const idle = resident(server.pid);
    const sides = [{ client: server.client }];
    if (o.peer) sides.push({ client: new Client(o.peer.replace(/\/+$/, '')) });
    for (const s of sides) s.seeds = await seed(s.client);
    for (const name of names) {
      o.progress(TITLES[name]);
      rows.push(await measure(name, sides, o));
    }
    rows.push({ name: 'memory', what: 'resident, idle', unit: 'MB', value: idle / 1e6 });
    rows.push({ name: 'memory', what: `resident, after ${names.join(', ')}`, unit: 'MB', value: resident(server.pid) / 1e6, aim: '≤ 25 MB' });
    await server.end();
  } finally {
    server.remove();
  }
  return rows;
}

// main: the benchmark. Starts the real release binary (SQLite, durable commits), loads it, prints one table.
//
// Figures depend on the machine; the ratios beside them do so much less, for both sides of a ratio are
// measured in turn within one run. Nothing here fails because something is slow.

import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { HTTP_CASES, httpRows } from './http.mjs';
import { sleepRows, wakeRows } from './runs.mjs';
import { BIN, BUILD, median, now } from './server.mjs';
import { sizeRows, startRows } from './start.mjs';
import { workspaceRows } from './workspace.mjs';

const OTHERS = { wake: wakeRows, sleep: sleepRows, workspace: workspaceRows, start: startRows, size: sizeRows };
const NAMES = [...HTTP_CASES, ...Object.keys(OTHERS)];

const usage = `usage: ./dev bench [NAME…] [OPTION…]
  names            ${NAMES.join(' ')} (default: all)
  --peer URL       measure another server of the protocol as well (it gets two companies and many issues)
  --json           the rows as JSON
  --seconds N      of each HTTP measurement (2)
  --rounds N       measurements of each kind; the median counts (5)
  --probes N       runs for each latency (200)
  --crowd N        talking runs (500), --rate N  lines a second of each (1)
  --sleepers N     sleeping runs (1000)
The program measured is build/bulldog, or BULLDOG_BIN; bench/bare_mhd and bench/bench_agent are built beside it.`;

function options(argv) {
  const o = { names: [], seconds: 2, rounds: 5, probes: 200, crowd: 500, rate: 1, sleepers: 1000, connections: 16, wrkThreads: 2 };
  for (let i = 0; i < argv.length; i++) {
    const key = argv[i].replace(/^--/, '');
    if (NAMES.includes(argv[i])) o.names.push(argv[i]);
    else if (argv[i] === '--json') o.json = true;
    else if (argv[i] === '--peer' && argv[i + 1]) o.peer = argv[++i];
    else if (argv[i].startsWith('--') && typeof o[key] === 'number' && Number(argv[i + 1]) >= 1) o[key] = Math.floor(Number(argv[++i]));
    else if (argv[i] === '--help' || argv[i] === '-h') {
      console.log(usage);
      process.exit(0);
    } else {
      console.error(`bench: ${argv[i]}?\n${usage}`);
      process.exit(2);
    }
  }
  if (o.names.length === 0) o.names = NAMES;
  o.progress = (text) => process.stderr.isTTY && !o.json && process.stderr.write(`\r\x1b[K${text} …`);
  return o;
}

/** What a durable write costs at the least here: the median of some fsyncs of 4 KiB. */
function fsyncMs() {
  const dir = mkdtempSync(path.join(tmpdir(), 'bulldog-bench.'));
  const fd = openSync(path.join(dir, 'f'), 'w');
  const block = Buffer.alloc(4096, 1);
  const times = Array.from({ length: 100 }, () => {
    writeSync(fd, block);
    const t0 = now();
    fsyncSync(fd);
    return now() - t0;
  });
  closeSync(fd);
  rmSync(dir, { recursive: true });
  return median(times);
}

// ---- the table ----

const number = (v) => (v === undefined || Number.isNaN(v) ? '' : v >= 100 ? String(Math.round(v)) : v >= 10 ? v.toFixed(1) : v.toFixed(2));
const withUnit = (r) => (r.value === undefined ? '' : r.unit === '/s' ? `${number(r.value)}/s` : `${number(r.value)} ${r.unit}`);
const percent = (v) => (v === undefined ? '' : `${Math.round(v * 100)} %`);

function table(rows, peer) {
  const head = ['', 'bulldog', 'p50 ms', 'p99 ms', 'ceiling', 'ratio', ...(peer ? ['peer', 'p50 ms', 'p99 ms', 'bulldog/peer'] : []), 'aim'];
  const lines = rows.map((r) => [
    r.what, withUnit(r), number(r.p50_ms), number(r.p99_ms), r.ceiling ? `${number(r.ceiling)}/s` : '', percent(r.ratio),
    ...(peer ? [r.peer ? `${number(r.peer.rps)}/s` : '', number(r.peer?.p50), number(r.peer?.p99), r.peer ? `${number(r.value / r.peer.rps)}×` : ''] : []), r.aim ?? '',
  ]);
  const width = head.map((h, i) => Math.max(h.length, ...lines.map((l) => l[i].length)));
  const last = head.length - 1;
  const row = (l) => `| ${l.map((c, i) => (i === 0 || i === last ? c.padEnd(width[i]) : c.padStart(width[i]))).join(' | ')} |`;
  const rule = `|${width.map((w, i) => (i === 0 || i === last ? '-'.repeat(w + 2) : `${'-'.repeat(w + 1)}:`)).join('|')}|`;
  return [row(head), rule, ...lines.map(row)].join('\n');
}

// ---- ----

const o = options(process.argv.slice(2));
const built = spawnSync('ninja', ['-C', BUILD, 'bench/bare_mhd', 'bench/bench_agent'], { encoding: 'utf8' });
if (built.status !== 0) {
  console.error(`bench: cannot build what is beside ${BIN}:\n${built.stdout ?? ''}${built.stderr ?? built.error}`);
  process.exit(1);
}
const machine = { cpu: cpus()[0]?.model.trim() ?? '?', cpus: cpus().length, fsync_ms: fsyncMs() };
const rows = [];
const http = HTTP_CASES.filter((n) => o.names.includes(n));
if (http.length) rows.push(...(await httpRows(http, o)));
for (const [name, measure] of Object.entries(OTHERS)) if (o.names.includes(name)) rows.push(...(await measure(o)));
if (o.json) {
  console.log(JSON.stringify({ machine, options: { ...o, progress: undefined, names: o.names }, rows }, null, 2));
} else {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(`${machine.cpus} × ${machine.cpu}, fsync of 4 KiB ${machine.fsync_ms.toFixed(2)} ms\n`);
  console.log(table(rows, o.peer));
}

// kit: words for stories about runs: agents that are shell scripts, runs that end, sockets that listen.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { agent, eventually } from './harness.mjs';

export const ENDED = new Set(['succeeded', 'failed', 'timed_out', 'cancelled', 'interrupted']);

/** An agent that runs a shell script. */
export const shell = (s, c, script, config = {}, body = {}) =>
  agent(s, c, { adapterType: 'process', adapterConfig: { command: '/bin/sh', args: ['-c', script], ...config }, ...body });

export const invoke = (s, a, body = {}) => s.ok('POST', `/agents/${a.id}/heartbeat/invoke`, body);

export const run = (s, id) => s.ok('GET', `/heartbeat-runs/${id}`);

/** Waits until the run has the status (default: has ended); gives its detail. */
export const until = (s, id, status, timeoutMs = 20000) =>
  eventually(
    async () => {
      const r = await run(s, id);
      return (status ? r.status === status : ENDED.has(r.status)) && r;
    },
    { timeoutMs, message: `run ${id} never became ${status ?? 'an ended one'}` },
  );

/** Invokes and waits for the end. */
export async function ran(s, a, body = {}) {
  return until(s, (await invoke(s, a, body)).id);
}

/** All records of a run's log, read page by page; checks that seq has no gap. */
export async function log(s, id, limitBytes = 256000) {
  const records = [];
  for (let offset = 0; ; ) {
    const page = await s.ok('GET', `/heartbeat-runs/${id}/log?offset=${offset}&limitBytes=${limitBytes}`);
    for (const line of page.content.split('\n')) if (line) records.push(JSON.parse(line));
    if (page.nextOffset === undefined) break;
    assert.ok(page.nextOffset > offset, 'the offset moves on');
    offset = page.nextOffset;
  }
  records.forEach((r, i) => assert.equal(r.seq, i + 1, 'seq is contiguous'));
  return records;
}

export const text = (records, stream) =>
  records
    .filter((r) => !stream || r.stream === stream)
    .map((r) => r.chunk)
    .join('');

/** Does the process run? One that ended and waits to be reaped by its parent does not. */
export function alive(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

/** A live socket: frames so far, and a wait for one. Node 18 has no WebSocket client, so the frames are read by hand. */
export async function socket(s, c, query = '', headers = {}) {
  const { connect } = await import('node:net');
  const url = new URL(s.url);
  const sock = connect(Number(url.port), url.hostname);
  const frames = [];
  let buffer = Buffer.alloc(0);
  let head;
  const extra = Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('');
  sock.write(
    `GET /api/companies/${c.id}/events/ws${query} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extra}\r\n`,
  );
  const status = await new Promise((resolve, reject) => {
    sock.once('error', reject);
    sock.on('data', (d) => {
      buffer = Buffer.concat([buffer, d]);
      if (head === undefined) {
        const end = buffer.indexOf('\r\n\r\n');
        if (end < 0) return;
        head = buffer.subarray(0, end).toString();
        buffer = buffer.subarray(end + 4);
        resolve(Number(head.split(' ')[1]));
      }
      for (;;) {
        if (buffer.length < 2) return;
        let n = buffer[1] & 127;
        let at = 2;
        if (n === 126) {
          if (buffer.length < 4) return;
          n = buffer.readUInt16BE(2);
          at = 4;
        } else if (n === 127) {
          if (buffer.length < 10) return;
          n = Number(buffer.readBigUInt64BE(2));
          at = 10;
        }
        if (buffer.length < at + n) return;
        if ((buffer[0] & 15) === 1) frames.push(JSON.parse(buffer.subarray(at, at + n).toString()));
        buffer = buffer.subarray(at + n);
      }
    });
  });
  return {
    status,
    frames,
    seen: (test, message) => eventually(() => frames.find(test), { message }),
    close: () => sock.destroy(),
  };
}

// Many connections at once: whoever is let in is answered, and nobody waits for a timeout.

import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { test } from 'node:test';
import { eventually, server } from './harness.mjs';

// One HTTP thread meets all of them; its event loop hands out 128 events a time.
const s = await server({ args: ['--set', 'server.httpThreads=1'] });
const port = Number(new URL(s.url).port);

function client() {
  const c = { answers: 0, sock: createConnection(port, '127.0.0.1') };
  c.sock.on('data', (d) => (c.answers += d.toString().split('HTTP/1.1 200').length - 1));
  c.sock.on('error', () => {});
  c.ask = () => c.sock.write(`GET /api/health/live HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  return c;
}

for (const size of [100, 127, 128, 129, 256]) {
  test(`${size} clients that ask in the same instant are all answered at once`, async () => {
    const clients = Array.from({ length: size }, client);
    for (const c of clients) c.ask();
    let waiting = clients;
    // a full house serves those inside; the others come in as they leave
    while (waiting.length) {
      const inside = await eventually(() => {
        const got = waiting.filter((c) => c.answers === 1);
        return got.length >= Math.min(waiting.length, 100) && got;
      }, { timeoutMs: 8000, message: `only ${waiting.filter((c) => c.answers).length} of ${waiting.length} were let in` });
      process.kill(s.pid, 'SIGSTOP'); // all their questions are there when it looks again
      for (const c of inside) c.ask();
      await new Promise((resolve) => setTimeout(resolve, 100));
      process.kill(s.pid, 'SIGCONT');
      await eventually(() => inside.every((c) => c.answers === 2), { timeoutMs: 8000, message: `${inside.filter((c) => c.answers < 2).length} of ${inside.length} wait` });
      for (const c of inside) c.sock.destroy();
      waiting = waiting.filter((c) => !inside.includes(c));
    }
  });
}

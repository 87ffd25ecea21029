// start: from exec to the first 200 on a database that exists; and how large the programs are.

import { statSync } from 'node:fs';
import { BIN, SHIM, Server, each, median, now, quantile, resident } from './server.mjs';

const STARTS = 15;

export async function startRows(o) {
  const server = new Server();
  try {
    o.progress('cold starts');
    await server.start();
    const company = await server.client.ok('POST', '/companies', { name: 'Bench start' });
    await each(Array.from({ length: 500 }), 16, (_, i) => server.client.ok('POST', `/companies/${company.id}/issues`, { title: `Task ${i}` }));
    await server.end();
    const times = [];
    const idle = [];
    for (let i = 0; i < STARTS; i++) {
      const t0 = now();
      await server.spawn();
      await server.answering();
      times.push(now() - t0);
      idle.push(resident(server.pid));
      await server.end();
    }
    return [
      { name: 'start', what: 'cold start to first 200, existing database', p50_ms: median(times), p99_ms: quantile(times, 0.99), aim: 'p50 ≤ 60 ms' },
      { name: 'start', what: 'resident, just started', unit: 'MB', value: median(idle) / 1e6 },
    ];
  } finally {
    server.remove();
  }
}

export function sizeRows() {
  return [
    { name: 'size', what: 'bulldog', unit: 'MB', value: statSync(BIN).size / 1e6 },
    { name: 'size', what: 'bulldog-shim', unit: 'MB', value: statSync(SHIM).size / 1e6 },
  ];
}

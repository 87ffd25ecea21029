// Answers kept until the next commit are never out of date, and never somebody else's.

import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { agent, company, key, server } from './harness.mjs';

const s = await server();

const issue = (c, title) => s.ok('POST', `/companies/${c.id}/issues`, { title, description: 'words '.repeat(300) });

/** A GET whose body stays as it was sent. */
function raw(where, headers = {}) {
  return new Promise((resolve, reject) => {
    const r = http.get(`${s.url}/api${where}`, { headers }, (answer) => {
      const parts = [];
      answer.on('data', (d) => parts.push(d));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }));
    });
    r.on('error', reject);
  });
}

test('a change is seen by the next request, whatever others read meanwhile', async () => {
  const c = await company(s);
  const x = await issue(c, 'Title 0');
  let reading = true;
  const readers = Array.from({ length: 4 }, async () => {
    while (reading) await raw(`/companies/${c.id}/issues?limit=100`);
  });
  for (let i = 1; i <= 150; i++) {
    await s.ok('PATCH', `/issues/${x.id}`, { title: `Title ${i}` });
    const list = JSON.parse((await raw(`/companies/${c.id}/issues?limit=100`)).body);
    const detail = JSON.parse((await raw(`/issues/${x.id}`)).body);
    assert.equal(list[0].title, `Title ${i}`, 'the list');
    assert.equal(detail.title, `Title ${i}`, 'the detail');
  }
  reading = false;
  await Promise.all(readers);
});

test('a kept answer has the same body, count and tag as a made one, and answers 304', async () => {
  const c = await company(s);
  for (let i = 0; i < 5; i++) await issue(c, `Task ${i}`);
  const where = `/companies/${c.id}/issues?limit=3`;
  const made = await raw(where);
  await raw(where); /* asked for again: now it is kept */
  const kept = await raw(where);
  assert.equal(kept.status, 200);
  assert.deepEqual(kept.body, made.body);
  for (const name of ['etag', 'x-total-count', 'content-type', 'cache-control', 'vary']) assert.equal(kept.headers[name], made.headers[name], name);
  assert.equal(kept.headers['x-total-count'], '5');
  assert.notEqual(kept.headers['x-request-id'], made.headers['x-request-id']);
  const known = await raw(where, { 'if-none-match': made.headers.etag });
  assert.equal(known.status, 304);
  assert.equal(known.body.length, 0);
  await issue(c, 'One more');
  const changed = await raw(where, { 'if-none-match': made.headers.etag });
  assert.equal(changed.status, 200);
  assert.equal(changed.headers['x-total-count'], '6');
});

test('a packed answer goes only to who can unpack it', async () => {
  const c = await company(s);
  await issue(c, 'Task');
  const where = `/companies/${c.id}/issues`;
  for (let i = 0; i < 3; i++) {
    const packed = await raw(where, { 'accept-encoding': 'gzip' });
    const plain = await raw(where);
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.ok(packed.body.length < plain.body.length);
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(JSON.parse(plain.body)[0].title, 'Task');
  }
});

test('what is kept for one caller is not given to another', async () => {
  const mine = await company(s);
  const other = await company(s);
  await issue(mine, 'Task');
  const insider = { authorization: `Bearer ${await key(s, await agent(s, mine))}` };
  const stranger = { authorization: `Bearer ${await key(s, await agent(s, other))}` };
  const where = `/companies/${mine.id}/issues`;
  for (let i = 0; i < 2; i++) {
    assert.equal((await raw(where)).status, 200);
    assert.equal((await raw(where, insider)).status, 200);
    assert.equal((await raw(where, stranger)).status, 403);
  }
});

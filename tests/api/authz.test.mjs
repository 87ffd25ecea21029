// Every route as every kind of caller (AO §3, AR-18, IS authorisation classes, GV-6, GV-7).

import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { NOBODY, server } from './harness.mjs';
import { bodyOf, operations, pathOf, place, refreshed } from './operations.mjs';

const s = await server();
const home = await place(s);
const away = await place(s);
const all = await operations(s);

// A request with any header, Host too, which fetch would not send; the answer as it came.
function raw(method, path, body, headers) {
  const url = new URL(s.url);
  return new Promise((resolve, reject) => {
    const r = http.request({ host: url.hostname, port: url.port, method, path, headers: { host: url.host, ...headers } }, (answer) => {
      const chunks = [];
      answer.on('data', (d) => chunks.push(d));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(chunks).toString() }));
    });
    r.on('error', reject);
    const text = body === undefined ? undefined : JSON.stringify(body);
    if (text !== undefined) r.setHeader('content-type', 'application/json');
    if (text !== undefined) r.setHeader('content-length', Buffer.byteLength(text)); // of itself it frames no body of a DELETE
    r.end(text);
  });
}

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const success = (op) => op.status;
const scoped = (op) => op.params.some((x) => !x.word);

/* What the board, an agent, and an agent of another company get, by the class of the route. */
const asBoard = (op) => (op.who === 'agent' ? 401 : (op.line.board ?? success(op)));
const asAgent = (op) => (op.who === 'board' ? 403 : (op.line.agent ?? success(op)));
const asRun = (op) => (op.who === 'board' ? 403 : (op.line.run ?? asAgent(op)));
function asStranger(op) {
  if (op.who === 'board') return 403;
  if (!scoped(op) || op.line.empty) return asAgent(op);
  return op.params[0].kind === 'company' ? 403 : 404;
}
const probe = (op) => op.path.startsWith('/api/health');

const ACTORS = {
  'the board of local mode': { expect: asBoard },
  'an agent by its key': { headers: () => bearer(home.token), me: home.agent, expect: asAgent },
  'an agent by the token of its run': { headers: () => bearer(home.runToken), me: home.runner, expect: asRun },
  'an agent of another company': { headers: () => bearer(away.token), me: away.agent, expect: asStranger },
  'a run of another company': { headers: () => bearer(away.runToken), me: away.runner, expect: asStranger },
  'the key of a terminated agent': { headers: () => bearer(home.deadToken), expect: () => 401 },
  'a wrong token': { headers: () => bearer('pcp_000000000000000000000000000000000000000000000000'), expect: () => 401 },
  'a token that is none': { headers: () => ({ authorization: 'Basic dTpw' }), expect: () => 401 },
  'an empty bearer, which is nobody (AO-41)': { headers: () => ({ authorization: 'Bearer ' }), expect: asBoard },
  'a page of another origin (AO-23)': { headers: () => ({ origin: 'http://evil.test' }), expect: (op) => (op.safe ? asBoard(op) : 403) },
  'a page of no origin': { headers: () => ({ origin: 'null' }), expect: (op) => (op.safe ? asBoard(op) : 403) },
  'a cross-site fetch (AO-23)': { headers: () => ({ 'sec-fetch-site': 'cross-site' }), expect: (op) => (op.safe ? asBoard(op) : 403) },
  'a rebound host name (AO-24)': { headers: () => ({ host: 'evil.test' }), expect: (op) => (probe(op) ? asBoard(op) : 403) },
};

for (const [who, actor] of Object.entries(ACTORS)) {
  test(`${who}: each of ${all.length} routes answers as its class says`, async () => {
    const wrong = [];
    for (const op of all) {
      const p = { ...(op.safe ? home : await refreshed(home, op)), me: actor.me };
      const r = await raw(op.method, pathOf(op, p), bodyOf(op, p), actor.headers?.());
      const expected = actor.expect(op);
      if (r.status !== expected) wrong.push(`${op.id}: ${r.status} instead of ${expected}: ${r.text.slice(0, 200)}`);
      else if (expected >= 400) {
        const json = JSON.parse(r.text);
        if (typeof json.error !== 'string' || json.error === '') wrong.push(`${op.id}: no error text: ${r.text.slice(0, 200)}`);
      }
    }
    assert.equal(wrong.length, 0, wrong.join('\n'));
  });
}

// What differs between any two answers.
const VARIES = new Set(['x-request-id', 'date', 'connection', 'keep-alive']);
const seen = (r) => JSON.stringify([r.status, Object.entries(r.headers).filter(([k]) => !VARIES.has(k)), r.text]);

test('what belongs to another company answers exactly as what does not exist (IS-3, GV-6)', async () => {
  const wrong = [];
  for (const op of all.filter(scoped)) {
    const missing = { ...home }, foreign = { ...home };
    for (const { kind } of op.params.filter((x) => !x.word)) {
      missing[kind] = { id: NOBODY };
      foreign[kind] = away[kind];
    }
    for (const token of [home.token, home.runToken]) {
      const me = token === home.token ? home.agent : home.runner;
      const a = seen(await raw(op.method, pathOf(op, missing), bodyOf(op, { ...missing, me }), bearer(token)));
      const b = seen(await raw(op.method, pathOf(op, foreign), bodyOf(op, { ...foreign, me }), bearer(token)));
      if (a !== b) wrong.push(`${op.id}:\n  missing ${a}\n  foreign ${b}`);
    }
  }
  assert.equal(wrong.length, 0, wrong.join('\n'));
});

test('a part is found only inside its own whole', async () => {
  const wrong = [];
  for (const op of all.filter((o) => o.params.length > 1 && !o.params[1].word && !o.line.anyName)) {
    const part = op.params[1].kind;
    const elsewhere = { ...home, [part]: away[part] }, missing = { ...home, [part]: { id: NOBODY } };
    const a = await raw(op.method, pathOf(op, missing), bodyOf(op, missing));
    const b = await raw(op.method, pathOf(op, elsewhere), bodyOf(op, elsewhere));
    if (a.status !== 404 || seen(a) !== seen(b)) wrong.push(`${op.id}:\n  missing ${seen(a)}\n  elsewhere ${seen(b)}`);
  }
  assert.equal(wrong.length, 0, wrong.join('\n'));
});

test('a shortname or identifier of another company is as unknown as any (AR-6, IS-2)', async () => {
  const get = (path) => raw('GET', `/api${path}`, undefined, bearer(home.token)).then(seen);
  assert.equal(await get(`/agents/${away.agent.urlKey}`), await get('/agents/nobody-here'));
  assert.equal(await get(`/issues/${away.issue.identifier}`), await get('/issues/ZZZ-999'));
  assert.equal(await get(`/agents/${away.agent.urlKey}?companyId=${away.company.id}`), await get(`/agents/nobody-here?companyId=${away.company.id}`));
});

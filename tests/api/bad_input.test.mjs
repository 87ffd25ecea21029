// Bad input over every route: the right refusal, in the right shape, and nothing
// written (IS-5…7, GV-3…6, AO-20, AO-21). The cases are made from the schemas of
// GET /api/openapi.json and from the table in operations.mjs.

import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { test } from 'node:test';
import { NOBODY, company, eventually, server } from './harness.mjs';
import { MAKE, bodyOf, operations, pathOf, place, refreshed } from './operations.mjs';

const BODY_MAX = 65536;
const s = await server({ args: ['--set', `server.maxBodyBytes=${BODY_MAX}`] });
const home = await place(s);
const away = await place(s);
const all = await operations(s);
const withBody = all.filter((op) => op.schema);

const show = (v) => (typeof v === 'string' ? v : JSON.stringify(v)).slice(0, 120);
const say = (op, what, r) => `${op.id}, ${what}: ${r.status} ${r.text.slice(0, 300)}`;

/* Everything the board can see of both companies. */
async function everything() {
  const out = [(await s.api('GET', '/companies')).text];
  for (const p of [home, away]) {
    for (const list of ['agents', 'issues', 'goals', 'projects', 'labels', 'heartbeat-runs', 'activity'])
      out.push((await s.api('GET', `/companies/${p.company.id}/${list}`)).text);
    for (const one of [`issues/${p.issue.id}`, `issues/${p.issue.id}/comments`, `projects/${p.project.id}`, `agents/${p.agent.id}/keys`])
      out.push((await s.api('GET', `/${one}`)).text);
  }
  return out;
}

/* Runs that earlier cases started write too; they are let end first. */
const quiet = () =>
  eventually(async () => {
    for (const p of [home, away]) if ((await s.ok('GET', `/companies/${p.company.id}/live-runs`)).length > 0) return false;
    return true;
  });

/* A batch of requests that must all be refused and leave no trace. */
async function refusing(run) {
  const wrong = [];
  await quiet();
  const before = await everything();
  await run(wrong);
  const after = await everything();
  assert.equal(wrong.length, 0, `${wrong.length} wrong:\n${wrong.join('\n')}`);
  assert.deepEqual(after, before, 'a refused request wrote something');
}

/* An error answer has a text, and a validation error says where. */
function badShape(r) {
  if (typeof r.json?.error !== 'string' || r.json.error === '') return 'no error text';
  if (r.json.error !== 'Validation error') return undefined;
  if (!Array.isArray(r.json.details) || r.json.details.length === 0) return 'no details';
  return r.json.details.every((d) => Array.isArray(d.path) && typeof d.message === 'string' && typeof d.code === 'string') ? undefined : 'details without path, message and code';
}

// ---- bodies that are no body ----

const deep = (n, open, close) => open.repeat(n) + close.repeat(n);
const NO_BODY = {
  'cut off': ['{"a":', 'Invalid JSON body'],
  'not JSON': ['hello', 'Invalid JSON body'],
  'two values': ['{} {}', 'Invalid JSON body'],
  'a trailing comma': ['{"a":1,}', 'Invalid JSON body'],
  'the same key twice': ['{"a":1,"a":2}', 'Invalid JSON body'],
  'a NUL in a string': ['{"a":"x\\u0000y"}', 'Invalid JSON body'],
  'a NUL in a key': ['{"a\\u0000b":1}', 'Invalid JSON body'],
  'a NUL byte': [Uint8Array.from([0x7b, 0x7d, 0]), 'Invalid JSON body'],
  'broken UTF-8': [Uint8Array.from([...Buffer.from('{"a":"'), 0xff, 0xfe, ...Buffer.from('"}')]), 'Invalid JSON body'],
  'half a surrogate pair': ['{"a":"\\ud800"}', 'Invalid JSON body'],
  'a number beyond all': ['{"a":1e999}', 'Invalid JSON body'],
  'arrays too deep': [deep(1000, '[', ']'), /^Invalid JSON body/],
  'arrays far too deep, unclosed': ['['.repeat(60000), /^Invalid JSON body/],
  'objects too deep': [`${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`, /^Invalid JSON body/],
  'an array': ['[]', 'Validation error'],
  'a string': ['"x"', 'Validation error'],
  'a number': ['3', 'Validation error'],
  'a truth': ['true', 'Validation error'],
  'null': ['null', 'Validation error'],
};

test(`a body that is no JSON object is 400 on all ${withBody.length} routes that take one`, async () => {
  await refusing(async (wrong) => {
    for (const op of withBody) {
      for (const [what, [body, message]] of Object.entries(NO_BODY)) {
        const r = await s.api(op.method, pathOf(op, home), body, { headers: { 'content-type': 'application/json' } });
        const said = typeof message === 'string' ? r.json?.error === message : message.test(r.json?.error);
        if (r.status !== 400 || !said || badShape(r)) wrong.push(say(op, what, r));
      }
    }
  });
});

test('a body of another type is as good as none (AO-20)', async () => {
  await refusing(async (wrong) => {
    for (const op of withBody) {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', 'nonsense']) {
        const r = await s.api(op.method, pathOf(op, home), JSON.stringify(bodyOf(op, home)), { headers: { 'content-type': type } });
        if (r.status !== 400 || r.json?.error !== 'Validation error' || badShape(r)) wrong.push(say(op, type, r));
      }
    }
  });
});

test('a body over the limit is 413 on every route that writes (AO-20)', async () => {
  const large = JSON.stringify({ name: 'x'.repeat(BODY_MAX) });
  const chunked = () => new Blob([large]).stream();
  await refusing(async (wrong) => {
    for (const op of all.filter((o) => !o.safe)) {
      const whole = await s.api(op.method, pathOf(op, home), large);
      if (whole.status !== 413 || whole.json?.error !== 'Request body too large') wrong.push(say(op, 'declared', whole));
      const answer = await fetch(`${s.url}${pathOf(op, home)}`, { method: op.method, headers: { 'content-type': 'application/json' }, body: chunked(), duplex: 'half' });
      const text = await answer.text();
      if (answer.status !== 413) wrong.push(say(op, 'chunked', { status: answer.status, text }));
    }
  });
});

// ---- bodies with one thing wrong ----

const LONG = 'x'.repeat(1001);
const OTHER = { string: [5, true, {}, []], integer: ['1', 1.5, true, {}, []], number: ['1', true, {}], boolean: ['true', 1, {}, []], object: [[], 'x', 3], array: [{}, 'x', 3] };

/* Every wrong value of a property: [path below it, value]. */
function* wrongValues(p) {
  if (p.type === undefined) return; // anything goes
  for (const v of OTHER[p.type]) yield [[], v];
  if (!p.nullable) yield [[], null];
  if (p.enum) for (const v of ['no such option', '']) yield [[], v];
  if (p.format === 'uuid') for (const v of ['abc', '', `${NOBODY}0`, NOBODY.replace('4', 'g')]) yield [[], v];
  if (p.format === 'date-time') for (const v of ['yesterday', '', '2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z']) yield [[], v];
  if (p.minLength) yield [[], ''];
  if (p.maxLength && p.maxLength < BODY_MAX) yield [[], 'x'.repeat(p.maxLength + 1)]; // a longer one is no body (413)
  if (p.minimum !== undefined) yield [[], p.minimum - 1];
  if (p.maximum !== undefined) yield [[], p.maximum + 1];
  if (p.minItems) yield [[], []];
  if (p.type === 'array' && p.items.type) {
    if (p.maxItems) yield [[], Array.from({ length: p.maxItems + 1 }, () => sample(p.items))];
    for (const [below, v] of wrongValues(p.items)) yield [[0, ...below], [v]];
  }
  if (p.type === 'object') {
    for (const [key, q] of Object.entries(p.properties ?? {})) for (const [below, v] of wrongValues(q)) yield [[key, ...below], { [key]: v }];
    for (const key of p.required ?? []) yield [[key], {}];
    if (p.additionalProperties === false) yield [[], { 'no such key': 1 }];
  }
}

/* Something the schema of an item allows. */
function sample(p) {
  if (p.enum) return p.enum[0];
  return { string: p.format === 'uuid' ? NOBODY : 'x', integer: 1, number: 1, boolean: true, object: {}, array: [] }[p.type];
}

test('a property of a wrong kind, size or range is 400 and named (IS-5, GV-3)', async () => {
  let cases = 0;
  await refusing(async (wrong) => {
    for (const op of withBody) {
      const refuse = async (what, body, path) => {
        const r = await s.api(op.method, pathOf(op, home), body);
        const named = r.json?.details?.some?.((d) => JSON.stringify(d.path) === JSON.stringify(path));
        if (r.status !== 400 || r.json?.error !== 'Validation error' || badShape(r) || !named) wrong.push(say(op, `${what} at ${path.join('.')}`, r));
        cases++;
      };
      for (const key of op.schema.required ?? []) {
        const body = bodyOf(op, home);
        delete body[key];
        await refuse('missing', body, [key]);
      }
      for (const [key, p] of Object.entries(op.schema.properties))
        for (const [below, v] of wrongValues(p)) await refuse(show(v), { ...bodyOf(op, home), [key]: v }, [key, ...below]);
      if (op.schema.additionalProperties === false) await refuse('an unknown key', { ...bodyOf(op, home), 'no such key': 1 }, []);
    }
  });
  assert.ok(cases > 500, `only ${cases} cases`);
});

test('every problem is told at once, in the order of the schema (IS-5)', async () => {
  const r = await s.api('POST', `/companies/${home.company.id}/issues`, { title: '', priority: 'x', projectId: 'y', allowDuplicate: 1 });
  assert.deepEqual(r.json.details.map((d) => d.path[0]), ['title', 'priority', 'projectId', 'allowDuplicate']);
});

test('a text without a limit may be long, never fatal', async () => {
  const wrong = [];
  const sandbox = await company(s);
  const texts = (p) => p.type === 'string' && !p.enum && !p.format && !p.maxLength;
  for (const op of withBody.filter((o) => o.params.length > 0)) {
    const spare = { ...(await refreshed(home, op)), company: sandbox };
    for (const [key] of Object.entries(op.schema.properties).filter(([, p]) => texts(p))) {
      for (const v of [LONG, '\u0001\u001f\u007f', '𝔘𝔫𝔦 \u202e\ufffd', "'; DROP TABLE issues; --", '%s%n%x', '../../etc/passwd', '<script>alert(1)</script>']) {
        const r = await s.api(op.method, pathOf(op, spare), { ...bodyOf(op, spare), [key]: v });
        if (r.status >= 500 || (r.status >= 400 && badShape(r))) wrong.push(say(op, `${key}=${show(v)}`, r));
      }
    }
  }
  assert.equal(wrong.length, 0, wrong.join('\n'));
});

test('a body as deep as is allowed is stored, told and read like any other', async () => {
  const nest = (n) => (n === 0 ? 1 : { a: nest(n - 1) });
  const free = (p) => p.type === undefined || (p.type === 'object' && !p.properties);
  const wrong = [];
  for (const op of withBody) {
    for (const [key] of Object.entries(op.schema.properties).filter(([, p]) => free(p))) {
      const spare = await refreshed(home, op);
      const r = await s.api(op.method, pathOf(op, spare), { ...bodyOf(op, spare), [key]: nest(63) });
      if (r.status >= 500 || (r.status >= 400 && badShape(r))) wrong.push(say(op, key, r));
      const deeper = await s.api(op.method, pathOf(op, spare), { ...bodyOf(op, spare), [key]: nest(64) });
      if (deeper.status !== 400 || !/deeper than 64/.test(deeper.json.error)) wrong.push(say(op, `${key}, one deeper`, deeper));
    }
  }
  for (const list of ['agents', 'agent-configurations', 'issues', 'goals', 'projects', 'activity', 'heartbeat-runs', 'bootstrap'])
    assert.equal((await s.api('GET', `/companies/${home.company.id}/${list}`)).status, 200, list);
  assert.equal(wrong.length, 0, wrong.join('\n'));
});

// ---- ids of strangers in bodies ----

/* What an id in a body names, and how its refusal names the field. */
const SHOWN = Symbol('only shown');
const REFS = {
  agentId: ['agent', /agentId|^Agent not found|^executionPolicy participant/],
  assigneeAgentId: ['agent', /assigneeAgentId|^Assignee agent/],
  leadAgentId: ['agent', /leadAgentId/],
  ownerAgentId: ['agent', /ownerAgentId/],
  reportsTo: ['agent', /^Manager/],
  projectId: ['project', /projectId/],
  projectWorkspaceId: ['workspace', /projectWorkspaceId/],
  defaultProjectWorkspaceId: ['workspace', /defaultProjectWorkspaceId/],
  executionWorkspaceId: ['execution', /Execution workspace|executionWorkspaceId|project/],
  goalId: ['goal', /goalId/],
  goalIds: ['goal', /goalIds/],
  parentId: [undefined, /parentId/], // a goal's is a goal, an issue's is an issue
  inheritExecutionWorkspaceFromIssueId: ['issue', /inheritExecutionWorkspaceFromIssueId/],
  blockedByIssueIds: ['issue', /^Blocked-by issues/],
  labelIds: ['label', /labels?/],
  defaultEnvironmentId: [null, /defaultEnvironmentId|^Environment not found/], // null: there is nothing of the kind to name
  environmentId: [null, /environmentId|^Environment/],
  logoAssetId: [null, /^Logo asset/],
  actionId: [null, /^Active recovery action/],
  reviewInteractionId: ['interaction', /^reviewInteractionId/],
  issueIds: ['issue', /^Issue not found|issueIds/],
  approvalId: ['approval', /^Approval/],
  requestedByAgentId: ['agent', /requestedByAgentId/],
  sourceIssueId: ['issue', /sourceIssueId/],
  sourceIssueIds: ['issue', /sourceIssueId/],
  id: [SHOWN], // a stage's own name, kept as it is sent
  orderedIds: [SHOWN], // an order of the reader's own; what is not there is simply not shown
  baseRevisionId: [SHOWN], // a condition: the text that was read
  acceptedPlanRevisionId: ['revision', /acceptedPlanRevisionId/],
  runtimeServiceId: [SHOWN], // there are no services to name
  createdByRunId: ['run', /createdByRunId/],
  sourceCommentId: ['comment', /^sourceCommentId/],
  addresseeAgentId: ['agent', /^addresseeAgentId/],
  evaluationIssueId: ['issue', /^evaluationIssueId/],
  sourceRunId: [SHOWN], // a mark in the board's own structured notices; nothing follows it
};

/* [path, property] of every id in a schema. */
function* idsIn(p, path = []) {
  const name = path.filter((x) => typeof x === 'string').at(-1);
  if (p.format === 'uuid' || (p.type === 'string' && REFS[name])) yield path;
  if (p.type === 'array') yield* idsIn(p.items, [...path, 0]);
  for (const [key, q] of Object.entries(p.properties ?? {})) yield* idsIn(q, [...path, key]);
}

const FILL = { executionWorkspacePolicy: { enabled: true }, metadata: { version: 1, sections: [{ rows: [{ type: 'text' }] }] }, stages: { type: 'review' }, participants: { type: 'agent' } };
function put(body, path, value, within) { // within: the list that a number points into
  const [key, ...rest] = path;
  if (rest.length === 0) body[key] = value;
  else body[key] = put(typeof rest[0] === 'number' ? [] : { ...FILL[typeof key === 'number' ? within : key] }, rest, value, key);
  return body;
}

test('an id of another company in a body is refused, and the field named (IS-7 BETTER)', async () => {
  await refusing(async (wrong) => {
    for (const op of withBody) {
      for (const path of idsIn(op.schema)) {
        const name = path.filter((x) => typeof x === 'string').at(-1);
        if (path[0] === 'children') continue; // those of an accepted plan, checked as POST …/children is
        assert.ok(REFS[name], `${op.id}: what does ${path.join('.')} name? REFS does not know`);
        const [kind, said] = REFS[name];
        if (kind === SHOWN) continue;
        const k = kind === undefined ? op.path.split('/').includes('goals') ? 'goal' : 'issue' : kind;
        for (const id of [NOBODY, ...(k ? [away[k].id] : [])]) {
          const r = await s.api(op.method, pathOf(op, home), put(bodyOf(op, home), path, id));
          if (![404, 422].includes(r.status) || badShape(r) || !said.test(r.json.error)) wrong.push(say(op, `${path.join('.')}=${id === NOBODY ? 'nobody' : 'a stranger'}`, r));
        }
      }
    }
  });
});

// ---- paths and queries ----

const GARBAGE = ['abc', '-1', '0', 'x'.repeat(3000), '%27%20OR%201%3D1--', '%F0%9F%90%B6', `${NOBODY}0`, NOBODY.replace('4', 'g'), '*', '%25', 'null', 'undefined', 'AB-99999999999999999999', 'AB--1'];
const BROKEN = ['%00', '%zz', '%ff', 'a%00b', '..%2f..%2fetc'];

/* A document's key is a name with a form of its own (IS-102). */
function answers(op, kind, word) {
  if (word && op.line.unknown) return [op.line.unknown];
  if (op.line.anyName && kind === op.params.at(-1).kind) return op.line.anyName;
  return kind === 'document' ? [400, 404] : [404];
}

test('an unknown or nonsensical id in the path is 404, wherever it stands (IS-7, GV-5)', async () => {
  const elsewhere = { s, company: await company(s) }, aside = { ...home, issue: await MAKE.issue(elsewhere) };
  await refusing(async (wrong) => {
    for (const op of all.filter((o) => o.params.length > 0)) {
      for (const { kind, word } of op.params) {
        for (const id of [NOBODY, NOBODY.toUpperCase(), ...GARBAGE]) {
          const where = op.line.anyName ? aside : home; // what takes any name makes something, in a company of its own
          // without a company a shortname of an agent or project names nobody in particular (AR-6)
          const company = ['agent', 'project'].includes(kind) ? `${op.line.query ? '&' : '?'}companyId=${home.company.id}` : '';
          const r = await s.api(op.method, pathOf(op, { ...where, [kind]: { id } }) + company, bodyOf(op, home));
          if (op.line.empty && ((r.status === 200 && r.text === '[]') || r.status === 204)) continue;
          const bad = kind === 'text' || r.status < 400 ? undefined : badShape(r); // text pages refuse in text (AO-123)
          if (!answers(op, kind, word).includes(r.status) || bad) wrong.push(say(op, `${kind} ${id.slice(0, 40)}`, r));
        }
        for (const id of BROKEN) {
          const r = await s.api(op.method, pathOf(op, { ...(op.line.anyName ? aside : home), [kind]: { id } }), bodyOf(op, home));
          if (op.line.empty && ((r.status === 200 && r.text === '[]') || r.status === 204)) continue;
          const known = op.line.anyName?.includes(r.status) && r.status < 400;
          if (!known && (![400, 404, 422].includes(r.status) || (kind !== 'text' && badShape(r)))) wrong.push(say(op, `${kind} ${id}`, r));
        }
      }
    }
  });
});

const at = (op, query) => `${pathOf(op, home)}${op.line.query ? '&' : '?'}${query}`;

test('a malformed id in a query is refused (IS-7)', async () => {
  await refusing(async (wrong) => {
    for (const op of all) {
      for (const name of op.line.ids ?? []) {
        for (const v of ['abc', '%00', '-1', `${NOBODY}0`, '%F0%9F%90%B6', "'"]) {
          const r = await s.api(op.method, at(op, `${name}=${v}`));
          if (![400, 422].includes(r.status) || badShape(r) || !r.json.error.includes(name)) wrong.push(say(op, `${name}=${v}`, r));
        }
        for (const v of [NOBODY, '']) {
          const r = await s.api(op.method, at(op, `${name}=${v}`));
          if (r.status !== op.status) wrong.push(say(op, `${name}=${v}`, r));
        }
      }
    }
  });
});

const NUMBERS = ['abc', '-1', '0', '1e9', '1.5', '99999999999999999999999', '%00', '', '0x10', ' 5', '9223372036854775807', '-9223372036854775808'];
const ANY = ['%00', '%ff', "'", '%F0%9F%90%B6', 'x'.repeat(2000), '-1', 'a,b,,c', '%25_%5C'];
// What handlers ask for in a query, beside ids and numbers.
const NAMES = ['after', 'afterCommentId', 'agentId', 'assigneeAgentId', 'assigneeUserId', 'attention', 'before', 'clearAssignee', 'companyId',
  'descendantOf', 'entityId', 'entityType', 'excludeRoutineExecutions', 'includeArchived', 'includeBlockedBy', 'includePluginOperations', 'mode',
  'order', 'originId', 'originKind', 'originKindPrefix', 'q', 'since', 'sortDir', 'sortField', 'status', 'summary', 'token', 'touchedByUserId',
  'updatedSince', 'view', 'wakeCommentId', 'no such parameter'];

test('no query makes a read fail, whatever its value and however often it is given', async () => {
  await refusing(async (wrong) => {
    for (const op of all.filter((o) => o.safe && o.who !== 'public')) {
      const queries = (op.line.numbers ?? []).flatMap((n) => NUMBERS.map((v) => `${n}=${v}`));
      for (const n of NAMES) for (const v of ANY) queries.push(`${encodeURIComponent(n)}=${v}`);
      queries.push('limit=1&limit=2', 'limit=abc&limit=1', 'status=todo&status=done', '=', '&&&', '=x', 'limit', '%zz=%zz', 'a[]=1&a[]=2', `q=${'%F0%9F%90%B6'.repeat(300)}`);
      const answers = await Promise.all(queries.map(async (q) => [q, await s.api(op.method, at(op, q))]));
      for (const [q, r] of answers) if (r.status >= 500 || (r.status >= 400 && badShape(r))) wrong.push(say(op, q.slice(0, 60), r));
    }
  });
});

test('a limit is a number in its bounds, or the default (IS §7, AR-70)', async () => {
  const path = `/companies/${home.company.id}/activity`;
  const size = async (q) => (await s.ok('GET', `${path}?limit=${q}`)).length;
  assert.equal(await size('1'), 1);
  assert.equal(await size('-1'), 1);
  assert.ok((await size('abc')) > 1);
  assert.ok((await size('99999999999999999999999')) > 1);
});

// ---- what is no route, and what is no HTTP ----

test('no such route, and no such method on it (AO §2)', async () => {
  await refusing(async (wrong) => {
    for (const path of ['/api', '/api/', '/api/nothing', '/api/companies/x/y/z', '/api/issues//']) {
      const r = await s.api('GET', path);
      if (r.status !== 404 || badShape(r)) wrong.push(`GET ${path}: ${r.status} ${r.text.slice(0, 100)}`);
    }
    for (const path of new Set(all.map((o) => o.path))) {
      const known = all.filter((o) => o.path === path);
      for (const method of ['PUT', 'DELETE', 'PATCH', 'POST', 'FOO'].filter((m) => !known.some((o) => o.method === m))) {
        // another, more general path may have the method: then the rest of the path is an unknown id, or a shortname (AR-6)
        const r = await s.api(method, pathOf(known[0], home), method === 'FOO' ? undefined : {});
        if (![404, 405, 422].includes(r.status) || badShape(r)) wrong.push(`${method} ${path}: ${r.status} ${r.text.slice(0, 100)}`);
      }
    }
  });
});

test('a broken request line or header ends in an answer or a closed connection, and the server lives', async () => {
  const host = `Host: ${new URL(s.url).host}\r\n`;
  const lines = ['GET\r\n\r\n', `GET /api/health HTTP/9.9\r\n${host}\r\n`, 'GET /api/companies HTTP/1.1\r\n\r\n', `POST /api/companies HTTP/1.1\r\n${host}Content-Length: -5\r\n\r\n`,
    `POST /api/companies HTTP/1.1\r\n${host}Content-Length: abc\r\n\r\n{}`, `POST /api/companies HTTP/1.1\r\n${host}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    `GET /api/health HTTP/1.1\r\n${host}X: ${'y'.repeat(70000)}\r\n\r\n`, `GET /${'a'.repeat(70000)} HTTP/1.1\r\n${host}\r\n`, '\0\0\0\0', `GET /api/health HTTP/1.1\r\n${host}${host}\r\n`];
  for (const line of lines) {
    const answer = await new Promise((resolve) => {
      const sock = createConnection(Number(new URL(s.url).port), '127.0.0.1');
      let text = '';
      const done = () => { sock.destroy(); resolve(text); };
      sock.setTimeout(500, done);
      sock.on('data', (d) => { text += d; done(); });
      sock.on('error', done);
      sock.on('close', done);
      sock.write(line);
    });
    const status = Number(/^HTTP\/1\.[01] (\d+)/.exec(answer)?.[1] ?? 400);
    assert.ok(status < 500 || status === 505, `${JSON.stringify(line.slice(0, 40))}: ${answer.slice(0, 200)}`);
    assert.equal((await s.api('GET', '/health')).status, 200);
  }
});

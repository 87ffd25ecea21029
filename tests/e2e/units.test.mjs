// The board's judgement apart from the browser: log lines, words, addresses, and
// the socket's promise that nothing is missed and nothing comes twice.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { ROOT, sleep, until } from './board.mjs';

const UI = join(ROOT, 'ui');
const skip = existsSync(join(UI, 'node_modules/esbuild')) ? false : 'run `npm ci` in ui/ first';

/** A module of ui/src, bundled as the board has it. */
async function load(path) {
  const { build } = createRequire(join(UI, 'package.json'))('esbuild');
  const bundle = await build({ entryPoints: [join(UI, 'src', path)], bundle: true, format: 'esm', write: false });
  return import(`data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString('base64')}`);
}

describe('log', { skip }, () => {
  let log;
  before(async () => (log = await load('store/log.ts')));

  const lines = (...chunks) => {
    const builder = new log.LineBuilder();
    chunks.forEach(([stream, chunk], i) => builder.add({ seq: i + 1, ts: 't', stream, chunk }));
    return builder.lines.map((line) => `${line.stream} ${line.text}`);
  };

  test('chunks are cut and joined at line feeds, each stream by itself', () => {
    const mixed = lines(['stdout', 'one\ntw'], ['stderr', 'oops\n'], ['stdout', 'o\nthree']);
    assert.deepEqual(mixed, ['stdout one', 'stdout two', 'stderr oops', 'stdout three']);
  });

  test('colours go, progress bars show their last state, across chunks too', () => {
    assert.deepEqual(lines(['stdout', '\u001b[1;31mred\u001b[0m\r\n']), ['stdout red']);
    assert.deepEqual(lines(['stdout', '10%\r'], ['stdout', '20%\r'], ['stdout', '100%\n']), ['stdout 100%']);
    assert.deepEqual(lines(['stdout', '\u001b]0;title\u0007text\n']), ['stdout text']);
  });

  test('a piece cut by the offset is left out', () => {
    const whole = JSON.stringify({ ts: 't', stream: 'stdout', chunk: 'whole\n', seq: 2 });
    assert.deepEqual(log.textLines(`k":"half"}\n${whole}\n{"ts":"t","str`), ['whole']);
  });
});

describe('words', { skip }, () => {
  test('times and durations', async () => {
    const clock = await loadWithPage('store/clock.ts');
    assert.equal(clock.clockWords(7_900), '0:07');
    assert.equal(clock.clockWords(3_730_000), '1:02:10');
    assert.equal(clock.durationWords(240), '240 ms');
    assert.equal(clock.durationWords(7_240), '7.2 s');
    assert.equal(clock.durationWords(200_000), '3 m 20 s');
    assert.equal(clock.agoWords(500), 'now');
    assert.equal(clock.agoWords(12_000), '12 s ago');
    assert.equal(clock.agoWords(7_200_000), '2 h ago');
  });

  test('why an agent is awake, known and unknown reasons, or only the source', async () => {
    const { wakeWords } = await load('store/runs.ts');
    assert.equal(wakeWords({ wakeReason: 'issue_children_completed' }), 'All sub-tasks are done');
    assert.equal(wakeWords({ wakeReason: 'nightly_tide_check' }), 'Nightly tide check');
    assert.equal(wakeWords({ wakeReason: null, invocationSource: 'on_demand' }), 'Started by hand');
    assert.equal(wakeWords({ wakeReason: null, invocationSource: null }), 'Woken');
  });

  test('addresses', async () => {
    const { parseRoute } = await loadWithPage('store/route.ts');
    assert.deepEqual(parseRoute('/'), { prefix: null, panel: null, known: true });
    assert.deepEqual(parseRoute('/HAR/dashboard'), { prefix: 'HAR', panel: null, known: true });
    assert.deepEqual(parseRoute('/HAR/issues/HAR-3').panel, { kind: 'issue', key: 'HAR-3' });
    assert.deepEqual(parseRoute('/issues/HAR-3'), { prefix: 'HAR', panel: { kind: 'issue', key: 'HAR-3' }, known: true });
    assert.deepEqual(parseRoute('/HAR/agents/ada/runs/r1').panel, { kind: 'run', id: 'r1' });
    assert.equal(parseRoute('/HAR/nothing').known, false);
  });
});

/** Modules that look at the page when they load. */
async function loadWithPage(path) {
  globalThis.location ??= { pathname: '/', protocol: 'http:', host: 'board' };
  return load(path);
}

describe('socket', { skip }, () => {
  let EventSocket;
  let sockets;

  class FakeWebSocket {
    constructor(url) {
      this.url = url;
      sockets.push(this);
    }
    say(frame) {
      this.onmessage({ data: JSON.stringify(frame) });
    }
    close() {
      this.onclose?.();
    }
    since() {
      return Number(new URL(this.url).searchParams.get('since'));
    }
  }

  before(async () => {
    globalThis.location = { pathname: '/', protocol: 'http:', host: 'board' };
    globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
    globalThis.addEventListener ??= () => undefined;
    globalThis.removeEventListener ??= () => undefined;
    globalThis.WebSocket = FakeWebSocket;
    ({ EventSocket } = await load('api/socket.ts'));
  });

  /** A socket from event 10 on, and what it told. */
  function start(t, reset = async () => 0) {
    sockets = [];
    const told = { frames: [], states: [] };
    const socket = new EventSocket('c', 10, {
      frame: (frame) => told.frames.push(frame.id + (frame.type.endsWith('.log') ? 'log' : '')),
      state: (state) => told.states.push(state),
      reset,
    });
    t.after(() => socket.close());
    return told;
  }

  test('it resumes after the newest frame it saw and shows no frame twice', async (t) => {
    const told = start(t);
    assert.equal(sockets[0].since(), 10);
    sockets[0].onopen();
    sockets[0].say({ id: 11, type: 'agent.status' });
    sockets[0].say({ id: 11, type: 'heartbeat.run.log' }); // not kept: repeats the id
    sockets[0].say({ id: 14, type: 'activity.logged' });
    sockets[0].say({ id: 14, type: 'activity.logged' });
    sockets[0].close();
    await until('the next attempt', () => sockets.length === 2);
    assert.equal(sockets[1].since(), 14);
    sockets[1].onopen();
    sockets[1].say({ id: 13, type: 'activity.logged' });
    sockets[1].say({ id: 15, type: 'activity.logged' });
    assert.deepEqual(told.frames, [11, '11log', 14, 15].map((id) => (typeof id === 'number' ? String(id) : id)));
    assert.deepEqual(told.states, ['open', 'lost', 'open']);
  });

  test('told that the past is gone, it loads afresh and goes on from there', async (t) => {
    let loads = 0;
    start(t, async () => {
      loads++;
      return 500;
    });
    sockets[0].onopen();
    sockets[0].say({ type: 'reset' });
    sockets[0].say({ id: 501, type: 'activity.logged' }); // the old socket is not listened to any more
    await until('the new socket', () => sockets.length === 2);
    assert.equal(loads, 1);
    assert.equal(sockets[1].since(), 500);
  });

  test('attempts come ever more slowly', async (t) => {
    start(t);
    const times = [];
    const began = Date.now();
    for (let n = 0; n < 3; n++) {
      const socket = sockets.at(-1);
      socket.close();
      await until('the next attempt', () => sockets.at(-1) !== socket, 5_000);
      times.push(Date.now() - began);
    }
    assert.ok(times[0] >= 200, `first after ${times[0]} ms`);
    assert.ok(times[2] - times[1] >= 950, `third after ${times[2] - times[1]} ms`);
  });

  test('closed is closed', async () => {
    sockets = [];
    const socket = new EventSocket('c', 1, { frame() {}, state() {}, reset: async () => 0 });
    socket.close();
    await sleep(700);
    assert.equal(sockets.length, 1);
  });
});

// What the board promises beside its function: size, accessibility, keyboard.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ROOT, closeBrowser, connected, openBrowser, openPage, startServer, until } from './board.mjs';

const JS_MAX = 60 * 1024;
const CSS_MAX = 12 * 1024;
const REQUESTS_MAX = 6;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

before(openBrowser);
after(closeBrowser);

/** A company with some of everything the page can show without running agents. */
async function furnish(server) {
  const company = await server.company('Harbor Labs');
  const parent = await server.issue(company, { title: 'Deliver the tide planner', description: '# Scope\n\n- `tides`\n- [docs](https://example.org)' });
  const first = await server.issue(company, { title: 'Compute the tides', parentId: parent.id, status: 'in_progress', assigneeUserId: 'local-board' });
  await server.issue(company, { title: 'Publish them', parentId: parent.id, status: 'blocked', blockedByIssueIds: [first.id] });
  await server.issue(company, { title: 'Sweep the floor', status: 'done' });
  await server.issue(company, { title: 'Buy a boat', status: 'cancelled' });
  await server.api('POST', `/issues/${parent.identifier}/comments`, { body: 'Any **news**?' });
  return { company, parent };
}

test('dist is what the sources build, and the sources are well typed', (t) => {
  const ui = join(ROOT, 'ui');
  if (!existsSync(join(ui, 'node_modules/esbuild'))) return t.skip('run `npm ci` in ui/ first');
  for (const command of [['build.mjs', '--check'], ['node_modules/typescript/bin/tsc', '--noEmit']]) {
    const result = spawnSync(process.execPath, command, { cwd: ui, encoding: 'utf8' });
    assert.equal(result.status, 0, result.stdout + result.stderr);
  }
});

test('the first visit is small and short', async (t) => {
  const server = await startServer(t);
  await furnish(server);
  const { page, notes } = await openPage(t);
  await page.goto(`${server.url}/`);
  await page.waitForSelector('[role=treeitem]');
  const soFar = [...notes.requests];
  const needed = soFar.filter((line) => !line.endsWith('.svg')); // the tab's icon is nobody's content
  assert.ok(needed.length <= REQUESTS_MAX, `requests before content: ${needed.join(', ')}`);

  const bytes = { js: 0, css: 0 };
  for (const line of needed) {
    const path = line.split(' ')[1];
    const kind = path.split('.').at(-1);
    if (!(kind in bytes)) continue;
    const { packed, raw, headers } = await download(server, path);
    assert.equal(headers.get('content-encoding'), 'gzip', path);
    assert.match(headers.get('cache-control'), /immutable/, path);
    assert.match(headers.get('etag') ?? '', /^"[^"]+"$/, path);
    assert.ok(gunzipSync(packed).equals(raw), `${path}: packed and plain differ`);
    bytes[kind] += packed.length;
  }
  assert.ok(bytes.js > 0 && bytes.js <= JS_MAX, `script: ${bytes.js} bytes`);
  assert.ok(bytes.css > 0 && bytes.css <= CSS_MAX, `style: ${bytes.css} bytes`);
});

/** A file as sent packed and as sent plain; fetch() would unpack it behind our back. */
async function download(server, path) {
  const { request } = await import('node:http');
  const read = (encoding) =>
    new Promise((done, failed) => {
      request(server.url + path, { headers: { 'accept-encoding': encoding } }, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => done({ body: Buffer.concat(parts), headers: new Headers(response.headers) }));
      })
        .on('error', failed)
        .end();
    });
  const packed = await read('gzip');
  return { packed: packed.body, raw: (await read('identity')).body, headers: packed.headers };
}

test('page and assets: caching, revalidation, what is not there', async (t) => {
  const server = await startServer(t);
  const page = await fetch(`${server.url}/`);
  assert.equal(page.headers.get('cache-control'), 'no-cache');
  assert.match(page.headers.get('content-type'), /^text\/html/);
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src|script-src/);
  assert.doesNotMatch(page.headers.get('content-security-policy') ?? '', /unsafe-inline|unsafe-eval/);
  const html = await page.text();
  for (const path of ['/HAR/dashboard', '/HAR/issues/HAR-1', '/index.html']) {
    const other = await fetch(server.url + path);
    assert.equal(other.status, 200, path);
    assert.equal(await other.text(), html, path);
  }
  const again = await fetch(`${server.url}/`, { headers: { 'if-none-match': page.headers.get('etag') } });
  assert.equal(again.status, 304);
  assert.equal((await fetch(`${server.url}/assets/gone-00000000.js`)).status, 404);
  const api = await fetch(`${server.url}/api/no/such/route`);
  assert.equal(api.status, 404);
  assert.match(api.headers.get('content-type'), /^application\/json/);
});

/** Every finding of axe, best practices included, as "rule: selector: summary". */
async function audit(page) {
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations', 'passes'] }));
  assert.ok(passes.some((rule) => rule.id === 'color-contrast'), 'contrast was measured');
  return violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(' ')}: ${node.failureSummary}`));
}

for (const colorScheme of ['light', 'dark']) {
  test(`nothing for an accessibility audit to find, ${colorScheme}`, { timeout: 60_000 }, async (t) => {
    const server = await startServer(t);
    const { page } = await openPage(t, { colorScheme });
    const check = async (what) => {
      assert.deepEqual(await audit(page), [], what);
      assert.equal(await page.locator('h1').count(), 1, `${what}: one h1`);
      assert.equal(await page.getByRole('main').count(), 1, `${what}: one main landmark`);
      assert.equal(await page.getByRole('banner').count(), 1, `${what}: one banner`);
    };
    await page.goto(`${server.url}/`);
    await page.getByRole('heading', { name: 'No company yet' }).waitFor();
    await check('empty');
    const { company, parent } = await furnish(server);
    await page.waitForSelector('[role=treeitem]');
    assert.equal(await page.evaluate(() => document.documentElement.classList.contains('dark')), colorScheme === 'dark');
    await check('overview');
    await page.getByRole('treeitem', { name: parent.title }).click();
    await page.waitForSelector('.comment');
    await check('task panel');
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await check('help');
    await page.keyboard.press('Escape');
    const agent = await server.agent(company, 'Ada', 'echo working; echo careful >&2; sleep 60');
    await server.issue(company, { title: 'Work for a while', assigneeAgentId: agent.id });
    await page.getByRole('link', { name: 'Assigned' }).first().click();
    await page.locator('.log-line.stderr').waitFor();
    await check('run panel');
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width: 390, height: 844 });
    await check('on a telephone');
  });
}

test('the theme is chosen, kept, and applied before the first paint', async (t) => {
  const server = await startServer(t);
  await furnish(server);
  const { page } = await openPage(t, { colorScheme: 'light' });
  const dark = () => page.evaluate(() => document.documentElement.classList.contains('dark'));
  await page.goto(`${server.url}/`);
  await connected(page);
  assert.equal(await dark(), false);
  await page.getByRole('button', { name: 'Theme' }).click();
  await page.getByRole('menuitemradio', { name: 'Dark' }).click();
  assert.equal(await dark(), true);
  await page.addInitScript(() => {
    document.addEventListener('readystatechange', () => (window.darkEarly ??= document.documentElement.classList.contains('dark')));
  });
  await page.reload();
  assert.equal(await page.evaluate(() => window.darkEarly), true);
});

test('everything on the page is done without a pointer', async (t) => {
  const server = await startServer(t);
  const { parent } = await furnish(server);
  const { page, notes } = await openPage(t);
  const press = (key) => page.keyboard.press(key);
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
  const active = () =>
    page.evaluate(() => {
      const id = document.querySelector('[role=tree]').getAttribute('aria-activedescendant');
      return id && document.getElementById(id).querySelector('.title').textContent;
    });
  const titles = () => page.$$eval('[role=treeitem] .title', (all) => all.map((one) => one.textContent));

  await page.goto(`${server.url}/`);
  await connected(page);
  await press('Tab');
  assert.equal(await focused(), 'Skip to content');
  await press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');

  await press('j');
  assert.equal(await active(), 'Buy a boat');
  await press('j');
  await press('ArrowDown');
  assert.equal(await active(), parent.title);
  await press('k');
  assert.equal(await active(), 'Sweep the floor');
  await press('ArrowDown');

  await press('ArrowLeft');
  assert.deepEqual(await titles(), ['Buy a boat', 'Sweep the floor', parent.title]);
  await press('ArrowRight');
  assert.equal((await titles()).length, 5);
  await press('ArrowRight');
  assert.equal(await active(), 'Compute the tides');
  await press('ArrowLeft');
  assert.equal(await active(), parent.title);

  await press('Enter');
  await page.waitForSelector('.comment');
  assert.equal(new URL(page.url()).pathname, `/HAR/issues/${parent.identifier}`);
  assert.equal(await focused(), parent.title);
  await press('Escape');
  assert.equal(await page.getByRole('complementary').count(), 0);
  await until('focus to be back on the tree', () => page.evaluate(() => document.activeElement.getAttribute('role') === 'tree'));

  await press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await press('Escape');
  await until('the dialog to close', async () => (await page.getByRole('dialog').count()) === 0);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'tree');
  assert.deepEqual(notes.console, []);
});

test('changes are said to a screen reader', async (t) => {
  const server = await startServer(t);
  const { company, parent } = await furnish(server);
  const { page } = await openPage(t);
  await page.goto(`${server.url}/`);
  await connected(page);
  const region = page.locator('[aria-live=polite]').first();
  await server.issue(company, { title: 'Paint the boat' });
  await until('the new task to be said', async () => /New task HAR-\d+: Paint the boat/.test(await region.textContent()));
  await server.api('PATCH', `/issues/${parent.identifier}`, { status: 'in_review' });
  await until('the change to be said', async () => new RegExp(`${parent.identifier} is now in review`).test(await region.textContent()));
});

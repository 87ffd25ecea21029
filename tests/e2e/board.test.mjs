// The board's first page in a real browser against the real server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  apiRequests,
  closeBrowser,
  connected,
  during,
  nobodyAwake,
  openBrowser,
  openPage,
  readTree,
  sleep,
  startServer,
  until,
  withoutServerAway,
} from './board.mjs';

const DEMO_MS = 180_000;

before(openBrowser);
after(closeBrowser);

/** Notes in the page, from now on, whom it ever showed awake and with which words. */
function watchAwake(page) {
  return page.evaluate(() => {
    const seen = (window.awakeSeen = new Map());
    const look = () => {
      for (const row of document.querySelectorAll('#agents li')) {
        const run = row.querySelector('.reason-run');
        if (!row.classList.contains('a-running') || !run) continue;
        const name = row.querySelector('.name').textContent;
        if (!seen.has(name)) seen.set(name, new Set());
        seen.get(name).add(`${run.textContent} ${row.querySelector('.task-link .mono')?.textContent}`);
      }
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    look();
  });
}

const awakeSeen = (page) => page.evaluate(() => [...window.awakeSeen].map(([name, why]) => [name, [...why]]));

const allDone = (page, demo) =>
  during(demo, 'all tasks are done', async () => {
    const tree = await readTree(page);
    return tree.length >= 3 && tree.every((row) => row.status === 'Done') && tree;
  }, DEMO_MS);

test('a newcomer types what the page says and watches the demo to its end', { timeout: DEMO_MS }, async (t) => {
  const server = await startServer(t, { slowTools: true });
  const { page, notes } = await openPage(t);
  await page.goto(`${server.url}/`);
  await page.getByRole('heading', { name: 'No company yet' }).waitFor();
  assert.match(await page.textContent('pre'), /bulldog demo --api-url http:\/\/127\.0\.0\.1:\d+/);
  await watchAwake(page);

  const demo = server.demo(t);
  await page.waitForSelector('#agents'); // by itself, without a reload
  await connected(page);
  const loaded = apiRequests(notes).length;

  const tree = await allDone(page, demo);
  assert.equal(await demo.ended, 0, demo.output());

  await t.test('it showed who was awake and why', async () => {
    const seen = await awakeSeen(page);
    assert.equal(seen.length, 3, `agents seen awake: ${JSON.stringify(seen)}`);
    const reasons = seen.flatMap(([, why]) => why).join('; ');
    assert.match(reasons, /Assigned [A-Z]+-\d+/);
    assert.match(reasons, /(Blockers are done|All sub-tasks are done) [A-Z]+-\d+/);
  });

  await t.test('it ends as the API has it', async () => {
    const [company] = await server.api('GET', '/companies');
    const issues = await server.api('GET', `/companies/${company.id}/issues`);
    const expected = issues.map((issue) => `${issue.identifier} ${issue.title} ${issue.status}`).sort();
    assert.deepEqual(tree.map((row) => `${row.identifier} ${row.title} ${row.status.toLowerCase()}`).sort(), expected);
    await nobodyAwake(page);
    const states = await page.$$eval('#runs li [role=img]', (icons) => icons.map((icon) => icon.getAttribute('aria-label')));
    assert.ok(states.length >= 4, `runs listed: ${states.length}`);
    assert.deepEqual([...new Set(states)], ['Succeeded']);
  });

  await t.test('it asked for nothing while it watched', async () => {
    const asked = apiRequests(notes).slice(loaded);
    // The last lines of runs that were already going when the page loaded may be read once.
    assert.deepEqual(asked.filter((line) => !line.endsWith('/log')), []);
    assert.ok(asked.length <= 4, `requests: ${asked.join(', ')}`);
    assert.equal(notes.sockets.length, 1);
    const before = notes.requests.length;
    await sleep(5_000);
    assert.deepEqual(notes.requests.slice(before), [], 'requests while idle');
  });

  await t.test('the console stayed empty', () => assert.deepEqual(notes.console, []));
});

test('a killed and restarted server is survived without a reload', { timeout: DEMO_MS }, async (t) => {
  const server = await startServer(t, { slowTools: true });
  const demo = server.demo(t);
  await during(demo, 'its company is there', async () => (await server.api('GET', '/companies')).length === 1);
  const { page, notes } = await openPage(t);
  await page.goto(`${server.url}/`);
  await connected(page);
  await page.evaluate(() => (window.sameDocument = true));

  for (let round = 1; round <= 2; round++) {
    await during(demo, 'an agent is awake', () => page.$('#agents .a-running'), DEMO_MS);
    await server.kill('SIGKILL');
    await page.getByText(/Reconnecting….*\(last update .*\)/).waitFor();
    assert.ok((await page.$$('#agents li')).length === 3, 'what was known stays readable');
    await sleep(700);
    await server.start();
    await connected(page);
    assert.equal(await page.getByText('Reconnecting').count(), 0);
  }

  await allDone(page, demo);
  assert.equal(await demo.ended, 0, demo.output());
  await nobodyAwake(page);
  assert.equal(await page.evaluate(() => window.sameDocument), true);
  assert.deepEqual(withoutServerAway(notes.console), []);

  // Nothing was missed: a fresh page shows the same.
  const { page: fresh } = await openPage(t);
  await fresh.goto(`${server.url}/`);
  await connected(fresh);
  const runs = (on) =>
    on.$$eval('#runs li', (rows) =>
      rows.map((row) => `${row.querySelector('.name').textContent} ${row.querySelector('[role=img]').ariaLabel}`).sort(),
    );
  assert.deepEqual(await readTree(page), await readTree(fresh));
  assert.deepEqual(await runs(page), await runs(fresh));
});

test('a task panel and a run log follow what happens', { timeout: DEMO_MS }, async (t) => {
  const server = await startServer(t, { slowTools: true });
  const demo = server.demo(t);
  await during(demo, 'its company is there', async () => (await server.api('GET', '/companies')).length === 1);
  const { page, notes } = await openPage(t);
  await page.goto(`${server.url}/`);
  await connected(page);

  await during(demo, 'an agent is awake', () => page.$('#agents .a-running'), DEMO_MS);
  await page.locator('#agents .a-running .reason-run').first().click();
  const log = page.getByRole('log', { name: 'Output' });
  await log.locator('.log-line').first().waitFor();
  const run = new URL(page.url()).pathname.split('/').at(-1);

  assert.equal(await demo.ended, 0, demo.output());
  const file = await server.api('GET', `/heartbeat-runs/${run}/log?offset=0&limitBytes=1000000`);
  const chunks = file.content.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const text = chunks.filter((chunk) => chunk.stream === 'stdout').map((chunk) => chunk.chunk).join('');
  const lines = text.replace(/\n$/, '').split('\n').length;
  await until('every line to be counted', async () => Number(/(\d+) lines?/.exec(await page.textContent('#log-title'))?.[1]) >= lines);

  // The task's panel: description, sub-tasks, runs, comments; a new comment comes by itself.
  const root = (await readTree(page)).find((row) => row.level === 1);
  await page.getByRole('treeitem', { name: root.title }).click();
  await page.getByRole('heading', { level: 2, name: root.title }).waitFor();
  const panel = page.getByRole('complementary', { name: `Task ${root.identifier}` });
  await panel.getByRole('heading', { name: /Sub-tasks/ }).waitFor();
  await panel.getByRole('heading', { name: 'Runs' }).waitFor();
  await panel.locator('.comment').first().waitFor();
  const asked = apiRequests(notes).length;
  const comments = await panel.locator('.comment').count();
  await server.api('POST', `/issues/${root.identifier}/comments`, { body: 'Well done, **all** of you.' });
  await until('the comment', async () => (await panel.locator('.comment').count()) === comments + 1, 3_000);
  assert.ok(apiRequests(notes).length - asked <= 1, 'a comment costs at most one request');
  assert.deepEqual(notes.console, []);
});

test('a live run: reason, ticking time, last line, log as it is written, how it ended', { timeout: 60_000 }, async (t) => {
  const server = await startServer(t);
  const company = await server.company('Harbor Labs');
  const script = 'printf "\\033[32mready\\033[0m\\n"; n=0; while [ $n -lt 40 ]; do n=$((n+1)); echo "tick $n"; sleep 0.1; done; echo "no more ticks" >&2; exit 3';
  const agent = await server.agent(company, 'Ticker', script);
  const { page, notes } = await openPage(t);
  await page.goto(`${server.url}/`);
  await connected(page);
  const issue = await server.issue(company, { title: 'Count to forty', assigneeAgentId: agent.id });

  const row = page.locator('#agents li');
  await row.filter({ hasText: 'Awake' }).waitFor();
  await row.getByRole('link', { name: 'Assigned' }).waitFor();
  await row.getByRole('link', { name: `${issue.identifier} Count to forty` }).waitFor();
  await row.getByText(/tick \d+/).waitFor();
  assert.match(await page.title(), /^● /);
  const elapsed = async () => (await row.locator('.elapsed').textContent()).trim();
  const first = await elapsed();
  assert.match(first, /^0:0\d$/);
  await until('the time to tick', async () => (await elapsed()) !== first);

  await row.getByRole('link', { name: 'Assigned' }).click();
  const log = page.getByRole('log', { name: 'Output' });
  await log.getByText('tick 1', { exact: true }).waitFor();
  const asked = apiRequests(notes).length;
  await log.getByText('tick 30', { exact: true }).waitFor();
  assert.deepEqual(apiRequests(notes).slice(asked), [], 'a followed log asks for nothing');
  await page.locator('.log-line.stderr').getByText('no more ticks').waitFor();
  await page.getByRole('complementary').getByText('Failed').waitFor();
  assert.match(await page.getByRole('complementary').innerText(), /Exit code\s+3|exited with code 3/);

  // Every line once, in order.
  const count = Number(/(\d+) lines?/.exec(await page.textContent('#log-title'))[1]);
  const ticks = (await page.$$eval('.log-line.stdout .text', (lines) => lines.map((line) => line.textContent))).filter((line) => line.startsWith('tick'));
  assert.ok(count >= 42, `${count} lines`);
  assert.deepEqual(ticks, [...new Set(ticks)]);
  await page.keyboard.press('Escape');
  await page.locator('#runs').getByRole('img', { name: 'Failed' }).first().waitFor();
  await page.locator('#runs').getByText('Process exited with code 3').first().waitFor();
  assert.deepEqual(notes.console, []);
});

test('text from agents is text, never markup', async (t) => {
  const server = await startServer(t);
  const company = await server.company('Harbor Labs');
  const description = [
    '<img src=x onerror="window.hit=1"> and [a link](javascript:alert(1)) and [ours](/HAR/dashboard)',
    '',
    '```',
    '<script>window.hit = 1</script>',
    '```',
    '- one',
    '- **two** `three`',
  ].join('\n');
  const issue = await server.issue(company, { title: '<b>Bold</b> & "quoted"', description });
  const { page, notes } = await openPage(t);
  await page.goto(`${server.url}/${company.issuePrefix}/issues/${issue.identifier}`);
  const text = page.getByRole('region', { name: 'Description' });
  await text.waitFor();
  assert.match(await text.innerText(), /<img src=x onerror="window\.hit=1"> and a link and ours/);
  assert.deepEqual(await text.locator('a').evaluateAll((links) => links.map((link) => link.getAttribute('href'))), ['/HAR/dashboard']);
  assert.equal(await text.locator('li').count(), 2);
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.equal(await page.getByRole('heading', { level: 2, name: '<b>Bold</b> & "quoted"' }).count(), 1);
  assert.deepEqual(notes.console, []);
});

test('addresses: prefix in any case, bare identifiers, what is not there', async (t) => {
  const server = await startServer(t);
  const company = await server.company('Harbor Labs');
  const issue = await server.issue(company, { title: 'Plan the tides' });
  const { page } = await openPage(t);
  await page.goto(`${server.url}/har/issues/${issue.identifier}`);
  await page.getByRole('heading', { level: 2, name: 'Plan the tides' }).waitFor();
  assert.match(await page.title(), /^HAR-1 Plan the tides • Harbor Labs • Bulldog$/);
  await page.goto(`${server.url}/issues/${issue.identifier}`);
  await page.getByRole('heading', { level: 2, name: 'Plan the tides' }).waitFor();
  await page.goto(`${server.url}/HAR/issues/HAR-99`);
  await page.getByRole('alert').getByText(/not found/i).waitFor();
  await page.goto(`${server.url}/HAR/no/such/page/here`);
  await page.getByRole('heading', { name: 'Not found' }).waitFor();
  await page.goto(`${server.url}/XYZ/dashboard`);
  await page.getByRole('heading', { name: 'Not found' }).waitFor();
  await page.getByRole('link', { name: 'Harbor Labs' }).click();
  await connected(page);
});

test('several companies: switching changes address, tree and socket', async (t) => {
  const server = await startServer(t);
  const harbor = await server.company('Harbor Labs');
  await server.issue(harbor, { title: 'Plan the tides' });
  const other = await server.company('Quiet Works');
  await server.issue(other, { title: 'Sweep the floor' });
  const { page, notes } = await openPage(t);
  await page.goto(`${server.url}/${harbor.issuePrefix}/dashboard`);
  await connected(page);
  assert.deepEqual((await readTree(page)).map((row) => row.title), ['Plan the tides']);
  await page.getByRole('button', { name: 'Switch company' }).click();
  await page.getByRole('menuitemradio', { name: /Quiet Works/ }).click();
  await page.getByRole('heading', { level: 1, name: 'Quiet Works' }).waitFor();
  assert.equal(new URL(page.url()).pathname, `/${other.issuePrefix}/dashboard`);
  await connected(page);
  assert.deepEqual((await readTree(page)).map((row) => row.title), ['Sweep the floor']);
  await server.issue(other, { title: 'Feed the dog' });
  await until('the new task', async () => (await readTree(page)).length === 2, 3_000);
  assert.ok(notes.sockets.at(-1).includes(other.id));
  // The last company is remembered.
  await page.goto(`${server.url}/`);
  await page.getByRole('heading', { level: 1, name: 'Quiet Works' }).waitFor();
  await page.goBack();
  assert.deepEqual(notes.console, []);
});

test('a thousand tasks: few nodes, and the last is reached by the keyboard', { timeout: 120_000 }, async (t) => {
  const server = await startServer(t);
  const company = await server.company('Harbor Labs');
  let made = 0;
  const maker = async () => {
    while (made < 1000) await server.issue(company, { title: `Task number ${++made}` });
  };
  await Promise.all(Array.from({ length: 8 }, maker));
  const { page } = await openPage(t);
  await page.goto(`${server.url}/`);
  await connected(page);
  assert.match(await page.textContent('#tasks-title'), /1000/);
  assert.ok((await page.evaluate(() => document.querySelectorAll('*').length)) <= 1500);
  await page.keyboard.press('j');
  await page.keyboard.press('End');
  await page.getByRole('treeitem', { name: /\bHAR-1\b/ }).waitFor();
  assert.ok((await page.evaluate(() => document.querySelectorAll('*').length)) <= 1500);
});

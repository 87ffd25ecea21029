// Settings of the whole server (AO-100 … AO-102).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activity, agent, company, key, refused, server } from './harness.mjs';

const s = await server();
const get = (path = '') => s.ok('GET', `/instance/settings${path}`);
const patch = (path, body) => s.ok('PATCH', `/instance/settings${path}`, body);

test('one row with all defaults, the same at every look', async () => {
  const all = await get();
  assert.deepEqual(Object.keys(all), ['id', 'defaultEnvironmentId', 'general', 'experimental', 'createdAt', 'updatedAt', 'executionPaused']);
  assert.equal(all.defaultEnvironmentId, null);
  assert.deepEqual(all.general, { censorUsernameInLogs: false, keyboardShortcuts: false, feedbackDataSharingPreference: 'prompt', backupRetention: { dailyDays: 7, weeklyWeeks: 4, monthlyMonths: 1 } });
  assert.deepEqual(all.general, await get('/general'));
  assert.deepEqual(all.experimental, await get('/experimental'));
  const on = Object.entries(all.experimental).filter(([, v]) => v === true).map(([k]) => k);
  assert.deepEqual(on.sort(), ['enableStreamlinedLeftNavigation', 'enableWorkspaceBranchReconcileForward', 'enableWorkspaceDirtyQuarantineRepair']);
  assert.equal(all.experimental.issueGraphLivenessAutoRecoveryLookbackHours, 24);
  assert.equal(Object.keys(all.experimental).length, 29);
  assert.deepEqual(await get(), all);
});

test('a change is kept, merged, and told to every company once', async () => {
  const a = await company(s), b = await company(s);
  const before = await get();
  const flags = await patch('/experimental', { enableApps: true, enableNothingOfTheKind: true });
  assert.equal(flags.enableApps, true);
  assert.equal('enableNothingOfTheKind' in flags, false);
  await patch('/experimental', { enableApps: true }); // no change, no activity
  const general = await patch('/general', { backupRetention: { dailyDays: 14, weeklyWeeks: 2, monthlyMonths: 3 }, keyboardShortcuts: true });
  assert.deepEqual(general.backupRetention, { dailyDays: 14, weeklyWeeks: 2, monthlyMonths: 3 });
  const after = await get();
  assert.deepEqual([after.id, after.createdAt, after.experimental.enableApps, after.general.keyboardShortcuts], [before.id, before.createdAt, true, true]);
  assert.ok(after.updatedAt >= before.updatedAt);
  for (const c of [a, b]) {
    const rows = (await activity(s, c)).filter((x) => x.entityType === 'instance_settings');
    assert.deepEqual(rows.map((x) => [x.action, x.entityId, x.details.changedKeys]).reverse(), [
      ['instance.settings.experimental_updated', before.id, ['enableApps']],
      ['instance.settings.general_updated', before.id, ['keyboardShortcuts', 'backupRetention']]]);
  }
  await patch('/experimental', { enableApps: false });
});

test('what cannot be is refused, and who may not', async () => {
  const bad = async (path, body, status = 400) => assert.equal((await s.api('PATCH', `/instance/settings${path}`, body)).status, status);
  await bad('/general', { colour: 'red' });
  await bad('/general', { backupRetention: { dailyDays: 5, weeklyWeeks: 4, monthlyMonths: 1 } });
  await bad('/general', { backupRetention: { dailyDays: 7 } });
  await bad('/general', { feedbackDataSharingPreference: 'maybe' });
  await bad('/experimental', { enableApps: 'yes' });
  await bad('/experimental', { issueGraphLivenessAutoRecoveryLookbackHours: 0 });
  await bad('/experimental', { issueGraphLivenessAutoRecoveryLookbackHours: 721 });
  const c = await company(s);
  const token = await key(s, await agent(s, c));
  refused(await s.as(token)('GET', '/instance/settings'), 403, 'Company membership or instance admin access required');
  refused(await s.as(token)('PATCH', '/instance/settings/general', {}), 403, 'Instance admin required');
});

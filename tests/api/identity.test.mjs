// Who the caller is (AO-53, AO-91), and the people of a company (AO §16).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agent, company, key, refused, server } from './harness.mjs';

const s = await server();

test('the local board has a session, a profile and its companies (AO-3, AO-53, AO-91)', async () => {
  const c = await company(s);
  const user = { id: 'local-board', email: 'local@paperclip.local', name: 'Board' };
  assert.deepEqual(await s.ok('GET', '/auth/get-session'), { session: { id: 'paperclip:local_implicit:local-board', userId: 'local-board' }, user: { ...user, image: null } });
  assert.deepEqual(await s.ok('GET', '/auth/profile'), { ...user, image: null });
  assert.deepEqual(await s.ok('GET', '/cli-auth/me'), {
    user, userId: 'local-board', isInstanceAdmin: true, companyIds: [c.id],
    memberships: [{ companyId: c.id, membershipRole: 'owner', status: 'active' }], source: 'local_implicit', keyId: null,
  });
  assert.deepEqual(await s.ok('GET', `/companies/${c.id}/user-directory`), { users: [{ principalId: 'local-board', status: 'active', user: { ...user, image: null } }] });
});

test('an agent is no person (AO-53), but may look a person up', async () => {
  const c = await company(s);
  const as = s.as(await key(s, await agent(s, c)));
  for (const path of ['/auth/get-session', '/auth/profile']) refused(await as('GET', path), 401, 'Board authentication required');
  refused(await as('GET', '/cli-auth/me'), 403, 'Board access required');
  assert.equal((await as('GET', `/companies/${c.id}/user-directory`)).json.users.length, 1);
});

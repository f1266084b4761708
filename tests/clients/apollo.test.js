// Apollo Client 4 and 3.14 against a started server: sign-in, refresh and refusals, each with its own error link and with
// the served client.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as apollo3 from './apollo-3.js';
import * as apollo4 from './apollo-4.js';
import { makeDevice } from './device.js';
import { LOGIN_WITHOUT_ERRORS, REGISTER, UPDATE_PASSWORD, USERS, meNamed } from './documents.js';
import { waitForRefusal } from './wait-for-refusal.js';
import { withServedClient } from './served-client.js';
import { startServer } from './server.js';

const ADMIN = 'root-admin';
const PASSWORD = 'correct-horse-battery-7';
const NEW_PASSWORD = 'staple-orbit-lantern-42';
const WRONG_PASSWORD = 'wrong-horse-battery-8';

const SHORT_LIFE = { ACCOUNTD_TOKEN__ACCESS_LIFETIME_SECONDS: '1' };
const EXPIRED_WITHIN_MS = 120_000; // 1 s of life, 5 s of leeway, and room for a slow machine

const limit = { timeout: 600_000 };

/** Waits for listeners: the served client notifies them after its caller receives the response. */
const notified = () => sleep(20);

const variants = [apollo4, apollo3].flatMap((own) => [
  { name: own.name, make: () => own },
  { name: `${own.name} with the served client`, make: (url) => withServedClient(own, url) },
]);

for (const { name, make } of variants) {
  describe(name, () => {
    let server;
    let apollo;
    let devices = [];

    before(async () => {
      server = await startServer({ env: SHORT_LIFE });
      apollo = await make(server.url);
      await server.makeAdmin(ADMIN, PASSWORD);
    }, limit);

    afterEach((context) => {
      if (context.error) console.error(`log of accountd:\n${server.log()}`);
    });

    after(async () => {
      devices.forEach((device) => device.stop());
      await server?.stop();
    }, limit);

    function newDevice(tokens) {
      const device = makeDevice({ apollo, uri: server.graphql, tokens });
      devices.push(device);
      return device;
    }

    async function register(username) {
      const input = { username, password: PASSWORD, email: `${username}@example.test` };
      const payload = await newDevice().mutate(REGISTER, input);
      assert.deepEqual(payload.errors, []);
      return payload;
    }

    async function loginDevice(username, password = PASSWORD) {
      const device = newDevice();
      const payload = await device.login(username, password);
      assert.deepEqual(payload.errors, []);
      return device;
    }

    /** Awaits a rejection; returns the code and reason of its only GraphQL error. */
    async function refusal(promise) {
      const error = await promise.then(
        () => assert.fail('the call should have been refused'),
        (reason) => reason,
      );
      const errors = apollo.graphQLErrors(error);
      assert.equal(errors.length, 1, `one GraphQL error reaches the client, got: ${error}`);
      return errors[0].extensions;
    }

    test('register, login and me', limit, async () => {
      const registered = await register('ann');
      assert.equal(registered.user.username, 'ann');

      const device = newDevice();
      assert.equal(await device.me(), null, 'null without credentials, and no error');

      const payload = await device.login('ann', PASSWORD);
      assert.deepEqual(payload.errors, []);
      assert.equal(payload.user.id, registered.user.id);
      assert.equal(payload.tokens.tokenType, 'Bearer');
      assert.equal(payload.tokens.expiresIn, 1);
      assert.ok(payload.session.id);

      assert.equal((await device.me()).username, 'ann');
      const signedOut = apollo.isNaive ? '' : null;
      assert.deepEqual(
        device.recorder.calls.map((call) => call.authorization),
        [signedOut, signedOut, `Bearer ${payload.tokens.accessToken}`],
        'a naive client sends an empty header while it is signed out',
      );
    });

    test('a wrong password is a user error and causes no refresh', limit, async () => {
      await register('bob');
      const device = newDevice();

      const payload = await device.login('bob', WRONG_PASSWORD);
      assert.equal(payload.user, null);
      assert.equal(payload.tokens, null);
      assert.equal(payload.session, null);
      const [error, ...others] = payload.errors;
      assert.deepEqual(others, []);
      assert.equal(error.code, 'INVALID_CREDENTIALS');
      assert.ok(error.message);
      assert.ok(error.path.length === 0 || error.path[0] === 'input', `path ${error.path}`);

      const input = { username: 'bob', password: WRONG_PASSWORD };
      const { code } = await refusal(device.mutate(LOGIN_WITHOUT_ERRORS, input));
      assert.equal(code, 'INVALID_CREDENTIALS', 'errors that are not selected are raised with the same code');

      assert.deepEqual(device.recorder.names(), ['Login', 'LoginWithoutErrors']);
      assert.deepEqual(device.signedOut, []);
    });

    describe('with an expired access token', () => {
      let single;
      let parallel;

      before(async () => {
        await register('cid');
        single = await loginDevice('cid');
        parallel = await loginDevice('cid');
        const refusal = await waitForRefusal(server.graphql, parallel.tokens.access, EXPIRED_WITHIN_MS);
        assert.equal(refusal.code, 'UNAUTHENTICATED');
        assert.equal(refusal.reason, 'TOKEN_EXPIRED');
      }, limit);

      test('login ignores an expired access token', limit, async () => {
        const { access, refresh } = single.tokens;
        const device = newDevice({ access, refresh });
        const payload = await device.login('cid', PASSWORD);
        assert.deepEqual(payload.errors, []);
        assert.equal(payload.user.username, 'cid');
        assert.deepEqual(device.recorder.names(), ['Login']);
      });

      test('me succeeds after one refresh and one retry', limit, async () => {
        const { recorder, tokens } = single;
        const old = { ...tokens };
        recorder.calls.length = 0;

        assert.equal((await single.me()).username, 'cid');

        assert.deepEqual(recorder.names(), ['Me', 'Refresh', 'Me']);
        const [first, refresh, retry] = recorder.calls;
        assert.equal(first.answer.errors[0].extensions.reason, 'TOKEN_EXPIRED');
        const stale = apollo.isNaive ? `Bearer ${old.access}` : null;
        assert.equal(refresh.authorization, stale, 'a naive client sends the stale header');
        if (apollo.isNaive) assert.equal(refresh.answer.data.refresh.outcome, 'ROTATED');
        assert.equal(retry.authorization, `Bearer ${tokens.access}`);
        assert.notEqual(tokens.access, old.access);
        assert.notEqual(tokens.refresh, old.refresh);
        assert.deepEqual(single.signedOut, []);
      });

      test('20 parallel queries with a refresh each get one successor', limit, async () => {
        const { access, refresh: oldRefresh } = parallel.tokens;
        const tokens = {
          access,
          get refresh() {
            return oldRefresh; // like 20 tabs, each without the others' new token
          },
          set refresh(_successor) {},
        };
        const device = newDevice(tokens);

        const names = Array.from({ length: 20 }, (_, number) => `Me${number}`);
        const answers = await Promise.all(names.map((name) => device.query(meNamed(name))));
        assert.deepEqual(answers.map(({ me }) => me.username), names.map(() => 'cid'));

        for (const name of names) assert.equal(device.recorder.named(name).length, 2, name);
        const refreshes = device.recorder.named('Refresh').map((call) => call.answer.data.refresh);
        const successors = new Set(refreshes.map((payload) => payload.tokens.refreshToken));
        assert.equal(successors.size, 1, 'exactly one successor');
        assert.ok(!successors.has(oldRefresh));
        assert.equal(refreshes.length, apollo.isNaive ? 20 : 1, 'the served client refreshes once for all');
        if (apollo.isNaive) {
          assert.deepEqual(
            refreshes.map((payload) => payload.outcome).sort(),
            [...Array(19).fill('REPLAYED'), 'ROTATED'],
          );
        }
        assert.deepEqual(device.signedOut, []);

        const [successor] = successors;
        const next = await device.refresh(successor);
        assert.equal(next.outcome, 'ROTATED', 'the session continues');
      });
    });

    test('an administrator pages through the users; a user without the permission is refused', limit, async () => {
      for (const username of ['dan', 'eve']) await register(username);

      const admin = await loginDevice(ADMIN);
      const seen = [];
      let total;
      let page = { hasNextPage: true, endCursor: null };
      while (page.hasNextPage) {
        const { users } = await admin.query(USERS, { first: 2, after: page.endCursor });
        assert.ok(users.nodes.length >= 1 && users.nodes.length <= 2, 'at most two per page');
        seen.push(...users.nodes.map((user) => user.username));
        total ??= users.totalCount;
        assert.equal(users.totalCount, total);
        assert.ok(seen.length <= total, 'the pages come to an end');
        page = users.pageInfo;
      }
      assert.ok(total >= 3);
      assert.equal(seen.length, total);
      assert.equal(new Set(seen).size, total, 'no duplicates');
      for (const username of [ADMIN, 'dan', 'eve']) assert.ok(seen.includes(username), username);

      const user = await loginDevice('dan');
      const { code } = await refusal(user.query(USERS, { first: 2 }));
      assert.equal(code, 'FORBIDDEN');
      assert.deepEqual(user.recorder.names(), ['Login', 'Users'], 'no refresh, no retry');
    });

    test('updatePassword returns new tokens and ends the other sessions', limit, async () => {
      await register('fay');
      const device = await loginDevice('fay');

      const wrongInput = { currentPassword: WRONG_PASSWORD, newPassword: NEW_PASSWORD };
      const refusedPayload = await device.mutate(UPDATE_PASSWORD, wrongInput);
      assert.deepEqual(refusedPayload.errors.map((error) => error.code), ['WRONG_PASSWORD']);
      assert.equal(refusedPayload.tokens, null);
      assert.ok(!device.recorder.names().includes('Refresh'), 'nothing to refresh');

      const other = await loginDevice('fay');
      const old = { ...device.tokens };
      const input = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
      const payload = await device.mutate(UPDATE_PASSWORD, input);
      assert.deepEqual(payload.errors, []);
      assert.ok(payload.revokedSessionCount >= 1);
      assert.notEqual(payload.tokens.accessToken, old.access);
      assert.notEqual(payload.tokens.refreshToken, old.refresh);

      const { reason } = await refusal(other.me());
      assert.equal(reason, 'SESSION_ENDED');
      await notified();
      assert.deepEqual(other.signedOut, ['SESSION_ENDED']);

      device.setTokens(payload.tokens);
      assert.equal((await device.me()).username, 'fay');

      const oldLogin = await newDevice().login('fay', PASSWORD);
      assert.deepEqual(oldLogin.errors.map((error) => error.code), ['INVALID_CREDENTIALS']);
      await loginDevice('fay', NEW_PASSWORD);
    });

    test('after logout requests are refused with the reason', limit, async () => {
      await register('gus');
      const device = await loginDevice('gus');

      const payload = await device.logout();
      assert.deepEqual(payload.errors, []);
      assert.equal(payload.ok, true);
      assert.equal(payload.revokedSessionCount, 1);

      const { code, reason } = await refusal(device.me());
      assert.equal(code, 'UNAUTHENTICATED');
      assert.equal(reason, 'SESSION_ENDED');
      assert.deepEqual(device.recorder.names(), ['Login', 'Logout', 'Me'], 'no refresh is tried');
      await notified();
      assert.deepEqual(device.signedOut, ['SESSION_ENDED']);

      const refresh = await device.refresh(device.tokens.refresh);
      assert.equal(refresh.outcome, 'REFUSED');
      assert.equal(refresh.tokens, null);
      assert.deepEqual(refresh.errors.map((error) => error.code), ['SESSION_ENDED']);
    });

    test('no response has a status that hides its GraphQL errors', () => {
      const calls = devices.flatMap((device) => device.recorder.calls);
      assert.ok(calls.length > 0);
      for (const { operationName, accept, mediaType, status } of calls) {
        const seen = `${operationName}: ${mediaType} ${status}`;
        assert.match(mediaType, /^application\/(graphql-response\+)?json$/, seen);
        const readsAnyStatus = accept.includes(mediaType) && mediaType.includes('graphql-response');
        if (!readsAnyStatus) assert.equal(status, 200, `${seen} is a network error for Apollo`);
      }
    });
  });
}

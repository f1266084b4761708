// End of a session with the listener of docs/apollo.md: the query receives the reason although the store is cleared.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as apollo3 from './apollo-3.js';
import * as apollo4 from './apollo-4.js';
import { USERS } from './documents.js';
import { servedClient } from './served-client.js';
import { startServer } from './server.js';

const PASSWORD = 'correct-horse-battery-7';
const limit = { timeout: 600_000 };

describe('signed-out', () => {
  let server;
  before(async () => {
    server = await startServer();
  }, limit);
  after(() => server?.stop(), limit);

  for (const [index, apollo] of [apollo4, apollo3].entries()) {
    test(`${apollo.name} resolves the query before the store is cleared`, limit, async () => {
      const { createAccount } = await servedClient(server.url);
      const account = createAccount({ url: server.graphql });
      const client = apollo.makeClientWith([account.link(apollo.ApolloLink)], { uri: server.graphql });
      const reasons = [];
      account.on('signed-out', ({ reason }) => {
        reasons.push(reason);
        client.clearStore();
      });
      const refusal = async () => {
        const error = await client.query({ query: USERS, variables: { first: 1 } }).catch((error) => error);
        assert.equal(apollo.graphQLErrors(error).length, 1, String(error));
        await sleep(20);
        return apollo.graphQLErrors(error)[0].extensions.reason;
      };
      assert.equal(await refusal(), 'TOKEN_MISSING');
      assert.deepEqual((await account.register({ username: `ann${index}`, password: PASSWORD })).errors, []);
      const other = createAccount({ url: server.graphql });
      await other.login({ username: `ann${index}`, password: PASSWORD });
      await other.logout('ALL');
      assert.equal(await refusal(), 'SESSION_ENDED');
      assert.deepEqual(reasons, ['TOKEN_MISSING', 'SESSION_ENDED']);
      client.stop();
    });
  }
});

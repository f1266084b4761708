// The server accepts exactly the GraphQL requests that graphql-js accepts.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KNOWN_DIFFERENCES, SETTINGS, compare } from './differential.js';
import { startServer } from './server.js';

const SEED = 20_261_129;
const COUNT = 2_500;

/** Requests that exceed a limit even at its maximum are not compared; at most this many. */
const MAX_LIMITED = 40;

const limit = { timeout: 120_000 };

describe('GraphQL validation', () => {
  let server;
  let compared;

  before(async () => {
    server = await startServer({ env: SETTINGS });
    compared = await compare(server.graphql, SEED, COUNT);
  }, limit);

  after(() => server?.stop(), limit);

  test('accepts exactly the requests that graphql-js accepts', () => {
    const { total, accepted, differences, limited } = compared;
    const unknown = differences.filter((one) => !KNOWN_DIFFERENCES.some(({ matches }) => matches(one)));
    const messages = unknown.map(({ query, variables, operationName, expected, refusal }) =>
      JSON.stringify({ query, variables, operationName, 'graphql-js': expected ?? 'accepts it', accountd: refusal ?? 'accepts it' }),
    );
    console.log(`graphql-js: ${total} requests, of which it accepts ${accepted}; ${differences.length} differ`);
    assert.deepEqual(messages, []);
    assert.ok(total >= 2_000 && accepted >= 600 && limited.length <= MAX_LIMITED, `${total} ${accepted} ${limited.length}`);
  });

  test('every listed difference still exists', () => {
    const obsolete = KNOWN_DIFFERENCES.filter(({ matches }) => !compared.differences.some(matches));
    assert.deepEqual(obsolete.map(({ reason }) => reason), []);
  });
});

// The server takes the GraphQL requests that graphql-js takes, and no others.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KNOWN, SETTINGS, compare } from './differential.js';
import { startServer } from './server.js';

const SEED = 20_261_129;
const COUNT = 2_500;

/** Requests of the corpus that no limit lets through: they prove nothing. */
const MOST_LIMITED = 40;

const limit = { timeout: 120_000 };

describe('GraphQL validation', () => {
  let server;
  let compared;

  before(async () => {
    server = await startServer({ env: SETTINGS });
    compared = await compare(server.graphql, SEED, COUNT);
  }, limit);

  after(() => server?.stop(), limit);

  test('takes what graphql-js takes, and nothing that it refuses', () => {
    const { total, taken, differences, limited } = compared;
    const unknown = differences.filter((one) => !KNOWN.some(({ matches }) => matches(one)));
    const told = unknown.map(({ query, variables, operationName, expected, refusal }) =>
      JSON.stringify({ query, variables, operationName, 'graphql-js': expected ?? 'takes it', accountd: refusal ?? 'takes it' }),
    );
    console.log(`graphql-js: ${total} requests, of which it takes ${taken}; ${differences.length} differ`);
    assert.deepEqual(told, []);
    assert.ok(total >= 2_000 && taken >= 600 && limited.length <= MOST_LIMITED, `${total} ${taken} ${limited.length}`);
  });

  test('every difference that is listed is one', () => {
    const gone = KNOWN.filter(({ matches }) => !compared.differences.some(matches));
    assert.deepEqual(gone.map(({ reason }) => reason), []);
  });
});

// Links of Apollo Client that change the request format: batches and persisted queries.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client/core';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import core3 from 'apollo-client-3/core/core.cjs';
import { BatchHttpLink as BatchHttpLink3 } from 'apollo-client-3/link/batch-http/batch-http.cjs';
import { createPersistedQueryLink } from 'apollo-client-3/link/persisted-queries/persisted-queries.cjs';
import { meNamed } from './documents.js';
import { startServer } from './server.js';

const sha256 = (query) => createHash('sha256').update(query).digest('hex');
const limit = { timeout: 600_000 };

const clients = [
  {
    name: 'Apollo Client 4',
    core: { ApolloClient, ApolloLink, HttpLink, InMemoryCache },
    batch: (options) => new BatchHttpLink(options),
    persisted: (options) => new PersistedQueryLink(options),
  },
  {
    name: 'Apollo Client 3.14',
    core: core3,
    batch: (options) => new BatchHttpLink3(options),
    persisted: createPersistedQueryLink,
  },
];

describe('links', () => {
  let server;
  before(async () => {
    server = await startServer({ env: { ACCOUNTD_GRAPHQL__MAX_BATCH: '10' } });
  }, limit);
  after(() => server?.stop(), limit);

  for (const { name, core, batch, persisted } of clients) {
    /** A client with this link, and the requests it sent. */
    function recordingClient(makeLink) {
      const sent = [];
      const recordingFetch = (uri, options) => {
        sent.push({ uri, ...(options.body && { body: JSON.parse(options.body) }) });
        return fetch(uri, options);
      };
      const link = makeLink({ uri: server.graphql, fetch: recordingFetch });
      const cache = new core.InMemoryCache();
      const defaultOptions = { query: { fetchPolicy: 'network-only' } };
      return { client: new core.ApolloClient({ cache, link, defaultOptions }), sent };
    }

    test(`${name} sends a batch`, limit, async () => {
      const { client, sent } = recordingClient((options) => batch({ ...options, batchInterval: 50 }));
      const names = ['A', 'B', 'C'];
      const answers = await Promise.all(names.map((one) => client.query({ query: meNamed(one) })));
      assert.deepEqual(answers.map(({ data }) => data), names.map(() => ({ me: null })));
      assert.deepEqual(sent.map(({ body }) => body.map((one) => one.operationName)), [names]);
      client.stop();
    });

    for (const useGETForHashedQueries of [false, true]) {
      const method = useGETForHashedQueries ? 'GET' : 'POST';
      test(`${name} sends a persisted query once and then its hash by ${method}`, limit, async () => {
        const { client, sent } = recordingClient((options) =>
          core.ApolloLink.from([
            persisted({ sha256, useGETForHashedQueries }),
            new core.HttpLink(options),
          ]),
        );
        const query = meNamed(`Hashed${method}${name.replace(/\W/g, '')}`);
        for (const _ of [1, 2]) assert.deepEqual((await client.query({ query })).data, { me: null });
        const containsQuery = sent.map(({ uri, body }) => (body ? 'query' in body : uri.includes('query=')));
        assert.deepEqual(containsQuery, [false, true, false], 'the hash, the query, the hash');
        client.stop();
      });
    }
  }
});

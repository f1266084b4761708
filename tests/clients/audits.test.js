// The GraphQL-over-HTTP audits of the package `graphql-http`, against a started server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { buildClientSchema, getIntrospectionQuery } from 'graphql';
import { serverAudits } from 'graphql-http';
import { startServer } from './server.js';

const AUDITS = 61; // a package with fewer audits would cover less

const limit = { timeout: 600_000 };

describe('GraphQL over HTTP', () => {
  let server;
  const results = [];

  before(async () => {
    server = await startServer();
    const audits = serverAudits({ url: server.graphql, fetchFn: fetch });
    for (const audit of audits) results.push(await audit.fn());
  }, limit);

  after(() => server?.stop(), limit);

  test('every GraphQL-over-HTTP audit passes without warnings or notices', () => {
    const findings = results.filter(({ status }) => status !== 'ok');
    const messages = findings.map(({ id, name, status, reason }) => `${status} ${id} ${name}: ${reason}`);
    console.log(`graphql-http: ${results.length - findings.length} of ${results.length} audits ok`);
    assert.deepEqual(messages, []);
    assert.ok(results.length >= AUDITS, `only ${results.length} audits ran`);
  });

  // GraphiQL, Apollo's tools and graphql-codegen send this query with various options.
  const every = {
    directiveIsRepeatable: true,
    inputValueDeprecation: true,
    oneOf: true,
    schemaDescription: true,
    specifiedByUrl: true,
  };
  for (const [name, options] of Object.entries({ none: {}, all: every, 'all but descriptions': { ...every, descriptions: false } })) {
    test(`introspection works with these options: ${name}`, async () => {
      const response = await fetch(server.graphql, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: getIntrospectionQuery(options), operationName: 'IntrospectionQuery' }),
      });
      const { data, errors } = await response.json();
      assert.equal(errors, undefined);
      assert.ok(buildClientSchema(data).getQueryType().getFields().me);
    });
  }
});

// The audits of the GraphQL-over-HTTP draft, from the package `graphql-http`, against a real accountd.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { buildClientSchema, getIntrospectionQuery } from 'graphql';
import { serverAudits } from 'graphql-http';
import { startServer } from './server.js';

const AUDITS = 61; // a package with fewer of them would prove less

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

  test('every audit is ok; a warning or a notice is a failure, too', () => {
    const findings = results.filter(({ status }) => status !== 'ok');
    const told = findings.map(({ id, name, status, reason }) => `${status} ${id} ${name}: ${reason}`);
    console.log(`graphql-http: ${results.length - findings.length} of ${results.length} audits ok`);
    assert.deepEqual(told, []);
    assert.ok(results.length >= AUDITS, `only ${results.length} audits ran`);
  });

  // GraphiQL, Apollo's tools and graphql-codegen send this query, with few of its options or with all of them.
  const every = {
    directiveIsRepeatable: true,
    inputValueDeprecation: true,
    oneOf: true,
    schemaDescription: true,
    specifiedByUrl: true,
  };
  for (const [name, options] of Object.entries({ none: {}, all: every, 'all but descriptions': { ...every, descriptions: false } })) {
    test(`tools can read the schema with these options: ${name}`, async () => {
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

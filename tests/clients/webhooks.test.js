// The server sends webhooks for new users, and the verifier of docs/webhooks.md accepts them.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { importDocExample } from './doc-examples.js';
import { startServer } from './server.js';

const register = 'mutation { register(input: { username: "ann", password: "correct-horse-battery-7" }) { status } }';

test('messages are sent by themselves, and verified as documented', { timeout: 600_000 }, async () => {
  const { verified } = await importDocExample('docs/webhooks.md', 'verified');
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const receiver = createServer().listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const server = await startServer({
    env: {
      ACCOUNTD_WEBHOOKS__ENDPOINTS: `crm=http://127.0.0.1:${receiver.address().port}/accounts`,
      ACCOUNTD_WEBHOOKS__SECRETS: `crm=${secret}`,
      ACCOUNTD_WEBHOOKS__ALLOWED_NETWORKS: '127.0.0.1',
      ACCOUNTD_LOG__FILTER: 'trace',
    },
  });
  try {
    const arrived = once(receiver, 'request');
    const headers = { 'content-type': 'application/json' };
    await fetch(server.graphql, { method: 'POST', headers, body: JSON.stringify({ query: register }) });
    const [request, response] = await arrived;
    const body = await readBody(request);
    response.end();
    assert.equal(request.url, '/accounts');
    const message = verified(secret, request.headers, body);
    assert.deepEqual([message.type, message.data.user.username], ['user.created', 'ann']);

    const other = `whsec_${randomBytes(32).toString('base64')}`;
    const later = Date.now() / 1000 + 301;
    assert.throws(() => verified(other, request.headers, body), /not from accountd/);
    assert.throws(() => verified(secret, request.headers, body.replace('ann', 'eve')), /not from accountd/);
    assert.throws(() => verified(secret, { ...request.headers, 'webhook-id': 'msg_1' }, body), /not from accountd/);
    assert.throws(() => verified(secret, request.headers, body, later), /too old/);
  } finally {
    await server.stop();
    receiver.close();
  }
  // Q9, Q10
  const key = Buffer.from(secret.slice(6), 'base64');
  for (const form of [secret, secret.slice(6), key.toString('hex'), key.toString('base64url')]) {
    assert.ok(!server.log().includes(form), 'the log contains the secret');
  }
});

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

// The gateway of docs/gateways.md verifies offline and still rejects ended sessions; introspection responses match it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { test } from 'node:test';

import { importDocExample, documentText } from './doc-examples.js';
import { startServer } from './server.js';
import { printedSessions, realAnswers } from './session.js';

const password = 'correct-horse-battery-7';

/** Returns a function that runs operations with this token. */
const client = (server, token) => async (query) => {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(server.graphql, { method: 'POST', headers, body: JSON.stringify({ query }) });
  const { data, errors } = await answer.json();
  assert.equal(errors, undefined);
  return data;
};

async function signIn(server, name) {
  const login = `mutation { login(input: { username: "${name}", password: "${password}" }) {
    user { id } tokens { accessToken refreshToken } } }`;
  const { user, tokens } = (await client(server)(login)).login;
  return { id: user.id, ...tokens, send: client(server, tokens.accessToken) };
}

test('a gateway that verifies offline rejects revoked tokens', { timeout: 600_000 }, async () => {
  const { gateway } = await importDocExample('docs/gateways.md', 'gateway');
  const server = await startServer();
  try {
    await server.makeAdmin('root', password);
    const root = await signIn(server, 'root');
    await client(server)(`mutation { register(input: { username: "ann", password: "${password}" }) { status } }`);
    const [ann, other] = [await signIn(server, 'ann'), await signIn(server, 'ann')];
    const own = gateway(server.url);
    await own.watch(0);
    assert.equal(own.accepts(ann.accessToken).username, 'ann');

    // The long poll is open when the session ends.
    const poll = own.watch(10);
    await ann.send('mutation { logout { ok } }');
    await poll;
    assert.throws(() => own.accepts(ann.accessToken), /revoked/);
    assert.equal(own.accepts(other.accessToken).sub, ann.id, 'another session stays valid');

    const demotion = own.watch(10);
    await root.send(`mutation { setUserRoles(input: { userId: "${ann.id}", roles: ["admin"] }) { user { id } } }`);
    await demotion;
    assert.throws(() => own.accepts(other.accessToken), /revoked/, 'the roles in the token are outdated');

    assert.throws(() => own.accepts(root.refreshToken), /invalid/);
    const [head, body, signature] = root.accessToken.split('.');
    const claims = { ...JSON.parse(Buffer.from(body, 'base64url')), username: 'eve' };
    const forged = [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
    assert.throws(() => own.accepts(forged), /invalid/);
    assert.throws(() => gateway(server.url, { audience: 'other' }).accepts(root.accessToken), /invalid/);
    assert.equal(own.accepts(root.accessToken).username, 'root');
  } finally {
    await server.stop();
  }
});

test('jose verifies access tokens and rejects other types', { timeout: 600_000 }, async () => {
  const server = await startServer();
  try {
    const { claimsOf } = await importDocExample('docs/gateways.md', 'claimsOf', server.url);
    await client(server)(`mutation { register(input: { username: "ann", password: "${password}" }) { status } }`);
    const ann = await signIn(server, 'ann');
    assert.equal((await claimsOf(ann.accessToken)).sub, ann.id);
    await assert.rejects(claimsOf(ann.refreshToken));
    await assert.rejects(claimsOf(`${ann.accessToken.slice(0, -4)}AAAA`));
  } finally {
    await server.stop();
  }
});

test('introspection responses match docs/gateways.md', { timeout: 600_000 }, async () => {
  const secret = randomBytes(32).toString('base64');
  const server = await startServer({ env: { ACCOUNTD_TOKEN_INTROSPECTION__SECRET: secret } });
  try {
    await client(server)(`mutation { register(input: { username: "ann", password: "${password}" }) { status } }`);
    const ann = await signIn(server, 'ann');
    const steps = printedSessions(await documentText('docs/gateways.md'));
    const given = { command: `INTROSPECTION_SECRET='${secret}' ACCESS='${ann.accessToken}'` };
    const [, ...answers] = await realAnswers([given, ...steps], { 8080: server.url }, tmpdir());
    const masked = answers.map((answer) => answer.replace(/"(iat|exp)":\d+/g, '"$1":…'));
    assert.deepEqual(masked, steps.map(({ answer }) => answer));
  } finally {
    await server.stop();
  }
});

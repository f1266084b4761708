// The gateway of docs/gateways.md verifies offline and obeys a logout all the same; introspection answers as printed there.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { test } from 'node:test';

import { documented, documentText } from './documented.js';
import { startServer } from './server.js';
import { printedSessions, realAnswers } from './session.js';

const password = 'correct-horse-battery-7';

/** Runs operations as somebody with this token. */
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

test('a gateway that verifies offline obeys', { timeout: 600_000 }, async () => {
  const { gateway } = await documented('docs/gateways.md', 'gateway');
  const server = await startServer();
  try {
    await server.makeAdmin('root', password);
    const root = await signIn(server, 'root');
    await client(server)(`mutation { register(input: { username: "ann", password: "${password}" }) { status } }`);
    const [ann, other] = [await signIn(server, 'ann'), await signIn(server, 'ann')];
    const own = gateway(server.url);
    await own.watch(0);
    assert.equal(own.accepts(ann.accessToken).username, 'ann');

    // The request for news is open when the session ends.
    const news = own.watch(10);
    await ann.send('mutation { logout { ok } }');
    await news;
    assert.throws(() => own.accepts(ann.accessToken), /revoked/);
    assert.equal(own.accepts(other.accessToken).sub, ann.id, 'another session lives on');

    const demotion = own.watch(10);
    await root.send(`mutation { setUserRoles(input: { userId: "${ann.id}", roles: ["admin"] }) { user { id } } }`);
    await demotion;
    assert.throws(() => own.accepts(other.accessToken), /revoked/, 'its roles are not so any more');

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

test('jose verifies access tokens, and takes no other kind for one', { timeout: 600_000 }, async () => {
  const server = await startServer();
  try {
    const { claimsOf } = await documented('docs/gateways.md', 'claimsOf', server.url);
    await client(server)(`mutation { register(input: { username: "ann", password: "${password}" }) { status } }`);
    const ann = await signIn(server, 'ann');
    assert.equal((await claimsOf(ann.accessToken)).sub, ann.id);
    await assert.rejects(claimsOf(ann.refreshToken));
    await assert.rejects(claimsOf(`${ann.accessToken.slice(0, -4)}AAAA`));
  } finally {
    await server.stop();
  }
});

test('introspection answers as printed', { timeout: 600_000 }, async () => {
  const secret = randomBytes(32).toString('base64');
  const server = await startServer({ env: { ACCOUNTD_INTROSPECTION__SECRET: secret } });
  try {
    await client(server)(`mutation { register(input: { username: "ann", password: "${password}" }) { status } }`);
    const ann = await signIn(server, 'ann');
    const steps = printedSessions(await documentText('docs/gateways.md'));
    const given = { command: `INTROSPECTION_SECRET='${secret}' ACCESS='${ann.accessToken}'` };
    const [, ...answers] = await realAnswers([given, ...steps], { 8080: server.url }, tmpdir());
    const shown = answers.map((answer) => answer.replace(/"(iat|exp)":\d+/g, '"$1":…'));
    assert.deepEqual(shown, steps.map(({ answer }) => answer));
  } finally {
    await server.stop();
  }
});

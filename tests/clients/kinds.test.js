// Services verify with jose as its documentation shows, by signature, issuer, audience and expiry alone: of all kinds of
// tokens that accountd signs they accept access tokens, and no other.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRemoteJWKSet, jwtVerify } from 'jose';

import { startServer } from './server.js';

const password = 'correct-horse-battery-7';

test('jose accepts access tokens alone', { timeout: 60_000 }, async () => {
  const server = await startServer({ env: { ACCOUNTD_REST__DIALECTS__USER_API: '/api' } });
  try {
    const post = async (path, body) => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json();
    };
    const register = `mutation { register(input: { username: "ann", password: "${password}" }) { status } }`;
    const login = `mutation { login(input: { username: "ann", password: "${password}" }) {
      tokens { accessToken refreshToken } deviceToken } }`;
    await post('/graphql', { query: register });
    const { tokens, deviceToken } = (await post('/graphql', { query: login })).data.login;
    const { token } = await post('/api/users/login', { email: 'ann', password });
    const list = await (await fetch(`${server.url}/.well-known/revocations`)).text();

    const keys = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
    const options = { issuer: 'accountd', audience: 'accountd', requiredClaims: ['sub'] };
    const accepted = async (text) => jwtVerify(text, keys, options).then(() => true, () => false);
    const kinds = {
      'at+jwt': tokens.accessToken, 'rt+jwt': tokens.refreshToken, 'dt+jwt': deviceToken, 'st+jwt': token,
      'revocations+jwt': list,
    };
    for (const [kind, text] of Object.entries(kinds)) {
      assert.equal(JSON.parse(Buffer.from(text.split('.')[0], 'base64url')).typ, kind);
      assert.equal(await accepted(text), kind === 'at+jwt', kind);
      // With `typ`, as docs/gateways.md asks, no claim is needed to tell them apart.
      const typed = jwtVerify(text, keys, { issuer: 'accountd', audience: 'accountd', typ: 'at+jwt' });
      assert.equal(await typed.then(() => true, () => false), kind === 'at+jwt', `${kind} by its type`);
    }
  } finally {
    await server.stop();
  }
});

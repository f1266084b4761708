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
    const post = (path, body) => {
      const headers = { 'content-type': 'application/json' };
      return fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    };
    const register = `mutation { register(input: { username: "ann", password: "${password}" }) { status } }`;
    const login = `mutation { login(input: { username: "ann", password: "${password}" }) {
      tokens { accessToken refreshToken } deviceToken } }`;
    await post('/graphql', { query: register });
    const { tokens, deviceToken } = (await (await post('/graphql', { query: login })).json()).data.login;
    // user-api hands its session out as a cookie, in base64.
    const [cookie] = (await post('/api/users/login', { email: 'ann', password })).headers.getSetCookie();
    const sessionToken = atob(decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1).split(';', 1)[0]));
    const list = await (await fetch(`${server.url}/.well-known/revocations`)).text();

    const keys = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
    const options = { issuer: 'accountd', audience: 'accountd', requiredClaims: ['sub'] };
    const accepted = async (text) => jwtVerify(text, keys, options).then(() => true, () => false);
    const kinds = {
      'at+jwt': tokens.accessToken, 'rt+jwt': tokens.refreshToken, 'dt+jwt': deviceToken,
      'st+jwt': sessionToken, 'revocations+jwt': list,
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

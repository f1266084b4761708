// Services verify with jose as in its documentation, by signature, issuer, audience and expiry: of all token types that
// accountd signs, only access tokens pass.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRemoteJWKSet, jwtVerify } from 'jose';

import { startServer } from './server.js';

const password = 'correct-horse-battery-7';

test('jose accepts only access tokens', { timeout: 60_000 }, async () => {
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
    // user-api returns its session as a cookie, in base64.
    const [cookie] = (await post('/api/users/login', { email: 'ann', password })).headers.getSetCookie();
    const sessionToken = atob(decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1).split(';', 1)[0]));
    const list = await (await fetch(`${server.url}/.well-known/revocations`)).text();

    const keys = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
    const options = { issuer: 'accountd', audience: 'accountd', requiredClaims: ['sub'] };
    const accepted = async (token) => jwtVerify(token, keys, options).then(() => true, () => false);
    const tokensByType = {
      'at+jwt': tokens.accessToken, 'rt+jwt': tokens.refreshToken, 'dt+jwt': deviceToken,
      'st+jwt': sessionToken, 'revocations+jwt': list,
    };
    for (const [type, token] of Object.entries(tokensByType)) {
      assert.equal(JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).typ, type);
      assert.equal(await accepted(token), type === 'at+jwt', type);
      // With `typ`, as docs/gateways.md requires, no claim is needed to distinguish them.
      const verifiedWithType = jwtVerify(token, keys, { issuer: 'accountd', audience: 'accountd', typ: 'at+jwt' });
      assert.equal(await verifiedWithType.then(() => true, () => false), type === 'at+jwt', `${type} by its type`);
    }
  } finally {
    await server.stop();
  }
});

// The browser client against a mocked `fetch`: cases in which a real server would have to misbehave.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client/core';
import { createAccount } from '../dist/client/accountd.js';

const url = 'https://accounts.example.org/graphql';
const query = { method: 'POST', body: JSON.stringify({ operationName: 'Mine', query: 'query Mine { me { id } }' }) };

const json = (body, init) => Response.json(body, init);
const refused = (reason) =>
  json({ data: { me: null }, errors: [{ message: 'no', extensions: { code: 'UNAUTHENTICATED', reason } }] });
const renewed = (accessToken) =>
  json({ data: { refresh: { tokens: { accessToken, refreshToken: `refresh-${accessToken}` }, errors: [] } } });

/** Waits for the listeners, which are notified after the response. */
const notified = () => sleep(20);

/** A client with tokens, its requests, and the reasons of its `signed-out` events. */
function startClient(answer, options = {}) {
  const sent = [];
  const events = [];
  const account = createAccount({
    url,
    ...options,
    async fetch(input, { headers, body } = {}) {
      const { operationName = 'not GraphQL' } = body ? JSON.parse(body) : {};
      const authorization = new Headers(headers).get('authorization');
      sent.push(`${operationName} ${authorization ?? 'anonymous'}`);
      return answer({ operationName, authorization, target: String(input), count: sent.length });
    },
  });
  account.keep({ accessToken: 'a', refreshToken: 'refresh-a' });
  account.on('signed-out', ({ reason }) => events.push(reason));
  return { account, sent, events };
}

describe('client', () => {
  test('repeats a request once and never loops', async () => {
    const { account, sent } = startClient(({ operationName }) =>
      operationName === 'Refresh' ? renewed('b') : refused('TOKEN_EXPIRED'),
    );
    const answer = await (await account.fetch(url, query)).json();
    assert.equal(answer.errors[0].extensions.reason, 'TOKEN_EXPIRED', 'the caller receives the last response');
    assert.deepEqual(sent, ['Mine Bearer a', 'Refresh anonymous', 'Mine Bearer b']);
  });

  test('sends one refresh for all requests in flight', async () => {
    const { account, sent } = startClient(({ operationName, authorization }) => {
      if (operationName === 'Refresh') return renewed('b');
      return authorization === 'Bearer b' ? json({ data: { me: { id: '1' } } }) : refused('TOKEN_EXPIRED');
    });
    const answers = await Promise.all(Array.from({ length: 20 }, () => account.fetch(url, query)));
    for (const answer of answers) assert.deepEqual(await answer.json(), { data: { me: { id: '1' } } });
    assert.equal(sent.filter((one) => one.startsWith('Refresh')).length, 1);
    assert.equal(sent.length, 41);
  });

  test('an ended session causes one sign-out and no refresh', async () => {
    const { account, sent, events } = startClient(() => refused('SESSION_ENDED'));
    const answers = await Promise.all([account.fetch(url, query), account.fetch(url, query)]);
    for (const answer of answers) assert.equal((await answer.json()).errors[0].extensions.reason, 'SESSION_ENDED');
    assert.deepEqual(sent, ['Mine Bearer a', 'Mine Bearer a']);
    await notified();
    assert.deepEqual(events, ['SESSION_ENDED']);
    assert.equal(account.accessToken, undefined);
  });

  test('a refused refresh causes a sign-out with its code', async () => {
    const { account, events } = startClient(({ operationName }) =>
      operationName === 'Refresh'
        ? json({ data: { refresh: { tokens: null, errors: [{ code: 'REFRESH_TOKEN_REUSED' }] } } })
        : refused('TOKEN_EXPIRED'),
    );
    await account.fetch(url, query);
    await notified();
    assert.deepEqual(events, ['REFRESH_TOKEN_REUSED']);
  });

  test('stays signed in while the server is unreachable', async () => {
    const { account, events } = startClient(({ operationName }) => {
      if (operationName === 'Refresh') throw new TypeError('fetch failed');
      return refused('TOKEN_EXPIRED');
    });
    await assert.rejects(account.fetch(url, query), TypeError);
    assert.deepEqual(events, []);
    assert.equal(account.accessToken, 'a');
  });

  test('sends the token only to the server and to listed origins', async () => {
    const { account, sent } = startClient(() => json({}), { origins: ['https://api.example.org'] });
    for (const target of [
      'https://api.example.org/x',
      'https://api.example.org.evil.example/x',
      'https://other.org/',
    ]) {
      await account.fetch(target);
    }
    assert.deepEqual(sent, ['not GraphQL Bearer a', 'not GraphQL anonymous', 'not GraphQL anonymous']);
  });

  test('refreshes for REST paths, but does not repeat requests refused for another reason', async () => {
    const invalid = { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } };
    const { account, sent } = startClient(({ operationName, authorization, target }) => {
      if (operationName === 'Refresh') return renewed('b');
      if (target.endsWith('/login')) return json({}, { status: 401 });
      return authorization === 'Bearer b' ? json({}) : json({}, invalid);
    });
    const login = new URL('/login', url);
    assert.equal((await account.fetch(login, { method: 'POST' })).status, 401);
    assert.equal(sent.length, 1, 'a wrong password is not sent twice');
    assert.equal((await account.fetch(new URL('/token-validation', url), { method: 'POST' })).status, 200);
  });

  test('stores no tokens of another service, whatever its response contains', async () => {
    const tokens = { accessToken: 'evil', refreshToken: 'refresh-evil', expiresIn: 900 };
    for (const type of ['application/json', 'application/graphql-response+json']) {
      const answer = () => json({ data: { login: { tokens } } }, { headers: { 'content-type': type } });
      const { account } = startClient(answer, { origins: ['https://api.example.org'] });
      for (const path of ['/graphql', new URL(url).pathname, '/x']) {
        await account.fetch(new URL(path, 'https://api.example.org'), query);
        assert.equal(account.accessToken, 'a', type);
      }
    }
  });

  test('stores the tokens of an application’s own mutation', async () => {
    const tokens = { accessToken: 'c', refreshToken: 'refresh-c', expiresIn: 900 };
    const { account } = startClient(() => json({ data: { login: { tokens } } }));
    await account.fetch(url, query);
    assert.equal(account.accessToken, 'c');
  });

  test('the caller receives the response that ends a session before listeners clear the store', async () => {
    const refresh = { data: { refresh: { tokens: null, errors: [{ code: 'REFRESH_TOKEN_REUSED' }] } } };
    for (const reason of ['TOKEN_MISSING', 'SESSION_ENDED', 'TOKEN_EXPIRED']) {
      const answer = ({ operationName }) => (operationName === 'Refresh' ? json(refresh) : refused(reason));
      for (const isLink of [true, false]) {
        const { account, events } = startClient(answer);
        const http = new HttpLink({ uri: url, fetch: isLink ? async () => answer({}) : account.fetch });
        const link = isLink ? ApolloLink.from([account.link(ApolloLink), http]) : http;
        const client = new ApolloClient({ link, cache: new InMemoryCache() });
        account.on('signed-out', () => client.clearStore());
        const query = () => client.query({ query: gql`query Mine { me { id } }`, fetchPolicy: 'network-only' });
        const settled = await Promise.allSettled([query(), query()]);
        for (const { reason: error } of settled)
          assert.equal(error.errors?.[0].extensions.reason, reason, String(error));
        await notified();
        assert.deepEqual(events, [reason === 'TOKEN_EXPIRED' ? 'REFRESH_TOKEN_REUSED' : reason]);
      }
    }
  });

  test('emits sign-out and sign-in in order', async () => {
    const { account, events } = startClient(() => refused('SESSION_ENDED'));
    account.on('signed-in', () => events.push('signed-in'));
    await account.fetch(url, query);
    account.keep({ accessToken: 'b', refreshToken: 'refresh-b' });
    assert.deepEqual(events, ['SESSION_ENDED', 'signed-in']);
  });

  test('parallel refresh() calls send one request and return whether a user is signed in', async () => {
    const { account, sent, events } = startClient(({ count }) =>
      count === 1 ? renewed('b') : json({ data: { refresh: { tokens: null, errors: [{ code: 'SESSION_ENDED' }] } } }),
    );
    assert.deepEqual(await Promise.all([account.refresh(), account.refresh()]), [true, true]);
    assert.deepEqual([account.accessToken, sent], ['b', ['Refresh anonymous']]);
    assert.equal(await account.refresh(), false);
    await notified();
    assert.deepEqual([account.accessToken, events], [undefined, ['SESSION_ENDED']]);
    assert.equal(await account.refresh(), false);
    assert.equal(sent.length, 2, 'no refresh token, no request');
  });

  test('invalid options throw', async () => {
    assert.throws(() => createAccount({ url, mode: 'cookies' }), /"cookies": choose "memory" or "cookie"/);
    assert.throws(() => createAccount({ url }).link(), /account\.link\(ApolloLink\)/);
    assert.throws(() => createAccount({ url, origins: ['api.example.org'] }), TypeError);
  });

  test('an origin may end with a slash', async () => {
    const { account, sent } = startClient(() => json({}), { origins: ['https://api.example.org/'] });
    await account.fetch('https://api.example.org/x');
    assert.deepEqual(sent, ['not GraphQL Bearer a']);
  });
});

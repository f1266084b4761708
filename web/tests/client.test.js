// The client's promises where a real server would have to misbehave: against one that says what the test wants.
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

/** Listeners are notified after the answer. */
const listened = () => sleep(20);

/** An account that holds a token, the requests that it sends, and what it tells. */
function started(answer, options = {}) {
  const sent = [];
  const told = [];
  const account = createAccount({
    url,
    ...options,
    async fetch(input, { headers, body } = {}) {
      const { operationName = 'no GraphQL' } = body ? JSON.parse(body) : {};
      const authorization = new Headers(headers).get('authorization');
      sent.push(`${operationName} ${authorization ?? 'nobody'}`);
      return answer({ operationName, authorization, place: String(input), count: sent.length });
    },
  });
  account.keep({ accessToken: 'a', refreshToken: 'refresh-a' });
  account.on('signed-out', ({ reason }) => told.push(reason));
  return { account, sent, told };
}

describe('the client', () => {
  test('repeats once and never loops, whatever the server says', async () => {
    const { account, sent } = started(({ operationName }) =>
      operationName === 'Refresh' ? renewed('b') : refused('TOKEN_EXPIRED'),
    );
    const answer = await (await account.fetch(url, query)).json();
    assert.equal(answer.errors[0].extensions.reason, 'TOKEN_EXPIRED', 'the caller gets the last answer');
    assert.deepEqual(sent, ['Mine Bearer a', 'Refresh nobody', 'Mine Bearer b']);
  });

  test('sends one refresh for all requests that are under way', async () => {
    const { account, sent } = started(({ operationName, authorization }) => {
      if (operationName === 'Refresh') return renewed('b');
      return authorization === 'Bearer b' ? json({ data: { me: { id: '1' } } }) : refused('TOKEN_EXPIRED');
    });
    const answers = await Promise.all(Array.from({ length: 20 }, () => account.fetch(url, query)));
    for (const answer of answers) assert.deepEqual(await answer.json(), { data: { me: { id: '1' } } });
    assert.equal(sent.filter((one) => one.startsWith('Refresh')).length, 1);
    assert.equal(sent.length, 41);
  });

  test('signs out when the session has ended, without a refresh and once', async () => {
    const { account, sent, told } = started(() => refused('SESSION_ENDED'));
    const answers = await Promise.all([account.fetch(url, query), account.fetch(url, query)]);
    for (const answer of answers) assert.equal((await answer.json()).errors[0].extensions.reason, 'SESSION_ENDED');
    assert.deepEqual(sent, ['Mine Bearer a', 'Mine Bearer a']);
    await listened();
    assert.deepEqual(told, ['SESSION_ENDED']);
    assert.equal(account.accessToken, undefined);
  });

  test('signs out when the refresh is refused, with the code', async () => {
    const { account, told } = started(({ operationName }) =>
      operationName === 'Refresh'
        ? json({ data: { refresh: { tokens: null, errors: [{ code: 'REFRESH_TOKEN_REUSED' }] } } })
        : refused('TOKEN_EXPIRED'),
    );
    await account.fetch(url, query);
    await listened();
    assert.deepEqual(told, ['REFRESH_TOKEN_REUSED']);
  });

  test('stays signed in while the server cannot be reached', async () => {
    const { account, told } = started(({ operationName }) => {
      if (operationName === 'Refresh') throw new TypeError('fetch failed');
      return refused('TOKEN_EXPIRED');
    });
    await assert.rejects(account.fetch(url, query), TypeError);
    assert.deepEqual(told, []);
    assert.equal(account.accessToken, 'a');
  });

  test('sends its token to the server and to the origins that were named', async () => {
    const { account, sent } = started(() => json({}), { origins: ['https://api.example.org'] });
    for (const place of ['https://api.example.org/x', 'https://api.example.org.evil.example/x', 'https://other.org/']) {
      await account.fetch(place);
    }
    assert.deepEqual(sent, ['no GraphQL Bearer a', 'no GraphQL nobody', 'no GraphQL nobody']);
  });

  test('renews for other services, but repeats nothing that was refused for another reason', async () => {
    const invalid = { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } };
    const { account, sent } = started(({ operationName, authorization, place }) => {
      if (operationName === 'Refresh') return renewed('b');
      if (place.endsWith('/login')) return json({}, { status: 401 });
      return authorization === 'Bearer b' ? json({}) : json({}, invalid);
    });
    const login = new URL('/login', url);
    assert.equal((await account.fetch(login, { method: 'POST' })).status, 401);
    assert.equal(sent.length, 1, 'a wrong password is not sent twice');
    assert.equal((await account.fetch(new URL('/token-validation', url), { method: 'POST' })).status, 200);
  });

  test('keeps no tokens of another service, whichever its answer looks like', async () => {
    const tokens = { accessToken: 'evil', refreshToken: 'refresh-evil', expiresIn: 900 };
    for (const type of ['application/json', 'application/graphql-response+json']) {
      const answer = () => json({ data: { login: { tokens } } }, { headers: { 'content-type': type } });
      const { account } = started(answer, { origins: ['https://api.example.org'] });
      for (const path of ['/graphql', new URL(url).pathname, '/x']) {
        await account.fetch(new URL(path, 'https://api.example.org'), query);
        assert.equal(account.accessToken, 'a', type);
      }
    }
  });

  test('keeps the tokens in answers to other people’s mutations', async () => {
    const tokens = { accessToken: 'c', refreshToken: 'refresh-c', expiresIn: 900 };
    const { account } = started(() => json({ data: { login: { tokens } } }));
    await account.fetch(url, query);
    assert.equal(account.accessToken, 'c');
  });

  test('gives the answer that ends a session to its caller before it notifies listeners, which may clear the store', async () => {
    const refresh = { data: { refresh: { tokens: null, errors: [{ code: 'REFRESH_TOKEN_REUSED' }] } } };
    for (const reason of ['TOKEN_MISSING', 'SESSION_ENDED', 'TOKEN_EXPIRED']) {
      const answer = ({ operationName }) => (operationName === 'Refresh' ? json(refresh) : refused(reason));
      for (const isLink of [true, false]) {
        const { account, told } = started(answer);
        const http = new HttpLink({ uri: url, fetch: isLink ? async () => answer({}) : account.fetch });
        const link = isLink ? ApolloLink.from([account.link(ApolloLink), http]) : http;
        const client = new ApolloClient({ link, cache: new InMemoryCache() });
        account.on('signed-out', () => client.clearStore());
        const query = () => client.query({ query: gql`query Mine { me { id } }`, fetchPolicy: 'network-only' });
        const ends = await Promise.allSettled([query(), query()]);
        for (const { reason: error } of ends) assert.equal(error.errors?.[0].extensions.reason, reason, String(error));
        await listened();
        assert.deepEqual(told, [reason === 'TOKEN_EXPIRED' ? 'REFRESH_TOKEN_REUSED' : reason]);
      }
    }
  });

  test('emits sign-outs and sign-ins in their order', async () => {
    const { account, told } = started(() => refused('SESSION_ENDED'));
    account.on('signed-in', () => told.push('signed-in'));
    await account.fetch(url, query);
    account.keep({ accessToken: 'b', refreshToken: 'refresh-b' });
    assert.deepEqual(told, ['SESSION_ENDED', 'signed-in']);
  });

  test('refreshes on request, once for all who ask, and returns whether a user is signed in', async () => {
    const { account, sent, told } = started(({ count }) =>
      count === 1 ? renewed('b') : json({ data: { refresh: { tokens: null, errors: [{ code: 'SESSION_ENDED' }] } } }),
    );
    assert.deepEqual(await Promise.all([account.refresh(), account.refresh()]), [true, true]);
    assert.deepEqual([account.accessToken, sent], ['b', ['Refresh nobody']]);
    assert.equal(await account.refresh(), false);
    await listened();
    assert.deepEqual([account.accessToken, told], [undefined, ['SESSION_ENDED']]);
    assert.equal(await account.refresh(), false);
    assert.equal(sent.length, 2, 'there is nothing left to send');
  });

  test('refuses options that mean nothing', async () => {
    assert.throws(() => createAccount({ url, mode: 'cookies' }), /"cookies": choose "memory" or "cookie"/);
    assert.throws(() => createAccount({ url }).link(), /account\.link\(ApolloLink\)/);
    assert.throws(() => createAccount({ url, origins: ['api.example.org'] }), TypeError);
  });

  test('takes an origin with the slash that addresses end with', async () => {
    const { account, sent } = started(() => json({}), { origins: ['https://api.example.org/'] });
    await account.fetch('https://api.example.org/x');
    assert.deepEqual(sent, ['no GraphQL Bearer a']);
  });
});

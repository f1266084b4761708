// The client's promises where a real server would have to misbehave: against one that says what the test wants.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAccount } from '../dist/client/accountd.js';

const url = 'https://accounts.example.org/graphql';
const query = { method: 'POST', body: JSON.stringify({ operationName: 'Mine', query: 'query Mine { me { id } }' }) };

const json = (body, init) => Response.json(body, init);
const refused = (reason) =>
  json({ data: { me: null }, errors: [{ message: 'no', extensions: { code: 'UNAUTHENTICATED', reason } }] });
const renewed = (accessToken) =>
  json({ data: { refresh: { tokens: { accessToken, refreshToken: `refresh-${accessToken}` }, errors: [] } } });

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
});

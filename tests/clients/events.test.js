// graphql-ws and graphql-sse receive account events and reconnect with a refreshed token.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createSocket } from 'graphql-ws';
import WebSocket from 'ws';
import { importDocExample } from './doc-examples.js';
import { servedClient } from './served-client.js';
import { startServer } from './server.js';

const PASSWORD = 'correct-horse-battery-7';
const limit = { timeout: 600_000 };

const tokens = 'tokens { accessToken refreshToken }';
const REGISTER = `mutation ($input: RegisterInput!) { register(input: $input) { ${tokens} errors { code } } }`;
const REFRESH = `mutation ($input: RefreshInput) { refresh(input: $input) { ${tokens} errors { code } } }`;
const RENAME = 'mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { errors { code } } }';
const LOGOUT = 'mutation { logout { ok } }';
const EVENTS = `subscription Events {
  accountEvents {
    ... on SessionEnded { current reason }
    ... on ProfileChanged { user { displayName } }
  }
}`;

describe('events', () => {
  let server;
  before(async () => {
    // With the leeway a token is valid for six seconds.
    server = await startServer({ env: { ACCOUNTD_TOKEN__ACCESS_LIFETIME_SECONDS: '1' } });
  }, limit);
  afterEach((context) => {
    if (context.error) console.error(`log of accountd:\n${server.log()}`);
  });
  after(() => server?.stop(), limit);

  async function request(query, input, accessToken) {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    if (accessToken) headers.authorization = `Bearer ${accessToken}`;
    const body = JSON.stringify({ query, variables: { input } });
    const answer = await (await fetch(server.graphql, { method: 'POST', headers, body })).json();
    assert.equal(answer.errors, undefined, JSON.stringify(answer));
    return answer.data;
  }

  /** A session, as an application stores it. */
  async function register(username) {
    const { register } = await request(REGISTER, { username, password: PASSWORD });
    const session = {
      ...register.tokens,
      refreshes: 0,
      async refresh() {
        const { refresh } = await request(REFRESH, { refreshToken: session.refreshToken });
        assert.deepEqual(refresh.errors, []);
        session.refreshes += 1;
        Object.assign(session, refresh.tokens);
      },
    };
    return session;
  }

  /** Renames the user until the event of a rename arrives: only then has the subscription certainly started. */
  async function waitForRename(session, events, name) {
    for (let count = 0; ; count++) {
      const displayName = `${name} ${count}`;
      await request(RENAME, { displayName }, session.accessToken);
      if (await events.has((event) => event.user?.displayName === displayName)) return;
      assert.ok(count < 50, `no event arrives: ${JSON.stringify(events.all)}`);
    }
  }

  /** A sink that records events. */
  function recordEvents() {
    const events = { all: [], end: undefined, connections: 0, codes: [] };
    let wake = () => {};
    const sink = {
      next({ data, errors }) {
        assert.equal(errors, undefined);
        events.all.push(data.accountEvents);
        wake();
      },
      error: (error) => end({ error }),
      complete: () => end({ complete: true }),
    };
    const end = (outcome) => {
      events.end = outcome;
      wake();
    };
    const nextChange = (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    events.has = async (predicate) => {
      for (let tries = 0; tries < 8; tries++) {
        if (events.all.some(predicate)) return true;
        await nextChange(250);
      }
      return false;
    };
    events.until = async (predicate, description) => {
      const deadline = Date.now() + 120_000;
      while (!predicate()) {
        assert.ok(Date.now() < deadline, `${description}: ${JSON.stringify({ ...events, end: String(events.end?.error) })}`);
        await nextChange(250);
      }
    };
    return { events, sink };
  }

  test('graphql-ws reconnects with a new token after 4403 and stops after 4401', limit, async () => {
    const { socketOptions } = await importDocExample('docs/subscriptions.md', 'socketOptions');
    const session = await register('ann');
    const { events, sink } = recordEvents();
    const options = socketOptions(server.graphql.replace('http', 'ws'), session);
    const client = createSocket({ ...options, webSocketImpl: WebSocket });
    client.on('connected', () => events.connections++);
    client.on('closed', ({ code }) => events.codes.push(code));
    client.subscribe({ query: EVENTS }, sink);
    await waitForRename(session, events, 'before');
    await events.until(() => events.connections === 2, 'it reconnects');
    assert.deepEqual([events.codes, session.refreshes, events.end], [[4403], 1, undefined]);
    await waitForRename(session, events, 'after');
    await request(LOGOUT, undefined, session.accessToken);
    await events.until(() => events.end, 'it ends');
    assert.deepEqual(events.all.at(-1), { current: true, reason: 'LOGOUT' });
    await events.until(() => events.codes.length === 2, 'the socket is closed');
    assert.deepEqual(events.codes, [4403, 4401]);
    await client.dispose();
  });

  test('graphql-ws reconnects with the account of the served client', limit, async () => {
    const { socketOptions } = await importDocExample('docs/subscriptions.md', 'socketOptions');
    const { createAccount } = await servedClient(server.url);
    const account = createAccount({ url: server.graphql });
    assert.deepEqual((await account.register({ username: 'cid', password: PASSWORD })).errors, []);
    const first = account.accessToken;
    const { events, sink } = recordEvents();
    const client = createSocket({
      ...socketOptions(server.graphql.replace('http', 'ws'), account),
      webSocketImpl: WebSocket,
      retryWait: () => Promise.resolve(),
    });
    client.on('connected', () => events.connections++);
    client.subscribe({ query: EVENTS }, sink);
    await events.until(() => events.connections === 2, 'it reconnects');
    assert.notEqual(account.accessToken, first);
    await waitForRename(account, events, 'after');
    await account.logout();
    await events.until(() => events.end, 'it ends');
    assert.deepEqual(events.all.at(-1), { current: true, reason: 'LOGOUT' });
    await client.dispose();
  });

  test('graphql-ws reports 4401 to clients without a session', limit, async () => {
    const { events, sink } = recordEvents();
    const url = server.graphql.replace('http', 'ws');
    const client = createSocket({ url, webSocketImpl: WebSocket, connectionParams: { authorization: '' } });
    client.subscribe({ query: EVENTS }, sink);
    await events.until(() => events.end, 'it ends');
    assert.equal(events.end.error.code, 4401);
    await client.dispose();
  });

  test('graphql-sse starts a new stream with a new token and completes with the session', limit, async () => {
    const session = await register('bob');
    const { events, sink } = recordEvents();
    const client = createSse({
      url: server.graphql,
      async headers() {
        if (events.connections++ > 0) await session.refresh();
        return { authorization: `Bearer ${session.accessToken}` };
      },
    });
    client.subscribe({ query: EVENTS }, sink);
    await waitForRename(session, events, 'before');
    await events.until(() => session.refreshes === 1, 'it starts a new stream');
    await waitForRename(session, events, 'after');
    await request(LOGOUT, undefined, session.accessToken);
    await events.until(() => events.end, 'it ends');
    assert.deepEqual(events.end, { complete: true });
    assert.deepEqual(events.all.at(-1), { current: true, reason: 'LOGOUT' });
    client.dispose();
  });
});

// The clients of graphql-ws and graphql-sse: they are told what happens, and come again by themselves with a fresh token.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createSocket } from 'graphql-ws';
import WebSocket from 'ws';
import { documented } from './documented.js';
import { servedClient } from './served.js';
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
    // With the leeway a token lives for six seconds.
    server = await startServer({ env: { ACCOUNTD_TOKEN__ACCESS_LIFETIME_SECONDS: '1' } });
  }, limit);
  afterEach((context) => {
    if (context.error) console.error(`accountd wrote:\n${server.log()}`);
  });
  after(() => server?.stop(), limit);

  async function ask(query, input, accessToken) {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    if (accessToken) headers.authorization = `Bearer ${accessToken}`;
    const body = JSON.stringify({ query, variables: { input } });
    const answer = await (await fetch(server.graphql, { method: 'POST', headers, body })).json();
    assert.equal(answer.errors, undefined, JSON.stringify(answer));
    return answer.data;
  }

  /** Somebody's session, as an application keeps it. */
  async function register(username) {
    const { register } = await ask(REGISTER, { username, password: PASSWORD });
    const session = {
      ...register.tokens,
      refreshes: 0,
      async refresh() {
        const { refresh } = await ask(REFRESH, { refreshToken: session.refreshToken });
        assert.deepEqual(refresh.errors, []);
        session.refreshes += 1;
        Object.assign(session, refresh.tokens);
      },
    };
    return session;
  }

  /** Renames the account until it is told of the last name: only then a subscription has certainly begun. */
  async function toldOfNames(session, events, name) {
    for (let count = 0; ; count++) {
      const displayName = `${name} ${count}`;
      await ask(RENAME, { displayName }, session.accessToken);
      if (await events.has((event) => event.user?.displayName === displayName)) return;
      assert.ok(count < 50, `nothing is told: ${JSON.stringify(events.all)}`);
    }
  }

  /** A sink that remembers. */
  function remembering() {
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
    const end = (how) => {
      events.end = how;
      wake();
    };
    const changed = (milliseconds) =>
      new Promise((done) => {
        const late = setTimeout(done, milliseconds);
        wake = () => {
          clearTimeout(late);
          done();
        };
      });
    events.has = async (wanted) => {
      for (let tries = 0; tries < 8; tries++) {
        if (events.all.some(wanted)) return true;
        await changed(250);
      }
      return false;
    };
    events.until = async (wanted, what) => {
      const deadline = Date.now() + 120_000;
      while (!wanted()) {
        assert.ok(Date.now() < deadline, `${what}: ${JSON.stringify({ ...events, end: String(events.end?.error) })}`);
        await changed(250);
      }
    };
    return { events, sink };
  }

  test('graphql-ws comes again with a fresh token after 4403, and gives up after 4401', limit, async () => {
    const { socketOptions } = await documented('docs/subscriptions.md', 'socketOptions');
    const session = await register('ann');
    const { events, sink } = remembering();
    const options = socketOptions(server.graphql.replace('http', 'ws'), session);
    const client = createSocket({ ...options, webSocketImpl: WebSocket });
    client.on('connected', () => events.connections++);
    client.on('closed', ({ code }) => events.codes.push(code));
    client.subscribe({ query: EVENTS }, sink);
    await toldOfNames(session, events, 'before');
    await events.until(() => events.connections === 2, 'it connects again');
    assert.deepEqual([events.codes, session.refreshes, events.end], [[4403], 1, undefined]);
    await toldOfNames(session, events, 'after');
    await ask(LOGOUT, undefined, session.accessToken);
    await events.until(() => events.end, 'it ends');
    assert.deepEqual(events.all.at(-1), { current: true, reason: 'LOGOUT' });
    await events.until(() => events.codes.length === 2, 'the socket is closed');
    assert.deepEqual(events.codes, [4403, 4401]);
    await client.dispose();
  });

  test('graphql-ws goes on with the account of the served client', limit, async () => {
    const { socketOptions } = await documented('docs/subscriptions.md', 'socketOptions');
    const { createAccount } = await servedClient(server.url);
    const account = createAccount({ url: server.graphql });
    assert.deepEqual((await account.register({ username: 'cid', password: PASSWORD })).errors, []);
    const first = account.accessToken;
    const { events, sink } = remembering();
    const client = createSocket({
      ...socketOptions(server.graphql.replace('http', 'ws'), account),
      webSocketImpl: WebSocket,
      retryWait: () => Promise.resolve(),
    });
    client.on('connected', () => events.connections++);
    client.subscribe({ query: EVENTS }, sink);
    await events.until(() => events.connections === 2, 'it connects again');
    assert.notEqual(account.accessToken, first);
    await toldOfNames(account, events, 'after');
    await account.logout();
    await events.until(() => events.end, 'it ends');
    assert.deepEqual(events.all.at(-1), { current: true, reason: 'LOGOUT' });
    await client.dispose();
  });

  test('graphql-ws says why somebody without a session is not let in', limit, async () => {
    const { events, sink } = remembering();
    const url = server.graphql.replace('http', 'ws');
    const client = createSocket({ url, webSocketImpl: WebSocket, connectionParams: { authorization: '' } });
    client.subscribe({ query: EVENTS }, sink);
    await events.until(() => events.end, 'it ends');
    assert.equal(events.end.error.code, 4401);
    await client.dispose();
  });

  test('graphql-sse begins again with a fresh token, and is completed with the session', limit, async () => {
    const session = await register('bob');
    const { events, sink } = remembering();
    const client = createSse({
      url: server.graphql,
      async headers() {
        if (events.connections++ > 0) await session.refresh();
        return { authorization: `Bearer ${session.accessToken}` };
      },
    });
    client.subscribe({ query: EVENTS }, sink);
    await toldOfNames(session, events, 'before');
    await events.until(() => session.refreshes === 1, 'it begins again');
    await toldOfNames(session, events, 'after');
    await ask(LOGOUT, undefined, session.accessToken);
    await events.until(() => events.end, 'it ends');
    assert.deepEqual(events.end, { complete: true });
    assert.deepEqual(events.all.at(-1), { current: true, reason: 'LOGOUT' });
    client.dispose();
  });
});

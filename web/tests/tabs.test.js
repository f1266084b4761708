// Tabs of one browser share a session in cookies: parallel refreshes create one successor.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../../tests/clients/server.js';
import { openContext, operationsOf, signIn, startBrowser } from './browser.js';
import { PASSWORD, register } from './users.js';

const limit = { timeout: 600_000 };
const EXPIRED_WITHIN_MS = 120_000; // after 1 s of life and 5 s of leeway on any machine

let server;
let browser;

before(async () => {
  const env = { ACCOUNTD_TOKEN__ACCESS_LIFETIME_SECONDS: '1' };
  [server, browser] = await Promise.all([startServer({ env }), startBrowser()]);
}, limit);

after(async () => {
  await browser?.close();
  await server?.stop();
}, limit);

/** Waits until the access token in this page's cookie has expired. */
async function waitUntilExpired(page) {
  const deadline = Date.now() + EXPIRED_WITHIN_MS;
  while (Date.now() < deadline) {
    const reason = await page.evaluate(async () => {
      const body = JSON.stringify({ query: 'query Probe { me { id } }', operationName: 'Probe' });
      const headers = { 'content-type': 'application/json' };
      const answer = await (await fetch('graphql', { method: 'POST', headers, body })).json();
      return answer.errors?.[0].extensions.reason;
    });
    if (reason === 'TOKEN_EXPIRED') return;
    await sleep(250);
  }
  throw new Error(`the token was still valid after ${EXPIRED_WITHIN_MS} ms`);
}

/** Sends queries in parallel through a client of the page's own; returns their usernames or refusal reasons. */
function queryInParallel(page, count) {
  return page.evaluate(async (count) => {
    const { createAccount } = await import(new URL('client/accountd.js', document.baseURI).href);
    const account = createAccount({ mode: 'cookie' });
    const body = JSON.stringify({ query: 'query Who { me { username } }', operationName: 'Who' });
    const headers = { 'content-type': 'application/json' };
    const send = () => account.fetch('graphql', { method: 'POST', headers, body }).then((answer) => answer.json());
    const answers = await Promise.all(Array.from({ length: count }, send));
    return answers.map(({ data, errors }) => data?.me?.username ?? errors?.[0].extensions.reason);
  }, count);
}

test('two tabs with 20 parallel queries and an expired token refresh once', limit, async () => {
  await register(server.url, 'ann');
  const { context, pageErrors, newPage } = await openContext(browser, server.url);
  const [first, second] = [await newPage(), await newPage()];
  await signIn(first, 'ann', PASSWORD);
  await first.getByRole('heading', { name: 'Profile' }).waitFor();
  await second.goto('/');
  await second.getByRole('heading', { name: 'Profile' }).waitFor();

  for (let round = 1; round <= 2; round += 1) {
    await waitUntilExpired(first);
    const operations = operationsOf(context);
    const found = await Promise.all([queryInParallel(first, 20), queryInParallel(second, 20)]);
    assert.deepEqual(found.flat(), Array(40).fill('ann'));
    const refreshes = operations.filter((name) => name === 'Refresh');
    assert.equal(refreshes.length, 1, `one successor in round ${round}, sent: ${operations}`);
  }
  await first.getByRole('link', { name: 'Sessions' }).click();
  await first.getByText('This device').waitFor();
  assert.deepEqual(pageErrors, []);
  await context.close();
});

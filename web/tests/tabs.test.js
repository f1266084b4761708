// Tabs of one browser that share a session in cookies: however many of them renew it, it has one successor.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../../tests/clients/server.js';
import { newPerson, operationsOf, signIn, startBrowser } from './browser.js';
import { PASSWORD, register } from './people.js';

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

/** Waits until the cookie of this page opens nothing any more. */
async function expired(page) {
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
  throw new Error(`the token was still good after ${EXPIRED_WITHIN_MS} ms`);
}

/** Sends so many queries at once through a client of the page's own; answers whom they found. */
function askAtOnce(page, count) {
  return page.evaluate(async (count) => {
    const { createAccount } = await import(new URL('client/accountd.js', document.baseURI).href);
    const account = createAccount({ mode: 'cookie' });
    const body = JSON.stringify({ query: 'query Who { me { username } }', operationName: 'Who' });
    const headers = { 'content-type': 'application/json' };
    const ask = () => account.fetch('graphql', { method: 'POST', headers, body }).then((answer) => answer.json());
    const answers = await Promise.all(Array.from({ length: count }, ask));
    return answers.map(({ data, errors }) => data?.me?.username ?? errors?.[0].extensions.reason);
  }, count);
}

test('two tabs with an expired token and 20 queries at once: one successor', limit, async () => {
  await register(server.url, 'ann');
  const { context, faults, newPage } = await newPerson(browser, server.url);
  const [first, second] = [await newPage(), await newPage()];
  await signIn(first, 'ann', PASSWORD);
  await first.getByRole('heading', { name: 'Profile' }).waitFor();
  await second.goto('/');
  await second.getByRole('heading', { name: 'Profile' }).waitFor();

  for (let round = 1; round <= 2; round += 1) {
    await expired(first);
    const operations = operationsOf(context);
    const found = await Promise.all([askAtOnce(first, 20), askAtOnce(second, 20)]);
    assert.deepEqual(found.flat(), Array(40).fill('ann'));
    const refreshes = operations.filter((name) => name === 'Refresh');
    assert.equal(refreshes.length, 1, `one successor in round ${round}, sent: ${operations}`);
  }
  await first.getByRole('link', { name: 'Sessions' }).click();
  await first.getByText('This device').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

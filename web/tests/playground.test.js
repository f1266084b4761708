// The playground in a real browser that can reach only the server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from '../../tests/clients/server.js';
import { openContext, startBrowser } from './browser.js';
import { PASSWORD, register } from './users.js';

const limit = { timeout: 600_000 };

let server;
let browser;

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
}, limit);

after(async () => {
  await browser?.close();
  await server?.stop();
}, limit);

/** Repeats the action until the expected element is visible. */
async function retryUntilVisible(action, expected) {
  for (let tries = 0; tries < 5 && !(await expected.isVisible()); tries += 1) {
    await action();
    await expected.waitFor({ timeout: 4_000 }).catch(() => {});
  }
  await expected.waitFor();
}

test('the playground signs in and runs `me` without other servers or policy violations', limit, async () => {
  await register(server.url, 'ann');
  const { context, pageErrors, newPage } = await openContext(browser, server.url);
  const page = await newPage();
  const response = await page.goto('/graphql');
  const policy = response.headers()['content-security-policy'];
  assert.match(policy, /^default-src 'none'; script-src 'self';/);
  assert.doesNotMatch(policy, /unsafe-eval|script-src[^;]*unsafe|https?:/);

  const tabs = page.getByRole('tab');
  // GraphiQL drops the selection of a tab before its editor has loaded.
  await page.locator('.graphiql-query-editor').getByText('Creates a user').waitFor();
  const names = await tabs.allInnerTexts();
  assert.deepEqual(names, ['Register', 'Login', 'Refresh', 'Me', 'Users', 'UpdatePassword', 'Logout']);

  const box = page.getByRole('form', { name: 'Sign in' });
  await box.getByLabel('Username').fill('ann');
  await box.getByLabel('Password').fill('wrong-horse-battery-8');
  await box.getByRole('button').click();
  await box.getByRole('alert').waitFor();
  await box.getByLabel('Password').fill(PASSWORD);
  await box.getByRole('button').click();
  await page.getByText('Authorization: Bearer').waitFor();

  // Until its schema has loaded, GraphiQL may drop a selected tab or a response, so the click is repeated.
  const shown = page.locator('.graphiql-query-editor').getByText('The current user and their sessions');
  await retryUntilVisible(() => tabs.filter({ hasText: 'Me' }).click(), shown);
  const sent = page.waitForRequest((request) => request.postData()?.includes('query Me'));
  const answer = page.locator('.result-window').getByText('"ann"').first();
  await retryUntilVisible(() => page.getByRole('button', { name: /^Execute query/ }).click(), answer);
  assert.match((await sent).headers().authorization, /^Bearer ey/);

  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.getByRole('link', { name: 'Query', exact: true }).click();
  await page.getByText('The authenticated user; null without credentials').waitFor();
  assert.deepEqual(pageErrors, [], 'no requests to other servers, no policy violations');
  await context.close();
});

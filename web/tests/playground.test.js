// The playground in a real browser, with the network cut to the server alone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from '../../tests/clients/server.js';
import { newPerson, startBrowser } from './browser.js';
import { PASSWORD, register } from './people.js';

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

/** Does it again until something is seen. */
async function insist(action, seen) {
  for (let tries = 0; tries < 5 && !(await seen.isVisible()); tries += 1) {
    await action();
    await seen.waitFor({ timeout: 4_000 }).catch(() => {});
  }
  await seen.waitFor();
}

test('runs `me` after signing in, from the binary alone and within its policy', limit, async () => {
  await register(server.url, 'ann');
  const { context, faults, newPage } = await newPerson(browser, server.url);
  const page = await newPage();
  const response = await page.goto('/graphql');
  const policy = response.headers()['content-security-policy'];
  assert.match(policy, /^default-src 'none'; script-src 'self';/);
  assert.doesNotMatch(policy, /unsafe-eval|script-src[^;]*unsafe|https?:/);

  const tabs = page.getByRole('tab');
  // GraphiQL forgets a tab that is chosen before its editor is there.
  await page.locator('.graphiql-query-editor').getByText('Makes an account').waitFor();
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

  // Until its schema has arrived, GraphiQL may forget a tab that was chosen, or an answer: a person clicks again.
  const shown = page.locator('.graphiql-query-editor').getByText('Who is signed in');
  await insist(() => tabs.filter({ hasText: 'Me' }).click(), shown);
  const sent = page.waitForRequest((request) => request.postData()?.includes('query Me'));
  const answer = page.locator('.result-window').getByText('"ann"').first();
  await insist(() => page.getByRole('button', { name: /^Execute query/ }).click(), answer);
  assert.match((await sent).headers().authorization, /^Bearer ey/);

  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.getByRole('link', { name: 'Query', exact: true }).click();
  await page.getByText('The signed-in user.').waitFor();
  assert.deepEqual(faults, [], 'it asks nobody else, and nothing of it is stopped by the policy');
  await context.close();
});

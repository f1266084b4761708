// The console in a real browser.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { startServer } from '../../tests/clients/server.js';
import { openContext, signIn, startBrowser } from './browser.js';
import { PASSWORD, register } from './users.js';

const ADMIN = 'root-admin';
const limit = { timeout: 600_000 };

describe('console', () => {
  let server;
  let browser;
  let contexts = [];

  before(async () => {
    [server, browser] = await Promise.all([startServer(), startBrowser()]);
    await server.makeAdmin(ADMIN, PASSWORD);
  }, limit);

  afterEach(async () => {
    const pageErrors = contexts.flatMap((opened) => opened.pageErrors);
    await Promise.all(contexts.map(({ context }) => context.close()));
    contexts = [];
    assert.deepEqual(pageErrors, [], 'no requests to other servers, no policy violations');
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  }, limit);

  async function newTab() {
    const opened = await openContext(browser, server.url);
    contexts.push(opened);
    return opened.newPage();
  }

  test('a user registers, signs out and signs in', limit, async () => {
    const page = await newTab();
    await page.goto('/');
    await page.getByRole('link', { name: 'Register' }).click();
    await page.getByLabel('Username', { exact: true }).fill('ann');
    const password = page.getByLabel('Password', { exact: true });
    await password.fill('ann');
    await page.getByText('very weak').waitFor();
    await page.getByRole('button', { name: 'Register' }).click();
    const problem = page.locator('.field', { has: password }).getByRole('alert');
    assert.match(
      await problem.textContent(),
      /Shorter than the policy's minimum length/,
      'the field shows the violated rules',
    );
    assert.equal(await password.getAttribute('aria-invalid'), 'true');
    await password.fill(PASSWORD);
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByRole('heading', { name: 'Profile' }).waitFor();

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await signIn(page, 'ann', PASSWORD);
    await page.getByRole('heading', { name: 'Profile' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Profile' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Users' }).count(), 0, 'forbidden pages are hidden');
  });

  test('a wrong password is reported at the field', limit, async () => {
    await register(server.url, 'bob');
    const page = await newTab();
    await signIn(page, 'bob', 'wrong-horse-battery-8');
    const password = page.getByLabel('Password', { exact: true });
    const problem = page.locator('.field', { has: password }).getByRole('alert');
    await problem.waitFor();
    assert.equal(await password.getAttribute('aria-describedby'), await problem.getAttribute('id'));
    assert.ok(await password.evaluate((input) => input === document.activeElement), 'the field has the focus');

    await password.fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'Password' }).click();
    await page.getByLabel('Current password', { exact: true }).fill('wrong-horse-battery-8');
    await page.getByLabel('New password', { exact: true }).fill('staple-orbit-lantern-42');
    await page.getByRole('button', { name: 'Change password' }).click();
    const current = page.locator('.field', { has: page.getByLabel('Current password', { exact: true }) });
    await current.getByRole('alert').waitFor();

    await page.getByLabel('Current password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('Password changed.').waitFor();
    await page.getByRole('link', { name: 'Profile' }).click();
    await page.getByRole('heading', { name: 'Profile' }).waitFor();
  });

  test('a session ended elsewhere signs out its page at once', limit, async () => {
    await register(server.url, 'cid');
    const [laptop, phone] = [await newTab(), await newTab()];
    await signIn(phone, 'cid', PASSWORD);
    await phone.getByRole('heading', { name: 'Profile' }).waitFor();
    await signIn(laptop, 'cid', PASSWORD);
    await laptop.getByRole('link', { name: 'Sessions' }).click();
    const ends = laptop.getByRole('button', { name: /^End Chrome/ });
    await laptop.getByText('This device').waitFor();
    await ends.first().click();
    await laptop.waitForFunction(() => document.querySelectorAll('.rows li').length === 2);

    // Polling alone takes up to 30 s, so this comes from an event.
    await phone.getByText('Your session was ended.').waitFor({ timeout: 25_000 });
    await phone.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  test('signing out in one tab signs out the other at once', limit, async () => {
    await register(server.url, 'dan');
    const first = await newTab();
    await signIn(first, 'dan', PASSWORD);
    await first.getByRole('heading', { name: 'Profile' }).waitFor();
    const second = await contexts[0].newPage();
    await second.goto('/#/sessions');
    await second.getByText('This device').waitFor();
    await first.getByRole('button', { name: 'Sign out' }).click();
    await second.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  test('disabling a user signs out their tab', limit, async () => {
    await register(server.url, 'eve', { displayName: 'Eve Example' });
    const [eve, admin] = [await newTab(), await newTab()];
    await signIn(eve, 'eve', PASSWORD);
    await eve.getByRole('heading', { name: 'Profile' }).waitFor();

    await signIn(admin, ADMIN, PASSWORD);
    await admin.getByRole('link', { name: 'Users' }).click();
    await admin.getByRole('searchbox').fill('example');
    await admin.getByRole('status').getByText('One user').or(admin.getByText('users')).first().waitFor();
    await admin.getByRole('link', { name: 'eve' }).click();
    await admin.getByRole('heading', { name: 'eve', exact: true }).waitFor();
    await admin.getByRole('button', { name: 'Disable' }).click();
    await admin.getByRole('group', { name: 'Disable eve?' }).getByRole('button', { name: 'Disable' }).click();
    await admin.getByText('Disabled').waitFor();

    await eve.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: 25_000 });
  });

  test('an administrator creates a role and a user who must change the password', limit, async () => {
    const admin = await newTab();
    await signIn(admin, ADMIN, PASSWORD);
    await admin.getByRole('link', { name: 'Roles' }).click();
    await admin.getByRole('button', { name: 'New role' }).click();
    await admin.getByLabel('Name', { exact: true }).fill('support');
    await admin.locator('input[value="USERS_READ"]').check();
    await admin.getByRole('button', { name: 'Save role' }).click();
    await admin.getByText('support', { exact: true }).waitFor();

    await admin.getByRole('link', { name: 'Users' }).click();
    await admin.getByRole('link', { name: 'New user' }).click();
    await admin.getByLabel('Username', { exact: true }).fill('fay');
    await admin.getByLabel('Initial password', { exact: true }).fill(PASSWORD);
    await admin.getByLabel('support').check();
    await admin.getByRole('button', { name: 'Create user' }).click();
    await admin.getByRole('heading', { name: 'fay', exact: true }).waitFor();

    const fay = await newTab();
    await signIn(fay, 'fay', PASSWORD);
    await fay.getByRole('heading', { name: 'Choose a password' }).waitFor();
    await fay.getByLabel('Current password', { exact: true }).fill(PASSWORD);
    await fay.getByLabel('New password', { exact: true }).fill('staple-orbit-lantern-42');
    await fay.getByRole('button', { name: 'Continue' }).click();
    await fay.getByRole('link', { name: 'Users' }).click();
    await fay.getByRole('link', { name: ADMIN }).click();
    await fay.getByRole('heading', { name: ADMIN, exact: true }).waitFor();
    assert.equal(await fay.getByRole('button', { name: 'Disable' }).count(), 0, 'the role is read-only');
    assert.equal(await fay.getByRole('link', { name: 'Roles' }).count(), 0);
  });

  test('a role is renamed and deleted; both show the number of its users', limit, async () => {
    const admin = await newTab();
    await signIn(admin, ADMIN, PASSWORD);
    await admin.getByRole('link', { name: 'Roles' }).click();
    await admin.getByRole('button', { name: 'New role' }).click();
    await admin.getByLabel('Name', { exact: true }).fill('clerks');
    await admin.getByRole('button', { name: 'Save role' }).click();
    await admin.getByText('clerks', { exact: true }).waitFor();
    await admin.getByRole('link', { name: 'Users' }).click();
    await admin.getByRole('link', { name: 'New user' }).click();
    await admin.getByLabel('Username', { exact: true }).fill('hal');
    await admin.getByLabel('Initial password', { exact: true }).fill(PASSWORD);
    await admin.getByLabel('clerks').check();
    await admin.getByRole('button', { name: 'Create user' }).click();
    await admin.getByRole('heading', { name: 'hal', exact: true }).waitFor();

    await admin.getByRole('link', { name: 'Roles' }).click();
    await admin.getByRole('button', { name: 'Change clerks' }).click();
    await admin.getByText('this affects one user').waitFor();
    await admin.getByLabel('Name', { exact: true }).fill('Office');
    await admin.getByRole('button', { name: 'Save role' }).click();
    await admin.getByText('Office', { exact: true }).waitFor();
    await admin.getByRole('button', { name: 'Delete Office' }).click();
    await admin
      .getByRole('group', { name: 'Delete Office and remove it from one user?' })
      .getByRole('button', { name: 'Delete' })
      .click();
    await admin.getByText('Office', { exact: true }).waitFor({ state: 'detached' });
  });

  test('a tenant is created, disabled, enabled and deleted', limit, async () => {
    const admin = await newTab();
    await signIn(admin, ADMIN, PASSWORD);
    await admin.getByRole('link', { name: 'Tenants' }).click();
    await admin.getByText('Default tenant').waitFor();
    assert.equal(await admin.getByRole('button', { name: 'Disable default' }).count(), 0);
    await admin.getByRole('button', { name: 'New tenant' }).click();
    await admin.getByLabel('Name', { exact: true }).fill('ACME');
    await admin.getByRole('button', { name: 'Save tenant' }).click();
    await admin.getByRole('button', { name: 'Disable ACME' }).click();
    await admin
      .getByRole('group', { name: 'Disable ACME and sign out 0 users?' })
      .getByRole('button', { name: 'Disable' })
      .click();
    await admin.getByRole('button', { name: 'Enable ACME' }).click();
    await admin.getByRole('button', { name: 'Disable ACME' }).waitFor();
    await admin.getByRole('button', { name: 'Delete ACME' }).click();
    await admin
      .getByRole('group', { name: 'Delete ACME? It has no users.' })
      .getByRole('button', { name: 'Delete' })
      .click();
    await admin.getByText('ACME', { exact: true }).waitFor({ state: 'detached' });
  });

  test('an API token is created, shown once and revoked', limit, async () => {
    await register(server.url, 'gus');
    const page = await newTab();
    await signIn(page, 'gus', PASSWORD);
    await page.getByRole('link', { name: 'API tokens' }).click();
    await page.getByText('You have no API tokens.').waitFor();
    await page.getByRole('button', { name: 'New token' }).click();
    await page.getByLabel('Name', { exact: true }).fill('backup');
    await page.getByRole('button', { name: 'Create token' }).click();
    assert.match(await page.locator('.secret').textContent(), /^accountd\.tok_/);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('button', { name: 'Revoke backup' }).click();
    await page
      .getByRole('group', { name: /permanently/ })
      .getByRole('button', { name: 'Revoke' })
      .click();
    await page.getByText('You have no API tokens.').waitFor();
  });
});

// Every page in light and dark, wide and narrow: no serious violation in axe, no horizontal overflow, and a screenshot
// in `screenshots/` for review. UPDATE_PICTURES=1 writes the README's two pictures to `docs/`.
import assert from 'node:assert/strict';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startServer } from '../../tests/clients/server.js';
import { openContext, signIn, startBrowser } from './browser.js';
import { PASSWORD, register, request } from './users.js';

const ADMIN = 'root-admin';
const limit = { timeout: 600_000 };
const directory = fileURLToPath(new URL('../screenshots/', import.meta.url));
const pictures = fileURLToPath(new URL('../docs/', import.meta.url));

const users = [
  ['amelie.roux', 'Amélie Roux'],
  ['bjoern', 'Björn Lindqvist'],
  ['chidi_o', 'Chidi Okafor'],
  ['dana', 'Dana Whitfield'],
  ['emre.k', 'Emre Kaya'],
  ['fatima', 'Fatima Haddad'],
  ['greenhouse-sensor', null],
  ['hana', 'Hana Sato'],
];

const sizes = [
  { name: 'wide', width: 1280, height: 800 },
  { name: 'narrow', width: 360, height: 740 },
];

describe('appearance', () => {
  let server;
  let browser;
  let axe;
  let user;

  before(async () => {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    [server, browser] = await Promise.all([startServer(), startBrowser()]);
    await server.makeAdmin(ADMIN, PASSWORD);
    for (const [username, displayName] of users) await register(server.url, username, { displayName });
    user = await createFixtures();
  }, limit);

  after(async () => {
    await browser?.close();
    await server?.stop();
  }, limit);

  /** Creates a role, a disabled user and an API token, so that no page is empty; returns the id of one user. */
  async function createFixtures() {
    const login = `mutation ($input: LoginInput!) { login(input: $input) { tokens { accessToken } } }`;
    const {
      login: { tokens },
    } = await request(server.url, login, { input: { username: ADMIN, password: PASSWORD } });
    const send = (query) => request(server.url, query, {}, tokens.accessToken);
    const role = 'name: "support", description: "Answers users who cannot sign in"';
    await send(`mutation { saveRole(input: { ${role}, permissions: [USERS_READ, SESSIONS_REVOKE] }) { role { id } } }`);
    const token = 'name: "nightly backup", permissions: [USERS_READ], scopes: ["ds_*/read"], expiresIn: 7776000';
    await send(`mutation { createApiToken(input: { ${token} }) { token } }`);
    const { users } = await send('{ users(first: 100) { nodes { id username } } }');
    const idOf = (name) => users.nodes.find(({ username }) => username === name).id;
    await send(`mutation { setUserRoles(input: { userId: "${idOf('dana')}", roles: ["support"] }) { user { id } } }`);
    await send(`mutation { setUserStatus(input: { userId: "${idOf('emre.k')}", status: DISABLED }) { user { id } } }`);
    return idOf('dana');
  }

  /** Accessibility violations, except those of the third-party editor. */
  async function violationsOf(page) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run({ exclude: ['.graphiql-container'] }));
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }

  for (const colorScheme of ['light', 'dark']) {
    for (const { name, ...viewport } of sizes) {
      test(`${colorScheme} and ${name}`, limit, async () => {
        const options = { colorScheme, viewport, reducedMotion: 'reduce' };
        const { context, pageErrors, newPage } = await openContext(browser, server.url, options);
        const page = await newPage();
        const problems = [];
        // Each scheme and each size is audited once, not every combination.
        const isAudited = (colorScheme === 'light') === (name === 'wide');

        async function inspect(pageName, hash, ready) {
          if (hash !== undefined) await page.goto(`/#/${hash}`);
          await ready.first().waitFor();
          await page.evaluate(() => document.fonts.ready);
          if (isAudited) for (const finding of await violationsOf(page)) problems.push(`${pageName}: ${finding}`);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          if (overflow > 0) problems.push(`${pageName} is ${overflow} px wider than the screen`);
          await page.screenshot({ path: `${directory}${pageName}-${colorScheme}-${name}.png`, fullPage: true });
        }

        await inspect('sign-in', '', page.getByRole('heading', { name: 'Sign in' }));
        await page.getByRole('button', { name: 'Sign in' }).click();
        await inspect('sign-in-refused', undefined, page.getByRole('alert'));
        await page.goto('/#/register');
        await page.getByLabel('Password', { exact: true }).fill('horse battery');
        await inspect('register', undefined, page.locator('.strength'));
        await signIn(page, ADMIN, PASSWORD);
        await page.getByRole('heading', { name: 'Profile' }).waitFor();
        await inspect('profile', 'profile', page.getByText('Member since'));
        await inspect('password', 'password', page.getByLabel('Current password', { exact: true }));
        await inspect('sessions', 'sessions', page.getByText('This device'));
        await inspect('tokens', 'tokens', page.getByText('nightly backup'));
        await page.getByRole('button', { name: 'New token' }).click();
        await inspect('token-new', undefined, page.getByRole('button', { name: 'Create token' }));
        await inspect('users', 'users', page.getByRole('link', { name: 'dana' }));
        if (process.env.UPDATE_PICTURES && name === 'wide' && colorScheme === 'light')
          await saveScreenshot(page, 'console');
        await inspect('users-none', 'users?search=zzz', page.getByText('No matching users.'));
        await inspect('user', `users/${user}`, page.getByRole('button', { name: 'Disable' }));
        await inspect('user-new', 'users/new', page.getByLabel('support'));
        await inspect('roles', 'roles', page.getByText('Answers users'));
        await inspect('tenants', 'tenants', page.getByText('Default tenant'));
        if (name === 'narrow') {
          await page.getByRole('button', { name: 'Menu' }).click();
          await inspect('menu', undefined, page.getByRole('link', { name: 'Playground' }));
        }

        await page.goto('/graphql');
        // GraphiQL drops the selection of a tab before its editor has loaded.
        await page.locator('.graphiql-query-editor').getByText('Creates a user').waitFor();
        await page.getByRole('tab', { name: 'Me' }).click();
        await page.getByLabel('Username').fill(ADMIN);
        await page.getByLabel('Password').fill(PASSWORD);
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByText('Authorization: Bearer').waitFor();
        await page.getByRole('button', { name: /^Execute query/ }).click();
        await inspect('playground', undefined, page.locator('.result-window').getByText(`"${ADMIN}"`));
        if (process.env.UPDATE_PICTURES && name === 'wide' && colorScheme === 'dark')
          await saveScreenshot(page, 'playground');

        await context.close();
        assert.deepEqual(problems, []);
        assert.deepEqual(pageErrors, []);
      });
    }
  }

  async function saveScreenshot(page, name) {
    await mkdir(pictures, { recursive: true });
    await page.setViewportSize({ width: 1120, height: 640 });
    await page.screenshot({ path: `${pictures}${name}.png` });
    await page.setViewportSize({ width: 1280, height: 800 });
  }
});

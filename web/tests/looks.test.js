// Every page in light and dark, wide and narrow: nothing serious for axe, nothing wider than the screen, and a picture
// of each in `screenshots/` to be looked at. UPDATE_PICTURES=1 puts the two of the README into `docs/`.
import assert from 'node:assert/strict';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startServer } from '../../tests/clients/server.js';
import { newPerson, signIn, startBrowser } from './browser.js';
import { ask, PASSWORD, register } from './people.js';

const ADMIN = 'root-admin';
const limit = { timeout: 600_000 };
const directory = fileURLToPath(new URL('../screenshots/', import.meta.url));
const pictures = fileURLToPath(new URL('../docs/', import.meta.url));

const people = [
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

describe('the looks', () => {
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
    for (const [username, displayName] of people) await register(server.url, username, { displayName });
    user = await furnish();
  }, limit);

  after(async () => {
    await browser?.close();
    await server?.stop();
  }, limit);

  /** Roles, a disabled account and a token, so that the pages have something to show; answers one user's id. */
  async function furnish() {
    const login = `mutation ($input: LoginInput!) { login(input: $input) { tokens { accessToken } } }`;
    const {
      login: { tokens },
    } = await ask(server.url, login, { input: { username: ADMIN, password: PASSWORD } });
    const send = (query) => ask(server.url, query, {}, tokens.accessToken);
    const role = 'name: "support", description: "Answers people who cannot sign in"';
    await send(`mutation { saveRole(input: { ${role}, permissions: [USERS_READ, SESSIONS_REVOKE] }) { role { id } } }`);
    const token = 'name: "nightly backup", permissions: [USERS_READ], scopes: ["ds_*/read"], expiresIn: 7776000';
    await send(`mutation { createApiToken(input: { ${token} }) { token } }`);
    const { users } = await send('{ users(first: 100) { nodes { id username } } }');
    const idOf = (name) => users.nodes.find(({ username }) => username === name).id;
    await send(`mutation { setUserRoles(input: { userId: "${idOf('dana')}", roles: ["support"] }) { user { id } } }`);
    await send(`mutation { setUserStatus(input: { userId: "${idOf('emre.k')}", status: DISABLED }) { user { id } } }`);
    return idOf('dana');
  }

  /** What stands in the way of people; the editor's own findings are for its authors. */
  async function findings(page) {
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
        const { context, faults, newPage } = await newPerson(browser, server.url, options);
        const page = await newPage();
        const wrong = [];
        // Both schemes and both sizes are judged, but not each with each.
        const isJudged = (colorScheme === 'light') === (name === 'wide');

        async function look(place, hash, ready) {
          if (hash !== undefined) await page.goto(`/#/${hash}`);
          await ready.first().waitFor();
          await page.evaluate(() => document.fonts.ready);
          if (isJudged) for (const finding of await findings(page)) wrong.push(`${place}: ${finding}`);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          if (overflow > 0) wrong.push(`${place} is ${overflow} px wider than the screen`);
          await page.screenshot({ path: `${directory}${place}-${colorScheme}-${name}.png`, fullPage: true });
        }

        await look('sign-in', '', page.getByRole('heading', { name: 'Sign in' }));
        await page.getByRole('button', { name: 'Sign in' }).click();
        await look('sign-in-refused', undefined, page.getByRole('alert'));
        await page.goto('/#/register');
        await page.getByLabel('Password', { exact: true }).fill('horse battery');
        await look('register', undefined, page.locator('.strength'));
        await signIn(page, ADMIN, PASSWORD);
        await page.getByRole('heading', { name: 'Profile' }).waitFor();
        await look('profile', 'profile', page.getByText('Member since'));
        await look('password', 'password', page.getByLabel('Current password', { exact: true }));
        await look('sessions', 'sessions', page.getByText('This device'));
        await look('tokens', 'tokens', page.getByText('nightly backup'));
        await page.getByRole('button', { name: 'New token' }).click();
        await look('token-new', undefined, page.getByRole('button', { name: 'Make the token' }));
        await look('users', 'users', page.getByRole('link', { name: 'dana' }));
        if (process.env.UPDATE_PICTURES && name === 'wide' && colorScheme === 'light') await keep(page, 'console');
        await look('users-none', 'users?search=zzz', page.getByText('Nobody is like that.'));
        await look('user', `users/${user}`, page.getByRole('button', { name: 'Disable' }));
        await look('user-new', 'users/new', page.getByLabel('support'));
        await look('roles', 'roles', page.getByText('Answers people'));
        await look('tenants', 'tenants', page.getByText('The installation’s own'));
        if (name === 'narrow') {
          await page.getByRole('button', { name: 'Menu' }).click();
          await look('menu', undefined, page.getByRole('link', { name: 'Playground' }));
        }

        await page.goto('/graphql');
        // GraphiQL forgets a tab that is chosen before its editor is there.
        await page.locator('.graphiql-query-editor').getByText('Makes an account').waitFor();
        await page.getByRole('tab', { name: 'Me' }).click();
        await page.getByLabel('Username').fill(ADMIN);
        await page.getByLabel('Password').fill(PASSWORD);
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByText('Authorization: Bearer').waitFor();
        await page.getByRole('button', { name: /^Execute query/ }).click();
        await look('playground', undefined, page.locator('.result-window').getByText(`"${ADMIN}"`));
        if (process.env.UPDATE_PICTURES && name === 'wide' && colorScheme === 'dark') await keep(page, 'playground');

        await context.close();
        assert.deepEqual(wrong, []);
        assert.deepEqual(faults, []);
      });
    }
  }

  async function keep(page, name) {
    await mkdir(pictures, { recursive: true });
    await page.setViewportSize({ width: 1120, height: 640 });
    await page.screenshot({ path: `${pictures}${name}.png` });
    await page.setViewportSize({ width: 1280, height: 800 });
  }
});

// Debian's Chromium, with no way to anywhere but the server under test, and with an eye on what a page should not do.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';

/** It asks nothing of its maker's servers, and runs as root in a container. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function startBrowser() {
  if (!existsSync(executablePath)) throw new Error(`no Chromium at ${executablePath}: apt-get install chromium`);
  return chromium.launch({ executablePath, args });
}

/**
 * A person's browser, with its own cookies. `faults` collects what its pages should not have done: requests to other
 * servers, what the content security policy stopped, and errors that nobody caught.
 */
export async function newPerson(browser, url, options = {}) {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(120_000);
  const faults = [];
  await context.route(
    (place) => place.origin !== url && ['http:', 'https:'].includes(place.protocol),
    (route) => {
      faults.push(`asked ${route.request().url()}`);
      return route.abort();
    },
  );
  await context.exposeFunction('reportViolation', (text) => faults.push(text));
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample }) => {
      window.reportViolation(`${effectiveDirective} stopped ${blockedURI} ${sample}`);
    });
  });
  context.on('weberror', (error) => faults.push(String(error.error())));
  return { context, faults, newPage: () => context.newPage() };
}

/** Signs in at the console's door. */
export async function signIn(page, username, password) {
  await page.goto('/');
  await page.getByLabel('Username or e-mail address').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** The GraphQL operations that pages of the context send from now on. */
export function operationsOf(context) {
  const names = [];
  context.on('request', (request) => {
    if (request.method() === 'POST') names.push(request.postDataJSON().operationName);
  });
  return names;
}

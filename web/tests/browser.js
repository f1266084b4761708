// Debian's Chromium, restricted to the server under test. It records page errors.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';

/** No requests to the vendor's servers; runs as root in a container. */
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
  if (!existsSync(executablePath))
    throw new Error(`no Chromium at ${executablePath}: install it, or set CHROMIUM to its path`);
  return chromium.launch({ executablePath, args });
}

/**
 * Opens a browser context with its own cookies. `pageErrors` collects requests to other servers, violations of the
 * content security policy and uncaught errors.
 */
export async function openContext(browser, url, options = {}) {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(120_000);
  const pageErrors = [];
  await context.route(
    (target) => target.origin !== url && ['http:', 'https:'].includes(target.protocol),
    (route) => {
      pageErrors.push(`request to ${route.request().url()}`);
      return route.abort();
    },
  );
  await context.exposeFunction('reportViolation', (text) => pageErrors.push(text));
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample }) => {
      window.reportViolation(`${effectiveDirective} blocked ${blockedURI} ${sample}`);
    });
  });
  context.on('weberror', (error) => pageErrors.push(String(error.error())));
  return { context, pageErrors, newPage: () => context.newPage() };
}

/** Signs in on the console's sign-in page. */
export async function signIn(page, username, password) {
  await page.goto('/');
  await page.getByLabel('Username or e-mail address').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Names of the GraphQL operations that the context's pages send from now on. */
export function operationsOf(context) {
  const names = [];
  context.on('request', (request) => {
    if (request.method() === 'POST') names.push(request.postDataJSON().operationName);
  });
  return names;
}

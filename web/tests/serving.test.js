// How the server serves this package: size of a first visit, response headers and caching.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from '../../tests/clients/server.js';
import { openContext, operationsOf, startBrowser } from './browser.js';

const limit = { timeout: 600_000 };
const FIRST_LOAD_BYTES = 200_000;
const CLIENT_BYTES = 8_000;

let server;

before(async () => {
  server = await startServer();
}, limit);

after(() => server?.stop(), limit);

/** Bytes of the response bodies as transferred, that is compressed. */
async function bytesOf(context, work) {
  const finished = [];
  context.on('requestfinished', (request) => finished.push(request.sizes()));
  await work();
  const sizes = await Promise.all(finished);
  return sizes.reduce((sum, { responseBodySize }) => sum + responseBodySize, 0);
}

test('a first visit of the console loads less than 200 kB', limit, async () => {
  const browser = await startBrowser();
  const { context, newPage } = await openContext(browser, server.url);
  const page = await newPage();
  const bytes = await bytesOf(context, async () => {
    await page.goto('/', { waitUntil: 'networkidle' });
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });
  console.log(`first load of the console: ${bytes} bytes`);
  assert.ok(bytes > 50_000, 'the scripts are counted');
  assert.ok(bytes < FIRST_LOAD_BYTES, `${bytes} bytes`);
  await browser.close();
});

test('the client is less than 8 kB and revalidates its cached copy', limit, async () => {
  const url = `${server.url}/client/accountd.js`;
  const compressed = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(compressed.headers.get('content-encoding'), 'gzip');
  assert.equal(compressed.headers.get('content-type'), 'text/javascript; charset=utf-8');
  assert.equal(compressed.headers.get('cache-control'), 'no-cache');
  const bytes = Number(compressed.headers.get('content-length'));
  console.log(`the client: ${bytes} bytes`);
  assert.ok(bytes > 1_000 && bytes < CLIENT_BYTES, `${bytes} bytes`);

  const plain = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
  assert.equal(plain.headers.get('content-encoding'), null);
  assert.equal(await plain.text(), await compressed.text());

  const conditional = { 'accept-encoding': 'gzip', 'if-none-match': compressed.headers.get('etag') };
  const again = await fetch(url, { headers: conditional });
  assert.deepEqual([again.status, await again.text()], [304, '']);

  const types = await fetch(`${server.url}/client/accountd.d.ts`);
  assert.match(await types.text(), /export function createAccount\(options\?: Options\): Account;/);
});

test('the console loads its files below the path of another application', limit, async () => {
  const example = await startServer({ program: 'examples/embedded', root: '/accounts' });
  const browser = await startBrowser();
  try {
    const { context, pageErrors, newPage } = await openContext(browser, example.url);
    const operations = operationsOf(context);
    const page = await newPage();
    await page.goto('/accounts');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.ok(operations.includes('Me'));
    await page.getByRole('link', { name: 'playground' }).click();
    await page.getByRole('tab', { name: 'Register' }).waitFor();
    assert.deepEqual(pageErrors, []);
  } finally {
    await browser.close();
    await example.stop();
  }
});

test('a server without introspection hides the playground', limit, async () => {
  const closed = await startServer({ env: { ACCOUNTD_GRAPHQL__INTROSPECTION: 'false' } });
  try {
    assert.match(await (await fetch(`${server.url}/`)).text(), /data-playground="true"/);
    assert.match(await (await fetch(`${closed.url}/`)).text(), /data-playground="false"/);
    const page = await fetch(`${closed.url}/graphql`, { headers: { accept: 'text/html' } });
    assert.equal(page.status, 403);
    assert.match(await page.text(), /graphql\.introspection/);
    // A forwarded request does not count as local.
    const forwarded = await fetch(`${server.url}/`, { headers: { 'x-forwarded-for': '192.0.2.1' } });
    assert.match(await forwarded.text(), /data-playground="false"/);
  } finally {
    await closed.stop();
  }
});

test('files of pages are cached permanently, pages are not cached', limit, async () => {
  const page = await fetch(`${server.url}/`);
  assert.equal(page.headers.get('cache-control'), 'no-store');
  const [, script] = /src="\.\/(assets\/[^"]+\.js)"/.exec(await page.text());
  const file = await fetch(`${server.url}/${script}`);
  assert.equal(file.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  for (const name of ['x-content-type-options', 'content-security-policy', 'cross-origin-resource-policy']) {
    assert.ok(file.headers.get(name), name);
  }
  for (const path of ['assets/none.js', 'client/none.js', 'assets/..%2findex.html', 'client/..%2f..%2fpackage.json']) {
    assert.equal((await fetch(`${server.url}/${path}`)).status, 404, path);
  }
});

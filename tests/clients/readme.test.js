// The sessions in the documents print what the server returns. UPDATE_README=1 writes the real output; read the diff.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { startServer } from './server.js';
import { printedSessions, realAnswers, withAnswers } from './session.js';

const root = new URL('../../', import.meta.url);

/** Each document is one shell session; gateway.test.js runs the one of docs/gateways.md. */
const documents = ['README.md', 'docs/tour.md', 'docs/embedding.md'];

for (const document of documents) {
  test(`the sessions in ${document} print what the server returns`, { timeout: 600_000 }, async () => {
    const path = new URL(document, root);
    const text = await readFile(path, 'utf8');
    const steps = printedSessions(text);
    assert.notEqual(steps.length, 0, `${document} has no session`);
    const directory = await mkdtemp(join(tmpdir(), 'accountd-readme-'));
    const servers = [];
    try {
      const server = await startServer({ env: { ACCOUNTD_LIMITS__ENABLED: 'true' } });
      servers.push(server);
      const example = await startServer({ program: 'examples/embedded', root: '/accounts' });
      servers.push(example);
      await server.makeAdmin('root', 'correct-horse-battery-9');
      const answers = await realAnswers(steps, { 8080: server.url, 8081: example.url }, directory);
      if (process.env.UPDATE_README) await writeFile(path, withAnswers(text, answers));
      else assert.deepEqual(answers, steps.map(({ answer }) => answer));
    } finally {
      for (const server of servers) await server.stop();
      await rm(directory, { recursive: true });
    }
  });
}

// The sessions in the README answer as printed. UPDATE_README=1 prints what they answer into it; read the difference.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { startServer } from './server.js';
import { printedSessions, realAnswers } from './session.js';

const path = new URL('../../README.md', import.meta.url);

test('the sessions in the README answer as printed', { timeout: 600_000 }, async () => {
  const readme = await readFile(path, 'utf8');
  const steps = printedSessions(readme);
  const directory = await mkdtemp(join(tmpdir(), 'accountd-readme-'));
  const server = await startServer({ env: { ACCOUNTD_LIMITS__ENABLED: 'true' } });
  const example = await startServer({ program: 'examples/embedded', root: '/accounts' });
  try {
    await server.makeAdmin('root', 'correct-horse-battery-9');
    const answers = await realAnswers(steps, { 8080: server.url, 8081: example.url }, directory);
    if (process.env.UPDATE_README) await writeFile(path, updated(readme, answers));
    else assert.deepEqual(answers, steps.map(({ answer }) => answer));
  } finally {
    await server.stop();
    await example.stop();
    await rm(directory, { recursive: true });
  }
});

function updated(readme, answers) {
  const next = answers[Symbol.iterator]();
  return readme.replace(/```console\n([\s\S]*?)```/g, (block) => {
    const commands = block.split('\n').filter((line) => line.startsWith('$ '));
    const lines = commands.flatMap((command) => [command, next.next().value].filter(Boolean));
    return ['```console', ...lines, '```'].join('\n');
  });
}

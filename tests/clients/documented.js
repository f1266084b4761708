// The code that the documents show, so that tests run the very lines that readers copy.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = new URL('../../', import.meta.url);

/** The text of a document, by its path in the repository. */
export const documentText = (path) => readFile(new URL(path, root), 'utf8');

/** What the one JavaScript block of a document exports. */
export async function documented(path) {
  const blocks = [...(await documentText(path)).matchAll(/```js\n([\s\S]*?)```/g)];
  if (blocks.length !== 1) throw new Error(`${path} shows ${blocks.length} blocks of JavaScript, not one`);
  const directory = await mkdtemp(join(tmpdir(), 'accountd-documented-'));
  try {
    const file = join(directory, 'example.mjs');
    await writeFile(file, blocks[0][1]);
    return await import(pathToFileURL(file));
  } finally {
    await rm(directory, { recursive: true });
  }
}

// Imports code examples from the documents, so that tests run the lines that readers copy.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = new URL('../../', import.meta.url);

/** The text of a document, by its path in the repository. */
export const documentText = (path) => readFile(new URL(path, root), 'utf8');

/** Below `node_modules`, because the examples import packages of the tests. */
const directoryPrefix = fileURLToPath(new URL('node_modules/.documented-', import.meta.url));

/** Imports the document's JavaScript block that exports `name`; `url` replaces the address of the example server. */
export async function importDocExample(path, name, url = 'https://accounts.example.org') {
  const all = [...(await documentText(path)).matchAll(/```js\n([\s\S]*?)```/g)];
  const blocks = all.filter(([, code]) => new RegExp(`^export .*\\b${name}\\b`, 'm').test(code));
  if (blocks.length !== 1) throw new Error(`${path} has ${blocks.length} blocks that export ${name}, expected one`);
  const directory = await mkdtemp(directoryPrefix);
  try {
    const file = join(directory, 'example.mjs');
    await writeFile(file, blocks[0][1].replaceAll('https://accounts.example.org', url));
    return await import(pathToFileURL(file));
  } finally {
    await rm(directory, { recursive: true });
  }
}

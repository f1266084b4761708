// The code that the documents show, so that tests run the very lines that readers copy.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = new URL('../../', import.meta.url);

/** The text of a document, by its path in the repository. */
export const documentText = (path) => readFile(new URL(path, root), 'utf8');

/** Beside the packages of the tests, which examples import. */
const place = fileURLToPath(new URL('node_modules/.documented-', import.meta.url));

/** What the JavaScript block of a document exports that exports `name`; `url` is the real one of its server. */
export async function documented(path, name, url = 'https://accounts.example.org') {
  const all = [...(await documentText(path)).matchAll(/```js\n([\s\S]*?)```/g)];
  const blocks = all.filter(([, code]) => new RegExp(`^export .*\\b${name}\\b`, 'm').test(code));
  if (blocks.length !== 1) throw new Error(`${path} shows ${blocks.length} blocks that export ${name}, not one`);
  const directory = await mkdtemp(place);
  try {
    const file = join(directory, 'example.mjs');
    await writeFile(file, blocks[0][1].replaceAll('https://accounts.example.org', url));
    return await import(pathToFileURL(file));
  } finally {
    await rm(directory, { recursive: true });
  }
}

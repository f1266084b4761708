// Writes a packed copy beside each built file that gains by it, so that the server need not pack anything.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('dist/', import.meta.url);
const worthIt = /^(assets|client)\/.*\.(js|css|svg|ttf|ts)$/;

for (const name of readdirSync(dist, { recursive: true })) {
  if (!worthIt.test(name)) continue;
  const bytes = readFileSync(new URL(name, dist));
  const packed = gzipSync(bytes, { level: 9 });
  if (packed.length < bytes.length * 0.9) writeFileSync(new URL(`${name}.gz`, dist), packed);
}

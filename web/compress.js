// Writes a gzip copy beside each built file that shrinks by at least 10 %, so that the server never compresses.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('dist/', import.meta.url);
const compressible = /^(assets|client)\/.*\.(js|css|svg|ttf|ts)$/;

for (const name of readdirSync(dist, { recursive: true })) {
  if (!compressible.test(name)) continue;
  const bytes = readFileSync(new URL(name, dist));
  const compressed = gzipSync(bytes, { level: 9 });
  if (compressed.length < bytes.length * 0.9) writeFileSync(new URL(`${name}.gz`, dist), compressed);
}

// Builds the client for other people's pages: one module without dependencies, and its types as they are written.
import { copyFileSync } from 'node:fs';
import { defineConfig } from 'vite';

export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'dist/client',
    target: 'es2022',
    lib: { entry: 'client/main.ts', formats: ['es'], fileName: () => 'accountd.js' },
  },
  plugins: [
    {
      name: 'types',
      writeBundle: () => copyFileSync('client/accountd.d.ts', 'dist/client/accountd.d.ts'),
    },
  ],
});

// Builds the browser client for other applications: one module without dependencies, and its type declarations.
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
      name: 'copy-types',
      writeBundle: () => copyFileSync('client/accountd.d.ts', 'dist/client/accountd.d.ts'),
    },
  ],
});

// Builds the two pages: the console and the playground. The client has a build of its own.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // Pages find their files also where a proxy serves them below a path.
  base: './',
  // The server puts a fresh nonce in the place of this word whenever it serves a page.
  html: { cspNonce: 'NONCE-OF-THIS-ANSWER' },
  build: {
    target: 'es2022',
    // The content security policy lets pages load files of the server and nothing that is written into them.
    assetsInlineLimit: 0,
    // The playground's editor is one large chunk, and nothing but the playground loads it.
    chunkSizeWarningLimit: 4_000,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ['index.html', 'playground.html'],
      // GraphiQL's modules carry hints for a compiler that has done its work.
      onLog: (level, log, print) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && print(level, log),
    },
  },
});

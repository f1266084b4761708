// Builds the console and the playground. The client has a separate build.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // Relative, so that a proxy can serve the pages below a path.
  base: './',
  // Placeholder: the server replaces it by a new nonce in each response.
  html: { cspNonce: 'NONCE-OF-THIS-ANSWER' },
  build: {
    target: 'es2022',
    // The content security policy allows files of the server, but no inlined assets.
    assetsInlineLimit: 0,
    // kB. The playground's editor is one large chunk, loaded only by the playground.
    chunkSizeWarningLimit: 4_000,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ['index.html', 'playground.html'],
      // GraphiQL's modules contain directives of a compiler that has already run.
      onLog: (level, log, print) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && print(level, log),
    },
  },
});

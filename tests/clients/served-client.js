// The client that accountd serves at `/client/accountd.js`, instead of an application's error link.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Imports the module that the server at `url` serves; through a file, because Node imports nothing over HTTP. */
export async function servedClient(url) {
  const response = await fetch(`${url}/client/accountd.js`);
  if (response.status !== 200) throw new Error(`no client at ${url}: ${response.status} ${await response.text()}`);
  const directory = await mkdtemp(join(tmpdir(), 'accountd-client-'));
  const path = join(directory, 'accountd.mjs');
  try {
    await writeFile(path, await response.text());
    return await import(pathToFileURL(path));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** `apollo`, with the served client's link instead of its own two links. */
export async function withServedClient(apollo, url) {
  const { createAccount } = await servedClient(url);
  return {
    ...apollo,
    isNaive: false,
    makeClient({ uri, tokens, onSignedOut, fetch }) {
      const store = {
        get: () => ({ accessToken: tokens.access, refreshToken: tokens.refresh }),
        set(pair) {
          // The tests read the tokens of ended sessions.
          if (pair) Object.assign(tokens, { access: pair.accessToken, refresh: pair.refreshToken });
        },
      };
      const account = createAccount({ url: uri, store, fetch });
      account.on('signed-out', ({ reason }) => onSignedOut(reason));
      return apollo.makeClientWith([account.link(apollo.ApolloLink)], { uri, fetch });
    },
  };
}

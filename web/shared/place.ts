// Where the server is, as seen from its files below `assets/`: another application may have it at a path of its own.
const here = import.meta.url;

/** The console. */
export const root = new URL('..', here).href;

/** Where GraphQL is answered, and the playground shown. */
export const graphql = new URL('../graphql', here).href;

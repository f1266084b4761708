// Where the server is, as seen from its files below `assets/`: another application may have it at a path of its own.
const here = import.meta.url;

/** The console. */
export const root = new URL('..', here).href;

/** Where GraphQL is answered, and to browsers the playground is shown. */
export const graphql = new URL('../graphql', here).href;

/** The playground, unless the server keeps it and its schema to itself; the server writes it into the page. */
export const playground = document.getElementById('root')?.dataset.playground === 'true' ? graphql : undefined;

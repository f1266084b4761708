// Addresses of the server, relative to its files below `assets/`: another application may nest it below a path.
const moduleUrl = import.meta.url;

/** The console. */
export const rootUrl = new URL('..', moduleUrl).href;

/** The GraphQL endpoint; browsers get the playground there. */
export const graphqlUrl = new URL('../graphql', moduleUrl).href;

/** Undefined if the playground is disabled; the server writes this into the page. */
export const playgroundUrl = document.getElementById('root')?.dataset.playground === 'true' ? graphqlUrl : undefined;

// Apollo Client 3.14, set up as in its documentation.
import core from 'apollo-client-3/core/core.cjs';
import { setContext } from 'apollo-client-3/link/context/context.cjs';
import { onError } from 'apollo-client-3/link/error/error.cjs';
import { refreshTokens, recoveryFor } from './refresh.js';

const { ApolloClient, ApolloLink, HttpLink, InMemoryCache, fromPromise } = core;

export { ApolloLink };

export const name = 'Apollo Client 3.14';

/** Each operation refreshes separately: the server must handle that. */
export const isNaive = true;

export function makeClient({ uri, tokens, onSignedOut, fetch }) {
  const authLink = setContext((_operation, { headers }) => ({
    headers: { ...headers, authorization: tokens.access ? `Bearer ${tokens.access}` : '' },
  }));

  const errorLink = onError(({ graphQLErrors, operation, forward }) => {
    const recovery = recoveryFor(graphQLErrors);
    if (recovery === 'signed out') onSignedOut('SESSION_ENDED');
    if (recovery !== 'refresh') return undefined;
    const refreshing = refreshTokens(client, tokens, onSignedOut);
    return fromPromise(refreshing).flatMap(() => forward(operation));
  });

  const client = makeClientWith([errorLink, authLink], { uri, fetch });
  return client;
}

/** A client with these links. */
export function makeClientWith(links, { uri, fetch }) {
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.from([...links, new HttpLink({ uri, fetch })]),
    defaultOptions: { query: { fetchPolicy: 'network-only' } },
  });
}

/** The GraphQL errors of a rejection. */
export function graphQLErrors(error) {
  return error.graphQLErrors ?? [];
}

// Apollo Client 3.14, set up as its documentation shows.
import core from 'apollo-client-3/core/core.cjs';
import { setContext } from 'apollo-client-3/link/context/context.cjs';
import { onError } from 'apollo-client-3/link/error/error.cjs';
import { refreshTokens, whatErrorsAsk } from './refresh.js';

const { ApolloClient, ApolloLink, HttpLink, InMemoryCache, fromPromise } = core;

export const name = 'Apollo Client 3.14';

export function makeClient({ uri, tokens, onSignedOut, fetch }) {
  const authLink = setContext((_operation, { headers }) => ({
    headers: { ...headers, authorization: tokens.access ? `Bearer ${tokens.access}` : '' },
  }));

  const errorLink = onError(({ graphQLErrors, operation, forward }) => {
    const demand = whatErrorsAsk(graphQLErrors);
    if (demand === 'signed out') onSignedOut('SESSION_ENDED');
    if (demand !== 'refresh') return undefined;
    const refreshed = refreshTokens(client, tokens, onSignedOut);
    return fromPromise(refreshed).flatMap(() => forward(operation));
  });

  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.from([errorLink, authLink, new HttpLink({ uri, fetch })]),
    defaultOptions: { query: { fetchPolicy: 'network-only' } },
  });
  return client;
}

/** The GraphQL errors inside what a call was rejected with. */
export function graphQLErrors(error) {
  return error.graphQLErrors ?? [];
}

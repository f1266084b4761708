// Apollo Client 4, set up as in its documentation.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client/core';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { from, mergeMap } from 'rxjs';
import { refreshTokens, recoveryFor } from './refresh.js';

export { ApolloLink };

export const name = 'Apollo Client 4';

/** Each operation refreshes separately: the server must handle that. */
export const isNaive = true;

export function makeClient({ uri, tokens, onSignedOut, fetch }) {
  const authLink = new SetContextLink(({ headers }) => ({
    headers: { ...headers, authorization: tokens.access ? `Bearer ${tokens.access}` : '' },
  }));

  const errorLink = new ErrorLink(({ error, operation, forward }) => {
    const recovery = recoveryFor(graphQLErrors(error));
    if (recovery === 'signed out') onSignedOut('SESSION_ENDED');
    if (recovery !== 'refresh') return undefined;
    const refreshing = refreshTokens(client, tokens, onSignedOut);
    return from(refreshing).pipe(mergeMap(() => forward(operation)));
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
  return CombinedGraphQLErrors.is(error) ? error.errors : [];
}

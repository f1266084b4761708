// Apollo Client 4, set up as its documentation shows.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client/core';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { from, mergeMap } from 'rxjs';
import { refreshTokens, whatErrorsAsk } from './refresh.js';

export { ApolloLink };

export const name = 'Apollo Client 4';

/** Each operation refreshes for itself: the server has to cope with that. */
export const isNaive = true;

export function makeClient({ uri, tokens, onSignedOut, fetch }) {
  const authLink = new SetContextLink(({ headers }) => ({
    headers: { ...headers, authorization: tokens.access ? `Bearer ${tokens.access}` : '' },
  }));

  const errorLink = new ErrorLink(({ error, operation, forward }) => {
    const demand = whatErrorsAsk(graphQLErrors(error));
    if (demand === 'signed out') onSignedOut('SESSION_ENDED');
    if (demand !== 'refresh') return undefined;
    const refreshed = refreshTokens(client, tokens, onSignedOut);
    return from(refreshed).pipe(mergeMap(() => forward(operation)));
  });

  const client = makeClientWith([errorLink, authLink], { uri, fetch });
  return client;
}

/** A client whose requests pass through these links. */
export function makeClientWith(links, { uri, fetch }) {
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.from([...links, new HttpLink({ uri, fetch })]),
    defaultOptions: { query: { fetchPolicy: 'network-only' } },
  });
}

/** The GraphQL errors inside what a call was rejected with. */
export function graphQLErrors(error) {
  return CombinedGraphQLErrors.is(error) ? error.errors : [];
}

// The console's account and Apollo client; the account is the public browser client in cookie mode.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { createAccount } from '../client/main';
import { graphqlUrl } from '../shared/urls';

export const account = createAccount({ url: graphqlUrl, mode: 'cookie' });

export const client = new ApolloClient({
  link: ApolloLink.from([account.link(ApolloLink), new HttpLink({ uri: graphqlUrl })]),
  cache: new InMemoryCache(),
});

/** Sends a mutation and returns its payload. Errors the user can correct are in `errors`; all others are thrown. */
export async function submit<Data extends object, Input>(
  mutation: TypedDocumentNode<Data, { input: Input }>,
  input: Input,
): Promise<Data[keyof Data]> {
  const { data } = await client.mutate<Data, { input: Input }>({ mutation, variables: { input } } as never);
  return Object.values(data as Data)[0];
}

// The console's account and its Apollo client: the same file that other pages load, in cookie mode.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { createAccount } from '../client/main';
import { graphql } from '../shared/place';

export const account = createAccount({ url: graphql, mode: 'cookie' });

export const client = new ApolloClient({
  link: ApolloLink.from([account.link(ApolloLink), new HttpLink({ uri: graphql })]),
  cache: new InMemoryCache(),
});

/** Sends a mutation and answers its payload; what the person can fix is in its `errors`, all else is thrown. */
export async function submit<Data extends object, Input>(
  mutation: TypedDocumentNode<Data, { input: Input }>,
  input: Input,
): Promise<Data[keyof Data]> {
  const { data } = await client.mutate<Data, { input: Input }>({ mutation, variables: { input } } as never);
  return Object.values(data as Data)[0];
}

// The playground's account. Its tokens are stored in this page alone, and developers can see them.
import { createAccount } from '../client/main';
import { graphqlUrl } from '../shared/urls';

export const account = createAccount({ url: graphqlUrl });

interface GraphQLParams {
  query: string;
  variables?: unknown;
  operationName?: string | null;
}

/** Sends the editor's operation. An `Authorization` header from the editor replaces the signed-in account. */
export async function sendOperation(
  params: GraphQLParams,
  { headers = {} }: { headers?: Record<string, string> } = {},
) {
  const hasAuthorization = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  const send = hasAuthorization ? fetch : account.fetch;
  const response = await send(graphqlUrl, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(params),
    ...(hasAuthorization && { credentials: 'omit' as const }),
  });
  return response.json();
}

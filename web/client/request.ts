// GraphQL operations that the client sends itself, without an application's links.
import type { AccountError, Outcome, Tokens } from './accountd';

/** The server responds within 15 seconds; a longer wait would block the other tabs. */
const TIMEOUT_MS = 30_000;

export interface GraphQLResponse<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: Record<string, unknown> }[];
}

export type GraphQLRequest = <Data>(
  query: string,
  variables: object,
  accessToken?: string | null,
) => Promise<GraphQLResponse<Data>>;

export interface TokensPayload extends Outcome {
  tokens: Tokens | null;
  deviceToken?: string | null;
}

const errors = 'errors { code message path violations retryAfter }';
const tokens = 'tokens { accessToken refreshToken }';

export const ME = 'query AccountdMe { me { id } }';

export const REFRESH = `mutation Refresh($input: RefreshInput) { refresh(input: $input) { ${tokens} ${errors} } }`;

export const LOGIN = `mutation Login($input: LoginInput!) {
  payload: login(input: $input) { user { id username } ${tokens} deviceToken ${errors} }
}`;

export const REGISTER = `mutation Register($input: RegisterInput!) {
  payload: register(input: $input) { user { id username } ${tokens} ${errors} }
}`;

export const LOGOUT = 'mutation Logout($input: LogoutInput) { logout(input: $input) { ok } }';

export interface RefreshData {
  refresh: { tokens: Tokens | null; errors: AccountError[] };
}

export function makeRequest(url: URL, send: typeof fetch, credentials: RequestCredentials): GraphQLRequest {
  return async (query, variables, accessToken) => {
    const headers: Record<string, string> = { accept: 'application/json', 'content-type': 'application/json' };
    if (accessToken) headers.authorization = `Bearer ${accessToken}`;
    const operationName = /(?:query|mutation) (\w+)/.exec(query)?.[1];
    const response = await send(url.href, {
      method: 'POST',
      headers,
      credentials,
      body: JSON.stringify({ operationName, query, variables }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return response.json();
  };
}

/** The data of a response; throws its first error, with the extensions. */
export function dataOrThrow<Data>(response: GraphQLResponse<Data>): Data {
  if (response.data && !response.errors?.length) return response.data;
  const first = response.errors?.[0];
  const message = first?.message ?? 'the response is not GraphQL: check the address of the server';
  throw Object.assign(new Error(message), { extensions: first?.extensions ?? {} });
}

// The few operations that this client sends by itself, past everybody's links.
import type { AccountError, Outcome, Tokens } from './accountd';

/** An answer takes the server 15 seconds at most; whoever waits longer holds up the other tabs. */
const PATIENCE_MS = 30_000;

export interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: Record<string, unknown> }[];
}

export type Ask = <Data>(query: string, variables: object, accessToken?: string | null) => Promise<Answer<Data>>;

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

export interface Refreshed {
  refresh: { tokens: Tokens | null; errors: AccountError[] };
}

/** Asks the server at `url`. */
export function asker(url: URL, send: typeof fetch, credentials: RequestCredentials): Ask {
  return async (query, variables, accessToken) => {
    const headers: Record<string, string> = { accept: 'application/json', 'content-type': 'application/json' };
    if (accessToken) headers.authorization = `Bearer ${accessToken}`;
    const operationName = /(?:query|mutation) (\w+)/.exec(query)?.[1];
    const response = await send(url.href, {
      method: 'POST',
      headers,
      credentials,
      body: JSON.stringify({ operationName, query, variables }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return response.json();
  };
}

/** The data of an answer; what went wrong is thrown with its code. */
export function dataOf<Data>(answer: Answer<Data>): Data {
  if (answer.data && !answer.errors?.length) return answer.data;
  const first = answer.errors?.[0];
  const message = first?.message ?? 'the server gave no GraphQL answer';
  throw Object.assign(new Error(message), { extensions: first?.extensions ?? {} });
}

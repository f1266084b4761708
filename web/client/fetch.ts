// `fetch` with the session's credentials: refreshes them and repeats the request, once.
import { captureTokens } from './capture-tokens';
import { type Challenge, challengeFromErrors, challengeFromStatus } from './challenge';
import type { Session } from './session';

export interface FetchOptions {
  /** GraphQL address of the server. */
  url: URL;
  /** Origins that receive the access token. */
  origins: string[];
  /** Cookie policy for requests to the server's own origin. */
  credentials: RequestCredentials;
}

export function makeFetch(session: Session, send: typeof fetch, options: FetchOptions): typeof fetch {
  const { url, origins, credentials } = options;
  return async (input, init) => {
    const target = new URL(input instanceof Request ? input.url : input, globalThis.location?.href);
    const isOwn = target.origin === url.origin;
    if (!isOwn && !origins.includes(target.origin)) return send(input, init);

    /** Sends the request with the current credentials. */
    const sendWithCredentials = () => {
      const sentWith = session.snapshot();
      const request = input instanceof Request ? input.clone() : input;
      const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
      if (sentWith.accessToken) headers.set('authorization', `Bearer ${sentWith.accessToken}`);
      const response = send(request, { ...init, headers, ...(isOwn && { credentials }) });
      return { sentWith, response };
    };

    const first = sendWithCredentials();
    const response = await first.response;
    const { challenge, data } = await inspect(response, isOwn && target.pathname === url.pathname);
    // Another service may also serve GraphQL, but its tokens belong to its own users.
    if (isOwn) captureTokens(session, data);
    // A stream can be sent only once.
    const canRepeat = !(init?.body instanceof ReadableStream);
    if (!challenge || !(await session.recover(challenge, first.sentWith)) || !canRepeat) return response;

    const second = sendWithCredentials();
    const repeated = await second.response;
    const result = await inspect(repeated, isOwn && target.pathname === url.pathname);
    session.acceptFinal(result.challenge, second.sentWith);
    if (isOwn) captureTokens(session, result.data);
    return repeated;
  };
}

/** Reads a copy of the response; the caller can still read the body. */
async function inspect(
  response: Response,
  isGraphQL: boolean,
): Promise<{ challenge?: Challenge | undefined; data?: unknown }> {
  const type = response.headers.get('content-type') ?? '';
  const hasResult = type.startsWith('application/graphql-response+json') || (isGraphQL && type.includes('json'));
  if (!hasResult) return { challenge: challengeFromStatus(response) };
  const body = await response.clone().json();
  const results = Array.isArray(body) ? body : [body];
  const challenge = results.map(({ errors }) => challengeFromErrors(errors)).find(Boolean);
  return { challenge, data: Object.assign({}, ...results.map(({ data }) => data)) };
}

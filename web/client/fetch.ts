// `fetch` that renews the credentials and repeats the request, once.
import { type Demand, demandOfErrors, demandOfStatus } from './demand';
import { learn } from './learn';
import type { Session } from './session';

export interface Places {
  /** Where GraphQL is answered. */
  url: URL;
  /** Origins that are sent the access token. */
  origins: string[];
  /** How the server's own origin is asked. */
  credentials: RequestCredentials;
}

export function makeFetch(session: Session, send: typeof fetch, { url, origins, credentials }: Places): typeof fetch {
  return async (input, init) => {
    const place = new URL(input instanceof Request ? input.url : input, globalThis.location?.href);
    const isOwn = place.origin === url.origin;
    if (!isOwn && !origins.includes(place.origin)) return send(input, init);

    /** Sends it as it was given, with the credentials as they are now. */
    const attempt = () => {
      const now = session.begin();
      const request = input instanceof Request ? input.clone() : input;
      const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
      if (now.accessToken) headers.set('authorization', `Bearer ${now.accessToken}`);
      const sent = send(request, { ...init, headers, ...(isOwn && { credentials }) });
      return { now, sent };
    };

    const first = attempt();
    const response = await first.sent;
    const { demand, data } = await read(response, isOwn && place.pathname === url.pathname);
    // Another service may answer GraphQL, too: its tokens are for its own users.
    if (isOwn) learn(session, data);
    // A body that flows can be sent but once.
    const canRepeat = !(init?.body instanceof ReadableStream);
    if (!demand || !(await session.recover(demand, first.now)) || !canRepeat) return response;

    const second = attempt();
    const repeated = await second.sent;
    const answer = await read(repeated, isOwn && place.pathname === url.pathname);
    session.settle(answer.demand, second.now);
    if (isOwn) learn(session, answer.data);
    return repeated;
  };
}

/** What the answer says; its own body stays unread for the caller. */
async function read(response: Response, isGraphQL: boolean): Promise<{ demand?: Demand | undefined; data?: unknown }> {
  const type = response.headers.get('content-type') ?? '';
  const isAnswer = type.startsWith('application/graphql-response+json') || (isGraphQL && type.includes('json'));
  if (!isAnswer) return { demand: demandOfStatus(response) };
  const answer = await response.clone().json();
  const answers = Array.isArray(answer) ? answer : [answer];
  const demand = answers.map(({ errors }) => demandOfErrors(errors)).find(Boolean);
  return { demand, data: Object.assign({}, ...answers.map(({ data }) => data)) };
}

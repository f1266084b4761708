// Notices at once that the session was ended elsewhere, or what it may do was changed, while nobody clicks here. The
// server tells a page in sight that something happened; what that means is asked of it like anything else.

import { print } from 'graphql';
import { graphql } from '../shared/place';
import { account, client } from './account';
import { EventsDocument, MeDocument } from './generated';

/** How long after the end of a stream the next one is begun; it ends with each access token. */
const PAUSE_MS = 1_000;

/** How long after it could not be begun: then this is how often the server is asked. */
const EVERY_MS = 30_000;

/** Starts to watch; answers how to stop. */
export function watch(): () => void {
  let current: AbortController | undefined;
  const attend = () => {
    // A browser has few connections to one server: those who see nothing hold none.
    current?.abort();
    if (document.visibilityState !== 'visible') return;
    current = new AbortController();
    void follow(current.signal);
  };
  attend();
  document.addEventListener('visibilitychange', attend);
  return () => {
    document.removeEventListener('visibilitychange', attend);
    current?.abort();
  };
}

async function follow(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const news = await begin(signal).catch(() => undefined);
    if (signal.aborted) return;
    // What happened before it began is not told.
    ask();
    // A stream that breaks has ended.
    await news?.(ask).catch(() => {});
    await pause(news ? PAUSE_MS : EVERY_MS, signal);
  }
}

/** Whoever is signed out learns it from the account's event, and a server out of reach is asked again later. */
function ask(): void {
  client.query({ query: MeDocument, fetchPolicy: 'network-only' }).catch(() => {});
}

/** Begins a stream of events, and answers how to read it to its end; nothing, if the server gives none. */
async function begin(signal: AbortSignal): Promise<((tell: () => void) => Promise<void>) | undefined> {
  const response = await account.fetch(graphql, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ operationName: 'Events', query: print(EventsDocument) }),
    signal,
  });
  const reader = response.headers.get('content-type') === 'text/event-stream' && response.body?.getReader();
  if (!reader) return undefined;
  const decoder = new TextDecoder();
  return async (tell) => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      // All else are signs of life.
      if (decoder.decode(value, { stream: true }).includes('event:')) tell();
    }
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      done();
    });
  });
}

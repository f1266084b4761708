// Detects without user action that the session ended or its permissions changed. Visible pages receive account events;
// each event only causes a new query, which returns the actual state.

import { print } from 'graphql';
import { graphqlUrl } from '../shared/urls';
import { account, client } from './account';
import { EventsDocument, MeDocument } from './generated';

/** Delay before the next stream; a stream ends with its access token. */
const RECONNECT_DELAY_MS = 1_000;

/** Delay after a failed start of a stream: the polling interval while there are no events. */
const POLL_INTERVAL_MS = 30_000;

/** Starts the monitor; returns a function that stops it. */
export function monitorSession(): () => void {
  let current: AbortController | undefined;
  const restart = () => {
    // A browser has few connections per server, so hidden pages hold none.
    current?.abort();
    if (document.visibilityState !== 'visible') return;
    current = new AbortController();
    void followEvents(current.signal);
  };
  restart();
  document.addEventListener('visibilitychange', restart);
  return () => {
    document.removeEventListener('visibilitychange', restart);
    current?.abort();
  };
}

async function followEvents(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const readEvents = await openStream(signal).catch(() => undefined);
    if (signal.aborted) return;
    // The stream omits events before its start.
    recheck();
    // A broken stream counts as ended.
    await readEvents?.(recheck).catch(() => {});
    await sleep(readEvents ? RECONNECT_DELAY_MS : POLL_INTERVAL_MS, signal);
  }
}

/** Ignores errors: the account emits sign-outs, and an unreachable server is queried again later. */
function recheck(): void {
  client.query({ query: MeDocument, fetchPolicy: 'network-only' }).catch(() => {});
}

/** Opens an event stream; returns a function that reads it to its end, or undefined if the server sends none. */
async function openStream(signal: AbortSignal): Promise<((onEvent: () => void) => Promise<void>) | undefined> {
  const response = await account.fetch(graphqlUrl, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ operationName: 'Events', query: print(EventsDocument) }),
    signal,
  });
  const reader = response.headers.get('content-type') === 'text/event-stream' && response.body?.getReader();
  if (!reader) return undefined;
  const decoder = new TextDecoder();
  return async (onEvent) => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      // Other chunks are keep-alive comments.
      if (decoder.decode(value, { stream: true }).includes('event:')) onEvent();
    }
  };
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

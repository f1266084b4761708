// Notices that the session was ended elsewhere while nobody clicks here. The server tells it with the next answer, so a
// page in sight asks now and then. A subscription to events of the account would be joined here, in place of the timer.
import { client } from './account';
import { MeDocument } from './generated';

const EVERY_MS = 30_000;

/** Starts to watch; answers how to stop. */
export function watch(): () => void {
  const ask = () => {
    if (document.visibilityState !== 'visible') return;
    // Whoever is signed out learns it from the account's event, and a server out of reach is asked again later.
    client.query({ query: MeDocument, fetchPolicy: 'network-only' }).catch(() => {});
  };
  const timer = setInterval(ask, EVERY_MS);
  document.addEventListener('visibilitychange', ask);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', ask);
  };
}

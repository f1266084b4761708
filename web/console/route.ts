// Routing by URL fragment, because paths belong to the server's routes.
import { useMemo, useSyncExternalStore } from 'react';

export interface Route {
  /** `['users', 'usr_…']` for `#/users/usr_…`. */
  path: string[];
  query: URLSearchParams;
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

function parseHash(hash: string): Route {
  const [path = '', query] = hash.replace(/^#\/?/, '').split('?');
  return { path: path.split('/').filter(Boolean), query: new URLSearchParams(query) };
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return useMemo(() => parseHash(hash), [hash]);
}

export function navigate(hash: string): void {
  location.hash = hash;
}

/** Changes query parameters of the route without a history entry; empty values are removed. */
export function updateSearchParams(changes: Record<string, string>): void {
  const { path, query } = parseHash(location.hash);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.size > 0 ? `?${query}` : '';
  history.replaceState(null, '', `#/${path.join('/')}${text}`);
  dispatchEvent(new HashChangeEvent('hashchange'));
}

// Where in the console somebody is: behind the `#`, because the server has routes of its own.
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

function read(hash: string): Route {
  const [path = '', query] = hash.replace(/^#\/?/, '').split('?');
  return { path: path.split('/').filter(Boolean), query: new URLSearchParams(query) };
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return useMemo(() => read(hash), [hash]);
}

export function go(hash: string): void {
  location.hash = hash;
}

/** Changes the question behind the place, without a step in the history; what is empty is left out. */
export function refine(changes: Record<string, string>): void {
  const { path, query } = read(location.hash);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.size > 0 ? `?${query}` : '';
  history.replaceState(null, '', `#/${path.join('/')}${text}`);
  dispatchEvent(new HashChangeEvent('hashchange'));
}

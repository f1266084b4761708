// Device token storage. A login that sends its device token has a rate limit of its own, which other clients of the
// same username cannot exhaust.

const key = (name: string) => `${name} device`;

/** Undefined where the browser denies access to storage. */
function storage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

export function deviceToken(name: string): string | undefined {
  return storage()?.getItem(key(name)) ?? undefined;
}

export function storeDeviceToken(name: string, token: string): void {
  try {
    storage()?.setItem(key(name), token);
  } catch {
    // The storage is full or denied: the next login sends no device token.
  }
}

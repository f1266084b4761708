// The device token: logins that send the last one have attempts of their own, which strangers cannot spend.

const key = (name: string) => `${name} device`;

/** Pages whose storage is closed do without. */
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

export function keepDeviceToken(name: string, token: string): void {
  try {
    storage()?.setItem(key(name), token);
  } catch {
    // The storage is full or closed to this page: the next login comes without it.
  }
}

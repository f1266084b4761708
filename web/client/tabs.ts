// Coordination between the tabs of one browser: a lock and a broadcast channel.

/** A message to the other tabs; it never contains a token. Tabs of other versions read it: keep its shape. */
export type TabMessage = { kind: 'renewed' } | { kind: 'signed-in' } | { kind: 'signed-out'; reason: string };

/** Runs `work` under a lock that all tabs share; environments without locks have no tabs. */
export async function withLock<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const locks = globalThis.navigator?.locks;
  return locks ? await locks.request(name, work) : await work();
}

/** Subscribes to messages of the other tabs; returns a function that sends to them. */
export function openChannel(name: string, onMessage: (message: TabMessage) => void): (message: TabMessage) => void {
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => onMessage(data);
  return (message) => channel.postMessage(message);
}

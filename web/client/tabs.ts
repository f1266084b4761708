// The other tabs of this browser: one of them works at a time, and each hears what the others did.

/** What tabs tell each other; never a token. */
export type News = { kind: 'renewed' } | { kind: 'signed-in' } | { kind: 'signed-out'; reason: string };

/** Runs `work` while no other tab runs anything under this name; where there are no locks, there are no tabs. */
export async function alone<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const locks = globalThis.navigator?.locks;
  return locks ? await locks.request(name, work) : await work();
}

/** Tells the other tabs; `hear` is told what they tell. */
export function join(name: string, hear: (news: News) => void): (news: News) => void {
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => hear(data);
  return (news) => channel.postMessage(news);
}

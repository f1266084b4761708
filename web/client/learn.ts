// Tokens in the answers to other people's operations, such as an application's own login mutation.
import type { Tokens } from './accountd';
import type { Session } from './session';

interface Payload {
  tokens?: (Tokens & { expiresIn?: unknown }) | null;
}

/** Keeps the tokens of every payload in `data`; a pair has an access token, or has it in a cookie and says null. */
export function learn(session: Session, data: unknown): void {
  if (typeof data !== 'object' || data === null) return;
  for (const payload of Object.values(data) as (Payload | null)[]) {
    const tokens = payload?.tokens;
    if (tokens && 'accessToken' in tokens) session.keep(tokens);
  }
}

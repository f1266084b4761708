// Stores tokens from responses to an application's own operations, such as its login mutation.
import type { Tokens } from './accountd';
import type { Session } from './session';

interface Payload {
  tokens?: (Tokens & { expiresIn?: unknown }) | null;
}

/** Stores the tokens of every payload in `data`. In cookie mode `accessToken` is present and null. */
export function captureTokens(session: Session, data: unknown): void {
  if (typeof data !== 'object' || data === null) return;
  for (const payload of Object.values(data) as (Payload | null)[]) {
    const tokens = payload?.tokens;
    if (tokens && 'accessToken' in tokens) session.setTokens(tokens);
  }
}

// Decisions of an application's error link, the same for every Apollo version.
import { REFRESH } from './documents.js';

/** 'refresh', 'signed out' or undefined: the recovery that a response's errors require. */
export function recoveryFor(errors = []) {
  const refusal = errors.find((error) => error.extensions?.code === 'UNAUTHENTICATED');
  if (!refusal) return undefined;
  return refusal.extensions.reason === 'SESSION_ENDED' ? 'signed out' : 'refresh';
}

/** Naive on purpose: not deduplicated, and through the same links, so with the expired header. */
export async function refreshTokens(client, tokens, onSignedOut) {
  const { data } = await client.mutate({
    mutation: REFRESH,
    variables: { input: { refreshToken: tokens.refresh } },
  });
  const pair = data.refresh.tokens;
  if (!pair) {
    const [{ code }] = data.refresh.errors;
    onSignedOut(code);
    throw new Error(`the refresh was refused: ${code}`);
  }
  tokens.access = pair.accessToken;
  tokens.refresh = pair.refreshToken;
}

// Failures in words for the person who sees them.
import { CombinedGraphQLErrors } from '@apollo/client/errors';

/** The code of a failure that the server told. */
export function codeOf(error: unknown): string | undefined {
  if (CombinedGraphQLErrors.is(error)) return error.errors[0]?.extensions?.code as string | undefined;
  return (error as { extensions?: { code?: string } } | undefined)?.extensions?.code;
}

/** A sentence about any failure. */
export function sentence(error: unknown): string {
  if (CombinedGraphQLErrors.is(error)) return error.errors[0]?.message ?? error.message;
  if (codeOf(error)) return (error as Error).message;
  return 'The server cannot be reached.';
}

const reasons: Record<string, string> = {
  LOGOUT: 'You are signed out.',
  SESSION_ENDED: 'Your session was ended. Sign in to go on.',
  REFRESH_TOKEN_REUSED: 'Your session was ended because an old copy of it was used. Sign in to go on.',
};

/** Why somebody is not signed in any more. */
export function whySignedOut(reason: string): string {
  return reasons[reason] ?? 'Sign in to go on.';
}

// Error messages for users.
import { CombinedGraphQLErrors } from '@apollo/client/errors';

/** The error code of a server response. */
export function errorCode(error: unknown): string | undefined {
  if (CombinedGraphQLErrors.is(error)) return error.errors[0]?.extensions?.code as string | undefined;
  return (error as { extensions?: { code?: string } } | undefined)?.extensions?.code;
}

/** A message for any error. */
export function errorMessage(error: unknown): string {
  if (CombinedGraphQLErrors.is(error)) return error.errors[0]?.message ?? error.message;
  if (errorCode(error)) return (error as Error).message;
  return 'The server is unreachable. Try again.';
}

const reasons: Record<string, string> = {
  LOGOUT: 'You are signed out.',
  SESSION_ENDED: 'Your session was ended. Sign in to continue.',
  REFRESH_TOKEN_REUSED: 'Your session was ended because an old refresh token was used again. Sign in to continue.',
};

/** Explains a sign-out by its reason code. */
export function signOutMessage(reason: string): string {
  return reasons[reason] ?? 'Sign in to continue.';
}

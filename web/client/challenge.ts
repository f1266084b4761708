// Authentication challenges: what a rejected response requires of the client.

/** Refresh and repeat, or sign out; the reason is part of the event. */
export type Challenge = { kind: 'refresh' } | { kind: 'sign-out'; reason: string };

interface GraphQLError {
  extensions?: { code?: unknown; reason?: unknown };
}

/** UNAUTHENTICATED means "refresh, then repeat once", except for ended sessions and missing credentials. */
export function challengeFromErrors(errors: unknown): Challenge | undefined {
  if (!Array.isArray(errors)) return undefined;
  const refusal = (errors as GraphQLError[]).find((error) => error?.extensions?.code === 'UNAUTHENTICATED');
  if (!refusal) return undefined;
  const reason = refusal.extensions?.reason;
  if (reason === 'SESSION_ENDED' || reason === 'TOKEN_MISSING') return { kind: 'sign-out', reason };
  return { kind: 'refresh' };
}

/** The same for a response that is not GraphQL: an invalid bearer token (RFC 6750 section 3.1). */
export function challengeFromStatus(response: Response): Challenge | undefined {
  const header = response.headers.get('www-authenticate') ?? '';
  return response.status === 401 && header.includes('invalid_token') ? { kind: 'refresh' } : undefined;
}

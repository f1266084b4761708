// What an answer asks of whoever sent the request.

/** Ask again with renewed credentials, or sign in; the reason goes with the event. */
export type Demand = { kind: 'renew' } | { kind: 'leave'; reason: string };

interface GraphQLError {
  extensions?: { code?: unknown; reason?: unknown };
}

/** UNAUTHENTICATED means "refresh, then repeat once", but for sessions that are over and for no credentials at all. */
export function demandOfErrors(errors: unknown): Demand | undefined {
  if (!Array.isArray(errors)) return undefined;
  const refusal = (errors as GraphQLError[]).find((error) => error?.extensions?.code === 'UNAUTHENTICATED');
  if (!refusal) return undefined;
  const reason = refusal.extensions?.reason;
  if (reason === 'SESSION_ENDED' || reason === 'TOKEN_MISSING') return { kind: 'leave', reason };
  return { kind: 'renew' };
}

/** The same for an answer that is not GraphQL: a bearer token that does not hold (RFC 6750 section 3.1). */
export function demandOfStatus(response: Response): Demand | undefined {
  const challenge = response.headers.get('www-authenticate') ?? '';
  return response.status === 401 && challenge.includes('invalid_token') ? { kind: 'renew' } : undefined;
}

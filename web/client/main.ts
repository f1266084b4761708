// Browser client of accountd for other applications' pages, served as `/client/accountd.js`.
import type { Account, LoginInput, Options, Outcome, RegisterInput, Store, Tokens } from './accountd';
import { deviceToken, storeDeviceToken } from './device';
import { makeFetch } from './fetch';
import { makeLink } from './link';
import { dataOrThrow, LOGIN, LOGOUT, makeRequest, REGISTER, type TokensPayload } from './request';
import { Session } from './session';

export function createAccount(options: Options = {}): Account {
  const { mode = 'memory' } = options;
  if (mode !== 'memory' && mode !== 'cookie') {
    throw new TypeError(`accountd: invalid mode "${mode}": choose "memory" or "cookie"`);
  }
  const isCookie = mode === 'cookie';
  const moduleUrl = import.meta.url;
  const url = new URL(options.url ?? new URL('../graphql', moduleUrl), globalThis.location?.href);
  const name = `accountd ${url.href}`;
  const send: typeof fetch = (input, init) => (options.fetch ?? globalThis.fetch)(input, init);
  // In memory mode requests omit cookies, which may belong to another page of this origin.
  const credentials: RequestCredentials = isCookie ? 'include' : 'omit';
  const request = makeRequest(url, send, credentials);
  const origins = (options.origins ?? []).map((origin) => new URL(origin).origin);
  const session = new Session(name, request, isCookie ? undefined : (options.store ?? memoryStore()));

  async function signIn(mutation: string, input: object): Promise<Outcome> {
    const transport = isCookie ? 'COOKIES' : 'BODY';
    const response = await request<{ payload: TokensPayload }>(mutation, { input: { ...input, transport } });
    const { user, tokens, errors, deviceToken } = dataOrThrow(response).payload;
    if (deviceToken) storeDeviceToken(name, deviceToken);
    if (tokens) session.setTokens(tokens);
    return { user, errors };
  }

  return {
    fetch: makeFetch(session, send, { url, origins, credentials }),
    link: (ApolloLink) => makeLink(session, ApolloLink, isCookie ? credentials : undefined),
    login: (input: LoginInput) => signIn(LOGIN, { ...input, deviceToken: deviceToken(name) }),
    register: (input: RegisterInput) => signIn(REGISTER, input),

    async logout(scope = 'CURRENT', { revokeApiTokens } = {}) {
      const refreshToken = session.refreshToken();
      const input = { scope, revokeApiTokens, ...(refreshToken && { refreshToken }) };
      dataOrThrow(await request(LOGOUT, { input }, session.snapshot().accessToken));
      if (scope !== 'OTHERS') session.signOut('LOGOUT');
    },

    refresh: () => session.refresh(),
    keep: (tokens) => session.setTokens(tokens),
    on: (event, listener) => session.events.on(event, listener),
    get accessToken() {
      return session.snapshot().accessToken;
    },
  };
}

function memoryStore(): Store {
  let current: Tokens | undefined;
  return {
    get: () => current,
    set: (tokens) => {
      current = tokens;
    },
  };
}

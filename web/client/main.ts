// The client of accountd for other people's pages, served as `/client/accountd.js`.
import type { Account, LoginInput, Options, Outcome, RegisterInput, Store, Tokens } from './accountd';
import { asker, dataOf, LOGIN, LOGOUT, REGISTER, type TokensPayload } from './ask';
import { deviceToken, keepDeviceToken } from './device';
import { makeFetch } from './fetch';
import { makeLink } from './link';
import { Session } from './session';

export function createAccount(options: Options = {}): Account {
  const { mode = 'memory' } = options;
  if (mode !== 'memory' && mode !== 'cookie') {
    throw new TypeError(`accountd: there is no mode "${mode}": choose "memory" or "cookie"`);
  }
  const isCookie = mode === 'cookie';
  const here = import.meta.url;
  const url = new URL(options.url ?? new URL('../graphql', here), globalThis.location?.href);
  const name = `accountd ${url.href}`;
  const send: typeof fetch = (input, init) => (options.fetch ?? globalThis.fetch)(input, init);
  // A page that has tokens in its memory means those, and no cookie that another page of this origin has.
  const credentials: RequestCredentials = isCookie ? 'include' : 'omit';
  const ask = asker(url, send, credentials);
  const origins = (options.origins ?? []).map((origin) => new URL(origin).origin);
  const session = new Session(name, ask, isCookie ? undefined : (options.store ?? memory()));

  async function signIn(mutation: string, input: object): Promise<Outcome> {
    const transport = isCookie ? 'COOKIES' : 'BODY';
    const answer = await ask<{ payload: TokensPayload }>(mutation, { input: { ...input, transport } });
    const { user, tokens, errors, deviceToken } = dataOf(answer).payload;
    if (deviceToken) keepDeviceToken(name, deviceToken);
    if (tokens) session.keep(tokens);
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
      dataOf(await ask(LOGOUT, { input }, session.begin().accessToken));
      if (scope !== 'OTHERS') session.leave('LOGOUT');
    },

    refresh: () => session.refresh(),
    keep: (tokens) => session.keep(tokens),
    on: (event, listener) => session.announcer.on(event, listener),
    get accessToken() {
      return session.begin().accessToken;
    },
  };
}

function memory(): Store {
  let kept: Tokens | undefined;
  return {
    get: () => kept,
    set: (tokens) => {
      kept = tokens;
    },
  };
}

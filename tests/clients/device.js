// A device: a client, its tokens and a record of its requests.
import { LOGIN, LOGOUT, ME, REFRESH } from './documents.js';
import { makeRecorder } from './recorder.js';

export function makeDevice({ apollo, uri, tokens = { access: null, refresh: null } }) {
  const recorder = makeRecorder();
  const signedOut = [];
  const client = apollo.makeClient({
    uri,
    tokens,
    fetch: recorder.fetch,
    onSignedOut: (code) => signedOut.push(code),
  });

  const mutate = async (mutation, input) => {
    const { data } = await client.mutate({ mutation, variables: { input } });
    return Object.values(data)[0];
  };

  return {
    tokens,
    recorder,
    signedOut,
    mutate,
    query: async (query, variables) => (await client.query({ query, variables })).data,
    me: async () => (await client.query({ query: ME })).data.me,
    refresh: (refreshToken) => mutate(REFRESH, { refreshToken }),
    logout: () => mutate(LOGOUT, {}),
    stop: () => client.stop(),

    async login(username, password) {
      const payload = await mutate(LOGIN, { username, password });
      if (payload.tokens) this.setTokens(payload.tokens);
      return payload;
    },

    setTokens(pair) {
      tokens.access = pair.accessToken;
      tokens.refresh = pair.refreshToken;
    },
  };
}

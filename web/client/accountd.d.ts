/** Browser client of accountd: authenticated requests, token refresh, sign-in and sign-out events. */

/** Creates a client for the current user. `options` are optional on pages that accountd itself serves. */
export function createAccount(options?: Options): Account;

export interface Options {
  /** GraphQL address of accountd; default: the server that this file was loaded from. */
  url?: string | URL;
  /**
   * Where the tokens are stored. `memory`: in this page, until it is closed. `cookie`: in HttpOnly cookies that no
   * script can read and all tabs share; page and server must be same-site (`localhost` and `127.0.0.1` are not).
   */
  mode?: 'memory' | 'cookie';
  /** Origins beside the server's own that receive the access token, such as `https://api.example.com`. */
  origins?: string[];
  /** Custom token store for `memory` mode, such as a device's keychain. */
  store?: Store;
  /** Sends the requests; default: the global `fetch`. */
  fetch?: typeof fetch;
}

/** A token store. It is read before each request, so tabs and processes may share it. */
export interface Store {
  get(): Tokens | undefined;
  set(tokens: Tokens | undefined): void;
}

/** As `tokens` of the GraphQL payloads; in `cookie` mode both are null. */
export interface Tokens {
  accessToken?: string | null;
  refreshToken?: string | null;
}

export interface Account {
  /**
   * `fetch` with the credentials. If the response requires it, refreshes them once and repeats the request once.
   * Requests to origins that are not listed pass through unchanged.
   */
  fetch: typeof fetch;
  /**
   * The same as an Apollo link, for Apollo Client 3.14 and 4. Pass Apollo's own class, as in
   * `ApolloLink.from([account.link(ApolloLink), new HttpLink({ uri })])`. The link and `fetch` store any `tokens` they
   * see in responses, such as those of your own login mutation.
   */
  link<Link>(ApolloLink: LinkClass<Link>): Link;
  /** Signs in. Errors the user can correct are in `errors`; all others reject. */
  login(input: LoginInput): Promise<Outcome>;
  /** Creates a user and signs in. */
  register(input: RegisterInput): Promise<Outcome>;
  /** Ends this session, the others or all. `revokeApiTokens` also revokes the API tokens; default: only with `ALL`. */
  logout(scope?: 'CURRENT' | 'OTHERS' | 'ALL', options?: { revokeApiTokens?: boolean }): Promise<void>;
  /**
   * Refreshes the credentials now, for other transports such as a WebSocket. Resolves to whether a user is signed in
   * afterwards. Rejects if the server is unreachable.
   */
  refresh(): Promise<boolean>;
  /** Uses these tokens from now on. */
  keep(tokens: Tokens): void;
  /** The current access token, for other transports. */
  readonly accessToken: string | undefined;
  /**
   * Calls `listener` when a user signs in or out, in any tab; returns a function that removes it. The response that
   * ended a session reaches its caller first, so a listener may clear Apollo's store.
   */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void;
}

export interface Events {
  'signed-in': undefined;
  /** `reason` is a code such as `SESSION_ENDED`, `REFRESH_TOKEN_REUSED`, or `LOGOUT` after this client's own logout. */
  'signed-out': { reason: string };
}

export interface LoginInput {
  username: string;
  password: string;
  deviceName?: string;
}

export interface RegisterInput extends LoginInput {
  email?: string | null;
  displayName?: string | null;
}

/** A user, or errors. */
export interface Outcome {
  user: { id: string; username: string } | null;
  errors: AccountError[];
}

/** An error the user can correct, as in the schema. */
export interface AccountError {
  code: string;
  message: string;
  path: string[];
  violations: string[];
  /** Seconds. */
  retryAfter: number | null;
}

/** Apollo's class `ApolloLink`, of either version. */
export interface LinkClass<Link> {
  // biome-ignore lint/suspicious/noExplicitAny: the two versions have different types for the same things
  new (request: (operation: any, forward: any) => any): Link;
  empty(): Link;
}

/** What a page of yours needs to know about accountd: who is signed in, and that requests renew themselves. */

/** The account of whoever looks at this page. `options` may be left out on pages that accountd itself serves. */
export function createAccount(options?: Options): Account;

export interface Options {
  /** Where accountd answers GraphQL; by default the server that this file was loaded from. */
  url?: string | URL;
  /**
   * Where the tokens live. `memory`: in this page alone, until it is left. `cookie`: in HttpOnly cookies that no
   * script sees and all tabs share; the page and the server have to be of one site (`localhost` and `127.0.0.1` are two).
   */
  mode?: 'memory' | 'cookie';
  /** Origins beside the server's own that are sent the access token, such as `https://api.example.com`. */
  origins?: string[];
  /** Keeps the tokens in `memory` mode in a place of yours, such as a device's keychain. */
  store?: Store;
  /** Sends the requests; by default the global `fetch`. */
  fetch?: typeof fetch;
}

/** A place for tokens. It is asked before each request, so tabs and processes may share it. */
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
   * `fetch` with the credentials, which are renewed once if the answer says so; then the request is repeated once.
   * Requests to origins that were not named pass through as they are.
   */
  fetch: typeof fetch;
  /**
   * The same as an Apollo link, for Apollo Client 3.14 and 4: hand it Apollo's own class, as in
   * `ApolloLink.from([account.link(ApolloLink), new HttpLink({ uri })])`. Answers that carry `tokens`, such as your
   * own login mutation's, are kept by themselves, here and by `fetch`.
   */
  link<Link>(ApolloLink: LinkClass<Link>): Link;
  /** Signs in. What the person can fix is in `errors`; everything else rejects. */
  login(input: LoginInput): Promise<Outcome>;
  /** Makes an account and signs in to it. */
  register(input: RegisterInput): Promise<Outcome>;
  /** Ends this session, the others or all. API tokens that a person made are revoked with `ALL`, or as the options say. */
  logout(scope?: 'CURRENT' | 'OTHERS' | 'ALL', options?: { revokeApiTokens?: boolean }): Promise<void>;
  /**
   * Renews the credentials now, for what is sent by other means, such as a WebSocket; whether a user is signed in
   * then. Rejects if the server cannot be reached.
   */
  refresh(): Promise<boolean>;
  /** Goes on with these tokens. */
  keep(tokens: Tokens): void;
  /** The access token as it is now, for what is sent by other means. */
  readonly accessToken: string | undefined;
  /**
   * Calls `listener` whenever a user signs in or out, in any tab; returns a function that removes it. The answer that ended a
   * session reaches its caller first, so a listener may clear Apollo's store.
   */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void;
}

export interface Events {
  'signed-in': undefined;
  /** Why: a code such as `SESSION_ENDED`, `REFRESH_TOKEN_REUSED`, or `LOGOUT` if it was this client itself. */
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

/** What came of it: a user, or errors. */
export interface Outcome {
  user: { id: string; username: string } | null;
  errors: AccountError[];
}

/** What a person can fix, as in the schema. */
export interface AccountError {
  code: string;
  message: string;
  path: string[];
  violations: string[];
  retryAfter: number | null;
}

/** Apollo's class `ApolloLink`, of either version. */
export interface LinkClass<Link> {
  // biome-ignore lint/suspicious/noExplicitAny: the two versions have different types for the same things
  new (request: (operation: any, forward: any) => any): Link;
  empty(): Link;
}

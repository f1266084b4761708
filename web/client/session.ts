// The session of this page: its current credentials and their refresh.
//
// However many requests find the token expired, in however many tabs, one refresh is sent: requests of a page share one
// promise; tabs take a lock and first check whether another tab has refreshed already.
import type { Store, Tokens } from './accountd';
import type { Challenge } from './challenge';
import { EventEmitter } from './events';
import { dataOrThrow, type GraphQLRequest, ME, REFRESH, type RefreshData } from './request';
import { openChannel, type TabMessage, withLock } from './tabs';

/** The credentials that a request is sent with. */
export interface CredentialSnapshot {
  accessToken: string | undefined;
  /** How many times the credentials had changed. */
  revision: number;
}

export class Session {
  readonly events = new EventEmitter();
  private revision = 0;
  private isSignedIn: boolean | undefined;
  private pendingRefresh: Promise<boolean> | undefined;
  private readonly postToTabs: (message: TabMessage) => void;

  /** `store` is undefined in cookie mode. */
  constructor(
    private readonly name: string,
    private readonly request: GraphQLRequest,
    private readonly store: Store | undefined,
  ) {
    this.postToTabs = store ? () => {} : openChannel(name, (message) => this.onMessage(message));
  }

  snapshot(): CredentialSnapshot {
    return { accessToken: this.store?.get()?.accessToken ?? undefined, revision: this.revision };
  }

  refreshToken(): string | undefined {
    return this.store?.get()?.refreshToken ?? undefined;
  }

  /** Handles the challenge to a first request; resolves to whether to repeat the request, once. */
  async recover(challenge: Challenge, sentWith: CredentialSnapshot): Promise<boolean> {
    if (this.hasChangedSince(sentWith)) return this.isSignedIn !== false;
    if (challenge.kind === 'refresh') return this.refreshOnce(sentWith);
    this.signOutAfterResponse(challenge.reason);
    this.flushAfterResponse();
    return false;
  }

  /** Refreshes the credentials now; resolves to whether they are valid afterwards. */
  refresh(): Promise<boolean> {
    return this.refreshOnce(this.snapshot());
  }

  /** Handles the challenge, if any, to a request that is not repeated again. */
  acceptFinal(challenge: Challenge | undefined, sentWith: CredentialSnapshot): void {
    if (challenge?.kind === 'sign-out' && !this.hasChangedSince(sentWith)) this.signOutAfterResponse(challenge.reason);
    this.flushAfterResponse();
  }

  /** Replaces the tokens after a sign-in. */
  setTokens(tokens: Tokens): void {
    const isNew = !this.isSignedIn;
    this.applyTokens(tokens);
    this.postToTabs({ kind: isNew ? 'signed-in' : 'renewed' });
    if (isNew) this.events.emit('signed-in', undefined);
  }

  private applyTokens(tokens: Tokens): void {
    if (this.store && tokens.accessToken && !tokens.refreshToken) {
      console.warn('accountd: without a refreshToken the session ends with the access token: select both in `tokens`');
    }
    this.store?.set({ accessToken: tokens.accessToken, refreshToken: tokens.refreshToken });
    this.revision += 1;
    this.isSignedIn = true;
  }

  signOut(reason: string): void {
    this.signOutAfterResponse(reason);
    this.events.flush();
  }

  /** Signs out because of a response. Listeners run later: they may cancel the very request, as Apollo's
   * `clearStore` does, and its caller would not see why the server refused it. */
  private signOutAfterResponse(reason: string): void {
    if (this.isSignedIn === false) return;
    this.postToTabs({ kind: 'signed-out', reason });
    this.clear(reason);
  }

  /** Notifies listeners after the current responses have reached their callers, in a microtask. */
  private flushAfterResponse(): void {
    setTimeout(() => this.events.flush());
  }

  private clear(reason: string): void {
    this.store?.set(undefined);
    this.revision += 1;
    this.isSignedIn = false;
    this.events.queue('signed-out', { reason });
  }

  private onMessage(message: TabMessage): void {
    if (message.kind === 'signed-out') {
      if (this.isSignedIn !== false) this.clear(message.reason);
      this.events.flush();
      return;
    }
    this.revision += 1;
    const isNew = message.kind === 'signed-in' && !this.isSignedIn;
    this.isSignedIn = true;
    if (isNew) this.events.emit('signed-in', undefined);
  }

  private hasChangedSince(sentWith: CredentialSnapshot): boolean {
    const { accessToken, revision } = this.snapshot();
    return revision !== sentWith.revision || accessToken !== sentWith.accessToken;
  }

  private refreshOnce(sentWith: CredentialSnapshot): Promise<boolean> {
    this.pendingRefresh ??= withLock(this.name, () => this.refreshUnderLock(sentWith)).finally(() => {
      this.pendingRefresh = undefined;
      this.flushAfterResponse();
    });
    return this.pendingRefresh;
  }

  private async refreshUnderLock(sentWith: CredentialSnapshot): Promise<boolean> {
    if (this.hasChangedSince(sentWith)) return this.isSignedIn !== false;
    if (await this.isCookieRefreshed()) return true;
    const refreshToken = this.refreshToken();
    if (this.store && !refreshToken) {
      this.signOutAfterResponse('REFRESH_TOKEN_MISSING');
      return false;
    }
    const input = refreshToken ? { refreshToken } : {};
    const { refresh } = dataOrThrow(await this.request<RefreshData>(REFRESH, { input }));
    if (refresh.tokens) {
      this.applyTokens(refresh.tokens);
      this.postToTabs({ kind: 'renewed' });
      return true;
    }
    this.signOutAfterResponse(refresh.errors[0]?.code ?? 'SESSION_ENDED');
    return false;
  }

  /** Whether another tab has refreshed the shared cookie; its message may arrive later than the cookie. */
  private async isCookieRefreshed(): Promise<boolean> {
    if (this.store) return false;
    const { data } = await this.request<{ me: object | null }>(ME, {});
    if (!data?.me) return false;
    this.revision += 1;
    return true;
  }
}

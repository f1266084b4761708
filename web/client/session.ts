// The session of this page: which credentials requests are sent with, and how they are renewed.
//
// However many requests find the token expired, in however many tabs, one refresh is sent: within a page they wait for
// the same promise, and tabs take turns by a lock and look first whether another one has done it.
import type { Store, Tokens } from './accountd';
import { type Ask, dataOf, ME, REFRESH, type Refreshed } from './ask';
import type { Demand } from './demand';
import { Announcer } from './events';
import { alone, join, type News } from './tabs';

/** What a request is sent with. */
export interface Attempt {
  accessToken: string | undefined;
  /** How often the credentials had changed by then. */
  era: number;
}

export class Session {
  readonly announcer = new Announcer();
  private era = 0;
  private isSignedIn: boolean | undefined;
  private renewal: Promise<boolean> | undefined;
  private readonly tellTabs: (news: News) => void;

  /** `store` is undefined in cookie mode. */
  constructor(
    private readonly name: string,
    private readonly ask: Ask,
    private readonly store: Store | undefined,
  ) {
    this.tellTabs = store ? () => {} : join(name, (news) => this.hear(news));
  }

  begin(): Attempt {
    return { accessToken: this.store?.get()?.accessToken ?? undefined, era: this.era };
  }

  refreshToken(): string | undefined {
    return this.store?.get()?.refreshToken ?? undefined;
  }

  /** Whether the request should be repeated, once, after its answer demanded this. */
  async recover(demand: Demand, attempt: Attempt): Promise<boolean> {
    if (this.hasMovedOn(attempt)) return this.isSignedIn !== false;
    if (demand.kind === 'renew') return this.renew(attempt);
    this.leaveAfterAnswer(demand.reason);
    this.flushAfterAnswer();
    return false;
  }

  /** Renews the credentials now; whether there are any that hold. */
  refresh(): Promise<boolean> {
    return this.renew(this.begin());
  }

  /** Takes note of what the answer to a repeated request demands; it is not repeated again. */
  settle(demand: Demand | undefined, attempt: Attempt): void {
    if (demand?.kind === 'leave' && !this.hasMovedOn(attempt)) this.leaveAfterAnswer(demand.reason);
    this.flushAfterAnswer();
  }

  /** Goes on with tokens that somebody signed in for. */
  keep(tokens: Tokens): void {
    const isNew = !this.isSignedIn;
    this.take(tokens);
    this.tellTabs({ kind: isNew ? 'signed-in' : 'renewed' });
    if (isNew) this.announcer.tell('signed-in', undefined);
  }

  private take(tokens: Tokens): void {
    if (this.store && tokens.accessToken && !tokens.refreshToken) {
      console.warn('accountd: tokens without a refreshToken end with the access token: select both in `tokens`');
    }
    this.store?.set({ accessToken: tokens.accessToken, refreshToken: tokens.refreshToken });
    this.era += 1;
    this.isSignedIn = true;
  }

  leave(reason: string): void {
    this.leaveAfterAnswer(reason);
    this.announcer.flush();
  }

  /** Leaves because an answer says so. Listeners are called later: they may cancel the very request, as Apollo's
   * `clearStore` does, and its caller would not see why the server refused it. */
  private leaveAfterAnswer(reason: string): void {
    if (this.isSignedIn === false) return;
    this.tellTabs({ kind: 'signed-out', reason });
    this.forget(reason);
  }

  /** Notifies listeners after the current answers have reached their callers, in a microtask. */
  private flushAfterAnswer(): void {
    setTimeout(() => this.announcer.flush());
  }

  private forget(reason: string): void {
    this.store?.set(undefined);
    this.era += 1;
    this.isSignedIn = false;
    this.announcer.queue('signed-out', { reason });
  }

  private hear(news: News): void {
    if (news.kind === 'signed-out') {
      if (this.isSignedIn !== false) this.forget(news.reason);
      this.announcer.flush();
      return;
    }
    this.era += 1;
    const isNew = news.kind === 'signed-in' && !this.isSignedIn;
    this.isSignedIn = true;
    if (isNew) this.announcer.tell('signed-in', undefined);
  }

  private hasMovedOn(attempt: Attempt): boolean {
    const { accessToken, era } = this.begin();
    return era !== attempt.era || accessToken !== attempt.accessToken;
  }

  private renew(attempt: Attempt): Promise<boolean> {
    this.renewal ??= alone(this.name, () => this.renewAlone(attempt)).finally(() => {
      this.renewal = undefined;
      this.flushAfterAnswer();
    });
    return this.renewal;
  }

  private async renewAlone(attempt: Attempt): Promise<boolean> {
    if (this.hasMovedOn(attempt)) return this.isSignedIn !== false;
    if (await this.isRenewedInCookie()) return true;
    const refreshToken = this.refreshToken();
    if (this.store && !refreshToken) {
      this.leaveAfterAnswer('REFRESH_TOKEN_MISSING');
      return false;
    }
    const { refresh } = dataOf(await this.ask<Refreshed>(REFRESH, { input: refreshToken ? { refreshToken } : {} }));
    if (refresh.tokens) {
      this.take(refresh.tokens);
      this.tellTabs({ kind: 'renewed' });
      return true;
    }
    this.leaveAfterAnswer(refresh.errors[0]?.code ?? 'SESSION_ENDED');
    return false;
  }

  /** Whether another tab renewed the cookie that all share; its message may still be on its way, the cookie is not. */
  private async isRenewedInCookie(): Promise<boolean> {
    if (this.store) return false;
    const { data } = await this.ask<{ me: object | null }>(ME, {});
    if (!data?.me) return false;
    this.era += 1;
    return true;
  }
}

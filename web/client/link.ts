// The Apollo link, for 3.14 and 4. It uses only the class that is passed in, so it depends on neither version.
import type { LinkClass } from './accountd';
import { captureTokens } from './capture-tokens';
import { type Challenge, challengeFromErrors } from './challenge';
import type { CredentialSnapshot, Session } from './session';

interface Result {
  data?: unknown;
  errors?: unknown;
}

interface Observer {
  next(result: Result): void;
  error(error: unknown): void;
  complete(): void;
}

interface Subscription {
  unsubscribe(): void;
}

interface Observable {
  subscribe(observer: Observer): Subscription;
}

type ObservableClass = new (subscriber: (observer: Observer) => () => void) => Observable;

interface Context {
  headers?: Record<string, string>;
}

interface Operation {
  setContext(change: (context: Context) => object): void;
}

type Forward = (operation: Operation) => Observable;

export function makeLink<Link>(session: Session, ApolloLink: LinkClass<Link>, credentials?: RequestCredentials): Link {
  if (typeof ApolloLink?.empty !== 'function') {
    throw new TypeError("accountd: the link requires Apollo's own class: call account.link(ApolloLink)");
  }
  // Versions 3 and 4 return observables of different libraries.
  const empty = ApolloLink.empty() as { request(): Observable };
  const Observable = empty.request().constructor as ObservableClass;

  const request = (operation: Operation, forward: Forward): Observable =>
    new Observable((observer) => {
      let current: Subscription | undefined;
      let isClosed = false;

      function send(attempt: 'first' | 'repeated'): void {
        const sentWith = session.snapshot();
        operation.setContext(({ headers }) => {
          const authorization = sentWith.accessToken && `Bearer ${sentWith.accessToken}`;
          return {
            ...(credentials && { credentials }),
            ...(authorization && { headers: { ...headers, authorization } }),
          };
        });
        let isRecovering = false;
        const subscription = forward(operation).subscribe({
          next(result) {
            if (isRecovering) return;
            const challenge = challengeFromErrors(result.errors);
            if (challenge && attempt === 'first') {
              isRecovering = true;
              recover(result, challenge, sentWith);
              return;
            }
            session.acceptFinal(challenge, sentWith);
            captureTokens(session, result.data);
            observer.next(result);
          },
          error: (error) => isRecovering || observer.error(error),
          complete: () => isRecovering || observer.complete(),
        });
        if (!isRecovering) current = subscription;
        else subscription.unsubscribe();
      }

      async function recover(refused: Result, challenge: Challenge, sentWith: CredentialSnapshot): Promise<void> {
        try {
          const canRepeat = await session.recover(challenge, sentWith);
          current?.unsubscribe();
          if (isClosed) return;
          if (canRepeat) return send('repeated');
          observer.next(refused);
          observer.complete();
        } catch (error) {
          if (!isClosed) observer.error(error);
        }
      }

      send('first');
      return () => {
        isClosed = true;
        current?.unsubscribe();
      };
    });

  return new ApolloLink(request);
}

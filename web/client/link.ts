// The Apollo link, for 3.14 and 4: it needs nothing of either but the class that it is handed.
import type { LinkClass } from './accountd';
import { demandOfErrors } from './demand';
import { learn } from './learn';
import type { Session } from './session';

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
    throw new TypeError("accountd: hand the link Apollo's own class: account.link(ApolloLink)");
  }
  // Links of version 3 answer with the observables of one library, those of version 4 with another's.
  const empty = ApolloLink.empty() as { request(): Observable };
  const Observable = empty.request().constructor as ObservableClass;

  const request = (operation: Operation, forward: Forward): Observable =>
    new Observable((observer) => {
      let current: Subscription | undefined;
      let isOver = false;

      function send(isRepeated: boolean): void {
        const attempt = session.begin();
        operation.setContext(({ headers }) => {
          const authorization = attempt.accessToken && `Bearer ${attempt.accessToken}`;
          return {
            ...(credentials && { credentials }),
            ...(authorization && { headers: { ...headers, authorization } }),
          };
        });
        let isRecovering = false;
        const subscription = forward(operation).subscribe({
          next(result) {
            if (isRecovering) return;
            const demand = demandOfErrors(result.errors);
            if (demand && !isRepeated) {
              isRecovering = true;
              recover(result, session.recover(demand, attempt));
              return;
            }
            session.settle(demand, attempt);
            learn(session, result.data);
            observer.next(result);
          },
          error: (error) => isRecovering || observer.error(error),
          complete: () => isRecovering || observer.complete(),
        });
        if (!isRecovering) current = subscription;
        else subscription.unsubscribe();
      }

      async function recover(refused: Result, recovery: Promise<boolean>): Promise<void> {
        try {
          const helps = await recovery;
          current?.unsubscribe();
          if (isOver) return;
          if (helps) return send(true);
          observer.next(refused);
          observer.complete();
        } catch (error) {
          if (!isOver) observer.error(error);
        }
      }

      send(false);
      return () => {
        isOver = true;
        current?.unsubscribe();
      };
    });

  return new ApolloLink(request);
}

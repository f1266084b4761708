// What stands in the place of content: that it is coming, that there is none, that it did not come.
import type { ReactNode } from 'react';
import { codeOf, sentence } from '../failure';

export function Loading({ what }: { what: string }) {
  return (
    <p className="state loading" role="status">
      Loading {what}…
    </p>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <p className="state">{children}</p>;
}

export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  // The page that tells of the end of a session is on its way.
  if (codeOf(error) === 'UNAUTHENTICATED') return <Loading what="the sign-in" />;
  return (
    <div className="state" role="alert">
      <p>{sentence(error)}</p>
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

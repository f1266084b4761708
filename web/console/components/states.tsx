// Placeholders for content that is loading, empty or failed.
import type { ReactNode } from 'react';
import { errorCode, errorMessage } from '../errors';

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

export function ErrorMessage({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  // The sign-in page follows after the `signed-out` event.
  if (errorCode(error) === 'UNAUTHENTICATED') return <Loading what="the sign-in page" />;
  return (
    <div className="state" role="alert">
      <p>{errorMessage(error)}</p>
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

// The ways to the next and to the previous page of a list.

interface Props {
  info: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  onAsk(changes: Record<string, string>): void;
}

export function Pager({ info, onAsk }: Props) {
  if (!info.hasNextPage && !info.hasPreviousPage) return null;
  return (
    <nav className="actions" aria-label="Pages">
      <button
        type="button"
        className="button"
        disabled={!info.hasPreviousPage}
        onClick={() => onAsk({ before: info.startCursor ?? '' })}
      >
        Previous
      </button>
      <button
        type="button"
        className="button"
        disabled={!info.hasNextPage}
        onClick={() => onAsk({ after: info.endCursor ?? '' })}
      >
        Next
      </button>
    </nav>
  );
}

// Buttons for the previous and the next page of a list.

interface Props {
  info: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  onQueryChange(changes: Record<string, string>): void;
}

export function Pager({ info, onQueryChange }: Props) {
  if (!info.hasNextPage && !info.hasPreviousPage) return null;
  return (
    <nav className="actions" aria-label="Pages">
      <button
        type="button"
        className="button"
        disabled={!info.hasPreviousPage}
        onClick={() => onQueryChange({ before: info.startCursor ?? '' })}
      >
        Previous
      </button>
      <button
        type="button"
        className="button"
        disabled={!info.hasNextPage}
        onClick={() => onQueryChange({ after: info.endCursor ?? '' })}
      >
        Next
      </button>
    </nav>
  );
}

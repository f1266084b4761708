// Relative times, with the exact time as tooltip.

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

export function Time({ at, none = 'never' }: { at: string | null; none?: string }) {
  if (!at) return <span className="muted">{none}</span>;
  const date = new Date(at);
  return (
    <time dateTime={at} title={exact.format(date)}>
      {formatRelative((date.getTime() - Date.now()) / 1_000)}
    </time>
  );
}

function formatRelative(seconds: number): string {
  const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) ?? [];
  return unit && length ? relative.format(Math.round(seconds / length), unit) : 'just now';
}

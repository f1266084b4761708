// What the list of users is sorted by, as it stands in the address: `USERNAME` or `-CREATED_AT`.
import type { UserOrder, UserOrderField } from '../../generated';

export const columns: { field: UserOrderField; label: string }[] = [
  { field: 'USERNAME', label: 'Username' },
  { field: 'EMAIL', label: 'E-mail address' },
  { field: 'LAST_SIGN_IN_AT', label: 'Last sign-in' },
  { field: 'CREATED_AT', label: 'Created' },
];

/** Newest first if the address says nothing, or nothing that there is. */
export function orderOf(query: URLSearchParams): UserOrder {
  const text = query.get('sort') ?? '-CREATED_AT';
  const column = columns.find(({ field }) => field === text.replace(/^-/, ''));
  return { field: column?.field ?? 'CREATED_AT', direction: text.startsWith('-') ? 'DESC' : 'ASC' };
}

/** The order after a click on a column: names from A, times from the latest; once more turns it around. */
export function nextOrder(now: UserOrder, field: UserOrderField): string {
  const isTime = field.endsWith('_AT');
  const wasDown = now.field === field ? now.direction === 'DESC' : !isTime;
  return wasDown ? field : `-${field}`;
}

// Sort order of the user list, as in the URL: `USERNAME` or `-CREATED_AT`.
import type { UserOrder, UserOrderField } from '../../generated';

export const columns: { field: UserOrderField; label: string }[] = [
  { field: 'USERNAME', label: 'Username' },
  { field: 'EMAIL', label: 'E-mail address' },
  { field: 'LAST_SIGN_IN_AT', label: 'Last sign-in' },
  { field: 'CREATED_AT', label: 'Created' },
];

/** Newest first if the parameter is missing or unknown. */
export function parseOrder(query: URLSearchParams): UserOrder {
  const text = query.get('sort') ?? '-CREATED_AT';
  const column = columns.find(({ field }) => field === text.replace(/^-/, ''));
  return { field: column?.field ?? 'CREATED_AT', direction: text.startsWith('-') ? 'DESC' : 'ASC' };
}

/** The order after a click on a column: names ascending, times descending; a second click reverses it. */
export function nextOrder(current: UserOrder, field: UserOrderField): string {
  const isTime = field.endsWith('_AT');
  const wasDescending = current.field === field ? current.direction === 'DESC' : !isTime;
  return wasDescending ? field : `-${field}`;
}
